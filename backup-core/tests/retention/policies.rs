//! Policies that are refused, each with its reason.

use backup_core::retention::{RetentionError, faults};
use backup_model::{Code, RetentionPolicy};
use jiff::SignedDuration;

use super::support::{complete, policy};

#[track_caller]
fn refused(change: fn(&mut RetentionPolicy), key: Option<&str>, message: &str) {
    let mut policy = policy("Europe/Berlin");
    policy.keep_daily = 14;
    assert!(faults(&policy).is_empty());
    change(&mut policy);
    let errors = faults(&policy);
    let told: Vec<_> = errors.iter().map(RetentionError::to_string).collect();
    assert_eq!(told, [message]);
    assert_eq!(errors[0].key(), key);
    assert_eq!(errors[0].code(), Code::Policy);
}

#[test]
fn each_wrong_policy_has_its_reason() {
    refused(
        |it| it.keep_daily = 0,
        None,
        "the policy has no rule: it would keep nothing but the newest 1",
    );
    refused(
        |it| it.min_keep = 0,
        Some("min_keep"),
        "`min_keep` is 0: at least the newest snapshot must stay",
    );
    refused(
        |it| it.keep_hourly = u32::MAX,
        Some("keep_hourly"),
        "`keep_hourly` is 4294967295, more than 100000",
    );
    refused(
        |it| it.min_keep = 100_001,
        Some("min_keep"),
        "`min_keep` is 100001, more than 100000",
    );
    refused(
        |it| it.keep_within = Some(SignedDuration::ZERO),
        Some("keep_within"),
        "`keep_within` is not a time above zero",
    );
    refused(
        |it| it.keep_within_daily = Some(SignedDuration::MIN),
        Some("keep_within_daily"),
        "`keep_within_daily` is not a time above zero",
    );
    refused(
        |it| it.keep_within_yearly = Some(SignedDuration::MAX),
        Some("keep_within_yearly"),
        "`keep_within_yearly` is longer than a century",
    );
    refused(
        |it| it.time_zone.clear(),
        Some("time_zone"),
        "`` is not a time zone",
    );
    for zone in [
        "Europe/Berlim",
        "../../etc/passwd",
        "CET-1CEST",
        "Europe/Berlin\0",
    ] {
        let mut policy = policy(zone);
        policy.keep_last = 1;
        let told: Vec<_> = faults(&policy)
            .iter()
            .map(RetentionError::to_string)
            .collect();
        assert_eq!(told, [format!("`{zone}` is not a time zone")]);
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let mut policy = RetentionPolicy::new(String::new());
    policy.min_keep = 0;
    policy.keep_within_hourly = Some(SignedDuration::from_secs(-1));
    let keys: Vec<_> = faults(&policy).iter().map(RetentionError::key).collect();
    assert_eq!(
        keys,
        [
            Some("keep_within_hourly"),
            Some("min_keep"),
            Some("time_zone")
        ]
    );
}

#[test]
fn the_widest_policy_is_followed_to_the_ends_of_time() {
    let mut policy = policy("Pacific/Kiritimati");
    policy.keep_daily = 100_000;
    policy.keep_within = Some(SignedDuration::from_hours(100 * 366 * 24));
    let mut records = vec![
        complete(1, "2026-11-20T01:00:00Z"),
        complete(2, "2026-11-21T01:00:00Z"),
    ];
    records[0].created = jiff::Timestamp::MIN;
    for now in [jiff::Timestamp::MIN, jiff::Timestamp::MAX] {
        let plan = backup_core::retention::plan(&policy, &records, now).unwrap();
        assert_eq!(plan.gone().count(), 0);
    }
    records[1].created = jiff::Timestamp::MAX;
    let plan = backup_core::retention::plan(&policy, &records, jiff::Timestamp::MAX).unwrap();
    assert_eq!(plan.gone().count(), 0);
}
