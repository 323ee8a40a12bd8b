//! Checks of the table `[server]`: how much at once, and who may reach the daemon from where.

use std::{net::IpAddr, net::SocketAddr, num::NonZeroUsize, path::PathBuf};

use backupd_api::{Address, AddressError, Scope, Scopes};
use ipnet::IpNet;

use super::config::Check;
use crate::config::{
    Listen, ServerConfig, TlsConfig,
    problem::Located,
    raw::{RawFile, RawServer, RawTls},
    table::{Field, suggestion},
};

const DEFAULT_PARALLEL: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);
const MAX_PARALLEL: usize = 64;
const LONGEST_NAME: usize = 128;

type Texts<'a> = Located<&'a Vec<Located<String>>>;

impl Check {
    /// The table `[server]`, from whichever files have it; each key stands once.
    pub(super) fn server(
        &mut self,
        files: &[RawFile],
        default_socket: impl FnOnce() -> PathBuf,
    ) -> ServerConfig {
        let raw: Vec<_> = files.iter().filter_map(|f| f.server.as_ref()).collect();
        let mut texts = |name: &str, key: fn(&RawServer) -> &Field<Vec<Located<String>>>| {
            let fields: Vec<_> = raw.iter().map(|raw| key(raw)).collect();
            self.once(name, &fields).got()
        };
        let listen = texts("listen", |raw| &raw.listen);
        let hosts = texts("hosts", |raw| &raw.hosts);
        let group_scopes = texts("group_scopes", |raw| &raw.group_scopes);
        let proxies = texts("trusted_proxies", |raw| &raw.trusted_proxies);
        let restore_folders = texts("restore_folders", |raw| &raw.restore_folders);
        let name: Vec<_> = raw.iter().map(|raw| &raw.name).collect();
        let name = self.once("name", &name).got();
        let parallel: Vec<_> = raw.iter().map(|raw| &raw.parallel).collect();
        let parallel = self.once("parallel", &parallel).got();
        let tls: Vec<_> = raw.iter().map(|raw| &raw.tls).collect();
        let tls = self.once("tls", &tls).got();
        let server = ServerConfig {
            name: name.map_or_else(host_name, |raw| self.name(&raw)),
            parallel: parallel.map_or(DEFAULT_PARALLEL, |raw| self.parallel(&raw)),
            listen: match listen {
                Some(raw) => self.listen(&raw),
                None => vec![Listen::Unix(default_socket())],
            },
            hosts: hosts.map_or_else(Vec::new, |raw| self.hosts(&raw)),
            group_scopes: group_scopes.map_or_else(Scopes::default, |raw| self.scopes(&raw)),
            trusted_proxies: proxies.map_or_else(Vec::new, |raw| self.proxies(&raw)),
            restore_folders: restore_folders
                .map_or_else(Vec::new, |raw| self.restore_folders(&raw)),
            tls: tls.as_ref().and_then(|raw| self.tls(raw.value)),
        };
        let by_tls = |listen: &Listen| matches!(listen, Listen::Https(_));
        if let Some(raw) = tls.filter(|_| !server.listen.iter().any(by_tls)) {
            let message = "`[server.tls]` is never used";
            let help = "Add an `https://` address to `listen`.";
            self.findings.warn(&raw.at, message, help);
        }
        server
    }

    fn name(&mut self, raw: &Located<&String>) -> String {
        if raw.value.trim().is_empty() || raw.value.len() > LONGEST_NAME {
            let message = format!("`name` has not 1 to {LONGEST_NAME} bytes");
            let help = "Leave it out, and it is this machine's name.";
            self.findings.at(&raw.at, message, help);
        }
        raw.value.clone()
    }

    fn parallel(&mut self, raw: &Located<&i64>) -> NonZeroUsize {
        let count = usize::try_from(*raw.value).ok().and_then(NonZeroUsize::new);
        if let Some(count) = count.filter(|count| count.get() <= MAX_PARALLEL) {
            return count;
        }
        let message = format!("`parallel` is {}", raw.value);
        let help = format!("Write a number from 1 to {MAX_PARALLEL}.");
        self.findings.at(&raw.at, message, help);
        DEFAULT_PARALLEL
    }

    fn listen(&mut self, raw: &Texts<'_>) -> Vec<Listen> {
        if raw.value.is_empty() {
            let help = "Leave the key out: then programs of this machine can ask the daemon.";
            self.findings.at(&raw.at, "`listen` is empty", help);
        }
        let mut all = Vec::new();
        for one in raw.value {
            match place(&one.value) {
                Err((message, help)) => {
                    let message = format!("`{}`: {message}", one.value);
                    self.findings.at(&one.at, message, help);
                }
                Ok(listen) if all.contains(&listen) => {
                    let message = format!("`{}` stands twice", one.value);
                    self.findings.at(&one.at, message, "Remove one of them.");
                }
                Ok(listen) => all.push(listen),
            }
        }
        all
    }

    fn hosts(&mut self, raw: &Texts<'_>) -> Vec<String> {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        for one in raw.value {
            let text = &one.value;
            if text.is_empty() || text.len() > 253 || !text.bytes().all(letter) {
                let message = format!("`{text}` is not the name of a host");
                let help = "Write the name alone, without scheme and port: \
                            `vault01.example.org`. Addresses need not be named.";
                self.findings.at(&one.at, message, help);
            }
        }
        let lower = |one: &Located<String>| one.value.to_ascii_lowercase();
        raw.value.iter().map(lower).collect()
    }

    fn scopes(&mut self, raw: &Texts<'_>) -> Scopes {
        let mut scopes = Vec::new();
        for one in raw.value {
            let known = Scope::ALL.into_iter();
            if let Some(scope) = known.clone().find(|scope| scope.as_str() == one.value) {
                scopes.push(scope);
            } else {
                let known: Vec<_> = known.map(Scope::as_str).collect();
                let message = format!("unknown scope `{}`", one.value);
                let help = suggestion(&one.value, &known);
                self.findings.at(&one.at, message, help);
            }
        }
        Scopes(scopes)
    }

    fn proxies(&mut self, raw: &Texts<'_>) -> Vec<IpNet> {
        let mut all = Vec::new();
        for one in raw.value {
            let address = one.value.parse::<IpAddr>().map(IpNet::from);
            match address.or_else(|_| one.value.parse::<IpNet>()) {
                Ok(net) if net.prefix_len() == 0 => {
                    let message = "`trusted_proxies` trusts everybody";
                    let help = "Name the addresses of your own proxies: whoever is trusted can \
                                say that a request came from anywhere.";
                    self.findings.at(&one.at, message, help);
                }
                Ok(net) => all.push(net),
                Err(_) => {
                    let message = format!("`{}` is not an address", one.value);
                    let help = "Write addresses or networks: `10.0.0.1`, `10.0.0.0/24`.";
                    self.findings.at(&one.at, message, help);
                }
            }
        }
        all
    }

    fn restore_folders(&mut self, raw: &Texts<'_>) -> Vec<PathBuf> {
        let mut all = Vec::new();
        for one in raw.value {
            match self.absolute("restore_folders", one) {
                Some(path) if path.parent().is_none() => {
                    let message = "`restore_folders` lets restores go anywhere";
                    let help = "Name a folder for them; the scope `admin` goes anywhere.";
                    self.findings.at(&one.at, message, help);
                }
                Some(path) => all.push(path),
                None => {}
            }
        }
        all
    }

    fn tls(&mut self, raw: &RawTls) -> Option<TlsConfig> {
        let certificate = raw.certificate.as_ref();
        let certificate = certificate.and_then(|raw| self.absolute("certificate", raw));
        let key = raw.key.as_ref().and_then(|raw| self.secret(raw));
        Some(TlsConfig {
            certificate: certificate?,
            key: key?,
        })
    }
}

fn host_name() -> String {
    let host = rustix::system::uname();
    host.nodename().to_string_lossy().into_owned()
}

/// Where to listen; else what is wrong, and what to do.
fn place(text: &str) -> Result<Listen, (String, &'static str)> {
    let address: Address = text
        .parse()
        .map_err(|error: AddressError| (error.to_string(), error.help()))?;
    match address {
        Address::Unix(path) => Ok(Listen::Unix(path)),
        Address::Http(address) => Ok(Listen::Http(address)),
        Address::Https { host, port } => match host.parse::<IpAddr>() {
            Ok(ip) => Ok(Listen::Https(SocketAddr::new(ip, port))),
            Err(_) => Err((
                "one listens at an address, not at a name".to_owned(),
                "Write an address of this machine, or `0.0.0.0` for all of them; names go into \
                 `hosts`.",
            )),
        },
    }
}
