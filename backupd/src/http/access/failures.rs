//! Failed sign-ins: each is said once, and whoever goes on failing is made to wait.
//!
//! They are counted by source and id together, and by source alone for whoever takes another id
//! each time. Only wrong tokens are ever refused for it: a secret of 256 bits is not guessed, so
//! a right one is let in at any time, and nobody can lock out anybody. What this saves is work and
//! log lines.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// So many may fail with one id before it waits, and so many with any.
const FREE: u32 = 5;
const FREE_OF_SOURCE: u32 = 19;
const LONGEST: Duration = Duration::from_mins(1);
/// Sources, and pairs of source and id, that are remembered.
const MOST: usize = 4096;

/// A failed sign-in as one line of the log, flat, for programs that ban by address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthFailure {
    /// Where it came from.
    pub source: String,
    /// The token's id, if it was one.
    pub id: Option<String>,
}

impl fmt::Display for AuthFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.id.as_deref().unwrap_or("-");
        write!(f, "event=auth_failure srcip={} user={user}", self.source)
    }
}

/// What has failed lately.
#[derive(Debug, Default)]
pub(in crate::http) struct Failures(Mutex<Lately>);

#[derive(Debug, Default)]
struct Lately {
    sources: Counts<String>,
    pairs: Counts<(String, Option<String>)>,
}

/// What to do about a failed sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Verdict {
    /// Say that it failed.
    Refuse,
    /// Say only to come back after so many seconds.
    Wait(u64),
}

impl Failures {
    pub(in crate::http) fn count(&self, failure: &AuthFailure, now: Instant) -> Verdict {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let source = network(&failure.source);
        // Whoever waits adds nothing: no id of a storm takes the place of another pair.
        if let Some(secs) = lately.sources.waits(&source, FREE_OF_SOURCE, now) {
            return Verdict::Wait(secs);
        }
        let pair = (failure.source.clone(), failure.id.clone());
        if let Some(secs) = lately.pairs.waits(&pair, FREE, now) {
            return Verdict::Wait(secs);
        }
        lately.sources.add(source, FREE_OF_SOURCE, now);
        lately.pairs.add(pair, FREE, now);
        Verdict::Refuse
    }
}

/// Of an IPv6 address the network that one gets as a whole: each of its addresses costs nothing.
fn network(source: &str) -> String {
    match source.parse() {
        Ok(IpAddr::V6(address)) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            Ipv6Addr::from(network).to_string()
        }
        _ => source.to_owned(),
    }
}

#[derive(Debug)]
struct Count {
    failed: u32,
    until: Instant,
}

/// Failures by whatever they are counted by.
#[derive(Debug)]
struct Counts<K>(HashMap<K, Count>);

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq + Clone> Counts<K> {
    /// For how many seconds this one waits still, after so many that were free.
    fn waits(&self, key: &K, free: u32, now: Instant) -> Option<u64> {
        let count = self.0.get(key)?;
        let waits = count.failed > free && now < count.until;
        waits.then(|| (count.until - now).as_secs() + 1)
    }

    fn add(&mut self, key: K, free: u32, now: Instant) {
        if self.0.len() >= MOST && !self.0.contains_key(&key) {
            self.make_room(now);
        }
        let count = self.0.entry(key).or_insert(Count {
            failed: 0,
            until: now,
        });
        if now > count.until + LONGEST {
            count.failed = 0;
        }
        count.failed = count.failed.saturating_add(1);
        let over = count.failed.saturating_sub(free + 1).min(6);
        count.until = now + LONGEST.min(Duration::from_secs(1 << over));
    }

    /// Those whose time is over go first; then whoever is nearest to it.
    fn make_room(&mut self, now: Instant) {
        self.0.retain(|_, count| now < count.until);
        let first = self.0.iter().min_by_key(|(_, count)| count.until);
        let first = first.map(|(key, _)| key.clone());
        if let Some(first) = first.filter(|_| self.0.len() >= MOST) {
            self.0.remove(&first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(source: &str, id: &str) -> AuthFailure {
        AuthFailure {
            source: source.to_owned(),
            id: Some(id.to_owned()),
        }
    }

    #[test]
    fn whoever_goes_on_failing_waits_longer_and_nobody_else_does() {
        let failures = Failures::default();
        let now = Instant::now();
        let after = |secs| now + Duration::from_secs(secs);
        for _ in 0..=FREE {
            assert_eq!(failures.count(&from("a", "x"), now), Verdict::Refuse);
        }
        assert_eq!(failures.count(&from("a", "x"), now), Verdict::Wait(2));
        assert_eq!(failures.count(&from("a", "y"), now), Verdict::Refuse);
        assert_eq!(failures.count(&from("b", "x"), now), Verdict::Refuse);
        assert_eq!(failures.count(&from("a", "x"), after(2)), Verdict::Refuse);
        assert_eq!(failures.count(&from("a", "x"), after(2)), Verdict::Wait(3));
        assert_eq!(failures.count(&from("a", "x"), after(200)), Verdict::Refuse);
        assert_eq!(failures.count(&from("a", "x"), after(200)), Verdict::Refuse);
    }

    #[test]
    fn a_storm_of_ids_takes_bounded_room() {
        let failures = Failures::default();
        let now = Instant::now();
        for n in 0..2 * MOST {
            failures.count(&from(&n.to_string(), "x"), now);
        }
        let lately = failures.0.lock().unwrap();
        assert_eq!((lately.pairs.0.len(), lately.sources.0.len()), (MOST, MOST));
    }

    #[test]
    fn another_id_each_time_is_one_storm_from_one_source() {
        let failures = Failures::default();
        let now = Instant::now();
        // Of IPv6 addresses, too, one has as many as one likes.
        for source in ["192.0.2.7", "2001:db8::"] {
            let from = |n: usize| {
                let host = if source.contains(':') {
                    n.to_string()
                } else {
                    String::new()
                };
                from(&format!("{source}{host}"), &n.to_string())
            };
            let said = (0..1000).filter(|&n| failures.count(&from(n), now) == Verdict::Refuse);
            assert_eq!(said.count(), 20, "{source}");
            // Half a minute later it is still the same one, and waits longer.
            let later = now + Duration::from_secs(30);
            assert_eq!(failures.count(&from(2000), later), Verdict::Refuse);
            assert_eq!(failures.count(&from(2001), later), Verdict::Wait(3));
        }
        assert_eq!(
            failures.count(&from("192.0.2.8", "x"), now),
            Verdict::Refuse
        );
        assert_eq!(
            failures.count(&from("2001:db8:0:1::1", "x"), now),
            Verdict::Refuse
        );
        assert!(failures.0.lock().unwrap().pairs.0.len() < 50);
    }

    #[test]
    fn the_line_of_the_log_is_flat() {
        let line = from("192.0.2.7", "0123456789abcdef").to_string();
        let expected = "event=auth_failure srcip=192.0.2.7 user=0123456789abcdef";
        assert_eq!(line, expected);
    }
}
