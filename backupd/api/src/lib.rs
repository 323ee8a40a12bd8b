//! The contract between `backupctl`, the GUI and whatever does the work.
