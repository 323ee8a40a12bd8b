//! How everything stands, kept current: whoever asks gets an answer that is ready, however many
//! ask, and hears of each change.
//!
//! What the ledger and the schedule know is asked again whenever something changes and with each
//! heartbeat of the schedule. Repositories are looked at now and then only, since each look costs
//! requests; in between, what ends well here tells what there is. It changes nothing.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use backup_keys::kit::KitStanding;
use backup_model::{
    DaemonInfo, Failure, GoodSnapshot, JobName, RunId, RunInfo, RunKind, RunOutcome, StatusReport,
};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::{Notify, watch},
    time,
};
use tokio_util::sync::CancellationToken;

use super::{measures, runs::Runs, settings::Settings};
use crate::{
    clock,
    ledger::Ledger,
    metrics,
    notify::Post,
    schedule::Agenda,
    status::{self, Known, Seen, Sight},
};

/// How often repositories are looked at when nothing happens.
const LOOK_EVERY: Duration = Duration::from_mins(30);

/// How often to remind of a recovery kit that nobody has proved, or not for long.
const REMIND_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// How often to say how far runs are.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// Keeps the report.
#[derive(Debug)]
pub(super) struct Board {
    settings: Arc<Settings>,
    ledger: Ledger,
    runs: Runs,
    agenda: watch::Receiver<Agenda>,
    since: Timestamp,
    memory: Mutex<Memory>,
    poke: Notify,
    look: Notify,
    said: watch::Sender<StatusReport>,
    post: Post,
}

/// What lasts from one report to the next.
#[derive(Debug, Default)]
struct Memory {
    seen: BTreeMap<String, Seen>,
    /// What the ledger knew when it last answered.
    known: Known,
    planned_since: Option<Timestamp>,
    /// When somebody was last reminded of each repository's recovery kit.
    reminded: BTreeMap<String, Timestamp>,
    /// How many looks have begun.
    looks: u64,
    /// What was made since the last look began, and where: a listing may have missed it.
    made: Vec<(u64, String, GoodSnapshot)>,
}

impl Memory {
    /// Reminds of a recovery kit, once in a while: without one, all is lost with the host.
    fn remind(&mut self, repository: &str, seen: &Seen, now: Timestamp) {
        let Some(kit) = seen.kit.as_ref().filter(|kit| kit.at_risk()) else {
            self.reminded.remove(repository);
            return;
        };
        let last = self.reminded.get(repository);
        if last.is_some_and(|last| now.duration_since(*last) < REMIND_EVERY) {
            return;
        }
        self.reminded.insert(repository.to_owned(), now);
        let why = match kit {
            KitStanding::Lapsed(lapse) => lapse.to_string(),
            KitStanding::Old(_) => "it was last proved more than a year ago".to_owned(),
            _ => "nobody has proved one from this machine".to_owned(),
        };
        let next = "backupctl kit create, then kit confirm";
        tracing::warn!(%repository, next, "recovery kit: {why}");
    }
}

impl Board {
    /// A board on which nothing is written yet.
    pub(super) fn new(
        settings: Arc<Settings>,
        ledger: Ledger,
        runs: Runs,
        agenda: watch::Receiver<Agenda>,
        post: Post,
    ) -> Self {
        let since = clock::now();
        let nothing = StatusReport {
            at: since,
            daemon: None,
            faults: Vec::new(),
            jobs: Vec::new(),
        };
        Self {
            settings,
            ledger,
            runs,
            agenda,
            since,
            memory: Mutex::default(),
            poke: Notify::new(),
            look: Notify::new(),
            said: watch::Sender::new(nothing),
            post,
        }
    }

    /// The report, now and as it changes.
    pub(super) fn report(&self) -> watch::Receiver<StatusReport> {
        self.said.subscribe()
    }

    /// Something has changed.
    pub(super) fn changed(&self) {
        self.poke.notify_one();
    }

    /// Another plan is in force: what it would have had to run before is no news. A repository's
    /// name may mean another one now.
    pub(super) fn planned(&self) {
        let mut memory = self.memory();
        memory.planned_since = Some(clock::now());
        memory.seen.clear();
        memory.made.clear();
        drop(memory);
        self.look_again();
    }

    /// What a repository holds has changed.
    pub(super) fn look_again(&self) {
        self.look.notify_one();
    }

    /// A job has a new snapshot.
    pub(super) fn made(&self, repository: &str, snapshot: GoodSnapshot) {
        let mut memory = self.memory();
        let looks = memory.looks;
        memory
            .made
            .push((looks, repository.to_owned(), snapshot.clone()));
        if let Some(seen) = memory.seen.get_mut(repository) {
            seen.made(snapshot);
        }
    }

    /// A run ended. Where it failed the repository may be why, and where it went well after that
    /// the repository is back.
    pub(super) fn ended(&self, outcome: RunOutcome) {
        let unreadable = |seen: &Seen| seen.unreadable.is_some();
        if !outcome.is_success() || self.memory().seen.values().any(unreadable) {
            self.look_again();
        }
        self.changed();
    }

    /// A run has begun; of a backup that is told.
    pub(super) fn begun(&self, run: RunId, kind: RunKind, job: Option<&JobName>) {
        if let Some(job) = job.filter(|_| kind == RunKind::Backup) {
            self.post.begun(run, job);
        }
        self.changed();
    }

    /// A run that ended is counted, and told.
    pub(super) fn count(&self, run: &RunInfo) {
        self.post.counters().ended(run);
        self.post.ended(run);
    }

    /// The ways to people.
    pub(super) fn post(&self) -> &Post {
        &self.post
    }

    /// The page of metrics, of what is known already.
    pub(super) fn metrics(&self) -> String {
        let in_force = self.settings.in_force();
        let memory = self.memory();
        let places = in_force.access.places.iter();
        let repositories: Vec<_> = places
            .map(|place| measures::repository(&place.name, &memory.seen, &memory.known))
            .collect();
        drop(memory);
        let report = self.said.borrow().clone();
        metrics::page(&metrics::Sight {
            report: &report,
            repositories: &repositories,
            counters: self.post.counters(),
        })
    }

    /// Writes the first report, then one after each change, until told to stop.
    pub(super) async fn keep(&self, stop: &CancellationToken) {
        let mut agenda = self.agenda.clone();
        loop {
            if stop.run_until_cancelled(self.write()).await.is_none() {
                return;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.poke.notified() => {}
                heartbeat = agenda.changed() => if heartbeat.is_err() { return },
                () = time::sleep(PROGRESS_EVERY), if !self.runs.backups().is_empty() => {}
            }
        }
    }

    /// Looks at the repositories, now and then, until told to stop.
    pub(super) async fn look(&self, stop: &CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.look_once() => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.look.notified() => {}
                () = time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    async fn look_once(&self) {
        let in_force = self.settings.in_force();
        let now = clock::now();
        let look = {
            let mut memory = self.memory();
            memory.looks += 1;
            memory.looks
        };
        let looks = in_force.access.places.iter().map(async |place| {
            let before = self.memory().seen.get(&place.name).cloned();
            let mut seen = status::look(&in_force.access, place, before, now).await;
            if let Some((failure, _)) = &seen.unreadable {
                let (repository, code) = (&place.name, failure.code.as_str());
                tracing::warn!(%repository, code, "cannot be read: {}", failure.message);
            }
            let mut memory = self.memory();
            let made = memory
                .made
                .iter()
                .filter(|(_, name, _)| *name == place.name);
            made.for_each(|(_, _, snapshot)| seen.made(snapshot.clone()));
            memory.remind(&place.name, &seen, now);
            memory.seen.insert(place.name.clone(), seen);
            drop(memory);
            // Who answers at once need not wait for who does not.
            self.changed();
        });
        join_all(looks).await;
        let mut memory = self.memory();
        // What was made before this look began, it has seen.
        memory.made.retain(|(made, _, _)| *made >= look);
        let places = &in_force.access.places;
        memory
            .seen
            .retain(|name, _| places.iter().any(|place| place.name == *name));
    }

    /// Writes a report.
    pub(super) async fn write(&self) {
        let current = self.settings.follow().borrow().clone();
        let (config, access) = (&current.in_force.config, &current.in_force.access);
        let mut faults: Vec<Failure> = current.fault.into_iter().collect();
        faults.extend(self.ledger.standing().borrow().trouble.clone());
        match Known::of(&self.ledger, access).await {
            Ok(known) => self.memory().known = known,
            Err(error) => {
                let failure = Failure::from_error(error.code(), &error);
                if !faults.contains(&failure) {
                    faults.push(failure);
                }
            }
        }
        let agenda = self.agenda.borrow().clone();
        let running = self.runs.backups();
        let memory = self.memory();
        let jobs = status::jobs(&Sight {
            now: clock::now(),
            jobs: &access.jobs,
            seen: &memory.seen,
            known: &memory.known,
            agenda: Some(&agenda),
            running: &running,
            planned_since: memory.planned_since,
        });
        drop(memory);
        let report = StatusReport {
            at: clock::now(),
            daemon: Some(DaemonInfo {
                name: config.server.name.clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                since: self.since,
                heartbeat: agenda.at,
            }),
            faults,
            jobs,
        };
        self.say(&report);
    }

    /// Says what is new in a report, in the log and to whoever listens.
    fn say(&self, report: &StatusReport) {
        let before = self.said.send_replace(report.clone());
        for job in &report.jobs {
            let name = &job.protection.job;
            let state = job.protection.state;
            let was = before.job(name).map(|job| job.protection.state);
            if was == Some(state) || job.protection.reasons.is_empty() && was.is_none() {
                continue;
            }
            let reasons = job.protection.reasons.iter().map(ToString::to_string);
            let reasons = reasons.collect::<Vec<_>>().join("; ");
            tracing::info!(job = %name, %state, reasons, "protection");
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Nothing is left half changed in it.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
