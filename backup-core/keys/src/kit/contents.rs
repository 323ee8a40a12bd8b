//! What a kit says.

use backup_model::{JobName, RepositoryId};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{AdministratorKind, PublicKey};

/// A recovery kit.
#[derive(Clone, Debug)]
pub struct Kit {
    /// When it was made.
    pub made: Timestamp,
    /// The version of the program that made it.
    pub program: String,
    /// The repository's id.
    pub repository: RepositoryId,
    /// The repository's address.
    pub location: String,
    /// How its storage is reached, line by line: access keys, or where they lie.
    pub storage: Vec<SecretString>,
    /// What the repository must be signed by.
    pub root: PublicKey,
    /// Whose key it is.
    pub administrator: JobName,
    /// Its kind.
    pub kind: AdministratorKind,
    /// Its recipient; none for a passphrase.
    pub recipient: Option<String>,
    /// The epochs that it opens: number and recipient.
    pub opens: Vec<(u64, String)>,
    /// The key, or where it is.
    pub key: KitKey,
}

/// The key of a kit.
#[derive(Clone, Debug)]
pub enum KitKey {
    /// An identity file, perhaps locked with a passphrase, that stock age reads.
    Here(SecretString),
    /// Where it lies, in words: a hardware key in a safe, or who knows the passphrase.
    Elsewhere(SecretString),
}

/// What a kit says beside its lines: how to restore.
#[derive(Clone, Copy, Debug)]
pub struct Manual<'a> {
    /// Commands of this program, one a line.
    pub program: &'a [String],
    /// The script that restores with stock tools. It is the end of the file, so that the file is
    /// enough.
    pub script: &'a str,
}

impl Kit {
    /// What may be shown to anybody: address, root key, whose key it is.
    pub fn public_text(&self) -> String {
        let mut text = format!(
            "backupd kit\nrepository {}\nlocation {}\nroot {}\nadministrator {} {}\n",
            self.repository, self.location, self.root, self.administrator, self.kind
        );
        if let Some(recipient) = &self.recipient {
            text.push_str(&format!("recipient {recipient}\n"));
        }
        for (number, recipient) in &self.opens {
            text.push_str(&format!("opens {number} {recipient}\n"));
        }
        text
    }

    /// Whether it holds its key.
    pub fn is_secret(&self) -> bool {
        let here = matches!(&self.key, KitKey::Here(text) if !text.expose_secret().is_empty());
        here || !self.storage.is_empty()
    }
}
