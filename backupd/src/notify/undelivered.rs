//! Why a message was not delivered. What it says holds neither the address nor what came from
//! there.

/// A try that failed.
#[derive(Debug)]
pub(super) struct Undelivered {
    /// As a part of a sentence.
    pub(super) why: String,
    /// Whether it may go better a while later.
    pub(super) passing: bool,
}

impl Undelivered {
    pub(super) fn passing(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            passing: true,
        }
    }

    pub(super) fn lasting(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            passing: false,
        }
    }
}
