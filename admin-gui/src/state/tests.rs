//! How a state changes by what happens.

use backup_model::{
    Code, DaemonInfo, Failure, HealthReport, JobName, JobStatus, Protection, ProtectionState,
    RunId, Running, Selection, StatusReport,
};
use jiff::{SignedDuration, Timestamp};

use super::{
    Act, Answer, Connection, Deed, Draft, Event, OpenKey, Origin, Part, Place, Question, Server,
    State, Step,
};

fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + secs).unwrap()
}

fn job() -> JobName {
    "webui".parse().unwrap()
}

fn status(snapshots: u64) -> StatusReport {
    StatusReport {
        at: at(0),
        daemon: Some(DaemonInfo {
            name: "vault01".to_owned(),
            version: "0.1.0".to_owned(),
            since: at(-100),
            heartbeat: at(0),
        }),
        faults: Vec::new(),
        jobs: vec![JobStatus {
            protection: Protection {
                job: job(),
                state: ProtectionState::AtRisk,
                reasons: Vec::new(),
                was: None,
                paused: None,
                running: None,
                last_good: None,
                rpo: None,
            },
            repository: "main".to_owned(),
            schedule: None,
            next: None,
            proven: None,
            snapshots: Some(snapshots),
            last_run: None,
        }],
    }
}

fn state() -> State {
    State::new(Server {
        address: "unix:/run/backupd/api.sock".to_owned(),
        is_secure: true,
        pin: None,
        origin: Origin::Start,
    })
}

fn live() -> State {
    let mut state = state();
    state.apply(Event::Status(status(1)), at(0));
    state
}

fn gone() -> Failure {
    Failure::new(Code::Daemon, "nobody answers")
}

fn health(state: &mut State, secs: i64) {
    let answer = Answer::Health(HealthReport::new(at(secs), Vec::new()));
    state.apply(Event::Answered(Question::Health, Ok(answer)), at(secs));
}

#[test]
fn nothing_is_asked_before_somebody_answers_and_nothing_twice() {
    let mut state = state();
    assert_eq!(state.wants(at(0)), []);
    state.apply(Event::Status(status(1)), at(0));
    let wanted = state.wants(at(0));
    assert!(wanted.contains(&Question::Health));
    assert!(wanted.contains(&Question::Dues(job())));
    assert_eq!(state.wants(at(1)), []);
    // What takes long is not asked again meanwhile.
    assert_eq!(state.wants(at(600)), []);
}

#[test]
fn an_answer_is_asked_anew_when_it_is_old_or_something_has_happened() {
    let mut state = live();
    state.wants(at(0));
    health(&mut state, 1);
    assert!(!state.wants(at(50)).contains(&Question::Health));
    assert!(state.wants(at(61)).contains(&Question::Health));
    health(&mut state, 62);
    // The same report again is nothing new; another snapshot is.
    state.apply(Event::Status(status(1)), at(63));
    assert!(!state.wants(at(63)).contains(&Question::Health));
    state.apply(Event::Status(status(2)), at(64));
    assert!(state.wants(at(64)).contains(&Question::Health));
    health(&mut state, 65);
    state.apply(Event::Act(Act::Refresh), at(66));
    assert!(state.wants(at(66)).contains(&Question::Health));
}

#[test]
fn a_failure_keeps_what_was_known_and_is_tried_again_soon() {
    let mut state = live();
    state.wants(at(0));
    health(&mut state, 1);
    state.apply(Event::Act(Act::Refresh), at(2));
    state.wants(at(2));
    state.apply(Event::Answered(Question::Health, Err(gone())), at(3));
    let view = state.health();
    assert!(view.value.is_some() && view.failure.is_some());
    assert_eq!(view.at, Some(at(1)));
    assert!(!view.is_first());
    assert!(!state.wants(at(5)).contains(&Question::Health));
    assert!(state.wants(at(13)).contains(&Question::Health));
    health(&mut state, 14);
    assert!(state.health().failure.is_none());
}

#[test]
fn while_nobody_answers_nobody_is_protected_and_all_is_kept() {
    let mut state = live();
    state.wants(at(0));
    health(&mut state, 1);
    state.apply(Event::Lost(gone()), at(2));
    state.apply(Event::Lost(gone()), at(9));
    let Connection::Lost { since, .. } = state.connection() else {
        panic!("{:?}", state.connection());
    };
    assert_eq!(*since, at(2));
    let jobs = state.jobs();
    assert_eq!(jobs[0].state, ProtectionState::Unknown);
    assert_eq!(jobs[0].was, Some(ProtectionState::AtRisk));
    assert_eq!(state.worst(), ProtectionState::Unknown);
    assert!(state.health().value.is_some());
    assert_eq!(state.wants(at(700)), []);
    assert!(!state.begin(&Deed::BackUp(job())));
    // Back again, nothing of before is taken for current.
    state.apply(Event::Status(status(1)), at(701));
    assert_eq!(state.jobs()[0].state, ProtectionState::AtRisk);
    assert!(state.wants(at(701)).contains(&Question::Health));
}

#[test]
fn a_deed_is_done_once_and_its_failure_stays_where_it_happened() {
    let mut state = live();
    let deed = Deed::BackUp(job());
    state.apply(Event::Act(Act::Go(Place::Job(job(), None))), at(1));
    assert!(state.begin(&deed) && !state.begin(&deed));
    let refused = Failure::new(Code::NotPermitted, "the token may not do that");
    state.apply(Event::Done(deed.clone(), Err(refused.clone())), at(2));
    assert_eq!(state.refused(), Some((&deed, &refused)));
    assert_eq!(state.notices().unseen(), 1);
    // It is not only a line that flies by; nor one at all.
    assert_eq!(state.notices().in_sight(at(2)).count(), 0);
    state.apply(Event::Act(Act::Go(Place::Job(job(), None))), at(3));
    assert!(state.refused().is_some());
    state.apply(Event::Act(Act::Go(Place::Overview)), at(4));
    assert!(state.refused().is_none());
    assert!(state.begin(&deed));
    state.apply(Event::Done(deed, Ok("started".to_owned())), at(5));
    assert_eq!(state.notices().in_sight(at(5)).count(), 1);
    assert_eq!(state.notices().in_sight(at(14)).count(), 0);
    state.apply(Event::Act(Act::SeeNotices), at(15));
    assert_eq!(
        (state.notices().unseen(), state.notices().all().len()),
        (0, 2)
    );
}

#[test]
fn a_notice_knows_the_job_that_it_is_about() {
    let mut report = status(1);
    let run = RunId::new(at(-60), [7; 10]);
    report.jobs[0].protection.running = Some(Running { run, percent: None });
    let mut state = state();
    state.apply(Event::Status(report), at(0));
    let deeds = [
        Deed::BackUp(job()),
        Deed::Verify(Selection::Job(job())),
        Deed::Release("webui/41".parse().unwrap()),
        Deed::Verify(Selection::All),
        Deed::Cancel(run),
    ];
    for deed in deeds {
        state.apply(Event::Done(deed, Ok(String::new())), at(1));
    }
    let about: Vec<_> = state.notices().all().map(|one| one.about.clone()).collect();
    let open = Some(Place::Job(job(), None));
    let there = Some(Place::Job(job(), Some(run)));
    assert_eq!(about, [there, None, open.clone(), open.clone(), open]);
}

#[test]
fn escape_leads_out_of_a_job_and_nowhere_else() {
    let mut state = live();
    state.apply(Event::Act(Act::Up), at(1));
    assert_eq!(*state.place(), Place::Overview);
    state.apply(Event::Act(Act::Go(Place::Job(job(), None))), at(2));
    state.apply(Event::Act(Act::Up), at(3));
    assert_eq!(*state.place(), Place::Jobs);
}

#[test]
fn the_same_in_a_terminal() {
    let pause = |until| Deed::Pause {
        job: job(),
        from: at(0),
        until,
        why: String::new(),
    };
    let day = Some(at(0) + SignedDuration::from_hours(24));
    assert_eq!(
        pause(day).command(),
        "backupctl job pause webui --until 24h"
    );
    assert_eq!(pause(None).command(), "backupctl job pause webui");
    assert_eq!(Deed::BackUp(job()).command(), "backupctl backup webui");
}

#[test]
fn a_run_that_ends_has_nobody_read_the_whole_audit_log_again() {
    let mut state = live();
    state.apply(Event::Act(Act::Go(Place::Audit)), at(1));
    assert!(state.wants(at(1)).contains(&Question::AuditCheck));
    let checked = Answer::AuditCheck(backup_model::AuditCheck::default());
    state.apply(Event::Answered(Question::AuditCheck, Ok(checked)), at(2));
    state.apply(Event::Status(status(2)), at(3));
    assert!(!state.wants(at(3)).contains(&Question::AuditCheck));
    state.apply(Event::Act(Act::Refresh), at(4));
    assert!(state.wants(at(4)).contains(&Question::AuditCheck));
}

fn open_key(state: &mut State, secs: i64) {
    let key = OpenKey {
        shown: "admin.key".to_owned(),
        kind: "x25519".to_owned(),
        recipient: None,
    };
    state.apply(Event::Key(Ok(Some(key))), at(secs));
}

fn drafted() -> State {
    let mut state = live();
    let mut draft = Draft::begin(at(0));
    draft.choose_snapshot("webui/41".parse().unwrap(), vec!["files".to_owned()]);
    draft.step = Step::Preview;
    state.apply(Event::Act(Act::Draft(Some(draft))), at(1));
    state.apply(Event::Act(Act::Go(Place::Draft)), at(1));
    state
}

#[test]
fn what_takes_a_key_is_not_asked_without_one_and_forgotten_with_it() {
    let mut state = drafted();
    let order = state.draft().and_then(Draft::order).unwrap();
    let plan = Question::Plan(Box::new(order.clone()));
    assert!(!state.wants(at(2)).contains(&plan));
    open_key(&mut state, 3);
    assert!(state.wants(at(4)).contains(&plan));
    let answer = Answer::Plan(backup_model::RestorePlan {
        snapshot: order.snapshot.clone(),
        created: at(-9),
        steps: Vec::new(),
        left_out: Vec::new(),
        fetch_bytes: 0,
        confirm: None,
        safety_backup: false,
    });
    state.apply(Event::Answered(plan.clone(), Ok(answer.clone())), at(5));
    assert!(state.plan(&order).value.is_some());
    state.apply(Event::Key(Ok(None)), at(6));
    assert!(state.plan(&order).value.is_none());
    // Nor what was still on its way.
    state.apply(Event::Answered(plan, Ok(answer)), at(7));
    assert!(state.plan(&order).value.is_none());
}

#[test]
fn whoever_begins_a_restore_sees_how_it_goes() {
    let mut state = drafted();
    let task = backupd_api::TaskInfo {
        id: "a1".to_owned(),
        kind: backupd_api::Kind::Restore,
        object: "webui/000041".to_owned(),
        actor: "anna".to_owned(),
        began: at(2),
        state: backupd_api::TaskState::Running,
        failure: None,
    };
    state.apply(Event::Begun(task), at(2));
    assert_eq!(*state.place(), Place::Restoring("a1".to_owned()));
    assert!(state.draft().is_none());
    assert_eq!(state.follow_now(at(2)).len(), 1);
    state.apply(Event::Lost(gone()), at(3));
    assert_eq!(state.follow_now(at(9)), []);
    state.apply(Event::Status(status(1)), at(10));
    assert_eq!(state.follow_now(at(10)), [("a1".to_owned(), 0)]);
}

#[test]
fn another_job_takes_nothing_of_the_one_before() {
    let mut draft = Draft::begin(at(0));
    draft.choose_snapshot("webui/41".parse().unwrap(), vec!["postgres".to_owned()]);
    assert!(draft.has_databases() && !draft.has_files());
    assert!(draft.order().is_some());
    draft.choose_job("shop".parse().unwrap());
    assert_eq!((draft.snapshot.clone(), draft.order()), (None, None));
    assert_eq!(draft.missing(Step::When), Some("Choose a snapshot first"));
    draft.choose_snapshot("shop/7".parse().unwrap(), vec!["files".to_owned()]);
    draft.part = Part::Databases;
    assert!(draft.missing(Step::Target).is_some());
}
