//! Plan, show, ask: how somebody says yes to what cannot be taken back.
//!
//! A yes is an answer on a terminal or `--yes`. Where data is lost for good it takes more: the
//! name of what loses it, typed or given with `--confirm`. Nobody is asked about a plan that was
//! not shown.

use std::io;

use backup_model::{Code, Failure};
use serde::Serialize;

use crate::context::Context;

/// A plan that was made and shown, and what its question is.
pub(crate) struct Shown {
    /// The plan again, where `--quiet` kept it from being seen.
    unseen: Option<String>,
}

impl Context {
    /// Shows a plan before the question whether to carry it out: as words beside the result, or as
    /// a JSON message.
    pub(crate) fn propose<T: Serialize>(
        &self,
        kind: &str,
        plan: &T,
        human: impl FnOnce(&T) -> String,
    ) -> Shown {
        if self.output.is_json() {
            self.output.line(kind, plan);
            return Shown { unseen: None };
        }
        let text = human(plan);
        self.output.note(&text);
        Shown {
            unseen: self.global.quiet.then_some(text),
        }
    }

    /// Asks for a yes; anything else is a failure.
    pub(crate) async fn agree(&self, shown: Shown, question: &str) -> Result<(), Failure> {
        if self.global.yes {
            return Ok(());
        }
        if !self.output.can_ask() {
            let message = "this needs a yes, and there is nobody to ask";
            return Err(Failure::new(Code::NotConfirmed, message));
        }
        let answer = self.answer(shown, &format!("{question} [y/N] ")).await?;
        if is_yes(&answer) {
            return Ok(());
        }
        Err(Failure::new(Code::NotConfirmed, "the answer was not yes"))
    }

    /// Asks for the name of what loses data or is replaced; anything else is a failure. Without a terminal
    /// `--yes` and `--confirm NAME` say both that it shall be, and of what.
    pub(crate) async fn agree_to_loss(
        &self,
        shown: Shown,
        question: &str,
        name: &str,
        confirm: Option<&str>,
    ) -> Result<(), Failure> {
        let refused = |message: String| Err(Failure::new(Code::NotConfirmed, message));
        match confirm {
            Some(given) if given != name => refused(format!(
                "--confirm says `{given}`, but this is about `{name}`"
            )),
            Some(_) if self.global.yes => Ok(()),
            Some(_) => self.agree(shown, question).await,
            None if self.global.yes => refused(format!(
                "a yes alone is not enough here: beside --yes it needs --confirm {name}"
            )),
            None if !self.output.can_ask() => refused(format!(
                "a yes alone is not enough here, and there is nobody to ask: it needs --yes --confirm {name}"
            )),
            None => {
                let question = format!("{question} Type `{name}` for yes: ");
                if self.answer(shown, &question).await?.trim() == name {
                    return Ok(());
                }
                refused(format!("the answer was not `{name}`"))
            }
        }
    }

    /// Asks for something that is neither a yes nor a secret; empty if nobody is there.
    pub(crate) async fn ask(&self, question: &str) -> Result<String, Failure> {
        if !self.output.can_ask() {
            return Ok(String::new());
        }
        let answer = self.answer(Shown { unseen: None }, question).await?;
        Ok(answer.trim().to_owned())
    }

    /// A line that somebody types.
    async fn answer(&self, shown: Shown, question: &str) -> Result<String, Failure> {
        let plan = shown.unseen.map_or_else(String::new, |plan| plan + "\n");
        self.output.prompt(&format!("{plan}{question}"));
        let answer = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            io::stdin().read_line(&mut line).map(|_| line)
        });
        // Dropping the wait is safe: nobody reads the answer of a stopped command.
        let answer = tokio::select! {
            () = self.stop.token().cancelled() => return Err(self.stop.failure()),
            answer = answer => answer,
        };
        match answer {
            Ok(Ok(line)) => Ok(line),
            // Nobody there is no yes.
            _ => Ok(String::new()),
        }
    }
}

fn is_yes(line: &str) -> bool {
    matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use clap::Parser as _;

    use super::*;
    use crate::{cli::Cli, output::Output, signals::Stop};

    const SHOWN: Shown = Shown { unseen: None };

    fn context(flags: &[&str]) -> Context {
        let words = ["backupctl", "version", "--no-input"].iter().chain(flags);
        let global = Cli::try_parse_from(words).unwrap().global;
        Context {
            output: Arc::new(Output::new(&global)),
            global,
            stop: Stop::default(),
        }
    }

    #[tokio::test]
    async fn without_somebody_to_ask_only_the_flag_is_a_yes() {
        let refused = context(&[]).agree(SHOWN, "Go on?").await.unwrap_err();
        assert_eq!(refused.code, Code::NotConfirmed);
        assert_eq!(context(&["--yes"]).agree(SHOWN, "Go on?").await, Ok(()));
    }

    #[tokio::test]
    async fn a_loss_needs_the_name_beside_the_yes() {
        for (flags, confirm, words) in [
            (&["--yes"][..], Some("webui"), None),
            (
                &["--yes"],
                None,
                Some("beside --yes it needs --confirm webui"),
            ),
            (&["--yes"], Some("wiki"), Some("`wiki`")),
            (&[], Some("webui"), Some("nobody to ask")),
            (&[], None, Some("--yes --confirm webui")),
        ] {
            let context = context(flags);
            let said = context.agree_to_loss(SHOWN, "Go on?", "webui", confirm);
            match (said.await, words) {
                (Ok(()), None) => {}
                (Err(failure), Some(words)) => {
                    assert_eq!(failure.code, Code::NotConfirmed);
                    assert!(failure.message.contains(words), "{failure}");
                }
                (said, _) => panic!("{flags:?} {confirm:?}: {said:?}"),
            }
        }
    }

    #[test]
    fn only_a_yes_is_a_yes() {
        for yes in ["y\n", "Y", " yes \n", "YES"] {
            assert!(is_yes(yes), "{yes:?}");
        }
        for no in ["", "\n", "n", "yess", "ja"] {
            assert!(!is_yes(no), "{no:?}");
        }
    }
}
