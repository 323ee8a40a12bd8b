//! Checks of a command as a source, and of what it shares with others: programs and limits.

use std::time::Duration;

use super::config::Check;
use crate::{
    config::{
        CommandSource,
        problem::{Located, Spot},
        raw::{RawCommand, RawSource},
        table::Field,
    },
    units::{parse_bytes, parse_duration},
};

/// Longer than a dump of anything is silent, unless it hangs.
const DEFAULT_STALL: Duration = Duration::from_mins(30);

impl Check {
    /// Each part is checked before any of them may fail the whole.
    pub(super) fn command(
        &mut self,
        source: &RawSource,
        raw: &RawCommand,
    ) -> Option<CommandSource> {
        let command = self.program("source", "command", &source.at, &raw.command);
        let stall_timeout = self.stall_timeout(raw.stall_timeout.as_ref());
        let max_bytes = raw.max_bytes.as_ref();
        let max_bytes = max_bytes.map(|raw| self.bytes("max_bytes", raw));
        let (program, arguments) = command?;
        Some(CommandSource {
            program,
            arguments,
            stall_timeout: stall_timeout?,
            max_bytes: max_bytes.map_or(Some(None), |bytes| bytes.map(Some))?,
        })
    }

    /// A program and its arguments, of a `what`, at `key`.
    pub(super) fn program(
        &mut self,
        what: &str,
        key: &str,
        at: &Spot,
        raw: &Field<Vec<Located<String>>>,
    ) -> Option<(String, Vec<String>)> {
        let help = format!("Add `{key} = [\"program\", \"argument\"]`.");
        let command = match raw {
            Field::Wrong => return None,
            Field::Absent => {
                let message = format!("the {what} has no command");
                self.findings.at(at, message, help);
                return None;
            }
            Field::Got(command) => command,
        };
        let mut words = command.value.iter();
        let Some(program) = words.next().filter(|program| !program.value.is_empty()) else {
            let message = "the command names no program";
            self.findings.at(&command.at, message, help);
            return None;
        };
        if program.value.contains('/') && !program.value.starts_with('/') {
            let message = format!("`{}` is neither a name nor an absolute path", program.value);
            let help = "Write the program's name, or begin its path with `/`.";
            self.findings.at(&program.at, message, help);
            return None;
        }
        if words.len() == 0 && program.value.contains(' ') {
            let message = format!("`{}` is a command line, not a program", program.value);
            let help = "There is no shell: write each word as a string of its own, \
                        or `[\"sh\", \"-c\", \"…\"]`.";
            self.findings.at(&program.at, message, help);
            return None;
        }
        let arguments = words.map(|word| word.value.clone()).collect();
        Some((program.value.clone(), arguments))
    }

    /// For how long a program may write nothing.
    pub(super) fn stall_timeout(&mut self, raw: Option<&Located<String>>) -> Option<Duration> {
        let Some(raw) = raw else {
            return Some(DEFAULT_STALL);
        };
        let parsed = parse_duration(&raw.value);
        if let Err(error) = &parsed {
            let help = "Write a whole number and s, m, h or d: `stall_timeout = \"30m\"`.";
            let message = format!("`stall_timeout`: {error}");
            self.findings.at(&raw.at, message, help);
        }
        parsed.ok()
    }

    /// A size with its unit.
    pub(super) fn bytes(&mut self, key: &str, raw: &Located<String>) -> Option<u64> {
        let parsed = parse_bytes(&raw.value);
        if let Err(error) = &parsed {
            let help = format!(
                "Write a whole number and B, KiB, MiB, GiB, TiB, kB, MB, GB or TB: \
                 `{key} = \"100MiB\"`."
            );
            self.findings.at(&raw.at, format!("`{key}`: {error}"), help);
        }
        parsed.ok()
    }
}
