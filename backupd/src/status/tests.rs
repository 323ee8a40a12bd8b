//! Reports about jobs of which this and that is known.

use std::{collections::BTreeMap, fs};

use backup_keys::kit::KitStanding;
use backup_model::{
    Code, DueKept, Failure, GoodSnapshot, JobName, JobStatus, Level, ProtectionReason as Reason,
    ProtectionState, RunId, RunOutcome, Running,
};
use jiff::{SignedDuration, Timestamp};

use super::{Known, Seen, Sight, dues, jobs};
use crate::{
    config::{self, JobConfig, Places},
    ledger::{DueRun, Past, Verified, VerifyOutcome},
};

fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + hours * 3_600).unwrap()
}

fn configured() -> BTreeMap<JobName, JobConfig> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let text = "version = 1\nstate = \"/nowhere/state\"\n[repository.main]\n\
        url = \"file:///nowhere/repo\"\n\
        trust = \"RWQBAgMEBQYHCAECAwQFBgcIAQIDBAUGBwgBAgMEBQYHCAECAwQFBgcI\"\n\
        [job.app]\nschedule = \"every 6h\"\n[[job.app.source]]\nkind = \"files\"\n\
        paths = [\"/nowhere/src\"]\n";
    fs::write(&file, text).unwrap();
    let places = Places {
        flag: Some(file),
        ..Places::default()
    };
    config::load(&places).unwrap().jobs
}

fn snapshot(seq: u64, created: Timestamp) -> GoodSnapshot {
    GoodSnapshot {
        snapshot: format!("app/{seq}").parse().unwrap(),
        created,
        complete: true,
    }
}

fn seen(snapshots: Vec<GoodSnapshot>) -> Seen {
    Seen {
        at: at(0),
        snapshots: Some(snapshots),
        bad_records: false,
        kit: Some(KitStanding::Confirmed(at(10_000))),
        stored: None,
        unreadable: None,
    }
}

/// What the report says of the job when this was seen, and that is known.
fn report(seen: Option<Seen>, known: &Known, running: &BTreeMap<JobName, Running>) -> JobStatus {
    let seen = seen
        .map(|seen| ("main".to_owned(), seen))
        .into_iter()
        .collect();
    let jobs = jobs(&Sight {
        now: at(0),
        jobs: &configured(),
        seen: &seen,
        known,
        agenda: None,
        running,
        planned_since: None,
    });
    jobs.into_iter().next().unwrap()
}

fn verified(seq: u64, outcome: VerifyOutcome, at: Timestamp) -> Verified {
    Verified {
        snapshot: format!("app/{seq}").parse().unwrap(),
        level: Level::Storage,
        at,
        outcome,
        good: (outcome == VerifyOutcome::Good).then_some(at),
    }
}

fn known(verified: Vec<Verified>) -> Known {
    Known {
        verified: BTreeMap::from([("main".to_owned(), verified)]),
        ..Known::default()
    }
}

#[test]
fn a_fresh_snapshot_in_a_repository_that_was_seen_protects() {
    let none = BTreeMap::new();
    let job = report(
        Some(seen(vec![snapshot(1, at(-1))])),
        &Known::default(),
        &none,
    );
    assert_eq!(job.protection.state, ProtectionState::Protected, "{job:?}");
    assert_eq!((job.snapshots, job.proven), (Some(1), None));
    assert!(job.next.unwrap() > at(0));
    // Twice the time between two due times is gone.
    let job = report(
        Some(seen(vec![snapshot(1, at(-13))])),
        &Known::default(),
        &none,
    );
    assert_eq!(job.protection.state, ProtectionState::Breached);
}

#[test]
fn what_nobody_has_looked_at_is_unknown_whatever_ran() {
    let job = report(None, &Known::default(), &BTreeMap::new());
    assert_eq!(job.protection.reasons, [Reason::NotLookedYet]);
    assert_eq!(job.protection.state, ProtectionState::Unknown);
    assert_eq!(job.snapshots, None);
    let away = Seen {
        snapshots: None,
        unreadable: Some((Failure::new(Code::Store, "it is away"), at(-2))),
        ..seen(Vec::new())
    };
    let job = report(Some(away), &Known::default(), &BTreeMap::new());
    assert_eq!(job.protection.state, ProtectionState::Breached);
}

#[test]
fn damage_shows_also_where_the_record_itself_is_bad() {
    let damaged = known(vec![verified(2, VerifyOutcome::Damaged, at(-1))]);
    let good = vec![snapshot(1, at(-1))];
    let shown = |seen: Seen| {
        let job = report(Some(seen), &damaged, &BTreeMap::new());
        let reasons = job.protection.reasons.into_iter();
        reasons
            .filter(|it| matches!(it, Reason::Damaged { .. }))
            .count()
    };
    // It is gone: nobody need be told of it any more.
    assert_eq!(shown(seen(good.clone())), 0);
    let bad = Seen {
        bad_records: true,
        ..seen(good)
    };
    assert_eq!(shown(bad), 1);
}

#[test]
fn a_proof_is_of_the_snapshot_that_is_there() {
    let proof = known(vec![verified(1, VerifyOutcome::Good, at(-5))]);
    let proven = |created| {
        let job = report(
            Some(seen(vec![snapshot(1, created)])),
            &proof,
            &BTreeMap::new(),
        );
        job.proven.map(|it| it.at)
    };
    assert_eq!(proven(at(-6)), Some(at(-5)));
    // It was made after the proof: the proof is of another one of this name.
    assert_eq!(proven(at(-4)), None);
}

#[test]
fn a_run_that_should_have_begun_is_overdue_until_it_begins() {
    let past = Past {
        last_due: Some(at(-20)),
        ..Past::default()
    };
    let known = Known {
        past: BTreeMap::from([("app".parse().unwrap(), past)]),
        ..Known::default()
    };
    let fresh = || Some(seen(vec![snapshot(1, at(-1))]));
    let overdue = |job: &JobStatus| {
        let mut reasons = job.protection.reasons.iter();
        reasons.any(|it| matches!(it, Reason::Overdue { .. }))
    };
    assert!(overdue(&report(fresh(), &known, &BTreeMap::new())));
    let run = Running {
        run: RunId::new(at(0), [0; 10]),
        percent: None,
    };
    let running = BTreeMap::from([("app".parse().unwrap(), run)]);
    assert!(!overdue(&report(fresh(), &known, &running)));
}

#[test]
fn due_times_count_from_the_first_run_on() {
    let jobs = configured();
    let job = jobs.values().next().unwrap();
    assert_eq!(dues(job, &[], at(0)), []);
    let due = job
        .timing
        .as_ref()
        .unwrap()
        .schedule
        .next_after(at(-30))
        .unwrap();
    let run = DueRun {
        run: RunId::new(due, [1; 10]),
        due: Some(due),
        begun: due,
        outcome: RunOutcome::Succeeded,
    };
    let kept: Vec<DueKept> = dues(job, &[run], at(0)).iter().map(|it| it.kept).collect();
    assert_eq!(kept[0], DueKept::Done);
    assert!(
        kept[1..]
            .iter()
            .all(|it| [DueKept::Missed, DueKept::Overdue].contains(it))
    );
    let later = due.checked_add(SignedDuration::from_hours(24)).unwrap();
    let made_up = DueRun {
        run: RunId::new(later, [2; 10]),
        due: None,
        begun: later,
        ..run
    };
    let dues = dues(job, &[run, made_up], at(0));
    let (all, missed) = super::missed(&dues);
    assert!(all >= 4 && missed <= 1, "{dues:?}");
}
