//! Where the configuration is looked for, and where state goes when it does not say.
//!
//! Knows the order, not the environment: a program hands in what it found there.

use std::path::{Path, PathBuf};

/// What a program knows about where things are.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The file given on the command line.
    pub flag: Option<PathBuf>,
    /// The file in `$BACKUPD_CONFIG`.
    pub variable: Option<PathBuf>,
    /// `$XDG_CONFIG_HOME`.
    pub config_home: Option<PathBuf>,
    /// `$XDG_STATE_HOME`.
    pub state_home: Option<PathBuf>,
    /// `$HOME`.
    pub home: Option<PathBuf>,
    /// Whether the program runs as root.
    pub root: bool,
    /// `/run/backupd`, where it is there.
    pub run: Option<PathBuf>,
}

/// Where the system's daemon keeps what it must remember.
const SYSTEM_STATE: &str = "/var/lib/backupd";
const SOCKET: &str = "api.sock";

impl Places {
    /// The files that are looked for, in order. The first that exists is taken.
    ///
    /// A file that somebody named is the only one: where it is missing, nothing else will do.
    pub fn candidates(&self) -> Vec<PathBuf> {
        if let Some(named) = self.flag.as_ref().or(self.variable.as_ref()) {
            return vec![named.clone()];
        }
        let home = self.based(self.config_home.as_ref(), ".config");
        home.map(|home| home.join("backupd/config.toml"))
            .into_iter()
            .chain([PathBuf::from("/etc/backupd/config.toml")])
            .collect()
    }

    /// The state folder where the configuration names none.
    pub fn default_state(&self) -> PathBuf {
        let system = PathBuf::from(SYSTEM_STATE);
        if self.root {
            return system;
        }
        self.based(self.state_home.as_ref(), ".local/state")
            .map_or(system, |home| home.join("backupd"))
    }

    /// The daemon's socket where the configuration names none: that of the system's daemon is
    /// where such things are looked for; any other is beside its state. Whoever asks comes to the
    /// same answer, the daemon's user or another.
    pub(super) fn default_socket(&self, state: &Path) -> PathBuf {
        let system = self.run.as_deref();
        let system = system.filter(|_| state == Path::new(SYSTEM_STATE));
        system.unwrap_or(state).join(SOCKET)
    }

    /// An XDG folder: the variable if it is absolute, else below the home folder.
    fn based(&self, variable: Option<&PathBuf>, below_home: &str) -> Option<PathBuf> {
        let absolute = |path: &&PathBuf| Path::is_absolute(path);
        variable
            .filter(absolute)
            .cloned()
            .or_else(|| Some(self.home.as_ref().filter(absolute)?.join(below_home)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> Places {
        Places {
            home: Some("/home/eve".into()),
            ..Places::default()
        }
    }

    #[test]
    fn a_named_file_is_the_only_one() {
        let named = Places {
            flag: Some("a.toml".into()),
            variable: Some("/b.toml".into()),
            ..user()
        };
        assert_eq!(named.candidates(), [PathBuf::from("a.toml")]);
        let variable = Places {
            flag: None,
            ..named
        };
        assert_eq!(variable.candidates(), [PathBuf::from("/b.toml")]);
    }

    #[test]
    fn the_user_comes_before_the_system() {
        let etc = PathBuf::from("/etc/backupd/config.toml");
        let home = PathBuf::from("/home/eve/.config/backupd/config.toml");
        assert_eq!(user().candidates(), [home.clone(), etc.clone()]);
        assert_eq!(Places::default().candidates(), std::slice::from_ref(&etc));
        let xdg = Places {
            config_home: Some("/xdg".into()),
            ..user()
        };
        assert_eq!(
            xdg.candidates(),
            ["/xdg/backupd/config.toml".into(), etc.clone()]
        );
        let relative = Places {
            config_home: Some("xdg".into()),
            ..user()
        };
        assert_eq!(relative.candidates(), [home, etc]);
    }

    #[test]
    fn state_belongs_to_root_or_to_the_user() {
        let root = Places {
            root: true,
            ..user()
        };
        assert_eq!(root.default_state(), Path::new("/var/lib/backupd"));
        let state = user().default_state();
        assert_eq!(state, Path::new("/home/eve/.local/state/backupd"));
    }

    #[test]
    fn the_systems_socket_is_where_sockets_are_and_others_are_beside_their_state() {
        let system = Path::new("/var/lib/backupd");
        let booted = Places {
            run: Some("/run/backupd".into()),
            ..user()
        };
        let socket = |places: &Places, state| places.default_socket(state);
        let expected = Path::new("/run/backupd/api.sock");
        assert_eq!(socket(&booted, system), expected);
        let beside = Path::new("/var/lib/backupd/api.sock");
        assert_eq!(socket(&user(), system), beside);
        let own = Path::new("/srv/state");
        assert_eq!(socket(&booted, own), Path::new("/srv/state/api.sock"));
    }
}
