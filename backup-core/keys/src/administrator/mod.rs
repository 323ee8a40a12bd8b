//! Keys of administrators, of every kind that age has: X25519, passphrases, SSH keys and plugins.
//!
//! For programs that an administrator runs. The daemon must not reach this module: plugins are
//! programs, and passphrases are asked of a person. What a daemon needs of age is
//! [`Identity`](crate::Identity) and [`Recipient`](crate::Recipient).

mod access;
mod identity;
mod plugin;
mod recipient;
mod wire;

use std::error::Error;

pub use access::{Access, Ask, Question};
pub use identity::{AdministratorIdentity, IdentityError};
pub(crate) use plugin::in_io as plugin_error;
pub use plugin::{PluginError, PluginPrograms};
pub use recipient::{AdministratorRecipient, RecipientError, check_together};

/// A fault of one line of a text, by its number; the first, if it is of the whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} cannot be used")]
pub struct AtLine<E: Error + 'static> {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub source: E,
}

impl<E: Error + 'static> AtLine<E> {
    fn at(line: usize) -> impl Fn(E) -> Self {
        move |source| Self { line, source }
    }
}

/// The lines that say something, with their numbers from 1.
fn said(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().map(str::trim).enumerate();
    let said = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    said.map(|(at, line)| (at + 1, line))
}
