//! What the environment says to the programs of this package: where configuration, secrets and
//! other programs are. The library is told; only this file asks.

#![expect(
    clippy::disallowed_methods,
    reason = "the only place of the library that reads the environment"
)]

use std::{env, path::PathBuf};

use crate::config::{Places, SecretSources};

/// Where the configuration and state may be; `flag` is the file on the command line.
pub fn places(flag: Option<PathBuf>) -> Places {
    Places {
        flag,
        variable: path("BACKUPD_CONFIG"),
        config_home: path("XDG_CONFIG_HOME"),
        state_home: path("XDG_STATE_HOME"),
        home: path("HOME"),
        root: rustix::process::geteuid().is_root(),
        run: Some(PathBuf::from("/run/backupd")).filter(|run| run.is_dir()),
    }
}

/// Where secrets may be.
pub fn secret_sources() -> SecretSources {
    SecretSources {
        env: |name| env::var_os(name),
        credentials: path("CREDENTIALS_DIRECTORY"),
    }
}

/// Where to look for programs.
pub fn program_folders() -> Vec<PathBuf> {
    env::var_os("PATH")
        .map(|path| env::split_paths(&path).collect())
        .unwrap_or_default()
}

/// A variable that names a path. One that is set to the empty text counts as not set.
pub fn path(name: &str) -> Option<PathBuf> {
    env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}
