//! Listening to a restore: its lines come in bundles, a few times a second at most, however fast
//! it says them.

use std::{sync::Arc, time::Duration};

use backup_model::{Code, Failure};
use backupd_api::{HttpService, Numbered, TaskLine};
use futures::StreamExt as _;
use tokio::time::{Instant, sleep_until};

use super::Say;
use crate::state::Event;

/// So long lines are gathered before they are told.
const BUNDLE: Duration = Duration::from_millis(125);
/// So many lines are told at once at most.
const MOST: usize = 10_000;

/// Listens to a task from a line on until it ends or is not heard any more.
pub(super) async fn follow<W>(service: HttpService, id: String, from: u64, say: Arc<Say<W>>)
where
    W: Fn() + Send + Sync + 'static,
{
    let mut lines = match service.follow_task(&id, from).await {
        Ok(lines) => lines,
        Err(failure) => return say.say(Event::Unheard(id, failure)),
    };
    let mut bundle = Bundle::default();
    loop {
        tokio::select! {
            line = lines.next() => match line {
                Some(Ok(line)) => {
                    let is_last = matches!(line.line, TaskLine::End(_));
                    bundle.add(line);
                    if is_last || bundle.lines.len() >= MOST {
                        bundle.tell(&id, &say);
                    }
                    if is_last {
                        return;
                    }
                }
                broken => {
                    bundle.tell(&id, &say);
                    let silent = || Failure::new(Code::Daemon, "the daemon's answer broke off");
                    let failure = broken.and_then(Result::err).unwrap_or_else(silent);
                    return say.say(Event::Unheard(id, failure));
                }
            },
            () = sleep_until(bundle.until), if !bundle.lines.is_empty() => bundle.tell(&id, &say),
        }
    }
}

/// Lines that were heard and not told.
struct Bundle {
    lines: Vec<Numbered>,
    until: Instant,
}

impl Default for Bundle {
    fn default() -> Self {
        Self {
            lines: Vec::new(),
            until: Instant::now(),
        }
    }
}

impl Bundle {
    fn add(&mut self, line: Numbered) {
        if self.lines.is_empty() {
            self.until = Instant::now() + BUNDLE;
        }
        self.lines.push(line);
    }

    fn tell<W: Fn()>(&mut self, id: &str, say: &Say<W>) {
        let lines = std::mem::take(&mut self.lines);
        if !lines.is_empty() {
            say.say(Event::Said(id.to_owned(), lines));
        }
    }
}
