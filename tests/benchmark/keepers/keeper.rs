//! What all who store have in common.

use std::{path::Path, process::Command};

use super::{borg::Borg, gpg::Gpg, input::Input, pipe::Pipe, restic::Restic};
use crate::{
    error::BenchError,
    options::{Options, Peer},
    program::{Measured, Runner, is_installed},
};

/// Somebody who stores states of one input, each after the other, in a place of their own.
pub(crate) trait Keeper {
    /// Who it is.
    fn name(&self) -> &'static str;

    /// Stores the input as it is now.
    fn store(&mut self, runner: &Runner) -> Result<Measured, BenchError>;

    /// Bytes of all that is stored.
    fn kept_bytes(&self) -> Result<u64, BenchError>;

    /// Programs of which the last prints what the first `store` read.
    fn first_again(&self, runner: &Runner) -> Vec<Command>;

    /// What a stored database is.
    fn dump(&self) -> Dump {
        Dump::Archive
    }

    /// Whether what it has already is not stored again.
    fn deduplicates(&self) -> bool {
        true
    }

    /// A program that reads and checks all that is stored, if there is one.
    fn verify(&self, runner: &Runner) -> Option<Command>;
}

/// What a stored database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dump {
    /// An archive for `pg_restore`.
    Archive,
    /// SQL for `psql`.
    Plain,
}

/// The peers that are measured: those that were asked for, or those that are there.
pub(crate) fn installed(options: &Options) -> Result<Vec<Peer>, BenchError> {
    const ALL: [Peer; 4] = [Peer::Pipe, Peer::Gpg, Peer::Restic, Peer::Borg];
    let is_there = |peer: &Peer| programs(*peer).0.iter().all(|name| is_installed(name));
    if options.no_peers {
        return Ok(Vec::new());
    }
    let Some(wanted) = &options.peers else {
        return Ok(ALL.into_iter().filter(is_there).collect());
    };
    match wanted.iter().find(|peer| !is_there(peer)) {
        None => Ok(wanted.clone()),
        Some(peer) => {
            let (programs, packages) = programs(*peer);
            let program = programs[0];
            Err(BenchError::Missing { program, packages })
        }
    }
}

/// A peer with an empty place in `folder`.
pub(crate) fn make<'a>(
    peer: Peer,
    input: Input<'a>,
    folder: &Path,
    runner: &Runner,
) -> Result<Box<dyn Keeper + 'a>, BenchError> {
    Ok(match peer {
        Peer::Restic => Box::new(Restic::make(input, folder, runner)?),
        Peer::Borg => Box::new(Borg::make(input, folder, runner)?),
        Peer::Gpg => Box::new(Gpg::make(input, folder, runner)?),
        Peer::Pipe => Box::new(Pipe::make(input, folder, runner)?),
    })
}

/// A peer's programs, and Debian's packages with them.
const fn programs(peer: Peer) -> (&'static [&'static str], &'static str) {
    match peer {
        Peer::Restic => (&["restic"], "restic"),
        Peer::Borg => (&["borg"], "borgbackup"),
        Peer::Gpg => (&["gpg", "gpg-agent", "gpgconf"], "gpg gpg-agent gpgconf"),
        Peer::Pipe => (&["age", "zstd"], "age zstd"),
    }
}
