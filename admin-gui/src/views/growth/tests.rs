//! What is told of a repository.

use backup_model::Digest;

use super::*;

/// So many bytes are free.
const FREE: f64 = 3.0 * 1_073_741_824.0;

fn now() -> Timestamp {
    "2026-11-22T14:00:00Z".parse().unwrap()
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(days * 24)
}

fn info(name: &str, days_ago: i64, added_bytes: u64, stored_bytes: u64) -> SnapshotInfo {
    SnapshotInfo {
        snapshot: name.parse().unwrap(),
        end: End::Complete,
        created: now() - days(days_ago),
        kinds: Vec::new(),
        packs: 1,
        stored_bytes,
        added_bytes,
        record: Digest([0; 32]),
        reason: None,
        held: None,
    }
}

fn space(full_in_days: Option<u64>) -> HealthItem {
    let item = HealthItem::ok(SPACE, "repository main", "").with("free_bytes", 3_u64 << 30);
    match full_in_days {
        Some(days) => item.with("full_in_days", days),
        None => item,
    }
}

/// One job that has stored 100 bytes 20 days ago and 10 bytes 10 days ago.
fn growth() -> Growth {
    let all = [info("a/1", 20, 100, 100), info("a/2", 10, 10, 50)];
    Growth::of(&all.iter().collect::<Vec<_>>())
}

#[test]
fn of_each_job_the_greater_of_two_lower_bounds_counts() {
    // The first snapshot of b is forgotten: what it added is only seen in what the next one uses.
    let all = [
        info("b/2", 5, 7, 1_000),
        info("a/1", 20, 100, 100),
        info("a/2", 10, 10, 50),
    ];
    let found = Growth::of(&all.iter().collect::<Vec<_>>());
    assert_eq!((found.bytes, found.snapshots), (1_110, 3));
    let held = [21, 20, 15, 10, 0].map(|ago| found.at(now() - days(ago)));
    let known = [1_093, 1_093, 1_103, 1_110].map(Some);
    assert_eq!(held[0], None);
    assert_eq!(held[1..], known);
}

#[test]
fn a_forecast_goes_no_farther_than_a_third_of_what_is_known() {
    let found = growth();
    let far = found.curve(now(), Some(&space(Some(60))));
    assert_eq!(far.points.len(), 3);
    let (at, bytes) = far.forecast.unwrap();
    assert_eq!(at, now() + days(20) / 3);
    let ninth = 110.0 + FREE / 9.0;
    assert!((bytes - ninth).abs() < 1.0, "{bytes}");
    assert_eq!(far.limit, None);
    let near = found.curve(now(), Some(&space(Some(2))));
    let full = 110.0 + FREE;
    assert_eq!(near.forecast, Some((now() + days(2), full)));
    assert_eq!(near.limit, Some(full));
}

#[test]
fn where_no_end_is_known_nothing_is_foretold() {
    let found = growth();
    for known in [None, Some(&space(None)), Some(&space(Some(0)))] {
        let curve = found.curve(now(), known);
        assert_eq!((curve.forecast, curve.limit), (None, None));
    }
    assert_eq!(Growth::of(&[]).curve(now(), None), Curve::default());
}

#[test]
fn room_is_told_in_days_while_that_is_near() {
    let told = |days| left(&space(days)).unwrap();
    assert_eq!(told(Some(73)), "full in 73 d");
    assert_eq!(told(Some(900)), "3 GiB free");
    assert_eq!(told(None), "3 GiB free");
    let gone = HealthItem::unknown(SPACE, "repository main", "gone", "look");
    assert_eq!(left(&gone), None);
    assert_eq!(repository_of(&gone), "main");
    let said = growth().says(Some(&space(Some(73))));
    assert_eq!(said, "at least 110 B in 2 snapshots; full in 73 d");
}
