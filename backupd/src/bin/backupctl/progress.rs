//! Progress as the output wants it: bars on a terminal, else a line now and then, JSON, nothing.
//!
//! Bars and lines are drawn from the same events; how often is decided here and nowhere else.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use backup_model::{Event, Phase, Progress, Silent};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{cli::Global, output::Output, show};

const LINE_EVERY: Duration = Duration::from_secs(30);
const JSON_EVERY: Duration = Duration::from_secs(1);

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Moving bars.
    Bars,
    /// A line every half minute at most.
    Lines,
    /// JSON messages.
    Json,
    /// Not at all.
    Nothing,
}

impl Mode {
    /// The way that fits the flags and the terminal.
    pub(crate) const fn choose(flags: &Global, bars_fit: bool) -> Self {
        match (flags.quiet || flags.no_progress, flags.json, bars_fit) {
            (true, _, _) => Self::Nothing,
            (false, true, _) => Self::Json,
            (false, false, true) => Self::Bars,
            (false, false, false) => Self::Lines,
        }
    }
}

/// Progress that is shown by an output. Warnings are shown in every mode.
pub(crate) fn progress(output: &Arc<Output>) -> Arc<dyn Progress> {
    let output = Arc::clone(output);
    let shown: Box<dyn Progress> = match output.mode() {
        Mode::Bars => Box::new(Bars {
            output: Arc::clone(&output),
            bars: Mutex::default(),
        }),
        Mode::Lines => Box::new(Lines {
            output: Arc::clone(&output),
            tally: Mutex::new(Tally::new(Instant::now())),
        }),
        Mode::Json => Box::new(Json {
            output: Arc::clone(&output),
            last: Mutex::new(None),
        }),
        Mode::Nothing => Box::new(Silent),
    };
    Arc::new(Warned { output, shown })
}

/// Takes warnings out, which are not progress, and hands on the rest.
struct Warned {
    output: Arc<Output>,
    shown: Box<dyn Progress>,
}

impl Progress for Warned {
    fn event(&self, event: Event) {
        match event {
            Event::Warned(failure) => self.output.warning(&failure),
            event => self.shown.event(event),
        }
    }
}

struct Bars {
    output: Arc<Output>,
    bars: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Progress for Bars {
    fn event(&self, event: Event) {
        let mut bars = locked(&self.bars);
        match event {
            Event::Began {
                phase,
                object,
                total_bytes,
            } => {
                let bar = match total_bytes {
                    Some(total) => ProgressBar::new(total),
                    None => ProgressBar::new_spinner(),
                };
                let bar = self.output.bars().add(bar);
                bar.set_style(style(total_bytes.is_some()));
                bar.set_prefix(verb(phase));
                bar.set_message(object.clone());
                bar.enable_steady_tick(Duration::from_millis(250));
                if let Some(before) = bars.insert(object, bar) {
                    before.finish_and_clear();
                }
            }
            Event::Advanced {
                object, done_bytes, ..
            } => {
                if let Some(bar) = bars.get(&object) {
                    // A total is an estimate: what turns out larger grows it.
                    if bar.length().is_some_and(|total| total < done_bytes) {
                        bar.set_length(done_bytes);
                    }
                    bar.set_position(done_bytes);
                }
            }
            Event::Ended { object } => {
                if let Some(bar) = bars.remove(&object) {
                    bar.finish_and_clear();
                }
            }
            Event::Noted { text } => self.output.note(&show::name(&text)),
            _ => {}
        }
    }
}

const BAR: &str = "{prefix} {msg}  {bar:24}  {binary_bytes} of {binary_total_bytes}  \
                   {binary_bytes_per_sec}  {eta} left";
const SPINNER: &str =
    "{prefix} {msg}  {spinner}  {binary_bytes}  {binary_bytes_per_sec}  {elapsed}";

fn style(with_total: bool) -> ProgressStyle {
    let template = if with_total { BAR } else { SPINNER };
    // A template that does not parse would cost the looks, not the backup.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

struct Lines {
    output: Arc<Output>,
    tally: Mutex<Tally>,
}

impl Progress for Lines {
    fn event(&self, event: Event) {
        let line = locked(&self.tally).event(event, Instant::now());
        if let Some(line) = line {
            self.output.note(&line);
        }
    }
}

/// What is under way, and when it was last told.
struct Tally {
    objects: BTreeMap<String, Object>,
    last: Instant,
}

struct Object {
    phase: Phase,
    began: Instant,
    total_bytes: Option<u64>,
}

impl Tally {
    const fn new(now: Instant) -> Self {
        Self {
            objects: BTreeMap::new(),
            last: now,
        }
    }

    /// Takes an event; gives a line when it is time for one.
    fn event(&mut self, event: Event, now: Instant) -> Option<String> {
        match event {
            Event::Began {
                phase,
                object,
                total_bytes,
            } => {
                let began = now;
                self.objects.insert(
                    object,
                    Object {
                        phase,
                        began,
                        total_bytes,
                    },
                );
                None
            }
            Event::Advanced {
                object, done_bytes, ..
            } if now.duration_since(self.last) >= LINE_EVERY => {
                self.last = now;
                let facts = self.objects.get(&object)?;
                Some(facts.line(&object, done_bytes, now))
            }
            Event::Ended { object } => {
                self.objects.remove(&object);
                None
            }
            Event::Noted { text } => Some(show::name(&text)),
            _ => None,
        }
    }
}

impl Object {
    fn line(&self, name: &str, done_bytes: u64, now: Instant) -> String {
        let mut line = format!("{} {name}: {}", verb(self.phase), show::bytes(done_bytes));
        let took_millis = now.duration_since(self.began).as_millis().max(1);
        let per_sec = u64::try_from(u128::from(done_bytes) * 1000 / took_millis);
        let per_sec = per_sec.unwrap_or(u64::MAX).max(1);
        // A total is an estimate: one that was passed says nothing.
        let total = self.total_bytes.filter(|&total| total >= done_bytes);
        if let Some(total) = total {
            line.extend([" of ", &show::bytes(total)]);
        }
        line.extend([", ", &show::bytes(per_sec), "/s"]);
        if let Some(total) = total {
            let left_secs = (total - done_bytes) as f64 / per_sec as f64;
            line.extend([", ", &show::duration(left_secs), " left"]);
        }
        line
    }
}

struct Json {
    output: Arc<Output>,
    last: Mutex<Option<Instant>>,
}

impl Progress for Json {
    fn event(&self, event: Event) {
        if matches!(event, Event::Advanced { .. }) {
            let now = Instant::now();
            let mut last = locked(&self.last);
            if last.is_some_and(|last| now.duration_since(last) < JSON_EVERY) {
                return;
            }
            *last = Some(now);
        }
        self.output.line("progress", &event);
    }
}

const fn verb(phase: Phase) -> &'static str {
    match phase {
        Phase::Prepare => "preparing",
        Phase::Store => "storing",
        Phase::Verify => "verifying",
        Phase::Restore => "restoring",
        Phase::Delete => "deleting",
        Phase::Finish => "finishing",
        _ => "working on",
    }
}

/// A lock that a panic elsewhere does not spoil: progress is worth less than the work.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn the_way_of_showing_follows_flags_and_terminal() {
        let choose = |flags: &[&str], bars_fit| {
            let words = ["backupctl", "version"].iter().chain(flags);
            Mode::choose(&Cli::try_parse_from(words).unwrap().global, bars_fit)
        };
        assert_eq!(choose(&[], true), Mode::Bars);
        assert_eq!(choose(&[], false), Mode::Lines);
        assert_eq!(choose(&["--json"], true), Mode::Json);
        assert_eq!(choose(&["--json", "-q"], true), Mode::Nothing);
        assert_eq!(choose(&["--no-progress"], true), Mode::Nothing);
    }

    #[test]
    fn a_line_comes_every_half_minute_at_most() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let advanced = |mib: u64| Event::Advanced {
            object: "webui.dump".to_owned(),
            done_bytes: mib << 20,
            stored_bytes: 0,
        };
        let mut tally = Tally::new(start);
        let began = Event::Began {
            phase: Phase::Store,
            object: "webui.dump".to_owned(),
            total_bytes: Some(128 << 20),
        };
        assert_eq!(tally.event(began, start), None);
        assert_eq!(tally.event(advanced(16), at(29)), None);
        assert_eq!(
            tally.event(advanced(32), at(32)).as_deref(),
            Some("storing webui.dump: 32.0 MiB of 128.0 MiB, 1.0 MiB/s, 1 min 36 s left")
        );
        assert_eq!(tally.event(advanced(33), at(61)), None);
        assert!(tally.event(advanced(34), at(62)).is_some());
        let more = tally.event(advanced(200), at(100)).unwrap();
        assert!(!more.contains(" of "), "{more}");
    }

    #[test]
    fn bars_have_a_template_that_parses() {
        for template in [BAR, SPINNER] {
            ProgressStyle::with_template(template).unwrap();
        }
    }
}
