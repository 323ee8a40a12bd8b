use backup_keys::kit::{KitStanding, Lapse};
use backup_model::{
    Code, Failure, GoodSnapshot, Level, Pause, ProtectionReason as Reason,
    ProtectionState as State, RunId, RunOutcome, Running, SnapshotName,
};
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::ledger::{Verified, VerifyOutcome};

const HOUR: i64 = 3_600;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + secs).unwrap()
}

fn secs(secs: i64) -> SignedDuration {
    SignedDuration::from_secs(secs)
}

fn run() -> RunId {
    RunId::new(at(0), [7; 10])
}

fn name(text: &str) -> SnapshotName {
    text.parse().unwrap()
}

fn snapshot(created: i64) -> GoodSnapshot {
    GoodSnapshot {
        snapshot: name("webui/1"),
        created: at(created),
        complete: true,
    }
}

fn run_that(outcome: RunOutcome) -> LastRun {
    LastRun {
        run: run(),
        outcome,
        warnings: u64::from(outcome == RunOutcome::Warnings),
        failure: (outcome == RunOutcome::Failed)
            .then(|| Failure::new(Code::PgConnect, "could not connect")),
    }
}

/// A job that is well: an RPO of ten hours, and a good snapshot that is one hour old.
fn well() -> Facts {
    Facts {
        rpo: Some(secs(10 * HOUR)),
        newest: Some(snapshot(-HOUR)),
        last_run: Some(run_that(RunOutcome::Succeeded)),
        kit: Some(KitStanding::Confirmed(at(99 * HOUR))),
        full_in: Some(SignedDuration::from_hours(400 * 24)),
        conditional: Some(true),
        verification: vec![VerificationFact {
            level: Level::Storage,
            waits_since: Some(at(-HOUR)),
            limit: secs(30 * 24 * HOUR),
        }],
        ..Facts::new("webui".parse().unwrap(), at(0))
    }
}

fn words(facts: Facts) -> (State, Vec<String>) {
    let protection = judge(facts);
    let reasons = protection.reasons.iter().map(|reason| {
        let json = serde_json::to_value(reason).unwrap();
        json["reason"].as_str().unwrap().to_owned()
    });
    (protection.state, reasons.collect())
}

#[track_caller]
fn judged(change: impl FnOnce(&mut Facts), state: State, reasons: &[&str]) {
    let mut facts = well();
    change(&mut facts);
    let (found, why) = words(facts);
    assert_eq!(
        (found, why),
        (state, reasons.iter().map(ToString::to_string).collect())
    );
}

#[test]
fn a_job_that_is_well_has_nothing_to_say() {
    judged(|_| {}, State::Protected, &[]);
}

#[test]
fn the_rpo_is_compared_to_the_instant() {
    let limit = 10 * HOUR;
    let table: [(i64, State, &[&str]); 7] = [
        (0, State::Protected, &[]),
        (limit * 8 / 10, State::Protected, &[]),
        (limit * 8 / 10 + 1, State::AtRisk, &["rpo-near"]),
        (limit - 1, State::AtRisk, &["rpo-near"]),
        (limit, State::AtRisk, &["rpo-near"]),
        (limit + 1, State::Breached, &["rpo-exceeded"]),
        (1_000 * limit, State::Breached, &["rpo-exceeded"]),
    ];
    for (age, state, reasons) in table {
        judged(|facts| facts.newest = Some(snapshot(-age)), state, reasons);
    }
    // Beneath a second, too.
    let a_little = SignedDuration::from_nanos(1);
    let newest = |age: SignedDuration| {
        let mut newest = snapshot(0);
        newest.created = at(0).checked_sub(age).unwrap();
        Some(newest)
    };
    judged(
        |facts| facts.newest = newest(secs(limit) + a_little),
        State::Breached,
        &["rpo-exceeded"],
    );
    judged(
        |facts| facts.newest = newest(secs(limit * 8 / 10) + a_little),
        State::AtRisk,
        &["rpo-near"],
    );
}

#[test]
fn reasons_carry_age_and_limit() {
    let facts = Facts {
        newest: Some(snapshot(-26 * HOUR)),
        ..well()
    };
    let (age, limit) = (secs(26 * HOUR), secs(10 * HOUR));
    assert_eq!(judge(facts).reasons, [Reason::RpoExceeded { age, limit }]);
}

#[test]
fn clocks_may_differ_a_little_and_no_more() {
    judged(
        |facts| facts.newest = Some(snapshot(300)),
        State::Protected,
        &[],
    );
    judged(
        |facts| facts.newest = Some(snapshot(301)),
        State::AtRisk,
        &["clock-behind"],
    );
    // A snapshot of unknown age makes up for no failure.
    judged(
        |facts| {
            facts.newest = Some(snapshot(9_999));
            facts.last_run = Some(run_that(RunOutcome::Failed));
        },
        State::Breached,
        &["failed-uncovered", "clock-behind"],
    );
}

#[test]
fn the_last_run_counts_by_whether_something_makes_up_for_it() {
    let old = -11 * HOUR;
    let table: [(RunOutcome, i64, State, &[&str]); 8] = [
        (
            RunOutcome::Failed,
            -HOUR,
            State::AtRisk,
            &["last-run-failed"],
        ),
        (
            RunOutcome::Interrupted,
            -HOUR,
            State::AtRisk,
            &["last-run-failed"],
        ),
        (RunOutcome::Cancelled, -HOUR, State::Protected, &[]),
        (
            RunOutcome::Warnings,
            -HOUR,
            State::AtRisk,
            &["last-run-warned"],
        ),
        // Exactly at the RPO there still is one.
        (
            RunOutcome::Failed,
            -10 * HOUR,
            State::AtRisk,
            &["rpo-near", "last-run-failed"],
        ),
        (
            RunOutcome::Failed,
            old,
            State::Breached,
            &["rpo-exceeded", "failed-uncovered"],
        ),
        (
            RunOutcome::Interrupted,
            old,
            State::Breached,
            &["rpo-exceeded", "failed-uncovered"],
        ),
        (
            RunOutcome::Cancelled,
            old,
            State::Breached,
            &["rpo-exceeded"],
        ),
    ];
    for (outcome, created, state, reasons) in table {
        judged(
            |facts| {
                facts.newest = Some(snapshot(created));
                facts.last_run = Some(run_that(outcome));
            },
            state,
            reasons,
        );
    }
}

#[test]
fn without_an_rpo_only_the_last_run_counts() {
    let table: [(RunOutcome, State, &[&str]); 5] = [
        (RunOutcome::Succeeded, State::Protected, &[]),
        (RunOutcome::Warnings, State::AtRisk, &["last-run-warned"]),
        (RunOutcome::Cancelled, State::AtRisk, &["last-run-failed"]),
        (RunOutcome::Failed, State::Breached, &["failed-uncovered"]),
        (
            RunOutcome::Interrupted,
            State::Breached,
            &["failed-uncovered"],
        ),
    ];
    for (outcome, state, reasons) in table {
        judged(
            |facts| {
                facts.rpo = None;
                facts.newest = Some(snapshot(-9_999 * HOUR));
                facts.last_run = Some(run_that(outcome));
            },
            state,
            reasons,
        );
    }
}

#[test]
fn who_never_reported_is_unknown_and_never_green() {
    let never = |facts: &mut Facts| {
        facts.newest = None;
        facts.last_run = None;
    };
    judged(never, State::Unknown, &["never-reported"]);
    judged(
        |facts| {
            never(facts);
            facts.rpo = None;
        },
        State::Unknown,
        &["never-reported"],
    );
    // A snapshot that somebody else made is a report.
    judged(|facts| facts.last_run = None, State::Protected, &[]);
    // A run, but nothing to show for it.
    for outcome in [RunOutcome::Succeeded, RunOutcome::Cancelled] {
        judged(
            |facts| {
                facts.newest = None;
                facts.last_run = Some(run_that(outcome));
            },
            State::Breached,
            &["no-snapshot"],
        );
    }
    judged(
        |facts| {
            facts.newest = None;
            facts.last_run = Some(run_that(RunOutcome::Failed));
        },
        State::Breached,
        &["no-snapshot", "failed-uncovered"],
    );
}

#[test]
fn each_other_reason_by_itself() {
    let unreadable = (Failure::new(Code::Store, "no answer"), at(-2 * HOUR));
    judged(
        |facts| facts.unreadable = Some(unreadable.clone()),
        State::Breached,
        &["repository-unreadable"],
    );
    // Then nobody knows whether there is a snapshot.
    judged(
        |facts| {
            facts.unreadable = Some(unreadable.clone());
            facts.newest = None;
            facts.last_run = None;
        },
        State::Breached,
        &["repository-unreadable"],
    );
    judged(
        |facts| facts.damaged = vec![name("webui/1")],
        State::Breached,
        &["damaged"],
    );
    judged(
        |facts| facts.newest.as_mut().unwrap().complete = false,
        State::AtRisk,
        &["partial"],
    );
    judged(
        |facts| facts.overdue = Some(at(-60)),
        State::AtRisk,
        &["overdue"],
    );
    judged(
        |facts| facts.conditional = Some(false),
        State::AtRisk,
        &["store-unconditional"],
    );
}

#[test]
fn a_kit_must_be_proved_and_stay_so() {
    let table: [(Option<KitStanding>, State, &[&str]); 5] = [
        (None, State::Protected, &[]),
        (Some(KitStanding::Confirmed(at(1))), State::Protected, &[]),
        (
            Some(KitStanding::Unconfirmed),
            State::AtRisk,
            &["kit-not-confirmed"],
        ),
        (
            Some(KitStanding::Lapsed(Lapse::Moved)),
            State::AtRisk,
            &["kit-lapsed"],
        ),
        (
            Some(KitStanding::Old(at(-9_000 * HOUR))),
            State::AtRisk,
            &["kit-old"],
        ),
    ];
    for (kit, state, reasons) in table {
        judged(|facts| facts.kit = kit, state, reasons);
    }
}

#[test]
fn storage_should_last_two_weeks() {
    let two_weeks = 14 * 24 * HOUR;
    let table: [(Option<i64>, State, &[&str]); 4] = [
        (None, State::Protected, &[]),
        (Some(two_weeks), State::Protected, &[]),
        (Some(two_weeks - 1), State::AtRisk, &["storage-filling"]),
        (Some(0), State::AtRisk, &["storage-filling"]),
    ];
    for (full_in, state, reasons) in table {
        judged(|facts| facts.full_in = full_in.map(secs), state, reasons);
    }
}

#[test]
fn a_verification_is_overdue_past_its_limit() {
    let limit = 30 * 24 * HOUR;
    let fact = |level, waits: Option<i64>| VerificationFact {
        level,
        waits_since: waits.map(at),
        limit: secs(limit),
    };
    let table: [(Option<i64>, State, &[&str]); 4] = [
        (None, State::Protected, &[]),
        (Some(-limit), State::Protected, &[]),
        (Some(-limit - 1), State::AtRisk, &["verification-overdue"]),
        // A clock that was ahead then.
        (Some(limit), State::Protected, &[]),
    ];
    for (waits, state, reasons) in table {
        judged(
            |facts| facts.verification = vec![fact(Level::Storage, waits)],
            state,
            reasons,
        );
    }
    // Each level by itself.
    judged(
        |facts| {
            facts.verification = [Level::Storage, Level::Data]
                .map(|level| fact(level, Some(-limit - 1)))
                .into();
        },
        State::AtRisk,
        &["verification-overdue", "verification-overdue"],
    );
}

#[test]
fn the_worst_comes_first_and_is_the_state() {
    judged(
        |facts| {
            facts.newest = Some(snapshot(-9 * HOUR));
            facts.kit = Some(KitStanding::Unconfirmed);
            facts.damaged = vec![name("webui/1")];
        },
        State::Breached,
        &["damaged", "rpo-near", "kit-not-confirmed"],
    );
    judged(
        |facts| {
            facts.newest = None;
            facts.last_run = None;
            facts.kit = Some(KitStanding::Unconfirmed);
        },
        State::Unknown,
        &["never-reported", "kit-not-confirmed"],
    );
}

#[test]
fn overlays_hide_nothing() {
    let pause = |until: Option<i64>| Pause {
        who: "anna".to_owned(),
        at: at(-HOUR),
        until: until.map(at),
        why: None,
    };
    let running = Running {
        run: run(),
        percent: Some(40),
    };
    let facts = Facts {
        newest: Some(snapshot(-11 * HOUR)),
        overdue: Some(at(-HOUR)),
        pause: Some(pause(None)),
        running: Some(running),
        ..well()
    };
    let protection = judge(facts);
    // The RPO's clock goes on; that it does not run is wanted.
    assert_eq!(protection.state, State::Breached);
    assert_eq!(protection.reasons.len(), 1);
    assert_eq!(protection.paused, Some(pause(None)));
    assert_eq!(protection.running, Some(running));
    assert_eq!(protection.rpo, Some(secs(10 * HOUR)));
    assert_eq!(protection.last_good, Some(snapshot(-11 * HOUR)));

    // A pause ends by itself, to the instant.
    let until = |until| {
        let facts = Facts {
            overdue: Some(at(-HOUR)),
            pause: Some(pause(Some(until))),
            ..well()
        };
        let protection = judge(facts);
        (protection.state, protection.paused.is_some())
    };
    assert_eq!(until(1), (State::Protected, true));
    assert_eq!(until(0), (State::AtRisk, false));
}

#[test]
fn the_default_rpo_leaves_slack_above_the_schedule() {
    assert_eq!(default_rpo(None), None);
    assert_eq!(default_rpo(Some(secs(24 * HOUR))), Some(secs(48 * HOUR)));
    assert_eq!(
        default_rpo(Some(SignedDuration::MAX)),
        Some(SignedDuration::MAX)
    );
    // A daily job is not at risk in the evening, nor after a run that took twelve hours longer.
    judged(
        |facts| {
            facts.rpo = default_rpo(Some(secs(24 * HOUR)));
            facts.newest = Some(snapshot(-36 * HOUR));
        },
        State::Protected,
        &[],
    );
}

fn verified(snapshot: &str, level: Level, time: i64, outcome: VerifyOutcome) -> Verified {
    Verified {
        snapshot: name(snapshot),
        level,
        at: at(time),
        outcome,
        good: (outcome == VerifyOutcome::Good).then(|| at(time)),
    }
}

#[test]
fn a_snapshot_waits_since_it_was_last_good_or_made() {
    let snapshots = [(name("webui/1"), at(10)), (name("webui/2"), at(50))];
    let waits = |memory: &[Verified], level| {
        verification(&snapshots, memory, level, secs(HOUR)).waits_since
    };
    assert_eq!(waits(&[], Level::Storage), Some(at(10)));
    let one = verified("webui/1", Level::Storage, 70, VerifyOutcome::Good);
    assert_eq!(
        waits(std::slice::from_ref(&one), Level::Storage),
        Some(at(50))
    );
    // The deeper level proves the other, and not the other way round.
    let two = verified("webui/2", Level::Data, 60, VerifyOutcome::Good);
    assert_eq!(
        waits(&[one.clone(), two.clone()], Level::Storage),
        Some(at(60))
    );
    assert_eq!(waits(&[one.clone(), two], Level::Data), Some(at(10)));
    // What could not be tested keeps waiting; what is gone waits for nothing.
    let untested = verified("webui/2", Level::Storage, 90, VerifyOutcome::Untested);
    let gone = verified("webui/9", Level::Storage, 1, VerifyOutcome::Good);
    assert_eq!(waits(&[one, untested, gone], Level::Storage), Some(at(50)));
    assert_eq!(
        verification(&[], &[], Level::Data, secs(1)).waits_since,
        None
    );
}

#[test]
fn damage_stands_until_as_deep_a_look_finds_none() {
    let snapshots = [(name("webui/1"), at(10)), (name("webui/2"), at(50))];
    let bad = verified("webui/1", Level::Storage, 60, VerifyOutcome::Damaged);
    let gone = verified("webui/9", Level::Storage, 60, VerifyOutcome::Damaged);
    assert_eq!(damaged(&snapshots, &[bad.clone(), gone]), [name("webui/1")]);
    let before = verified("webui/1", Level::Data, 59, VerifyOutcome::Good);
    assert_eq!(damaged(&snapshots, &[bad.clone(), before]).len(), 1);
    let deeper = verified("webui/1", Level::Data, 61, VerifyOutcome::Good);
    assert!(damaged(&snapshots, &[bad, deeper]).is_empty());
    let deep = verified("webui/1", Level::Data, 60, VerifyOutcome::Damaged);
    let shallow = verified("webui/1", Level::Storage, 61, VerifyOutcome::Good);
    assert_eq!(damaged(&snapshots, &[deep, shallow]).len(), 1);
}
