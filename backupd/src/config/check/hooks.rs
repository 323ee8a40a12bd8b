//! Checks of a job's hooks: which program, for how long, and what its failure means.

use std::time::Duration;

use super::config::Check;
use crate::{
    config::{
        problem::Located,
        raw::{RawHook, RawHooks},
        table::suggestion,
    },
    hooks::{Hook, Hooks, OnFailure},
};

const DEFAULT_TIMEOUT: Duration = Duration::from_mins(5);
/// A run has no longer by itself.
const LONGEST_TIMEOUT: Duration = Duration::from_hours(24);

/// When a hook runs decides what its failure can mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Before,
    After,
    /// How the run ended is decided.
    AtTheEnd,
}

impl Check {
    /// Whatever is wrong is reported; what is right is there.
    pub(super) fn hooks(&mut self, raw: Option<&RawHooks>) -> Hooks {
        let Some(raw) = raw else {
            return Hooks::default();
        };
        let mut checked = |hooks: &[RawHook], when: When| {
            let hooks = hooks.iter().filter_map(|hook| self.hook(hook, when));
            hooks.collect()
        };
        Hooks {
            before: checked(&raw.before, When::Before),
            after: checked(&raw.after, When::After),
            failed: checked(&raw.failed, When::AtTheEnd),
            finally: checked(&raw.finally, When::AtTheEnd),
        }
    }

    /// Each part is checked before any of them may fail the whole.
    fn hook(&mut self, raw: &RawHook, when: When) -> Option<Hook> {
        let command = self.program("hook", "run", &raw.at, &raw.run);
        let timeout = match &raw.timeout {
            None => Some(DEFAULT_TIMEOUT),
            Some(raw) => self.hook_timeout(raw),
        };
        let on_failure = self.on_failure(raw.on_failure.as_ref(), when);
        let (program, arguments) = command?;
        Some(Hook {
            program,
            arguments,
            timeout: timeout?,
            on_failure: on_failure?,
        })
    }

    fn hook_timeout(&mut self, raw: &Located<String>) -> Option<Duration> {
        let timeout = self.duration("timeout", &raw.as_ref())?;
        if timeout > LONGEST_TIMEOUT {
            let message = "`timeout` is longer than a day";
            let help = "A hook may take `24h` at most; let it start what takes longer.";
            self.findings.at(&raw.at, message, help);
            return None;
        }
        Some(timeout)
    }

    fn on_failure(&mut self, raw: Option<&Located<String>>, when: When) -> Option<OnFailure> {
        let Some(raw) = raw else {
            return Some(match when {
                When::Before => OnFailure::Fail,
                When::After | When::AtTheEnd => OnFailure::Warn,
            });
        };
        match raw.value.as_str() {
            "warn" => Some(OnFailure::Warn),
            "fail" if when != When::AtTheEnd => Some(OnFailure::Fail),
            "fail" => {
                let message = "`on_failure` cannot be `fail` here: the run has ended by then";
                let help = "Write `warn`, or move the hook to `before` or `after`.";
                self.findings.at(&raw.at, message, help);
                None
            }
            other => {
                let message = format!("`on_failure` cannot be `{other}`");
                let help = suggestion(other, &["fail", "warn"]);
                self.findings.at(&raw.at, message, help);
                None
            }
        }
    }
}
