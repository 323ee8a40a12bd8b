//! Which cards there are, and what stands on them.

use backup_model::{
    Code, GoodSnapshot, Level, Protection, ProtectionReason, RunId, RunOutcome, Running,
};
use jiff::SignedDuration;

use super::*;

fn now() -> Timestamp {
    "2026-11-22T14:02:00Z".parse().unwrap()
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn run() -> RunId {
    RunId::new(now(), [1; 10])
}

fn job(name: &str, reasons: Vec<ProtectionReason>) -> JobStatus {
    let states = reasons.iter().map(ProtectionReason::state);
    JobStatus {
        protection: Protection {
            job: name.parse().unwrap(),
            state: states.max().unwrap_or(ProtectionState::Protected),
            reasons,
            was: None,
            paused: None,
            running: None,
            last_good: Some(GoodSnapshot {
                snapshot: format!("{name}/1").parse().unwrap(),
                created: now() - hours(26),
                complete: true,
            }),
            rpo: Some(hours(6)),
        },
        repository: "main".to_owned(),
        schedule: None,
        next: None,
        proven: None,
        snapshots: None,
        last_run: None,
    }
}

fn report(jobs: Vec<JobStatus>) -> StatusReport {
    StatusReport {
        at: now(),
        daemon: None,
        faults: Vec::new(),
        jobs,
    }
}

fn failed() -> ProtectionReason {
    ProtectionReason::FailedUncovered {
        run: run(),
        outcome: RunOutcome::Failed,
        failure: Some(Failure::new(Code::PgConnect, "no answer from db:5432")),
    }
}

fn exceeded() -> ProtectionReason {
    ProtectionReason::RpoExceeded {
        age: hours(26),
        limit: hours(6),
    }
}

fn overdue(level: Level) -> ProtectionReason {
    ProtectionReason::VerificationOverdue {
        level,
        age: hours(38 * 24),
        limit: hours(30 * 24),
    }
}

fn card_of(job: &JobStatus) -> Card {
    card(Subject::Job(job), now(), &TimeZone::UTC)
}

#[test]
fn the_worst_come_first_and_no_more_than_can_be_read() {
    let risky = (0..6).map(|n| job(&format!("risky-{n}"), vec![overdue(Level::Storage)]));
    let mut jobs: Vec<JobStatus> = risky.collect();
    jobs.push(job("fine", Vec::new()));
    jobs.push(job("unseen", vec![ProtectionReason::NotLookedYet]));
    jobs.push(job("broken", vec![exceeded()]));
    let mut report = report(jobs);
    report.faults = vec![Failure::new(Code::Config, "the configuration is wrong")];
    let (chosen, all) = chosen(&report);
    let names: Vec<String> = chosen
        .iter()
        .map(|one| card(*one, now(), &TimeZone::UTC).name)
        .collect();
    assert_eq!(
        names,
        ["broken", "unseen", "The daemon", "risky-0", "risky-1"]
    );
    assert_eq!(all, 9);
}

#[test]
fn nothing_is_chosen_where_all_is_well() {
    assert_eq!(
        chosen(&report(vec![job("fine", Vec::new())])),
        (Vec::new(), 0)
    );
}

#[test]
fn a_card_tells_the_cause_with_its_code_and_run_and_since_when() {
    let job = job("gitea-db", vec![exceeded(), failed()]);
    let card = card_of(&job);
    assert_eq!(card.sentence, "The last run failed: no answer from db:5432");
    assert_eq!(card.code, "E-PG-CONNECT");
    assert_eq!(card.since, "Since Sat 18:02, for 20 h · 1 more reason");
    assert_eq!(card.all.lines().count(), 2);
    assert_eq!(card.action.word, "Back up now");
    let name = job.protection.job;
    assert_eq!(
        card.links,
        [
            ("Open log", Place::Job(name.clone(), Some(run()))),
            ("Open job", Place::Job(name, None)),
        ]
    );
}

#[test]
fn a_worse_reason_is_told_before_one_with_a_code() {
    let warned = ProtectionReason::LastRunFailed {
        run: run(),
        outcome: RunOutcome::Failed,
        failure: Some(Failure::new(Code::PgConnect, "no answer")),
    };
    let card = card_of(&job("a", vec![exceeded(), warned]));
    assert!(
        card.sentence
            .starts_with("The newest good snapshot is 26 h old")
    );
    assert_eq!(card.code, "");
}

#[test]
fn what_runs_is_not_begun_again() {
    let mut job = job("a", vec![exceeded()]);
    job.protection.running = Some(Running {
        run: run(),
        percent: None,
    });
    let card = card_of(&job);
    assert_eq!(card.action.word, "Open run");
    assert!(matches!(card.action.command, Command::Act(_)));
}

#[test]
fn only_what_needs_no_key_is_verified_from_here() {
    let storage = card_of(&job("a", vec![overdue(Level::Storage)]));
    assert_eq!(storage.action.word, "Verify now");
    assert_eq!(storage.since, "Since 14 Nov 14:02, for 8 d");
    assert_eq!(storage.terminal, None);
    let data = card_of(&job("a", vec![overdue(Level::Data)]));
    assert_eq!(data.action.word, "Open job");
    assert!(data.links.is_empty(), "{:?}", data.links);
    let command = "backupctl verify a --level data --identity FILE";
    assert_eq!(data.terminal.as_deref(), Some(command));
}
