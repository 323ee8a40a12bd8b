//! A benchmark under way: its options and folders, how programs are run, and what is known so far.

use crate::{
    options::{Options, Peer},
    places::Places,
    program::Runner,
    table::Table,
};

/// A benchmark under way.
pub(crate) struct Bench {
    pub(crate) options: Options,
    pub(crate) places: Places,
    pub(crate) runner: Runner,
    /// The peers that are measured.
    pub(crate) peers: Vec<Peer>,
    /// What was measured.
    pub(crate) table: Table,
    /// What was compared and found equal.
    pub(crate) checked: Vec<String>,
}

/// Says what happens now.
#[expect(
    clippy::print_stderr,
    reason = "this is a program, and a patient person waits for it"
)]
pub(super) fn say(text: &str) {
    eprintln!("bench: {text}");
}
