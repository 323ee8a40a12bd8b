//! What is told of a repository.

use backup_model::{Digest, End};

use super::*;

#[test]
fn before_the_first_snapshot_there_is_a_gap() {
    let now: Timestamp = "2026-11-22T14:00:00Z".parse().unwrap();
    let one = SnapshotInfo {
        snapshot: "a/1".parse().unwrap(),
        end: End::Complete,
        created: now - SignedDuration::from_hours(24),
        kinds: Vec::new(),
        packs: 1,
        stored_bytes: 100,
        added_bytes: 100,
        record: Digest([0; 32]),
        reason: None,
        held: None,
    };
    let begin = now - SignedDuration::from_hours(10 * 24);
    let found = stored("main", &[&one], None, (begin, now));
    assert_eq!((found.bytes, found.snapshots), (100, 1));
    assert_eq!(found.growth.len(), 30);
    assert_eq!(found.growth[0], None);
    assert_eq!(found.growth[29], Some(100.0));
}
