//! Why a local file is not used. None of these fails a backup; each makes one larger.

use std::io;

/// A page is not as it was written, or not where it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("page {0} is damaged")]
pub struct DamagedPage(pub u64);

/// Why an index or journal is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexFault {
    /// There is none.
    #[error("there is none yet")]
    Absent,
    /// It cannot be read.
    #[error("it cannot be read")]
    Io(#[source] io::Error),
    /// It is no such file, or one of another version.
    #[error("it is not of this version")]
    OtherVersion,
    /// A page is damaged, or was written with another dedup secret.
    #[error("it is damaged, or of another dedup secret")]
    Damaged(#[source] DamagedPage),
    /// Its pages are whole, but what they say does not fit together.
    #[error("its {0} do not fit together")]
    Inconsistent(&'static str),
    /// It belongs to another repository.
    #[error("it belongs to another repository")]
    OtherRepository,
    /// It belongs to another epoch.
    #[error("it belongs to another epoch")]
    OtherEpoch,
    /// It belongs to another job.
    #[error("it belongs to another job")]
    OtherJob,
    /// It was written after another snapshot than the last one.
    #[error("it was written after another snapshot than the last one")]
    OtherRecord,
}

impl IndexFault {
    /// What an error of a file or of a paged reader means.
    pub(super) fn of(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound {
            return Self::Absent;
        }
        match error.downcast::<DamagedPage>() {
            Ok(page) => Self::Damaged(page),
            Err(error) => Self::Io(error),
        }
    }
}
