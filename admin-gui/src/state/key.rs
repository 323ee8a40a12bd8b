//! The administrator's key, as far as the window knows it: whether one is open, and whose it is.
//! The key itself is the link's.

use std::{fmt, path::PathBuf, sync::Arc};

use backup_model::Failure;
use secrecy::SecretString;

/// Something that was typed and that nobody else may see. Two are the same if they came from the
/// same field at the same time.
#[derive(Clone)]
pub struct Secret(Arc<SecretString>);

impl Secret {
    /// Takes what was typed.
    pub fn new(text: SecretString) -> Self {
        Self(Arc::new(text))
    }

    /// What was typed.
    pub fn text(&self) -> &SecretString {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Where a key is, and what unlocks it.
#[derive(Clone, Debug, PartialEq)]
pub enum KeySource {
    /// An identity file: age's own, one of a plugin, or a private SSH key.
    File {
        /// Where it is, on the machine of the window.
        path: PathBuf,
        /// The passphrase that locks it, or the PIN that its plugin asks for.
        passphrase: Option<Secret>,
        /// The plugin, by its absolute path, where one is needed.
        plugin: Option<PathBuf>,
    },
    /// The key is a passphrase and nothing else.
    Passphrase(Secret),
}

/// A key that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenKey {
    /// What to call it: its file, or that it is a passphrase.
    pub shown: String,
    /// What kind of key it is, in trust's word.
    pub kind: String,
    /// Its public key, where it says.
    pub recipient: Option<String>,
}

/// How it stands with a key.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum KeyState {
    /// None is open.
    #[default]
    Closed,
    /// One is being read and unlocked.
    Opening,
    /// It did not open.
    Refused(Failure),
    /// It is open, until somebody closes it or the window.
    Open(OpenKey),
}

impl KeyState {
    /// The key that is open.
    pub const fn open(&self) -> Option<&OpenKey> {
        match self {
            Self::Open(key) => Some(key),
            _ => None,
        }
    }
}
