//! Keys of administrators, of every kind that age has: X25519, passphrases, SSH keys and plugins.
//!
//! For programs that an administrator runs. The daemon must not reach this module: plugins are
//! programs, and passphrases are asked of a person. What a daemon needs of age is
//! [`Identity`](crate::Identity) and [`Recipient`](crate::Recipient).

mod access;
mod at_line;
mod identity;
mod plugin;
mod recipient;
mod wire;

pub use access::{Access, Ask, Question};
pub use at_line::AtLine;
pub use identity::{AdministratorIdentity, IdentityError};
pub(crate) use plugin::in_io as plugin_error;
pub use plugin::{PluginError, PluginPrograms};
pub use recipient::{AdministratorRecipient, RecipientError, check_together};
