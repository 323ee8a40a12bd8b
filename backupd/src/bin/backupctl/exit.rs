//! The exit status of a command that did its work; failures have theirs from their code.

use std::process::ExitCode;

use backup_model::Code;

/// An exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit(pub(crate) u8);

impl Exit {
    /// Done, no warnings.
    pub(crate) const DONE: Self = Self(0);

    /// Done, with warnings.
    pub(crate) const WARNINGS: Self = Self(3);

    /// `status --check`: somebody should look.
    pub(crate) const AT_RISK: Self = Self(5);

    /// `status --check`: what was promised is not there.
    pub(crate) const BREACHED: Self = Self(6);

    /// `status --check`: nobody can say.
    pub(crate) const UNKNOWN: Self = Self(7);

    /// The environment could not test it.
    pub(crate) const UNTESTED: Self = Self(8);

    /// The status of a failure.
    pub(crate) const fn of(code: Code) -> Self {
        Self(code.exit())
    }

    /// The worse of two, the first of two that are equally bad: a wish to stop, then what is lost
    /// for certain, then what failed, then what could not be tested, then warnings.
    #[must_use]
    pub(crate) const fn worse(self, other: Self) -> Self {
        if other.badness() > self.badness() {
            other
        } else {
            self
        }
    }

    const fn badness(self) -> u8 {
        match self.0 {
            0 => 0,
            3 => 1,
            8 => 2,
            4 => 4,
            9 => 5,
            130.. => 6,
            _ => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_several_wins_and_the_first_among_equals() {
        let worst = |codes: &[Code]| {
            let exits = codes.iter().map(|&code| Exit::of(code));
            exits.fold(Exit::DONE, Exit::worse)
        };
        assert_eq!(worst(&[]), Exit::DONE);
        assert_eq!(worst(&[Code::Store, Code::NoSpace]), Exit(14));
        assert_eq!(worst(&[Code::Store, Code::Damaged, Code::Store]), Exit(4));
        assert_eq!(worst(&[Code::Damaged, Code::RepositoryDamaged]), Exit(9));
        assert_eq!(Exit::WARNINGS.worse(Exit::UNTESTED), Exit(8));
        assert_eq!(Exit::of(Code::Interrupted).worse(Exit(9)), Exit(130));
    }
}
