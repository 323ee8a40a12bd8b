//! Checks of what a database source needs: its connection and the reference to its password.

use std::path::Path;

use super::config::Check;
use crate::config::{
    Connection, PostgresSource, SecretRef,
    problem::Located,
    raw::{RawConnection, RawPostgres, RawSecret},
};

const DEFAULT_HOST: &str = "/var/run/postgresql";
const DEFAULT_PORT: u16 = 5432;

impl Check {
    /// Each part is checked before any of them may fail the whole.
    pub(super) fn postgres(&mut self, raw: &RawPostgres) -> Option<PostgresSource> {
        let connection = raw.connection.as_ref().map(|raw| self.connection(raw));
        let password = raw.password.as_ref().map(|raw| self.secret(raw));
        let bin_dir = raw.bin_dir.as_ref();
        let bin_dir = bin_dir.map(|raw| self.absolute("bin_dir", raw));
        let stall_timeout = self.stall_timeout(raw.stall_timeout.as_ref());
        Some(PostgresSource {
            connection: connection??,
            password: password.map_or(Some(None), |secret| secret.map(Some))?,
            bin_dir: bin_dir.map_or(Some(None), |path| path.map(Some))?,
            globals: raw.globals,
            stall_timeout: stall_timeout?,
        })
    }

    fn connection(&mut self, raw: &RawConnection) -> Option<Connection> {
        let host = match &raw.host {
            Some(host) => self.host(host),
            None => Some(DEFAULT_HOST.to_owned()),
        };
        let port = match &raw.port {
            Some(port) => self.port(port),
            None => Some(DEFAULT_PORT),
        };
        let user = self.filled("user", raw.user.as_ref());
        let dbname = self.filled("dbname", raw.dbname.as_ref());
        Some(Connection {
            host: host?,
            port: port?,
            user: user?,
            dbname: dbname?,
        })
    }

    fn host(&mut self, host: &Located<String>) -> Option<String> {
        let text = host.value.as_str();
        if text.contains("://") || text.contains('@') {
            self.findings.mask(host.at.file, host.at.span.clone());
            let help = "Write host, port, user and dbname each as a key of its own.";
            self.findings.at(&host.at, "`host` is a URL", help);
            return None;
        }
        let relative = text.contains('/') && !text.starts_with('/');
        if text.is_empty() || relative || text.contains([',', ' ']) {
            let help = "Give one host name, one address, or the absolute folder of a socket.";
            self.findings
                .at(&host.at, format!("`{text}` is not a host"), help);
            return None;
        }
        Some(text.to_owned())
    }

    fn port(&mut self, port: &Located<i64>) -> Option<u16> {
        let number = u16::try_from(port.value).ok().filter(|&port| port > 0);
        if number.is_none() {
            let help = "A port is from 1 to 65535; PostgreSQL's is 5432.";
            self.findings.at(&port.at, "there is no such port", help);
        }
        number
    }

    fn filled(&mut self, key: &str, raw: Option<&Located<String>>) -> Option<String> {
        let raw = raw?;
        if raw.value.is_empty() {
            let help = format!("Write a value for `{key}`.");
            self.findings.at(&raw.at, format!("`{key}` is empty"), help);
            return None;
        }
        Some(raw.value.clone())
    }

    /// One reference of one kind.
    pub(super) fn secret(&mut self, raw: &RawSecret) -> Option<SecretRef> {
        const KINDS: &str = "Give one of `env`, `file`, `credential`, `command`.";
        if raw.given != 1 {
            let message = match raw.given {
                0 => "the reference does not say where the secret is",
                _ => "the reference names several places for one secret",
            };
            self.findings.at(&raw.at, message, KINDS);
            return None;
        }
        if let Some(env) = &raw.env {
            let sound = !env.value.is_empty() && !env.value.contains('=');
            let help = "Give the variable's name without `$`.";
            self.sound_secret(sound && !env.value.starts_with('$'), env, help)?;
            return Some(SecretRef::Env(env.value.clone()));
        }
        if let Some(file) = &raw.file {
            self.sound_secret(
                !file.value.is_empty(),
                file,
                "Name the file with the secret.",
            )?;
            let folder: &Path = self.findings.folder(file.at.file);
            return Some(SecretRef::File(folder.join(&file.value)));
        }
        if let Some(name) = &raw.credential {
            let sound =
                !["", ".", ".."].contains(&name.value.as_str()) && !name.value.contains('/');
            self.sound_secret(sound, name, "Give a credential's name, which has no `/`.")?;
            return Some(SecretRef::Credential(name.value.clone()));
        }
        let command = raw.command.as_ref()?;
        let arguments: Vec<_> = command.value.iter().map(|arg| arg.value.clone()).collect();
        let sound = arguments.first().is_some_and(|program| !program.is_empty());
        if !sound {
            let help = "Begin with a program: `{ command = [\"pass\", \"show\", \"pg\"] }`.";
            self.findings
                .at(&command.at, "the secret command is empty", help);
            return None;
        }
        Some(SecretRef::Command(arguments))
    }

    fn sound_secret(&mut self, sound: bool, raw: &Located<String>, help: &str) -> Option<()> {
        if !sound {
            let message = format!("`{}` is not a reference to a secret", raw.value);
            self.findings.at(&raw.at, message, help);
        }
        sound.then_some(())
    }
}
