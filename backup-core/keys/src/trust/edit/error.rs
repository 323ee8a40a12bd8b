//! Why a change of trust is refused.

use backup_model::JobName;
use jiff::Timestamp;

/// Why a change of trust is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// An administrator or writer of this name is there.
    #[error("the name `{0}` is taken")]
    NameTaken(JobName),
    /// Somebody has this recipient already.
    #[error("`{0}` has the same recipient")]
    RecipientTaken(JobName),
    /// The recipient is that of an epoch: whoever opens it opens no other.
    #[error("the recipient is that of epoch {0}, not of an administrator")]
    EpochRecipient(u64),
    /// A passphrase has no recipient, everything else has one.
    #[error("an administrator of another kind than passphrase needs a recipient, and only then")]
    Recipient,
    /// No such administrator.
    #[error("no administrator is called `{0}`")]
    NoAdministrator(JobName),
    /// No such epoch.
    #[error("there is no epoch {0}")]
    NoEpoch(u64),
    /// An epoch lacks a key file of the new administrator, or of everybody.
    #[error("no key file for epoch {0}")]
    NoKeyFile(u64),
    /// Two key files of one administrator for an epoch, or one that is listed already.
    #[error("key file {number} of `{administrator}` for epoch {epoch} comes twice")]
    KeyFileTwice {
        /// Whose.
        administrator: JobName,
        /// For which epoch.
        epoch: u64,
        /// Which.
        number: u64,
    },
    /// Nobody else has shown that he opens an epoch.
    #[error("nobody but `{administrator}` has shown to open epoch {epoch}")]
    LastTested {
        /// Who was to go.
        administrator: JobName,
        /// What would be lost.
        epoch: u64,
    },
    /// Nobody has shown that he opens the new epoch.
    #[error("nobody has shown to open the new epoch")]
    Untested,
    /// The new epoch has the number or the recipient of another.
    #[error("the new epoch is not the one after {0}, or has the recipient of one that is there")]
    NotNext(u64),
    /// Somebody has this key already, perhaps one who was removed.
    #[error("`{0}` has the same key")]
    KeyTaken(JobName),
    /// One key, one purpose.
    #[error("this is the root key, which signs trust and nothing else")]
    RootKey,
    /// It may do nothing.
    #[error("a writer needs a role, and each once")]
    Roles,
    /// It may do it nowhere.
    #[error("a writer needs a job, and each once, or all of them")]
    Jobs,
    /// It ends before it begins.
    #[error("it would end ({until}) before it begins ({from})")]
    Times {
        /// From when.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
    },
    /// No such writer.
    #[error("no writer is called `{0}`")]
    NoWriter(JobName),
    /// Removed before.
    #[error("`{name}` was removed on {at}")]
    Removed {
        /// Which.
        name: JobName,
        /// When.
        at: Timestamp,
    },
    /// A removal names a job that the writer could not sign for.
    #[error("`{name}` has not signed for job `{job}`")]
    NotItsJob {
        /// Which.
        name: JobName,
        /// The job.
        job: JobName,
    },
    /// A job comes twice in what counts.
    #[error("job `{0}` comes twice in what counts")]
    JobTwice(JobName),
}
