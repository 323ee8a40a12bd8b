//! The log as its readers find it: whole, or whatever was done to it is seen.

use std::{
    fs,
    io::Write as _,
    ops::ControlFlow,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use backup_model::{AuditCheck, AuditOutcome, AuditQuery};
use jiff::Timestamp;
use proptest::prelude::{any, prop_assert, proptest};

use crate::{Act, AuditLog, Head};

const DAY: Duration = Duration::from_hours(24);
const SOURCE: &str = "192.0.2.7";

struct World {
    dir: tempfile::TempDir,
    log: AuditLog,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = log_in(dir.path());
        Self { dir, log }
    }

    /// With so many entries in November, of one day each.
    fn with(entries: usize) -> Self {
        let world = Self::new();
        for number in 1..=entries {
            let now = at(&format!("2026-11-{number:02}T02:30:00Z"));
            world.log.record(act(number), now).unwrap();
        }
        world
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("log/audit-2026-11.jsonl")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    fn checked(&self, heads: Vec<Head>) -> AuditCheck {
        self.log.check(heads, at("2026-12-24T00:00:00Z")).unwrap()
    }

    fn head(&self, created: &str) -> Head {
        Head {
            snapshot: "app/1".parse().unwrap(),
            created: at(created),
            digest: self.log.head().unwrap().unwrap(),
        }
    }
}

fn log_in(dir: &Path) -> AuditLog {
    AuditLog::new(dir.join("log"), dir.join("keys"), DAY * 400, DAY * 30)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn act(number: usize) -> Act {
    let object = format!("token {number}");
    Act {
        source: Some(SOURCE.to_owned()),
        ..Act::new(format!("uid {number}"), "token.add", object)
    }
}

fn faults(told: &AuditCheck) -> Vec<String> {
    let faults = told.faults.iter();
    let line = |line: Option<u64>| line.map_or_else(String::new, |line| line.to_string());
    faults
        .map(|fault| format!("{} {}", line(fault.line), fault.what))
        .collect()
}

#[test]
fn a_log_that_nobody_touched_is_whole() {
    let world = World::with(20);
    let heads = vec![world.head("2026-11-20T03:00:00Z")];
    let later = at("2026-12-03T02:30:00Z");
    world.log.record(act(21), later).unwrap();
    let told = world.checked(heads);
    assert_eq!(faults(&told), [""; 0]);
    assert_eq!((told.entries, told.snapshots), (21, 1));
    assert_eq!((told.first, told.last), (Some(1), Some(21)));
    let mode = fs::metadata(world.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn nothing_is_a_log_too() {
    let world = World::new();
    assert_eq!(world.checked(Vec::new()), AuditCheck::default());
    assert_eq!(world.log.head().unwrap(), None);
    let page = world.log.list(&AuditQuery::default()).unwrap();
    assert!(page.entries.is_empty());
}

#[test]
fn what_is_cut_changed_or_reordered_is_seen_and_named() {
    type Change = fn(&mut Vec<String>);
    let changes: [(&str, Change, &str); 6] = [
        (
            "changed",
            |all| all[4] = all[4].replace("uid 5", "uid 6"),
            "6 entry 6 does not follow",
        ),
        (
            "removed",
            |all| drop(all.remove(4)),
            "5 entry 6 comes after entry 4",
        ),
        (
            "swapped",
            |all| all.swap(4, 5),
            "5 entry 6 comes after entry 4",
        ),
        (
            "doubled",
            |all| all.insert(4, all[4].clone()),
            "6 entry 5 comes after entry 5",
        ),
        (
            "foreign",
            |all| all.insert(4, "{}\n".to_owned()),
            "5 this line is no entry",
        ),
        (
            "cut",
            |all| all.truncate(7),
            " the entry that was the last when app/000001 was made",
        ),
    ];
    for (what, change, told) in changes {
        let world = World::with(9);
        let head = world.head("2026-11-09T03:00:00Z");
        let text = world.text();
        let mut all: Vec<_> = text.split_inclusive('\n').map(str::to_owned).collect();
        change(&mut all);
        fs::write(world.file(), all.concat()).unwrap();
        let faults = faults(&world.checked(vec![head]));
        let found = faults.iter().any(|fault| fault.starts_with(told));
        assert!(found, "{what}: {faults:?}");
    }
    let world = World::with(9);
    let head = world.head("2026-11-09T03:00:00Z");
    fs::remove_file(world.file()).unwrap();
    assert_eq!(world.checked(vec![head]).faults.len(), 1);
}

proptest! {
    #[test]
    fn no_byte_can_be_changed_unseen(place in any::<usize>(), flip in 1_u8..=255) {
        let world = World::with(6);
        let head = world.head("2026-11-06T03:00:00Z");
        let mut bytes = fs::read(world.file()).unwrap();
        let place = place % bytes.len();
        bytes[place] ^= flip;
        fs::write(world.file(), bytes).unwrap();
        prop_assert!(!world.checked(vec![head]).faults.is_empty());
    }
}

#[test]
fn an_entry_that_was_never_finished_is_cut_off_and_that_is_on_record() {
    for torn in [1, 10, 100] {
        let world = World::with(3);
        let whole = world.text();
        let mut file = fs::OpenOptions::new()
            .append(true)
            .open(world.file())
            .unwrap();
        file.write_all(&whole.as_bytes()[..torn]).unwrap();
        let told = world.checked(Vec::new());
        assert_eq!(faults(&told), ["4 this line is no entry"]);
        let now = at("2026-11-04T02:30:00Z");
        world.log.record(act(4), now).unwrap();
        assert_eq!(faults(&world.checked(Vec::new())), [""; 0]);
        let page = world.log.list(&AuditQuery::default()).unwrap();
        assert_eq!(page.entries[1].action, "audit.torn");
        assert_eq!(page.entries[1].object, format!("{torn} bytes"));
    }
    // Of the first entry of all, too.
    let world = World::with(1);
    fs::write(world.file(), "{\"seq\":1,").unwrap();
    let now = at("2026-11-04T02:30:00Z");
    world.log.record(act(1), now).unwrap();
    assert_eq!(world.checked(Vec::new()).entries, 2);
}

#[test]
fn many_write_one_chain() {
    let world = World::new();
    thread::scope(|scope| {
        for writer in 0..4 {
            // Of its own, as in another process.
            let log = log_in(world.dir.path());
            scope.spawn(move || {
                for _ in 0..25 {
                    let now = at("2026-11-04T02:30:00Z");
                    log.record(act(writer), now).unwrap();
                }
            });
        }
    });
    let told = world.checked(Vec::new());
    assert_eq!((told.entries, faults(&told).len()), (100, 0));
}

#[test]
fn a_source_is_found_as_long_as_its_key_is_there() {
    let world = World::with(3);
    assert!(!world.text().contains(SOURCE));
    let later = at("2026-12-04T02:30:00Z");
    world.log.record(act(4), later).unwrap();
    let from = |address: &str| {
        let query = AuditQuery {
            source: Some(address.to_owned()),
            ..AuditQuery::default()
        };
        let page = world.log.list(&query).unwrap();
        let entries = page.entries.iter();
        entries.map(|entry| entry.seq).collect::<Vec<_>>()
    };
    assert_eq!(from(SOURCE), [4, 3, 2, 1]);
    assert_eq!(from("192.0.2.8"), [0; 0]);
    world.log.discard(at("2027-01-01T00:00:00Z")).unwrap();
    assert_eq!(from(SOURCE), [4]);
    assert_eq!(faults(&world.checked(Vec::new())), [""; 0]);
}

#[test]
fn what_is_old_goes_and_the_rest_is_checked_from_there_on() {
    let world = World::with(3);
    let head = world.head("2026-11-03T03:00:00Z");
    let later = at("2027-03-04T02:30:00Z");
    world.log.record(act(4), later).unwrap();
    world.log.discard(later).unwrap();
    assert!(world.file().exists());
    world.log.discard(at("2028-01-20T00:00:00Z")).unwrap();
    assert!(!world.file().exists());
    let late = at("2028-01-20T00:00:00Z");
    let told = world.log.check(vec![head], late).unwrap();
    assert_eq!(faults(&told), [""; 0]);
    assert_eq!((told.first, told.last), (Some(4), Some(5)));
    let page = world.log.list(&AuditQuery::default()).unwrap();
    let newest = &page.entries[0];
    assert_eq!(
        (&*newest.action, &*newest.object),
        ("audit.discard", "2026-11")
    );
    assert_eq!(newest.outcome, AuditOutcome::Done);
}

#[test]
fn lists_go_by_pages_and_by_what_is_asked_for() {
    let world = World::with(20);
    let mut query = AuditQuery {
        limit: Some(8),
        ..AuditQuery::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = world.log.list(&query).unwrap();
        seen.extend(page.entries.iter().map(|entry| entry.seq));
        query.before = page.next;
        if page.next.is_none() {
            break;
        }
    }
    assert!(seen.iter().copied().eq((1..=20).rev()));
    let count = |query: AuditQuery| world.log.list(&query).unwrap().entries.len();
    let action = |text: &str| AuditQuery {
        action: Some(text.to_owned()),
        ..AuditQuery::default()
    };
    assert_eq!((count(action("token")), count(action("tok"))), (20, 0));
    let late = AuditQuery {
        since: Some(at("2026-11-11T00:00:00Z")),
        ..AuditQuery::default()
    };
    assert_eq!(count(late), 10);
    let one = AuditQuery {
        actor: Some("uid 7".to_owned()),
        ..AuditQuery::default()
    };
    assert_eq!(count(one), 1);
}

#[test]
fn whatever_is_said_stays_one_line_of_some_length() {
    let world = World::new();
    let long = Act::new("a\nb", "x".repeat(100_000), "\u{1f}é".repeat(2_000));
    let now = at("2026-11-04T02:30:00Z");
    world.log.record(long, now).unwrap();
    assert_eq!(world.text().lines().count(), 1);
    assert!(world.text().len() < 16_000);
    assert_eq!(world.checked(Vec::new()).entries, 1);
}

#[test]
fn a_clock_that_was_set_back_does_not_break_the_chain() {
    let world = World::with(3);
    let before = at("2025-01-01T00:00:00Z");
    world.log.record(act(4), before).unwrap();
    let told = world.checked(Vec::new());
    assert_eq!((told.entries, faults(&told).len()), (4, 0));
}

#[test]
fn a_log_that_begins_anew_or_lost_its_beginning_before_its_time_is_seen() {
    let world = World::with(9);
    let head = || world.head("2026-11-09T03:00:00Z");
    let old = head();
    fs::remove_file(world.file()).unwrap();
    world
        .log
        .record(act(1), at("2026-12-01T02:30:00Z"))
        .unwrap();
    let gone = [
        " the entry that was the last when app/000001 was made, at 2026-11-09T03:00:00Z, is not there: cut off or replaced",
    ];
    assert_eq!(faults(&world.checked(vec![old.clone()])), gone);
    // However long ago it was: a log that begins with its first entry never had an older one.
    let late = at("2029-12-24T00:00:00Z");
    let told = world.log.check(vec![old], late).unwrap();
    assert_eq!(faults(&told), gone);

    let world = World::with(9);
    let old = world.head("2026-11-09T03:00:00Z");
    let next = at("2026-12-01T02:30:00Z");
    world.log.record(act(10), next).unwrap();
    fs::remove_file(world.file()).unwrap();
    assert_eq!(faults(&world.checked(vec![old.clone()])), gone);
    let told = world.log.check(vec![old], late).unwrap();
    assert_eq!(faults(&told), [""; 0], "it may be that old that it went");
}

#[test]
fn a_month_whose_first_entry_was_never_finished_goes_on_from_the_one_before() {
    let world = World::with(3);
    let december = world.dir.path().join("log/audit-2026-12.jsonl");
    fs::write(&december, "{\"seq\":4,").unwrap();
    let now = at("2026-12-04T02:30:00Z");
    world.log.record(act(4), now).unwrap();
    let told = world.checked(Vec::new());
    assert_eq!((faults(&told).len(), told.last), (0, Some(5)));
    let page = world.log.list(&AuditQuery::default()).unwrap();
    assert_eq!(page.entries[1].action, "audit.torn");
    assert_eq!(page.entries[1].seq, 4);
}

#[test]
fn nothing_is_followed_to_elsewhere() {
    let now = at("2026-11-04T02:30:00Z");
    for name in [
        "log/lock",
        "log/audit-2026-11.jsonl",
        "keys/2026-11.key",
        "log",
    ] {
        for link in [true, false] {
            let world = World::new();
            let dir = world.dir.path();
            let target = dir.join("secret");
            fs::write(&target, "of somebody else").unwrap();
            let place = dir.join(name);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            if link {
                symlink(&target, &place).unwrap();
            } else {
                fs::hard_link(&target, &place).unwrap();
            }
            let refused = world.log.record(act(1), now);
            assert!(refused.is_err(), "{name}, by a link: {link}");
            assert_eq!(fs::read(&target).unwrap(), b"of somebody else", "{name}");
        }
    }
    let world = World::new();
    let elsewhere = world.dir.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, world.dir.path().join("log")).unwrap();
    assert!(world.log.record(act(1), now).is_err());
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn what_is_exported_is_what_is_stored() {
    let world = World::with(3);
    let mut out = Vec::new();
    let mut take = |some: &[u8]| {
        out.extend_from_slice(some);
        ControlFlow::<()>::Continue(())
    };
    assert!(world.log.export(&mut take).unwrap().is_continue());
    let enough = world.log.export(|_| ControlFlow::Break("closed"));
    assert_eq!(enough.unwrap(), ControlFlow::Break("closed"));
    assert_eq!(out, world.text().into_bytes());
}
