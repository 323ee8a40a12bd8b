//! The command line.

use std::{path::PathBuf, str::FromStr};

use clap::{Parser, ValueEnum};

/// Measures backupctl beside plain programs and whichever peers are installed.
///
/// Everybody stores the same data in turns; every figure is a ratio of medians, measured in this
/// run. Data sets are kept and used again when scale and seed are the same.
#[derive(Clone, Debug, Parser)]
#[command(name = "tests/bench")]
pub(crate) struct Options {
    /// The backupctl to measure. Without this the release build is made and measured.
    #[arg(long, value_name = "FILE")]
    pub(crate) program: PathBuf,

    /// How large: 1 is a database of 2.3 GB, 32,666 files of 1.6 GB, and 1 GiB of noise.
    #[arg(long, default_value = "1.0")]
    pub(crate) scale: Scale,

    /// What the data is drawn from.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,

    /// How often each side is measured.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) runs: u32,

    /// The data sets to measure.
    #[arg(
        long,
        value_delimiter = ',',
        ignore_case = true,
        default_value = "P,F,R"
    )]
    pub(crate) only: Vec<DataSet>,

    /// The peers to measure beside us; they must be installed. By default: those that are.
    #[arg(long, value_delimiter = ',', conflicts_with = "no_peers")]
    pub(crate) peers: Option<Vec<Peer>>,

    /// Measure no peers.
    #[arg(long)]
    pub(crate) no_peers: bool,

    /// Where data sets are kept and everything is stored. When this is run as root, another user
    /// must be let through to it: the server is not root.
    #[arg(long, value_name = "DIR", default_value = "/var/tmp/backupd-bench")]
    pub(crate) dir: PathBuf,

    /// A program that takes longer than this is ended, and the benchmark with it.
    #[arg(long, value_name = "SECS", default_value_t = 3600)]
    pub(crate) limit_secs: u64,
}

/// A data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DataSet {
    /// The database.
    P,
    /// The tree of files.
    F,
    /// What does not compress.
    R,
}

/// Who else keeps backups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// restic.
    Restic,
    /// borg.
    Borg,
    /// The usual script: into gpg, which compresses too.
    Gpg,
    /// zstd -3 and age in a pipe.
    Pipe,
}

/// A factor on all sizes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale(f64);

impl Scale {
    /// So many of what there are `whole` of at scale 1; at least one.
    pub(crate) fn of(self, whole: u64) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive and far below 2^64: checked when the scale was read"
        )]
        let scaled = (whole as f64 * self.0).round() as u64;
        scaled.max(1)
    }
}

impl FromStr for Scale {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(factor) if (0.001..=1000.0).contains(&factor) => Ok(Self(factor)),
            _ => Err("a number from 0.001 to 1000"),
        }
    }
}

impl std::fmt::Display for Scale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
        let line = "bench --program x --only p,R --peers restic,pipe --scale 0.01";
        let options = Options::try_parse_from(line.split(' ')).unwrap();
        assert_eq!(options.only, [DataSet::P, DataSet::R]);
        assert_eq!(options.peers, Some(vec![Peer::Restic, Peer::Pipe]));
        assert_eq!(options.scale.of(150), 2);
        assert!(Options::try_parse_from("bench --program x --scale nan".split(' ')).is_err());
        assert!(Options::try_parse_from("bench --program x --runs 0".split(' ')).is_err());
    }
}
