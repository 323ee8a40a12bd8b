//! What is done about the keys of a repository, with secret ones that never leave this machine.

use std::path::PathBuf;

use backup_model::JobName;

use super::Secret;

/// Something about the keys of a repository.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyWork {
    /// Which one, by its name.
    pub repository: String,
    /// What.
    pub what: KeyChange,
}

/// What is done. Who may read and write is decided by the root key, whose file is read for just
/// this and forgotten.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyChange {
    /// Lets somebody read backups, with the key that is open.
    Add {
        /// What trust will call him.
        name: JobName,
        /// His public key: of age, SSH, or a plugin.
        recipient: String,
        /// The root key's file.
        root: PathBuf,
    },
    /// The same for somebody who has a passphrase and nothing else.
    AddPassphrase {
        /// What trust will call him.
        name: JobName,
        /// It.
        passphrase: Secret,
        /// The root key's file.
        root: PathBuf,
    },
    /// Puts somebody out.
    Remove {
        /// Whom.
        name: JobName,
        /// The root key's file.
        root: PathBuf,
    },
    /// Begins a new epoch, with the key that is open.
    Rotate {
        /// Who does not get to read it.
        without: Option<JobName>,
        /// The root key's file.
        root: PathBuf,
    },
    /// Tries the key that is open on everything, and has it written down.
    Test {
        /// The root key's file.
        root: PathBuf,
    },
    /// Makes a recovery kit with the key that is open.
    MakeKit {
        /// The new file, on the machine of the window.
        file: PathBuf,
        /// Where the key lies, if it is not to be in the kit; else empty.
        elsewhere: String,
    },
    /// Proves a recovery kit, and has it written down.
    ProveKit {
        /// Its file.
        file: PathBuf,
        /// The passphrase of the key in it, if that has one.
        passphrase: Option<Secret>,
    },
}

impl KeyWork {
    /// Whether an administrator's key must be open.
    pub const fn needs_key(&self) -> bool {
        !matches!(
            self.what,
            KeyChange::Remove { .. } | KeyChange::ProveKit { .. }
        )
    }

    /// In a few words.
    pub fn title(&self) -> String {
        let of = &self.repository;
        match &self.what {
            KeyChange::Add { name, .. } | KeyChange::AddPassphrase { name, .. } => {
                format!("Letting {name} read {of}")
            }
            KeyChange::Remove { name, .. } => format!("Putting {name} out of {of}"),
            KeyChange::Rotate { .. } => format!("New epoch of {of}"),
            KeyChange::Test { .. } => format!("Test of the open key on {of}"),
            KeyChange::MakeKit { .. } => format!("Recovery kit of {of}"),
            KeyChange::ProveKit { .. } => format!("Proof of the recovery kit of {of}"),
        }
    }

    /// The same in a terminal.
    pub fn command(&self) -> String {
        let of = &self.repository;
        let root = "--root-key root.key";
        let identity = "--identity admin.key";
        match &self.what {
            KeyChange::Add { name, .. } => {
                format!("backupctl key add {name} --recipient KEY {identity} {root} --of {of}")
            }
            KeyChange::AddPassphrase { name, .. } => format!(
                "backupctl key add {name} --new-passphrase-file FILE {identity} {root} --of {of}"
            ),
            KeyChange::Remove { name, .. } => {
                format!("backupctl key remove {name} {root} --of {of}")
            }
            KeyChange::Rotate { without, .. } => {
                let without = without.as_ref();
                let without = without.map_or_else(String::new, |name| format!("--without {name} "));
                format!("backupctl key rotate {without}{identity} {root} --of {of}")
            }
            KeyChange::Test { .. } => format!("backupctl key test {identity} {root} --of {of}"),
            KeyChange::MakeKit { .. } => format!("backupctl kit create {of} {identity}"),
            KeyChange::ProveKit { .. } => format!("backupctl kit confirm KIT {of}"),
        }
    }
}
