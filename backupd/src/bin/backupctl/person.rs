//! Whom the keys of administrators ask for passphrases: a private file, or who sits at the
//! terminal, where what is typed is not shown.

use std::{
    fmt,
    io::{self, BufRead as _},
    sync::Arc,
};

use backup_keys::administrator::{Ask, Question};
use backup_model::{Code, Failure};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::SecretString;

use crate::{context::Context, output::Output};

/// No passphrase is longer; room for it is made at once, so that no copy stays behind.
const MAX_LINE: usize = 4096;

/// Somebody who may know a passphrase.
pub(crate) struct Person {
    output: Arc<Output>,
    given: Option<SecretString>,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person")
    }
}

impl Person {
    /// Who sits at the terminal, if anybody does; a passphrase that is given is not asked for.
    pub(crate) fn new(output: Arc<Output>, given: Option<SecretString>) -> Self {
        Self { output, given }
    }

    fn hidden(&self, question: &str) -> Option<SecretString> {
        if !self.output.can_ask() {
            return None;
        }
        self.output.prompt(&format!("{question}: "));
        let before = tcgetattr(io::stdin()).ok()?;
        let mut without = before.clone();
        without.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &without).ok()?;
        let line = read_line();
        tcsetattr(io::stdin(), OptionalActions::Flush, &before).ok()?;
        self.output.prompt("\n");
        line.filter(|line| !line.is_empty()).map(SecretString::from)
    }
}

impl Ask for Person {
    fn secret(&self, question: &Question) -> Option<SecretString> {
        match question {
            Question::Plugin(words) => self.hidden(words),
            Question::SshKey => self.passphrase("passphrase of the SSH key"),
            _ => self.passphrase("passphrase of the identity file"),
        }
    }

    fn public(&self, question: &str) -> Option<String> {
        if !self.output.can_ask() {
            return None;
        }
        self.output.prompt(&format!("{question}: "));
        read_line().filter(|line| !line.is_empty())
    }

    fn confirm(&self, question: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        let no = no.map(|no| format!(", n: {no}")).unwrap_or_default();
        let answer = self.public(&format!("{question} (y: {yes}{no})"))?;
        match answer.as_str() {
            "y" | "Y" | "yes" => Some(true),
            _ => Some(false),
        }
    }

    fn message(&self, text: &str) {
        self.output.prompt(&format!("{text}\n"));
    }
}

impl Person {
    /// A passphrase: the one that was given, or one that is typed.
    pub(crate) fn passphrase(&self, question: &str) -> Option<SecretString> {
        self.given.clone().or_else(|| self.hidden(question))
    }
}

fn read_line() -> Option<String> {
    let mut line = String::with_capacity(MAX_LINE);
    io::stdin().lock().read_line(&mut line).ok()?;
    let end = line.trim_end_matches(['\n', '\r']).len();
    line.truncate(end);
    Some(line)
}

/// The terminal as it was: given back however the work ends.
struct Echo(Option<Termios>);

impl Drop for Echo {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // A terminal that has gone away needs no echo.
            tcsetattr(io::stdin(), OptionalActions::Now, before).unwrap_or_default();
        }
    }
}

impl Context {
    /// Does work that may wait for somebody's answer or touch, until the command is stopped.
    pub(crate) async fn with_person<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let can_ask = self.output.can_ask();
        let _echo = Echo(can_ask.then(|| tcgetattr(io::stdin()).ok()).flatten());
        let work = tokio::task::spawn_blocking(work);
        // Dropping the wait is safe: nobody uses what a stopped command would have read.
        tokio::select! {
            () = self.stop.token().cancelled() => Err(self.stop.failure()),
            done = work => done.map_err(|error| Failure::from_error(Code::Bug, &error)),
        }
    }
}
