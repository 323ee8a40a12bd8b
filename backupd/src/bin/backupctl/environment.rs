//! What the environment says: the only place where this program asks it, but for flags.

#![expect(
    clippy::disallowed_methods,
    reason = "the programs read the environment for the library"
)]

use std::{env, path::PathBuf};

use backupd::config::{Places, SecretSources};

/// Where the configuration and state may be; `flag` is the file on the command line.
pub(crate) fn places(flag: Option<PathBuf>) -> Places {
    Places {
        flag,
        variable: path("BACKUPD_CONFIG"),
        config_home: path("XDG_CONFIG_HOME"),
        state_home: path("XDG_STATE_HOME"),
        home: path("HOME"),
        root: rustix::process::geteuid().is_root(),
    }
}

/// Where secrets may be.
#[expect(dead_code, reason = "for the commands that work with repositories")]
pub(crate) fn secret_sources() -> SecretSources {
    SecretSources {
        env: |name| env::var_os(name),
        credentials: path("CREDENTIALS_DIRECTORY"),
    }
}

/// Whether the terminal can do no more than print lines.
pub(crate) fn is_dumb_terminal() -> bool {
    env::var_os("TERM").is_none_or(|term| term == "dumb")
}

/// A variable that is set to the empty text counts as not set.
fn path(name: &str) -> Option<PathBuf> {
    env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}
