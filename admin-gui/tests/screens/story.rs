//! One story that all pictures tell: the server vault01 on Sunday, 22 November 2026, at 14:02 UTC,
//! with seven jobs in two repositories. A state is made of the events that a daemon would cause.

mod answers;
pub(crate) mod contents;
mod jobs;
mod keys;
pub(crate) mod restores;
pub(crate) mod retention;
mod verifications;

use admin_gui::state::{Act, Answer, Event, Origin, Place, Question, Server, State};
use backup_model::{AuditCheck, Code, Failure, JobName, RunId};
use jiff::{SignedDuration, Timestamp};

pub(crate) use answers::{audit, configuration, health, tampered};
use answers::{channels, run_detail, run_log, runs, snapshots};
pub(crate) use jobs::status;
use jobs::{dues, jobs};
pub(crate) use keys::keys;
use verifications::verifications;

/// What time it is.
pub(crate) fn now() -> Timestamp {
    "2026-11-22T14:02:09Z".parse().unwrap()
}

pub(crate) fn ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

pub(crate) fn name(job: &str) -> JobName {
    job.parse().unwrap()
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// A run with a number of its own.
pub(crate) fn run_id(minutes_ago: i64, number: u8) -> RunId {
    RunId::new(ago(minutes_ago), [number; 10])
}

/// When the last runs of a job began, the newest first.
fn minutes_before(job: &str, number: u8) -> i64 {
    let newest = if job == "gitea-db" { 92 } else { 107 };
    newest + 120 * i64::from(number - 1)
}

/// One of the last runs of a job, counted from 1 for the newest.
pub(crate) fn nth_run(job: &str, number: u8) -> RunId {
    run_id(minutes_before(job, number), number)
}

/// A state before anything was heard.
pub(crate) fn silent() -> State {
    State::new(Server {
        address: "https://10.0.4.12:8443".to_owned(),
        is_secure: true,
        pin: None,
        origin: Origin::Start,
    })
}

/// A daemon answers, and nothing else was told yet.
pub(crate) fn first() -> State {
    let mut state = silent();
    state.apply(Event::Status(status()), now());
    state
}

/// A question could not be answered.
pub(crate) fn fail(state: &mut State, question: Question) {
    let refused = Failure::new(Code::NotPermitted, "the token has not the scope `admin`");
    state.apply(Event::Answered(question, Err(refused)), now());
}

pub(crate) fn hear(state: &mut State, question: Question, answer: Answer) {
    state.apply(Event::Answered(question, Ok(answer)), now());
}

/// A state in which everything was answered.
pub(crate) fn live() -> State {
    let mut state = silent();
    state.apply(Event::Status(status()), now());
    hear(&mut state, Question::Health, Answer::Health(health()));
    hear(&mut state, Question::Channels, Answer::Channels(channels()));
    let told = configuration();
    hear(
        &mut state,
        Question::Configuration,
        Answer::Configuration(told),
    );
    hear(&mut state, Question::Runs(None), Answer::Runs(runs(None)));
    let looked = Answer::Runs(verifications());
    hear(&mut state, Question::Verifications, looked);
    for repository in ["b2-main", "nas"] {
        let of = Question::Keys(repository.to_owned());
        hear(&mut state, of, Answer::Keys(keys(repository)));
    }
    for job in jobs() {
        let of = name(job.name);
        hear(
            &mut state,
            Question::Dues(of.clone()),
            Answer::Dues(dues(&job)),
        );
        let page = runs(Some(job.name));
        for info in &page.runs {
            let detail = Answer::Run(run_detail(info));
            hear(&mut state, Question::Run(info.run), detail);
            hear(
                &mut state,
                Question::RunLog(info.run),
                Answer::RunLog(run_log(info)),
            );
        }
        hear(&mut state, Question::Runs(Some(of)), Answer::Runs(page));
    }
    hear(
        &mut state,
        Question::Snapshots,
        Answer::Snapshots(snapshots()),
    );
    hear(&mut state, Question::Audit(None), Answer::Audit(audit()));
    let checked = AuditCheck {
        entries: 10_412,
        first: Some(1),
        last: Some(10_412),
        snapshots: 287,
        faults: Vec::new(),
    };
    hear(
        &mut state,
        Question::AuditCheck,
        Answer::AuditCheck(checked),
    );
    state
}

/// The daemon has stopped answering after a while.
pub(crate) fn lost() -> State {
    let mut state = live();
    let gone = Failure::new(Code::Daemon, "cannot connect to https://10.0.4.12:8443");
    state.apply(Event::Lost(gone), now() - SignedDuration::from_mins(3));
    state
}

/// Somewhere in the window.
pub(crate) fn at(mut state: State, place: Place) -> State {
    state.apply(Event::Act(Act::Go(place)), now());
    state
}
