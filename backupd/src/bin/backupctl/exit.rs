//! The exit status of a command that did its work; failures have theirs from their code.

use std::process::ExitCode;

use backup_model::Code;

/// An exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit(pub(crate) u8);

impl Exit {
    /// Done, no warnings.
    pub(crate) const DONE: Self = Self(0);

    /// The status of a failure.
    pub(crate) const fn of(code: Code) -> Self {
        Self(code.exit())
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}
