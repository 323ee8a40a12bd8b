//! Where a request comes from: the other end of its connection, or whom a trusted proxy names;
//! and how many connections each source holds.

use std::{
    collections::HashMap,
    fmt,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

use http::HeaderMap;
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";
/// Headers by which somebody says that they speak for somebody else.
const FORWARDED: [&str; 4] = [FORWARDED_FOR, "forwarded", "x-real-ip", "via"];

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// A process of this machine, as the kernel tells it.
    Local {
        /// Its user.
        uid: u32,
    },
    /// An address. Whoever is there has shown nothing.
    Network {
        /// The address, IPv4 as such.
        address: IpAddr,
    },
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local { uid } => write!(f, "uid:{uid}"),
            Self::Network { address } => address.fmt(f),
        }
    }
}

/// The address that a request comes from: of the names in `X-Forwarded-For` the right-most that
/// no trusted proxy has, for all left of it may be invented.
pub(super) fn address(peer: IpAddr, trusted: &[IpNet], headers: &HeaderMap) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut source = peer;
    let named = headers.get_all(FORWARDED_FOR).iter();
    let named: Vec<&str> = named
        .flat_map(|line| line.to_str().unwrap_or("?").split(','))
        .collect();
    for one in named.iter().rev() {
        if !is_trusted(&source) {
            break;
        }
        // What is no address was not written by our proxy.
        let Ok(address) = one.trim().parse::<IpAddr>() else {
            break;
        };
        source = address.to_canonical();
    }
    source
}

/// Whether somebody speaks for somebody else.
pub(super) fn is_forwarded(headers: &HeaderMap) -> bool {
    FORWARDED.iter().any(|name| headers.contains_key(*name))
}

/// Who holds connections: a user of this machine, an address, or the network that one gets as a
/// whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Source {
    Uid(u32),
    Address(IpAddr),
}

impl From<Peer> for Source {
    fn from(peer: Peer) -> Self {
        match peer {
            Peer::Local { uid } => Self::Uid(uid),
            Peer::Network {
                address: IpAddr::V6(address),
            } => {
                let network = u128::from(address) & !u128::from(u64::MAX);
                Self::Address(Ipv6Addr::from(network).into())
            }
            Peer::Network { address } => Self::Address(address),
        }
    }
}

/// How many connections each source holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources(Arc<Mutex<HashMap<Source, usize>>>);

/// A place that a source takes for as long as it has a connection.
#[derive(Debug)]
pub(super) struct Place {
    sources: Sources,
    source: Source,
}

impl Sources {
    /// A place for another connection of this peer, unless it has enough.
    pub(super) fn place(&self, peer: Peer, most: usize) -> Option<Place> {
        let source = Source::from(peer);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(source).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        let sources = self.clone();
        Some(Place { sources, source })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self
            .sources
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_the_last_whom_nobody_trusted_named() {
        let trusted: Vec<IpNet> = ["10.0.0.0/24", "2001:db8::/64"]
            .iter()
            .map(|net| net.parse().unwrap())
            .collect();
        for (peer, lines, expected) in [
            ("192.0.2.1", &["198.51.100.1"][..], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["198.51.100.1,10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", &["198.51.100.1, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1, \u{e4}, 10.0.0.2"], "10.0.0.1"),
            ("2001:db8::1", &["::ffff:198.51.100.1"], "198.51.100.1"),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                let value = http::HeaderValue::from_bytes(line.as_bytes()).unwrap();
                headers.append(FORWARDED_FOR, value);
            }
            let found = address(peer.parse().unwrap(), &trusted, &headers);
            assert_eq!(found.to_string(), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn a_source_has_so_many_connections_and_takes_none_of_anothers() {
        let sources = Sources::default();
        let from = |address: &str| Peer::Network {
            address: address.parse().unwrap(),
        };
        let first = sources.place(from("2001:db8::1"), 2).unwrap();
        let _second = sources.place(from("2001:db8::2"), 2).unwrap();
        assert!(sources.place(from("2001:db8::3"), 2).is_none());
        assert!(sources.place(from("2001:db8:0:1::1"), 2).is_some());
        assert!(sources.place(Peer::Local { uid: 0 }, 2).is_some());
        drop(first);
        assert!(sources.place(from("2001:db8::3"), 2).is_some());
        assert_eq!(sources.0.lock().unwrap().len(), 1);
    }
}
