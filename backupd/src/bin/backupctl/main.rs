//! `backupctl`: the command line.

fn main() {}
