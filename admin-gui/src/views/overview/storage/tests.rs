//! What is told of a repository.

use backup_model::Digest;

use super::*;

fn now() -> Timestamp {
    "2026-11-22T14:00:00Z".parse().unwrap()
}

fn info(name: &str, days_ago: i64, added_bytes: u64, stored_bytes: u64) -> SnapshotInfo {
    SnapshotInfo {
        snapshot: name.parse().unwrap(),
        end: End::Complete,
        created: now() - SignedDuration::from_hours(days_ago * 24),
        kinds: Vec::new(),
        packs: 1,
        stored_bytes,
        added_bytes,
        record: Digest([0; 32]),
        reason: None,
        held: None,
    }
}

#[test]
fn of_each_job_the_greater_of_two_lower_bounds_counts() {
    // The first snapshot of b is forgotten: what it added is only seen in what the next one uses.
    let all = [
        info("a/1", 20, 100, 100),
        info("a/2", 10, 10, 50),
        info("b/2", 5, 7, 1_000),
    ];
    let all: Vec<&SnapshotInfo> = all.iter().collect();
    let begin = now() - SignedDuration::from_hours(20 * 24);
    let found = stored("main", &all, None, (begin, now()));
    assert_eq!((found.bytes, found.snapshots), (1_110, 3));
    assert_eq!(found.growth.len(), 30);
    assert_eq!(found.growth[0], Some(1_093.0));
    assert_eq!(found.growth[29], Some(1_110.0));
}

#[test]
fn before_the_first_snapshot_there_is_a_gap() {
    let one = info("a/1", 1, 100, 100);
    let begin = now() - SignedDuration::from_hours(10 * 24);
    let found = stored("main", &[&one], None, (begin, now()));
    assert_eq!(found.growth[0], None);
    assert_eq!(found.growth[29], Some(100.0));
}

#[test]
fn room_is_told_in_days_while_that_is_near() {
    let item = |days: Option<i64>| {
        let item = HealthItem::ok(SPACE, "repository main", "").with("free_bytes", 3_u64 << 30);
        match days {
            Some(days) => item.with("full_in_days", days),
            None => item,
        }
    };
    assert_eq!(left(&item(Some(73))), "full in 73 d");
    assert_eq!(left(&item(Some(900))), "3 GiB free");
    assert_eq!(left(&item(None)), "3 GiB free");
    let gone = HealthItem::unknown(SPACE, "repository main", "gone", "look");
    assert_eq!(left(&gone), "room unknown");
    assert!(is_of(&gone, "main") && !is_of(&gone, "repository"));
}
