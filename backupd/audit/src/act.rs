//! What is to be put on record.

use backup_model::AuditOutcome;

/// The longest text of an entry's fields, in bytes; what is longer is cut.
const LONGEST: usize = 1024;

/// Something that somebody did, or wants to do.
#[derive(Clone, Debug)]
pub struct Act {
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub object: String,
    /// What came of it.
    pub outcome: AuditOutcome,
    /// More about it. Never a secret, nor what is in a backup.
    pub details: Option<String>,
    /// The run or task that it belongs to.
    pub session: Option<String>,
    /// The program that asked.
    pub client: Option<String>,
    /// From which address; only a pseudonym of it is written.
    pub source: Option<String>,
}

impl Act {
    /// An act with nothing else known of it.
    pub fn new(
        actor: impl Into<String>,
        action: impl Into<String>,
        object: impl Into<String>,
    ) -> Self {
        Self {
            actor: actor.into(),
            action: action.into(),
            object: object.into(),
            outcome: AuditOutcome::Began,
            details: None,
            session: None,
            client: None,
            source: None,
        }
    }

    /// The same with this outcome.
    #[must_use]
    pub fn came_to(&self, outcome: AuditOutcome, details: Option<String>) -> Self {
        Self {
            outcome,
            details: details.or_else(|| self.details.clone()),
            ..self.clone()
        }
    }
}

/// A text that fits into an entry: whoever asks may send anything.
pub(crate) fn cut(mut text: String) -> String {
    let mut end = LONGEST.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}
