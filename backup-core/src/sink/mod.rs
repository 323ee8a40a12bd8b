//! Where a restore goes.
