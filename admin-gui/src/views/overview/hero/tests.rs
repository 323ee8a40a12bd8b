//! What is said of a report.

use backup_model::{Code, Failure, GoodSnapshot, Protection};
use jiff::SignedDuration;

use super::*;
use ProtectionState as P;

fn now() -> Timestamp {
    "2026-11-22T14:02:00Z".parse().unwrap()
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn job(name: &str, state: ProtectionState, age_hours: Option<i64>) -> JobStatus {
    JobStatus {
        protection: Protection {
            job: name.parse().unwrap(),
            state,
            reasons: Vec::new(),
            was: None,
            paused: None,
            running: None,
            last_good: age_hours.map(|age| GoodSnapshot {
                snapshot: format!("{name}/1").parse().unwrap(),
                created: now() - hours(age),
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

#[track_caller]
fn says(report: &StatusReport, head: &str, sentence: &str) {
    let said = known(report, now());
    assert_eq!(
        (said.head.as_str(), said.sentence.as_str()),
        (head, sentence)
    );
}

#[test]
fn all_well() {
    let two = report(vec![
        job("a", P::Protected, Some(1)),
        job("b", P::Protected, Some(3)),
    ]);
    says(
        &two,
        "All 2 jobs are protected",
        "Every one has a good snapshot from the last 3 h",
    );
    says(
        &report(vec![job("a", P::Protected, Some(3))]),
        "The only job is protected",
        "Its newest good snapshot is 3 h old",
    );
}

#[test]
fn what_could_be_lost_is_said_of_the_furthest_beyond_its_limit() {
    let mut jobs = vec![
        job("a", P::Breached, Some(26)),
        job("b", P::AtRisk, Some(1)),
        job("c", P::Protected, Some(1)),
    ];
    says(
        &report(jobs.clone()),
        "2 of 3 jobs need attention",
        "a could lose 26 h of work, its limit is 6 h. All other jobs are inside their limits",
    );
    jobs[1] = job("b", P::Breached, Some(30));
    says(
        &report(jobs),
        "2 of 3 jobs need attention",
        "b could lose 30 h of work, its limit is 6 h. 1 other job is beyond its limit",
    );
}

#[test]
fn a_job_without_a_snapshot_is_not_called_inside_its_limit() {
    let jobs = vec![job("a", P::Breached, None), job("b", P::Protected, Some(1))];
    says(
        &report(jobs),
        "1 of 2 jobs needs attention",
        "a has no snapshot",
    );
    let jobs = vec![job("a", P::Breached, None), job("b", P::Breached, Some(9))];
    says(
        &report(jobs),
        "2 of 2 jobs need attention",
        "b could lose 9 h of work, its limit is 6 h. a has no snapshot",
    );
    let jobs = vec![job("a", P::AtRisk, Some(1))];
    says(
        &report(jobs),
        "The only job needs attention",
        "Every job has a good snapshot inside its limit",
    );
}

#[test]
fn a_fault_of_the_daemon_is_not_hidden_by_good_jobs() {
    let mut report = report(vec![
        job("a", P::Protected, Some(1)),
        job("b", P::Protected, Some(1)),
    ]);
    report.faults = vec![Failure::new(Code::Config, "wrong")];
    says(
        &report,
        "The daemon needs attention",
        "All 2 jobs are protected",
    );
}

#[test]
fn while_nobody_answers_nothing_is_known_and_the_past_is_told() {
    let report = report(vec![
        job("a", P::Breached, Some(9)),
        job("b", P::Protected, Some(1)),
    ]);
    let said = unknown(&report, "14:02", Span(SignedDuration::from_mins(11)));
    assert_eq!(said.head, "State unknown for 11 min");
    assert!(
        said.sentence
            .starts_with("At 14:02, 1 of 2 jobs needed attention.")
    );
}

#[test]
fn counts_begin_with_the_worst_and_leave_out_what_is_not_there() {
    let report = report(vec![
        job("a", P::Protected, None),
        job("b", P::Breached, None),
        job("c", P::Protected, None),
    ]);
    let shown: Vec<ShownJob<'_>> = crate::state::shown_jobs(&report, true).collect();
    assert_eq!(counts(&shown), [(P::Breached, 1), (P::Protected, 2)]);
    let shown: Vec<ShownJob<'_>> = crate::state::shown_jobs(&report, false).collect();
    assert_eq!(counts(&shown), [(P::Unknown, 3)]);
}
