use backup_model::Seq;

use super::*;
use crate::{
    Accepted, AcceptedRun, AcceptedRuns, PrunePart, Record, RecordError, Removal, Role, SecretKey,
};

#[test]
fn the_type_is_written_first_and_read_strictly() {
    let root = SecretKey::generate().unwrap();
    let record = RepositoryRecord {
        format: 0,
        repository: RepositoryId([1; 16]),
        created: "2026-11-22T02:30:00Z".parse().unwrap(),
        root: root.public().clone(),
        pack_bytes: 16 << 20,
        block_bytes: 1 << 20,
    };
    let bytes = Record::sign(&record, record.repository, "repository.json", &root).unwrap();
    assert!(bytes.starts_with(b"{\"type\":\"repository\",\"format\":0,"));
    let (signed, read) =
        Record::parse_root::<RepositoryRecord>(&bytes, "repository.json", |r| r.repository)
            .unwrap();
    signed.verify(root.public()).unwrap();
    assert_eq!(read, record);
    let other = String::from_utf8(bytes)
        .unwrap()
        .replacen("repository", "trust", 1);
    assert!(matches!(
        Record::parse_root::<RepositoryRecord>(other.as_bytes(), "repository.json", |r| r
            .repository),
        Err(RecordError::NotCanonical | RecordError::Json(_))
    ));
}

fn digest(byte: u8) -> Digest {
    Digest([byte; 32])
}

fn removed(forget: Option<LastForget>, prune: Option<LastPrune>) -> Writer {
    Writer {
        name: "maintainer".parse().unwrap(),
        key: SecretKey::generate().unwrap().public().clone(),
        roles: vec![Role::Maintain],
        jobs: None,
        from: "2026-11-22T02:30:00Z".parse().unwrap(),
        until: None,
        removed: Some(Removal {
            at: "2026-11-23T02:30:00Z".parse().unwrap(),
            accepted: Accepted {
                runs: Vec::new(),
                forget,
                prune,
            },
        }),
    }
}

fn trust(writers: Vec<Writer>) -> TrustRecord {
    TrustRecord {
        repository: RepositoryId([1; 16]),
        version: 2,
        prev: digest(0),
        created: "2026-11-23T02:30:00Z".parse().unwrap(),
        administrators: Vec::new(),
        epochs: Vec::new(),
        writers,
    }
}

#[test]
fn of_a_removed_maintainer_counts_what_was_there_and_nothing_more() {
    let forget = LastForget {
        version: 3,
        sha256: digest(3),
    };
    let prune = LastPrune {
        generation: 2,
        plan: digest(20),
        last: Some(digest(21)),
        done: None,
    };
    let writer = removed(Some(forget), Some(prune));
    let forgets: Vec<_> = (1..=5).map(|v| writer.forget_counts(v)).collect();
    assert_eq!(forgets, [true, true, true, false, false]);
    let table = [
        (1, PrunePart::Plan, digest(99), true),
        (1, PrunePart::Done, digest(98), true),
        (2, PrunePart::Plan, digest(20), true),
        (2, PrunePart::Plan, digest(21), false),
        (2, PrunePart::Final, digest(21), true),
        (2, PrunePart::Final, digest(22), false),
        (2, PrunePart::Done, digest(22), false),
        (3, PrunePart::Plan, digest(20), false),
    ];
    for (generation, part, digest, counts) in table {
        let found = writer.prune_counts(generation, part, digest);
        assert_eq!(found, counts, "{generation} {part:?} {digest}");
    }
}

#[test]
fn one_who_maintained_nothing_has_nothing_that_counts_and_one_in_office_has_all() {
    let nothing = removed(None, None);
    assert!(!nothing.forget_counts(1));
    assert!(!nothing.prune_counts(1, PrunePart::Plan, digest(1)));
    let in_office = Writer {
        removed: None,
        ..nothing
    };
    assert!(in_office.forget_counts(7));
    assert!(in_office.prune_counts(7, PrunePart::Done, digest(1)));
}

#[test]
fn the_newest_removal_is_the_mark_that_a_roll_back_falls_below() {
    assert_eq!(trust(vec![removed(None, None)]).pinned_forget(), None);
    let forget = |version| LastForget {
        version,
        sha256: digest(u8::try_from(version).unwrap()),
    };
    let prune = |generation| LastPrune {
        generation,
        plan: digest(1),
        last: None,
        done: None,
    };
    let trust = trust(vec![
        removed(Some(forget(4)), Some(prune(1))),
        removed(Some(forget(2)), Some(prune(3))),
        removed(None, None),
    ]);
    assert_eq!(trust.pinned_forget(), Some(forget(4)));
    assert_eq!(trust.pinned_prune(), Some(prune(3)));
}

#[test]
fn a_removal_is_written_as_the_format_says() {
    let mut writer = removed(
        Some(LastForget {
            version: 3,
            sha256: digest(0xaa),
        }),
        Some(LastPrune {
            generation: 2,
            plan: digest(0xbb),
            last: Some(digest(0xcc)),
            done: None,
        }),
    );
    let removal = writer.removed.as_mut().unwrap();
    removal.accepted.runs.push(AcceptedRuns {
        job: "etc".parse().unwrap(),
        runs: vec![AcceptedRun(Seq(7), digest(0xdd))],
    });
    let dd = "dd".repeat(32);
    let (aa, bb, cc) = ("aa".repeat(32), "bb".repeat(32), "cc".repeat(32));
    let json = format!(
        "{{\"at\":\"2026-11-23T02:30:00Z\",\"accepted\":{{\
         \"runs\":[{{\"job\":\"etc\",\"runs\":[[7,\"{dd}\"]]}}],\
         \"forget\":{{\"version\":3,\"sha256\":\"{aa}\"}},\
         \"prune\":{{\"generation\":2,\"plan\":\"{bb}\",\"final\":\"{cc}\",\"done\":null}}}}}}"
    );
    assert_eq!(serde_json::to_string(&writer.removed).unwrap(), json);
    assert_eq!(
        serde_json::from_str::<Option<Removal>>(&json).unwrap(),
        writer.removed
    );
    for other in [
        json.replace("\"done\":null", "\"undone\":null"),
        json.replace("\"accepted\"", "\"last\""),
    ] {
        assert!(serde_json::from_str::<Removal>(&other).is_err(), "{other}");
    }
}
