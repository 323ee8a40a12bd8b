//! A failure as it crosses a boundary: from the engine to a program, from a daemon to its client.

use serde::{Deserialize, Serialize};

use crate::Code;

/// What went wrong, ready to be shown or sent: a code, a sentence, its causes.
///
/// What to do about it is not here: hints are the edge's, which knows how the reader can act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[error("{message}")]
pub struct Failure {
    /// The stable code.
    pub code: Code,
    /// What failed: a lower-case fragment without a period.
    pub message: String,
    /// Why, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
}

impl Failure {
    /// A failure without further causes.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            causes: Vec::new(),
        }
    }

    /// An error with all its sources, under a code.
    pub fn from_error(code: Code, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut causes: Vec<String> = Vec::new();
        let mut last = error.to_string();
        let message = last.clone();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            // Errors of other crates often repeat their source's text; say it once.
            if !last.contains(&text) {
                causes.push(text.clone());
                last = text;
            }
            source = cause.source();
        }
        Self {
            code,
            message,
            causes,
        }
    }

    /// What failed and why, in one line.
    pub fn in_full(&self) -> String {
        let message = std::iter::once(&*self.message);
        let causes = self.causes.iter().map(String::as_str);
        message.chain(causes).collect::<Vec<_>>().join(": ")
    }

    /// The same failure with another as its cause.
    #[must_use]
    pub fn because(mut self, cause: Self) -> Self {
        self.causes.push(cause.message);
        self.causes.extend(cause.causes);
        self
    }
}
