//! Restores of the story: one that is drafted, one that runs, and what they come to.

use admin_gui::state::{Act, Answer, Draft, Event, OpenKey, Place, Question, State, Step};
use backup_model::{
    Code, DatabaseFacts, Digest, Event as Progress, Extension, Failure, Phase, RestorePlan,
    RestoreReport, RestoreStep, RestoreTarget, RestoredStream, RunCause, RunInfo, RunKind,
    RunOutcome, RunPage, StreamInfo, StreamKind,
};
use backupd_api::{Kind, Numbered, Outcome, TaskInfo, TaskLine, TaskReport, TaskState};
use jiff::SignedDuration;

use super::{ago, at, hear, live, name, now, run_id};

/// The task of the restore that runs.
pub(crate) const TASK: &str = "5f0c9a7be2d14c3f8a6b7d9e0f112233";

/// An administrator's key is open.
pub(crate) fn unlocked(mut state: State) -> State {
    let key = OpenKey {
        shown: "/home/anna/keys/admin.key".to_owned(),
        kind: "x25519".to_owned(),
        recipient: Some("age1qz0k4v…".to_owned()),
    };
    state.apply(Event::Key(Ok(Some(key))), now());
    state
}

/// A draft for the newest snapshot of the database, at a step.
pub(crate) fn drafted(state: State, step: Step) -> State {
    let mut draft = Draft::begin(now());
    draft.choose_snapshot(
        "webui-db/41".parse().unwrap(),
        vec!["postgres".to_owned(), "files".to_owned()],
    );
    draft.step = step;
    let mut state = at(state, Place::Draft);
    state.apply(Event::Act(Act::Draft(Some(draft))), now());
    state
}

fn database() -> StreamInfo {
    let extension = |name: &str, version: &str| Extension {
        name: name.to_owned(),
        version: version.to_owned(),
    };
    let facts = serde_json::json!({
        "database": "webui", "server_version": "17.7", "server_version_num": 170_007,
        "dump_version": "17.7", "encoding": "UTF8", "collate": "C", "ctype": "C",
        "size_bytes": 2_147_483_648_u64, "extensions": [], "roles": ["webui", "webui_ro"],
    });
    let facts: DatabaseFacts = serde_json::from_value(facts).unwrap();
    StreamInfo {
        name: "webui".to_owned(),
        kind: StreamKind::Postgres,
        length_bytes: 2_083_059_138,
        digest: Digest([1; 32]),
        entries: None,
        database: Some(DatabaseFacts {
            extensions: vec![extension("vector", "0.8.0"), extension("pg_trgm", "1.6")],
            ..facts
        }),
        files: None,
    }
}

fn folders() -> StreamInfo {
    StreamInfo {
        name: "config".to_owned(),
        kind: StreamKind::Files,
        length_bytes: 18_350_080,
        digest: Digest([2; 32]),
        entries: Some(412),
        database: None,
        files: None,
    }
}

fn new_database() -> RestoreTarget {
    RestoreTarget::Database {
        database: "webui_restored_20261122_140209".to_owned(),
        server: "db:5432".to_owned(),
    }
}

fn new_folder() -> RestoreTarget {
    RestoreTarget::Folder {
        path: "/var/restore/webui-db_20261122_140209".into(),
    }
}

/// The plan for the draft, with what speaks against it.
pub(crate) fn plan(obstacles: Vec<Failure>) -> RestorePlan {
    RestorePlan {
        snapshot: "webui-db/41".parse().unwrap(),
        created: ago(107),
        steps: vec![
            RestoreStep {
                stream: database(),
                chosen: None,
                target: new_database(),
                kept_as: None,
                free_bytes: None,
                obstacles,
            },
            RestoreStep {
                stream: folders(),
                chosen: None,
                target: new_folder(),
                kept_as: None,
                free_bytes: Some(48 << 30),
                obstacles: Vec::new(),
            },
        ],
        left_out: vec!["globals".to_owned()],
        fetch_bytes: 641_728_512,
        confirm: None,
        safety_backup: false,
    }
}

fn in_place(target: RestoreTarget) -> (RestoreTarget, String) {
    match target {
        RestoreTarget::Database { server, .. } => (
            RestoreTarget::Database {
                database: "webui".to_owned(),
                server,
            },
            "webui_before_20261122_140209".to_owned(),
        ),
        _ => (
            RestoreTarget::Folder {
                path: "/srv/webui".into(),
            },
            "/srv/webui.before-20261122_140209".to_owned(),
        ),
    }
}

/// The draft of a restore in place, with the server's answer to it.
pub(crate) fn replacing(step: Step) -> State {
    let mut state = drafted(unlocked(live()), step);
    let mut draft = state.draft().cloned().unwrap();
    draft.in_place = true;
    state.apply(Event::Act(Act::Draft(Some(draft))), now());
    let order = state.draft().and_then(Draft::order).unwrap();
    let mut plan = plan(Vec::new());
    for step in &mut plan.steps {
        let (target, kept) = in_place(step.target.clone());
        step.target = target;
        step.kept_as = Some(kept);
    }
    plan.confirm = Some("webui-db".to_owned());
    plan.safety_backup = true;
    let answer = Answer::Plan(plan);
    hear(&mut state, Question::Plan(Box::new(order)), answer);
    state
}

/// The draft with the server's answer to it.
pub(crate) fn previewed(step: Step, obstacles: Vec<Failure>) -> State {
    let mut state = drafted(unlocked(live()), step);
    let order = state.draft().and_then(Draft::order).unwrap();
    let answer = Answer::Plan(plan(obstacles));
    hear(&mut state, Question::Plan(Box::new(order)), answer);
    state
}

fn task() -> TaskInfo {
    TaskInfo {
        id: TASK.to_owned(),
        kind: Kind::Restore,
        object: "webui-db/000041".to_owned(),
        actor: "anna".to_owned(),
        began: ago(2),
        state: TaskState::Running,
        failure: None,
    }
}

fn say(state: &mut State, secs: i64, n: u64, line: TaskLine) {
    let line = Numbered { n, line };
    let when = ago(2) + SignedDuration::from_secs(secs);
    state.apply(Event::Said(TASK.to_owned(), vec![line]), when);
}

/// A restore that runs for a minute and a half.
pub(crate) fn running() -> State {
    let mut state = drafted(unlocked(live()), Step::Confirm);
    state.apply(Event::Begun(task()), ago(2));
    let events = [
        began(Phase::Prepare, "webui-db/000041", 1_000_000),
        done("webui-db/000041", 1_000_000),
        Progress::Ended {
            object: "webui-db/000041".to_owned(),
        },
        began(Phase::Restore, "config", 18_350_080),
        done("config", 18_350_080),
        Progress::Ended {
            object: "config".to_owned(),
        },
        began(Phase::Restore, "webui", 2_083_059_138),
        Progress::Warned(role()),
    ];
    let mut n = 0;
    for event in events {
        say(
            &mut state,
            i64::try_from(n).unwrap(),
            n,
            TaskLine::Progress(event),
        );
        n += 1;
    }
    for step in 1..=60_u64 {
        let bytes = step * 21_000_000 - (step % 7) * 900_000;
        let event = done("webui", bytes);
        let secs = 10 + i64::try_from(step).unwrap();
        say(&mut state, secs, n, TaskLine::Progress(event));
        n += 1;
    }
    state
}

/// How it ends.
pub(crate) fn ended(end: Result<Vec<Failure>, Failure>) -> State {
    let mut state = running();
    let outcome = match end {
        Ok(warnings) => {
            let report = RestoreReport {
                snapshot: "webui-db/41".parse().unwrap(),
                streams: vec![
                    RestoredStream {
                        name: "webui".to_owned(),
                        target: new_database(),
                        kept_as: None,
                        read_bytes: 2_083_059_138,
                        entries: None,
                    },
                    RestoredStream {
                        name: "config".to_owned(),
                        target: new_folder(),
                        kept_as: None,
                        read_bytes: 18_350_080,
                        entries: Some(412),
                    },
                ],
                safety: None,
                warnings,
                took_secs: 104.2,
            };
            say(
                &mut state,
                100,
                100,
                TaskLine::Report(TaskReport::Restore(report)),
            );
            Ok(())
        }
        Err(failure) => Err(failure),
    };
    say(&mut state, 101, 101, TaskLine::End(Outcome::from(outcome)));
    state
}

/// What is not as it was.
pub(crate) fn role() -> Failure {
    Failure::new(
        Code::Failed,
        "role \"webui_ro\" does not exist, 3 grants were left out",
    )
}

fn began(phase: Phase, object: &str, total: u64) -> Progress {
    Progress::Began {
        phase,
        object: object.to_owned(),
        total_bytes: Some(total),
    }
}

fn done(object: &str, done_bytes: u64) -> Progress {
    Progress::Advanced {
        object: object.to_owned(),
        done_bytes,
        stored_bytes: 0,
    }
}

/// The restores in the ledger.
pub(crate) fn restores() -> RunPage {
    let run = |minutes: i64, outcome: RunOutcome| RunInfo {
        run: run_id(minutes, 7),
        kind: RunKind::Restore,
        job: Some(name("webui-db")),
        repository: "b2-main".to_owned(),
        cause: RunCause::Hand,
        asked_by: Some("anna".to_owned()),
        due: None,
        begun: ago(minutes),
        ended: Some(ago(minutes - 3)),
        outcome,
        bytes: backup_model::RunBytes::default(),
        warnings: u64::from(outcome == RunOutcome::Warnings),
        failure: (outcome == RunOutcome::Failed).then(role),
        snapshot: None,
    };
    RunPage {
        runs: vec![
            run(1_500, RunOutcome::Succeeded),
            run(9_000, RunOutcome::Warnings),
            run(20_000, RunOutcome::Failed),
            run(43_000, RunOutcome::Interrupted),
        ],
        next: None,
    }
}
