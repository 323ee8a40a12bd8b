//! What the environment says to this program alone, but for flags.

#![expect(
    clippy::disallowed_methods,
    reason = "the programs read the environment for the library"
)]

use std::{env, ffi::OsString, path::PathBuf};

use backupd::environment::path;
use clap::builder::{FalseyValueParser, TypedValueParser as _};

/// The administrator's identity file, where no command line names a key.
pub(crate) fn identity() -> Option<PathBuf> {
    path("BACKUPCTL_IDENTITY")
}

/// What plugins of age see of the environment.
pub(crate) fn of_plugins() -> Vec<(OsString, OsString)> {
    let names = ["HOME", "PATH", "XDG_RUNTIME_DIR"];
    let set = names.map(|name| Some((OsString::from(name), env::var_os(name)?)));
    set.into_iter().flatten().collect()
}

/// Whether the terminal can do no more than print lines.
pub(crate) fn is_dumb_terminal() -> bool {
    env::var_os("TERM").is_none_or(|term| term == "dumb")
}

/// Whether JSON is wanted, as far as can be said of arguments that make no sense.
pub(crate) fn wants_json() -> bool {
    let parser = FalseyValueParser::new();
    let command = clap::Command::new("backupctl");
    let says_so = |value: OsString| parser.parse_ref(&command, None, &value).unwrap_or(false);
    env::args_os().any(|arg| arg == "--json") || env::var_os("BACKUPCTL_JSON").is_some_and(says_so)
}
