//! Rule by rule, on a few snapshots.

use backup_core::retention::{RetentionError, plan};
use backup_model::{End, RetentionNote};
use jiff::SignedDuration;

use super::support::{complete, going, pause_told, planned, policy, run, told};

const NOW: &str = "2026-11-25T12:00:00Z";

/// The periods that a rule gives snapshots made at these times, the oldest first.
#[track_caller]
fn periods(zone: &str, rule: &str, times: &[&str], wanted: &[&str]) {
    let mut policy = policy(zone);
    let count = match rule {
        "keep_hourly" => &mut policy.keep_hourly,
        "keep_daily" => &mut policy.keep_daily,
        "keep_weekly" => &mut policy.keep_weekly,
        "keep_monthly" => &mut policy.keep_monthly,
        _ => &mut policy.keep_yearly,
    };
    *count = 100;
    let records: Vec<_> = (1..).zip(times).map(|(n, at)| complete(n, at)).collect();
    let told = told(&planned(&policy, &records, NOW));
    let found: Vec<&str> = told
        .values()
        .filter_map(|why| why.iter().find_map(|why| why.strip_prefix(rule)))
        .map(str::trim)
        .collect();
    assert_eq!(found, wanted, "{zone} {rule}");
}

#[test]
fn the_newest_of_each_period_stays_by_the_calendar_of_the_zone() {
    let evening = [
        "2026-11-21T21:00:00Z",
        "2026-11-21T22:59:59Z",
        "2026-11-21T23:00:00Z",
    ];
    periods(
        "Europe/Berlin",
        "keep_daily",
        &evening,
        &["2026-11-21", "2026-11-22"],
    );
    periods("UTC", "keep_daily", &evening, &["2026-11-21"]);
    periods(
        "Asia/Kathmandu",
        "keep_daily",
        &["2026-01-01T18:14:59Z", "2026-01-01T18:15:00Z"],
        &["2026-01-01", "2026-01-02"],
    );
    periods(
        "America/St_Johns",
        "keep_hourly",
        &["2026-01-01T03:29:00Z", "2026-01-01T03:30:00Z"],
        &["2025-12-31T23-03:30", "2026-01-01T00-03:30"],
    );
    periods(
        "America/St_Johns",
        "keep_yearly",
        &["2026-01-01T03:29:00Z", "2026-01-01T03:30:00Z"],
        &["2025", "2026"],
    );
    periods(
        "Pacific/Kiritimati",
        "keep_monthly",
        &["2026-01-31T09:59:59Z", "2026-01-31T10:00:00Z"],
        &["2026-01", "2026-02"],
    );
}

#[test]
fn a_day_that_a_zone_left_out_is_nobodys() {
    periods(
        "Pacific/Apia",
        "keep_daily",
        &["2011-12-30T09:59:59Z", "2011-12-30T10:00:00Z"],
        &["2011-12-29", "2011-12-31"],
    );
}

#[test]
fn an_hour_that_comes_twice_is_two_hours() {
    periods(
        "Europe/Berlin",
        "keep_hourly",
        &["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"],
        &["2026-10-25T02+02:00", "2026-10-25T02+01:00"],
    );
    // Half an hour, where clocks are set back by that.
    periods(
        "Australia/Lord_Howe",
        "keep_hourly",
        &["2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"],
        &["2026-04-05T01+11:00", "2026-04-05T01+10:30"],
    );
    periods(
        "Europe/Berlin",
        "keep_hourly",
        &["2026-03-29T00:59:00Z", "2026-03-29T01:00:00Z"],
        &["2026-03-29T01+01:00", "2026-03-29T03+02:00"],
    );
}

#[test]
fn weeks_belong_to_the_year_of_their_thursday() {
    periods(
        "UTC",
        "keep_weekly",
        &[
            "2020-12-31T12:00:00Z",
            "2021-01-03T12:00:00Z",
            "2021-01-04T12:00:00Z",
            "2024-12-29T12:00:00Z",
            "2024-12-30T12:00:00Z",
            "2026-11-23T00:00:00Z",
        ],
        &["2020-W53", "2021-W01", "2024-W52", "2025-W01", "2026-W48"],
    );
}

#[test]
fn rules_do_not_share_periods_and_gaps_use_none_up() {
    let mut policy = policy("UTC");
    (policy.keep_hourly, policy.keep_daily, policy.keep_monthly) = (1, 2, 2);
    let records = [
        complete(1, "2025-02-01T02:00:00Z"),
        complete(2, "2026-03-01T02:00:00Z"),
        complete(3, "2026-11-22T02:10:00Z"),
        complete(4, "2026-11-22T02:20:00Z"),
    ];
    let told = told(&planned(&policy, &records, NOW));
    assert_eq!(told[&1], ["go: no rule"]);
    assert_eq!(told[&2], ["keep_daily 2026-03-01", "keep_monthly 2026-03"]);
    assert_eq!(told[&3], ["go: no rule"]);
    let hour = "keep_hourly 2026-11-22T02+00:00";
    let day = "keep_daily 2026-11-22";
    assert_eq!(told[&4], [day, hour, "keep_monthly 2026-11", "min_keep"]);
}

#[test]
fn times_reach_back_from_the_newest_and_include_their_end() {
    let mut policy = policy("UTC");
    policy.keep_within = Some(SignedDuration::from_hours(24));
    policy.keep_within_daily = Some(SignedDuration::from_hours(72));
    let records = [
        complete(1, "2026-11-17T01:59:59Z"),
        complete(2, "2026-11-17T02:00:00Z"),
        complete(3, "2026-11-19T01:59:59Z"),
        complete(4, "2026-11-19T02:00:00Z"),
        complete(5, "2026-11-20T02:00:00Z"),
    ];
    for now in [NOW, "2027-11-25T12:00:00Z"] {
        assert_eq!(going(&planned(&policy, &records, now)), [1, 3], "{now}");
    }
}

#[test]
fn only_complete_snapshots_count() {
    let mut policy = policy("UTC");
    policy.keep_last = 2;
    policy.min_keep = 2;
    let records = [
        complete(1, "2026-11-20T01:00:00Z"),
        complete(2, "2026-11-20T02:00:00Z"),
        run(3, "2026-11-20T03:00:00Z", End::Partial),
        run(4, "2026-11-20T04:00:00Z", End::Aborted),
        complete(5, "2026-11-20T05:00:00Z"),
        run(6, "2026-11-20T06:00:00Z", End::Fenced),
        run(7, "2026-11-20T07:00:00Z", End::Open),
    ];
    let told = told(&planned(&policy, &records, NOW));
    assert_eq!(told[&1], ["go: no rule"]);
    assert_eq!(told[&2], ["keep_last", "min_keep"]);
    assert_eq!(told[&3], ["go: completed by 5"]);
    assert_eq!(told[&4], ["history"]);
    assert_eq!(told[&5], ["keep_last", "min_keep"]);
    assert_eq!(told[&6], ["history"]);
    assert_eq!(told[&7], ["open"]);
}

#[test]
fn the_newest_partial_ones_stay_while_nothing_is_better_and_the_job_is_at_risk() {
    let mut policy = policy("UTC");
    policy.keep_last = 1;
    policy.min_keep = 2;
    let mut records = vec![
        run(1, "2026-11-20T01:00:00Z", End::Partial),
        run(2, "2026-11-20T02:00:00Z", End::Partial),
        run(3, "2026-11-20T03:00:00Z", End::Partial),
    ];
    let plan = planned(&policy, &records, NOW);
    assert_eq!(told(&plan)[&1], ["go: newer partial"]);
    assert_eq!(told(&plan)[&2], ["nothing better"]);
    let newest_complete = None;
    assert_eq!(plan.notes, [RetentionNote::OnlyPartial { newest_complete }]);

    records.push(complete(4, "2026-11-20T04:00:00Z"));
    let plan = planned(&policy, &records, NOW);
    assert_eq!(going(&plan), [1, 2, 3]);
    assert_eq!(plan.notes, []);

    records.push(run(5, "2026-11-20T05:00:00Z", End::Partial));
    let plan = planned(&policy, &records, NOW);
    assert_eq!(told(&plan)[&5], ["nothing better"]);
    let newest_complete = Some(records[3].name.clone());
    assert_eq!(plan.notes, [RetentionNote::OnlyPartial { newest_complete }]);
}

#[test]
fn what_is_held_or_newest_proven_stays() {
    let mut policy = policy("UTC");
    policy.keep_last = 1;
    let mut records: Vec<_> = (1..=6)
        .map(|n| complete(n, &format!("2026-11-2{n}T01:00:00Z")))
        .collect();
    records[0].held = true;
    records[1].proven = true;
    records[2].proven = true;
    // A partial one proves less than a complete one.
    records[4].end = End::Partial;
    records[4].proven = true;
    let told = told(&planned(&policy, &records, "2026-11-27T00:00:00Z"));
    assert_eq!(told[&1], ["held"]);
    assert_eq!(told[&2], ["go: no rule"]);
    assert_eq!(told[&3], ["proven"]);
    assert_eq!(told[&4], ["go: no rule"]);
    assert_eq!(told[&5], ["go: completed by 6"]);
}

#[test]
fn records_of_failed_runs_go_when_all_that_is_needed_is_newer() {
    let mut policy = policy("UTC");
    policy.keep_last = 2;
    let mut records = vec![
        complete(1, "2026-11-20T01:00:00Z"),
        run(2, "2026-11-20T02:00:00Z", End::Aborted),
        run(3, "2026-11-20T03:00:00Z", End::Fenced),
        complete(4, "2026-11-20T04:00:00Z"),
        run(5, "2026-11-20T05:00:00Z", End::Aborted),
        complete(6, "2026-11-20T06:00:00Z"),
    ];
    // What somebody holds does not hold up the records of failures.
    records[0].held = true;
    assert_eq!(going(&planned(&policy, &records, NOW)), [2, 3]);
    let failures: Vec<_> = (1..=2)
        .map(|n| run(n, "2026-11-20T01:00:00Z", End::Aborted))
        .collect();
    assert_eq!(going(&planned(&policy, &failures, NOW)), [0; 0]);
}

#[test]
fn nothing_goes_while_runs_fail() {
    let mut policy = policy("UTC");
    policy.keep_last = 1;
    let mut records = vec![
        complete(1, "2026-11-20T01:00:00Z"),
        complete(2, "2026-11-20T02:00:00Z"),
        run(3, "2026-11-20T03:00:00Z", End::Aborted),
        run(4, "2026-11-20T04:00:00Z", End::Fenced),
        run(5, "2026-11-20T05:00:00Z", End::Open),
    ];
    let plan = planned(&policy, &records, NOW);
    assert_eq!(pause_told(plan.paused.as_ref()), "no");
    assert_eq!(plan.gone().count(), 1);

    records.push(run(6, "2026-11-20T06:00:00Z", End::Aborted));
    let plan = planned(&policy, &records, NOW);
    assert_eq!(pause_told(plan.paused.as_ref()), "3 failures");
    assert_eq!(plan.gone().count(), 0);
    assert_eq!(told(&plan)[&1], ["paused, go: no rule"]);

    records.push(complete(7, "2026-11-20T07:00:00Z"));
    let plan = planned(&policy, &records, NOW);
    assert_eq!(plan.paused, None);
    assert_eq!(going(&plan), [1, 2, 3, 4, 6]);
}

#[test]
fn nothing_goes_while_the_newest_is_suspiciously_small_until_that_is_usual() {
    let mut policy = policy("UTC");
    policy.keep_last = 1;
    let sized = |sizes: &[u64]| {
        let records: Vec<_> = (1..)
            .zip(sizes)
            .map(|(n, &stored_bytes)| {
                let mut record = complete(n, &format!("2026-11-20T{n:02}:00:00Z"));
                record.stored_bytes = stored_bytes;
                record
            })
            .collect();
        pause_told(planned(&policy, &records, NOW).paused.as_ref())
    };
    assert_eq!(
        sized(&[100, 100, 10]),
        "no",
        "too few to know what is usual"
    );
    assert_eq!(sized(&[100, 90, 101, 50]), "no");
    assert_eq!(sized(&[100, 90, 101, 49]), "4 has 49 of 100");
    assert_eq!(sized(&[101, 101, 101, 50]), "4 has 50 of 101");
    assert_eq!(
        sized(&[u64::MAX, u64::MAX, u64::MAX, 0]),
        format!("4 has 0 of {}", u64::MAX)
    );
    assert_eq!(sized(&[100, 100, 100, 10, 10, 10]), "6 has 10 of 100");
    assert_eq!(sized(&[100, 100, 100, 10, 10, 10, 10, 10]), "no");
}

#[test]
fn records_that_make_no_sense_make_no_plan() {
    let mut policy = policy("UTC");
    policy.keep_last = 1;
    let now = NOW.parse().unwrap();
    assert!(plan(&policy, &[], now).unwrap().verdicts.is_empty());

    let one = complete(1, "2026-11-20T01:00:00Z");
    let twice = plan(&policy, &[one.clone(), one.clone()], now).unwrap_err();
    assert_eq!(twice.to_string(), "webui/000001 is listed twice");

    let mut other = complete(2, "2026-11-20T01:00:00Z");
    other.name.job = "shop".parse().unwrap();
    let several = plan(&policy, &[one.clone(), other], now).unwrap_err();
    assert_eq!(several.to_string(), "records of webui and shop together");

    policy.keep_last = 0;
    let refused = plan(&policy, &[one], now).unwrap_err();
    assert!(matches!(refused, RetentionError::NoRule { .. }));
    assert_eq!(
        refused.to_string(),
        "the policy has no rule: it would keep nothing but the newest 1"
    );
}
