//! A change of keys: shown, agreed to, told.

use backup_model::{Failure, TrustChange};
use serde::Serialize;

use crate::{context::Context, exit::Exit};

/// What is about to be done.
#[derive(Debug, Serialize)]
pub(super) struct Plan {
    /// The repository.
    pub(super) repository: String,
    /// In words.
    pub(super) change: String,
    /// What comes of it that one might not think of.
    pub(super) consequences: Vec<&'static str>,
}

impl Plan {
    /// Shows it, and asks for a yes; false if it was only to be shown.
    pub(super) async fn agree(&self, dry_run: bool, context: &Context) -> Result<bool, Failure> {
        if dry_run {
            context.output.document("key-plan", self, Self::text);
            return Ok(false);
        }
        let shown = context.propose("key-plan", self, Self::text);
        context.agree(shown, "Do it?").await?;
        Ok(true)
    }

    fn text(&self) -> String {
        let mut lines = vec![format!("{}: {}", self.repository, self.change)];
        lines.extend(self.consequences.iter().map(|line| format!("  {line}")));
        lines.join("\n")
    }
}

/// A change that was made, as a document.
#[derive(Debug, Serialize)]
struct Made<'a> {
    repository: &'a str,
    #[serde(flatten)]
    change: &'a TrustChange,
}

/// Tells what was done, and what is left to do.
pub(super) fn told(repository: &str, change: &TrustChange, done: &str, context: &Context) -> Exit {
    for left in change.left.iter().chain(&change.unread) {
        context.output.warning(left);
    }
    let made = Made { repository, change };
    context.output.document("key-change", &made, |made| {
        let mut lines = vec![format!(
            "{}: {done} (trust version {})",
            made.repository, made.change.trust
        )];
        lines.extend(made.change.left_out.iter().map(|name| {
            format!(
                "  `{name}` does not open the new epoch: remove the passphrase and add it again"
            )
        }));
        lines.join("\n")
    });
    let all = change.left.is_empty() && change.left_out.is_empty() && change.unread.is_empty();
    if all { Exit::DONE } else { Exit::WARNINGS }
}
