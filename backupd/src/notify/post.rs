//! All channels: who is told what, each by a queue of its own, which nobody waits for.

use std::{
    collections::BTreeMap,
    fmt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use backup_model::{
    ChannelKind, ChannelState, Code, EventKind, Failure, JobName, ProtectionReason, RunId, RunInfo,
    RunKind, StatusReport,
};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    About, Event, Message, Ping, delivered,
    worker::{PAUSES, Worker},
};
use crate::{
    clock,
    config::{ChannelConfig, ChannelName, SecretSources},
    metrics::Counters,
};

/// So many messages wait at most; more are given up, and that is said.
const QUEUE: usize = 64;

/// The channels of a daemon; each copy is the same ones.
#[derive(Clone)]
pub struct Post(Arc<Inner>);

struct Inner {
    lines: Mutex<BTreeMap<ChannelName, Line>>,
    counters: Counters,
    stop: CancellationToken,
    pauses: &'static [Duration],
}

/// A channel, and the way to its worker.
struct Line {
    config: ChannelConfig,
    queue: mpsc::Sender<Message>,
    state: Arc<Mutex<ChannelState>>,
    worker: Worker,
    /// When the last digest was put into the queue; at first, since when one can be due.
    digested: Timestamp,
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Post")
    }
}

impl Post {
    /// Without channels; all of it ends with `stop`.
    pub fn new(counters: Counters, stop: CancellationToken) -> Self {
        Self::with_pauses(counters, stop, &PAUSES)
    }

    pub(super) fn with_pauses(
        counters: Counters,
        stop: CancellationToken,
        pauses: &'static [Duration],
    ) -> Self {
        Self(Arc::new(Inner {
            lines: Mutex::default(),
            counters,
            stop,
            pauses,
        }))
    }

    /// What counts its failures.
    pub fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// Has the channels of a configuration from now on. Those that stay what they were keep what
    /// waits in them; the others deliver what waits, and end.
    pub fn arrange(
        &self,
        channels: &BTreeMap<ChannelName, ChannelConfig>,
        server: &str,
        secrets: &SecretSources,
        state: &Path,
    ) {
        let mut lines = self.lines();
        lines.retain(|name, line| {
            channels.get(name) == Some(&line.config) && line.worker.server == server
        });
        for (name, channel) in channels {
            lines
                .entry(name.clone())
                .or_insert_with(|| self.open(name, channel, server, secrets, state));
        }
    }

    fn open(
        &self,
        name: &ChannelName,
        config: &ChannelConfig,
        server: &str,
        secrets: &SecretSources,
        folder: &Path,
    ) -> Line {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let file = delivered::file(folder, name);
        let new = ChannelState {
            name: name.to_string(),
            kind: config.kind,
            last_delivered: None,
            last_failed: None,
            last_digest: None,
            failure: None,
        };
        let state = Arc::new(Mutex::new(delivered::read(&file, new)));
        let worker = Worker {
            config: config.clone(),
            server: server.to_owned(),
            secrets: secrets.clone(),
            state: Arc::clone(&state),
            file,
            counters: self.0.counters.clone(),
            pauses: self.0.pauses,
        };
        self.0.counters.channel(name.as_str());
        tokio::spawn(worker.clone().work(waiting, self.0.stop.clone()));
        let digested = {
            // Nothing is left half changed in it.
            let state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.last_digest
        };
        Line {
            config: config.clone(),
            queue,
            state,
            worker,
            digested: digested.unwrap_or_else(clock::now),
        }
    }

    /// Sends a test message by a channel, at once and with one try; gives how it stands then.
    pub async fn test(&self, name: &str) -> Result<ChannelState, Failure> {
        let found = {
            let lines = self.lines();
            let mut lines = lines.iter();
            let line = lines.find(|(known, _)| known.as_str() == name);
            line.map(|(_, line)| (line.worker.clone(), Arc::clone(&line.state)))
        };
        let Some((worker, state)) = found else {
            let text = format!("no channel is called `{name}`");
            return Err(Failure::new(Code::NoChannel, text));
        };
        worker.test().await.map_err(|why| {
            let text = format!("the test message by `{name}` was not delivered: {why}");
            Failure::new(Code::Notify, text)
        })?;
        // Nothing is left half changed in it.
        Ok(state.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Tells whoever wants to hear of it. Of what a channel does not tell it tells no end, either.
    pub fn tell(&self, at: Timestamp, events: &[Event]) {
        for line in self.lines().values() {
            if line.config.kind == ChannelKind::Healthchecks {
                continue;
            }
            let wanted = events.iter().filter(|event| line.wants(event));
            let wanted: Vec<Event> = wanted.cloned().collect();
            if !wanted.is_empty() {
                self.send(line, Message::Events(at, wanted));
            }
        }
    }

    /// Tells how everything stands, where it is time for that; what was due while nobody ran is
    /// told once. A daemon that has not looked at everything yet has nothing to tell.
    pub fn digest(&self, report: &StatusReport) {
        let unseen = |reason: &ProtectionReason| *reason == ProtectionReason::NotLookedYet;
        let mut jobs = report.jobs.iter();
        if jobs.any(|job| job.protection.reasons.iter().any(unseen)) {
            return;
        }
        for line in self.lines().values_mut() {
            let Some(daily) = &line.config.digest else {
                continue;
            };
            let due = daily.next_after(line.digested);
            if due.is_none_or(|due| report.at < due) {
                continue;
            }
            line.digested = report.at;
            let mut own = report.clone();
            own.jobs
                .retain(|job| line.config.is_about(&job.protection.job));
            self.send(line, Message::Digest(Arc::new(own)));
        }
    }

    /// A backup has begun.
    pub fn begun(&self, run: RunId, job: &JobName) {
        self.ping(job, run, Ping::Begun, "");
    }

    /// A run is over; those of backups are told.
    pub fn ended(&self, run: &RunInfo) {
        let Some(job) = run.job.as_ref().filter(|_| run.kind == RunKind::Backup) else {
            return;
        };
        let ping = if run.outcome.is_success() {
            Ping::Succeeded
        } else {
            Ping::Failed
        };
        let mut text = format!("job {job}: {}, {} warnings", run.outcome, run.warnings);
        if let Some(failure) = &run.failure {
            text = format!("{text}\n{} {failure}", failure.code);
        }
        self.ping(job, run.run, ping, &text);
    }

    fn ping(&self, job: &JobName, run: RunId, ping: Ping, text: &str) {
        for line in self.lines().values() {
            if line.config.kind == ChannelKind::Healthchecks && line.config.is_about(job) {
                self.send(line, Message::Run(run, ping, text.to_owned()));
            }
        }
    }

    /// How each channel stands, in the order of names.
    pub fn states(&self) -> Vec<ChannelState> {
        let lines = self.lines();
        lines.values().map(|line| line.state().clone()).collect()
    }

    fn send(&self, line: &Line, message: Message) {
        if line.queue.try_send(message).is_ok() {
            return;
        }
        let why = format!("{QUEUE} messages wait already");
        let mut state = line.state();
        tracing::warn!(channel = %state.name, "a message is not delivered: {why}");
        self.0.counters.undelivered(&state.name);
        state.last_failed = Some(clock::now());
        state.failure = Some(why);
    }

    fn lines(&self) -> MutexGuard<'_, BTreeMap<ChannelName, Line>> {
        // Nothing is left half changed in it.
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn wants(&self, event: &Event) -> bool {
        let events = &self.config.events;
        let about = match &event.about {
            About::Job(job) => self.config.is_about(job),
            About::Daemon | About::Repository(_) => true,
        };
        let opened = event.over.unwrap_or(event.kind);
        let closes = event.kind == EventKind::Recovered;
        about && events.contains(&opened) && (!closes || events.contains(&EventKind::Recovered))
    }

    fn state(&self) -> MutexGuard<'_, ChannelState> {
        // Nothing is left half changed in it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
