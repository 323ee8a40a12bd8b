//! The only place that prints. Standard output gets data, standard error everything else.
//!
//! With `--json` standard output is JSON, one message a line, each with `v` and `type`; errors and
//! warnings are such messages, too. Somebody who stops reading is no failure: output to a closed
//! pipe is dropped in silence. Any other trouble with standard output is one, told at the end.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::{Mutex, PoisonError},
};

use anstream::{AutoStream, ColorChoice};
use backup_model::{Code, Failure};
use backupd::{
    arguments::refused_value,
    config::{Problem, Problems},
    hints::hint,
};
use clap::builder::styling::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressDrawTarget};
use serde::Serialize;

use crate::{
    cli::{Color, Global},
    environment,
    exit::Exit,
    progress::Mode,
};

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const BOLD: Style = Style::new().bold();

const CANNOT_WRITE: &str = "standard output could not be written";

/// Where everything is printed.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
    can_ask: bool,
    color: Color,
    mode: Mode,
    bars: MultiProgress,
    trouble: Mutex<Option<io::Error>>,
}

/// A message in JSON.
#[derive(Serialize)]
struct Message<'a, T> {
    v: u8,
    r#type: &'a str,
    #[serde(flatten)]
    body: &'a T,
}

/// The body of an error or a warning in JSON.
#[derive(Serialize)]
struct Trouble<'a> {
    code: Code,
    message: &'a str,
    causes: &'a [String],
    hint: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<u8>,
}

impl<'a> Trouble<'a> {
    const fn error(failure: &'a Failure) -> Self {
        Self {
            exit: Some(failure.code.exit()),
            ..Self::warning(failure)
        }
    }

    const fn warning(failure: &'a Failure) -> Self {
        Self {
            code: failure.code,
            message: failure.message.as_str(),
            causes: failure.causes.as_slice(),
            hint: hint(failure.code),
            exit: None,
        }
    }
}

impl Output {
    /// Output as the flags and the terminal want it.
    pub(crate) fn new(global: &Global) -> Self {
        let bars_fit = io::stderr().is_terminal() && !environment::is_dumb_terminal();
        let mode = Mode::choose(global, bars_fit);
        let target = match mode {
            Mode::Bars => ProgressDrawTarget::stderr(),
            Mode::Lines | Mode::Json | Mode::Nothing => ProgressDrawTarget::hidden(),
        };
        let terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
        Self {
            json: global.json,
            quiet: global.quiet,
            can_ask: terminal && !global.no_input,
            color: global.color,
            mode,
            bars: MultiProgress::with_draw_target(target),
            trouble: Mutex::new(None),
        }
    }

    /// Whether the output is for machines.
    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// How progress is shown.
    pub(crate) const fn mode(&self) -> Mode {
        self.mode
    }

    /// The bars; everything that is printed goes above them.
    pub(crate) const fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// The result of a command: one JSON document, or text made from the same data.
    pub(crate) fn document<T: Serialize>(
        &self,
        kind: &str,
        body: &T,
        human: impl FnOnce(&T) -> String,
    ) {
        if self.json {
            self.line(kind, body);
        } else {
            self.text(&human(body));
        }
    }

    /// One JSON message on a line of its own. `body` must be a struct or a map.
    pub(crate) fn line<T: Serialize>(&self, kind: &str, body: &T) {
        let text = json(kind, body).unwrap_or_else(|error| {
            let failure = Failure::from_error(Code::Bug, &error);
            self.remember(Err(io::Error::other(failure)));
            String::new()
        });
        self.remember(self.write_out(format!("{text}\n").as_bytes()));
    }

    /// Text that is the result; may be styled.
    pub(crate) fn text(&self, text: &str) {
        self.remember(self.write_out(format!("{}\n", text.trim_end_matches('\n')).as_bytes()));
    }

    /// Text that takes the place of what was there, on a terminal; elsewhere it comes below.
    pub(crate) fn screen(&self, text: &str) {
        if io::stdout().is_terminal() && !environment::is_dumb_terminal() {
            // Home, then clear to the end.
            self.remember(self.write_out(b"\x1b[H\x1b[J"));
        }
        self.text(text);
    }

    /// Bytes that are the result, unchanged. A closed pipe is a failure here, so that the caller
    /// stops making more; it is not shown.
    pub(crate) fn data(&self, bytes: &[u8]) -> Result<(), Failure> {
        let result = self.bars.suspend(|| io::stdout().lock().write_all(bytes));
        result.map_err(|error| {
            let failure = write_failure(&error);
            self.remember(Err(error));
            failure
        })
    }

    /// A failure that ends the command. Gives its exit status.
    pub(crate) fn failure(&self, failure: &Failure) -> Exit {
        let exit = Exit::of(failure.code);
        if self.out_is_closed() && failure.message == CANNOT_WRITE {
            return exit;
        }
        if self.json {
            self.line("error", &Trouble::error(failure));
        } else {
            self.write_err(&described("error", RED, failure, hint(failure.code)));
        }
        exit
    }

    /// Something that went wrong and stops nothing.
    pub(crate) fn warning(&self, failure: &Failure) {
        if self.json {
            self.line("warning", &Trouble::warning(failure));
        } else {
            self.write_err(&described("warning", YELLOW, failure, None));
        }
    }

    /// Something in the configuration that works and is hardly meant, for people: with `--json`
    /// it is part of the result.
    pub(crate) fn doubt(&self, problem: &Problem) {
        let failure = Failure::new(Code::Config, problem.one_line());
        let help = problem.help.as_deref();
        self.write_err(&described("warning", YELLOW, &failure, help));
    }

    /// Words beside the result.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet && !self.json {
            self.write_err(&format!("{text}\n"));
        }
    }

    /// The problems of the configuration with their lines. Says whether it showed them: with
    /// `--json` they come as causes of the failure.
    pub(crate) fn problems(&self, problems: &Problems) -> bool {
        if self.json {
            return false;
        }
        let color = self.choice(&io::stderr()) != ColorChoice::Never;
        self.write_err(&problems.render(color, 100));
        true
    }

    /// Whether somebody is there who can answer.
    pub(crate) const fn can_ask(&self) -> bool {
        self.can_ask
    }

    /// A question; the answer is typed behind it.
    pub(crate) fn prompt(&self, question: &str) {
        self.write_err(question);
    }

    /// Help, the version, or what is wrong with the arguments.
    pub(crate) fn usage(error: &clap::Error) -> Exit {
        let wrong = error.use_stderr();
        let json_wanted = environment::wants_json();
        if let Some(failure) = refused_value(error) {
            if json_wanted {
                let line = json("error", &Trouble::error(&failure)).unwrap_or_default();
                drop(writeln!(io::stdout(), "{line}"));
            } else {
                let text = described("error", RED, &failure, hint(failure.code));
                drop(anstream::stderr().write_all(text.as_bytes()));
            }
            return Exit::of(failure.code);
        }
        if wrong && json_wanted {
            let text = error.render().to_string();
            let message = text.lines().next().unwrap_or_default();
            let message = message.trim_start_matches("error: ");
            let failure = Failure::new(Code::Usage, message);
            let line = json("error", &Trouble::error(&failure)).unwrap_or_default();
            // There is no output yet that could remember trouble.
            drop(writeln!(io::stdout(), "{line}"));
        } else {
            drop(error.print());
        }
        if wrong {
            Exit::of(Code::Usage)
        } else {
            Exit::DONE
        }
    }

    /// Takes the bars away.
    pub(crate) fn clear(&self) {
        // Bars that cannot be drawn cannot be in the way.
        drop(self.bars.clear());
    }

    /// Ends the output: a result that could not be written is a failure, whatever went well.
    pub(crate) fn finish(&self, exit: Exit) -> Exit {
        self.clear();
        self.remember(io::stdout().flush());
        let trouble = self.trouble().take();
        match trouble {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe && exit == Exit::DONE => {
                self.write_err(&described("error", RED, &write_failure(&error), None));
                Exit::of(Code::LocalIo)
            }
            Some(_) | None => exit,
        }
    }

    fn trouble(&self) -> std::sync::MutexGuard<'_, Option<io::Error>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn out_is_closed(&self) -> bool {
        let trouble = self.trouble();
        matches!(&*trouble, Some(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Keeps the first trouble with standard output.
    fn remember(&self, result: io::Result<()>) {
        if let Err(error) = result {
            self.trouble().get_or_insert(error);
        }
    }

    fn write_out(&self, bytes: &[u8]) -> io::Result<()> {
        self.bars.suspend(|| {
            let stdout = io::stdout();
            let choice = self.choice(&stdout);
            let mut stream = AutoStream::new(stdout.lock(), choice);
            stream.write_all(bytes)?;
            stream.flush()
        })
    }

    fn write_err(&self, text: &str) {
        self.bars.suspend(|| {
            let stderr = io::stderr();
            let choice = self.choice(&stderr);
            let mut stream = AutoStream::new(stderr.lock(), choice);
            // Nowhere is left to say that standard error is closed.
            drop(stream.write_all(text.as_bytes()));
        });
    }

    fn choice(&self, stream: &impl anstream::stream::RawStream) -> ColorChoice {
        match self.color {
            Color::Auto => AutoStream::choice(stream),
            Color::Always => ColorChoice::AlwaysAnsi,
            Color::Never => ColorChoice::Never,
        }
    }
}

fn write_failure(error: &io::Error) -> Failure {
    Failure {
        causes: vec![error.to_string()],
        ..Failure::new(Code::LocalIo, CANNOT_WRITE)
    }
}

fn json<T: Serialize>(kind: &str, body: &T) -> serde_json::Result<String> {
    serde_json::to_string(&Message {
        v: 1,
        r#type: kind,
        body,
    })
}

/// `error: what [E-CODE]`, its causes and the remedy, a line each.
fn described(word: &str, style: Style, failure: &Failure, hint: Option<&str>) -> String {
    let mut text = format!(
        "{style}{word}:{style:#} {} [{}]\n",
        failure.message, failure.code
    );
    for cause in &failure.causes {
        text.extend(["  because: ", cause, "\n"]);
    }
    if let Some(hint) = hint {
        text.extend([&format!("  {BOLD}hint:{BOLD:#} "), hint, "\n"]);
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    fn failure() -> Failure {
        Failure {
            causes: vec!["connection refused".to_owned()],
            ..Failure::new(Code::PgConnect, "could not connect to db:5432")
        }
    }

    #[test]
    fn a_failure_is_told_with_causes_and_remedy() {
        let plain = Style::new();
        let text = described("error", plain, &failure(), Some("Check host."));
        let text = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(
            text,
            "error: could not connect to db:5432 [E-PG-CONNECT]\n  \
             because: connection refused\n  hint: Check host.\n"
        );
    }

    #[test]
    fn an_error_in_json_carries_everything_a_script_needs() {
        let failure = failure();
        let body = Trouble::error(&failure);
        assert_eq!(
            json("error", &body).unwrap(),
            r#"{"v":1,"type":"error","code":"E-PG-CONNECT","message":"could not connect to db:5432","causes":["connection refused"],"hint":"Check host, port or socket folder, and whether the server runs.","exit":13}"#
        );
    }

    #[test]
    fn an_address_on_the_command_line_is_not_repeated() {
        for (flag, value, code) in [
            (
                "--endpoint",
                "https://id:geheim@host",
                Code::SecretInArgument,
            ),
            (
                "--repository",
                "s3://id:geheim@vault",
                Code::SecretInArgument,
            ),
            ("--endpoint", "id:geheim@host", Code::Usage),
            ("--repository", "s3://id:geheim/x@vault", Code::Usage),
            ("--region", "Geheim\n", Code::Usage),
        ] {
            let error = Cli::try_parse_from(["backupctl", "version", flag, value]).unwrap_err();
            let failure = refused_value(&error).unwrap();
            assert_eq!(failure.code, code, "{flag} {value}");
            let shown = json("error", &Trouble::error(&failure)).unwrap();
            assert!(shown.contains(flag), "{shown}");
            assert!(!shown.to_lowercase().contains("geheim"), "{shown}");
        }
    }
}
