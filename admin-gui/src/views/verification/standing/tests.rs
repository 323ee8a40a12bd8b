use backup_model::{Protection, ProtectionState, RunBytes, RunCause, RunId, RunKind};
use jiff::SignedDuration;

use super::*;

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

fn day(day: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + days(day)
}

fn name(job: &str) -> JobName {
    job.parse().unwrap()
}

fn job(reasons: Vec<ProtectionReason>, proven: Option<(Level, i64)>) -> JobStatus {
    JobStatus {
        protection: Protection {
            job: name("webui"),
            state: ProtectionState::Protected,
            reasons,
            was: None,
            paused: None,
            running: None,
            last_good: None,
            rpo: None,
        },
        repository: "main".to_owned(),
        schedule: None,
        next: None,
        proven: proven.map(|(level, at)| Proven { level, at: day(at) }),
        snapshots: None,
        last_run: None,
    }
}

fn standing(reasons: Vec<ProtectionReason>, proven: Option<(Level, i64)>) -> Standing {
    Standing::of(&job(reasons, proven), &BTreeMap::new())
}

fn late(level: Level) -> ProtectionReason {
    ProtectionReason::VerificationOverdue {
        level,
        age: days(38),
        limit: days(30),
    }
}

fn bad(names: &[&str]) -> ProtectionReason {
    ProtectionReason::Damaged {
        snapshots: names.iter().map(|name| name.parse().unwrap()).collect(),
    }
}

fn run(job: &str, at: i64, outcome: RunOutcome, read_bytes: u64) -> RunInfo {
    RunInfo {
        run: RunId::new(day(at), [7; 10]),
        kind: RunKind::Verify,
        job: Some(name(job)),
        repository: "main".to_owned(),
        cause: RunCause::Schedule,
        asked_by: None,
        due: None,
        begun: day(at),
        ended: Some(day(at)),
        outcome,
        bytes: RunBytes {
            read_bytes,
            ..RunBytes::default()
        },
        warnings: 0,
        failure: None,
        snapshot: None,
    }
}

#[test]
fn damage_is_worse_than_to_be_late_and_both_are_told() {
    let reasons = vec![late(Level::Storage), bad(&["webui/12", "webui/11"])];
    let standing = standing(reasons, Some((Level::Data, 3)));
    assert_eq!((standing.mark, standing.word), (Mark::Failed, "Damaged"));
    assert_eq!(
        standing.why,
        "webui/000012, webui/000011 are damaged; not all verified at storage for 38 d, limit 30 d"
    );
}

#[test]
fn without_a_proof_nothing_is_claimed() {
    let never = standing(Vec::new(), None);
    assert_eq!((never.mark, never.word), (Mark::Unknown, "Not yet"));
    let fine = standing(Vec::new(), Some((Level::Storage, 1)));
    assert_eq!((fine.mark, fine.word), (Mark::Ok, "In time"));
    assert_eq!(fine.why, "");
    assert_eq!(fine.proof(Level::Data), None);
}

#[test]
fn what_was_looked_at_since_the_deepest_proof_counts_for_storage() {
    let runs = [
        run("webui", 6, RunOutcome::Succeeded, 0),
        run("webui", 5, RunOutcome::Failed, 9),
        run("webui", 4, RunOutcome::Succeeded, 9),
        run("webui", 2, RunOutcome::Succeeded, 9),
        run("wiki", 7, RunOutcome::Succeeded, 9),
    ];
    let looked = looked(&runs);
    let standing = Standing::of(&job(Vec::new(), Some((Level::Data, 3))), &looked);
    assert_eq!(standing.proof(Level::Storage), Some(day(4)));
    assert_eq!(standing.proof(Level::Data), Some(day(3)));
    let never = Standing::of(&job(Vec::new(), None), &looked);
    assert_eq!(never.proof(Level::Storage), Some(day(4)));
}

#[test]
fn a_deeper_proof_counts_for_the_level_above() {
    let jobs = [
        standing(Vec::new(), Some((Level::Data, 3))),
        standing(vec![late(Level::Storage)], Some((Level::Storage, 7))),
        standing(Vec::new(), None),
    ];
    let storage = Ladder::of(Level::Storage, &jobs);
    assert_eq!(storage.reached, (2, 3));
    assert_eq!((storage.mark, storage.overdue), (Mark::Warn, 1));
    assert_eq!(storage.oldest, Some(day(3)));
    assert_eq!(storage.newest, Some(day(7)));
    let data = Ladder::of(Level::Data, &jobs);
    assert_eq!((data.mark, data.reached), (Mark::Unknown, (1, 3)));
    assert_eq!(Ladder::of(Level::Data, &jobs[..1]).mark, Mark::Ok);
    let damaged = [standing(vec![bad(&["webui/1"])], None)];
    assert_eq!(Ladder::of(Level::Storage, &damaged).mark, Mark::Failed);
}
