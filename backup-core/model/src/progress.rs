//! Progress: what a long operation says while it runs.

use serde::{Deserialize, Serialize};

use crate::Failure;

/// A step of an operation that a person would name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Phase {
    /// Connecting, checking, asking for versions.
    Prepare,
    /// Reading a source and storing what is new.
    Store,
    /// Reading stored data and comparing digests.
    Verify,
    /// Writing to a target.
    Restore,
    /// Deleting what nobody names.
    Delete,
    /// Making the result visible.
    Finish,
}

/// Something that happened during an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// A phase began for one object: a stream, a snapshot, a target.
    Began {
        /// What is being done.
        phase: Phase,
        /// To what.
        object: String,
        /// How many bytes it will be, when known or well estimated.
        total_bytes: Option<u64>,
    },
    /// So many bytes of the object are done.
    Advanced {
        /// The object that began.
        object: String,
        /// Done since it began.
        done_bytes: u64,
        /// Of these, what had to be stored, before compression; zero where nothing is stored.
        stored_bytes: u64,
    },
    /// The object is done.
    Ended {
        /// The object that began.
        object: String,
    },
    /// Something went wrong that does not stop the operation.
    Warned(Failure),
    /// Something was found or done that is worth a line of its own.
    Noted {
        /// What: a lower-case fragment.
        text: String,
    },
}

/// Where an operation tells its progress. Must not block.
pub trait Progress: Send + Sync {
    /// Takes one event.
    fn event(&self, event: Event);
}

/// Progress that nobody looks at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn event(&self, _event: Event) {}
}
