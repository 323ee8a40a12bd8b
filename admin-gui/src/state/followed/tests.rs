//! What a restore says, told in pieces, twice, and broken off.

use backup_model::{Code, Event, Failure, Phase};
use backupd_api::{Kind, Numbered, Outcome, TaskInfo, TaskLine, TaskState};
use jiff::Timestamp;

use super::Restores;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + secs).unwrap()
}

fn task() -> TaskInfo {
    TaskInfo {
        id: "a1".to_owned(),
        kind: Kind::Restore,
        object: "webui/000041".to_owned(),
        actor: "anna".to_owned(),
        began: at(0),
        state: TaskState::Running,
        failure: None,
    }
}

fn known() -> Restores {
    let mut restores = Restores::default();
    let verify = TaskInfo {
        id: "b2".to_owned(),
        kind: Kind::Verify,
        ..task()
    };
    restores.know(&[verify, task()]);
    restores
}

fn line(n: u64, event: Event) -> Numbered {
    Numbered {
        n,
        line: TaskLine::Progress(event),
    }
}

fn began(object: &str, total: u64) -> Event {
    Event::Began {
        phase: Phase::Restore,
        object: object.to_owned(),
        total_bytes: Some(total),
    }
}

fn advanced(object: &str, done_bytes: u64) -> Event {
    Event::Advanced {
        object: object.to_owned(),
        done_bytes,
        stored_bytes: 0,
    }
}

#[test]
fn only_restores_are_followed_each_once_and_from_where_it_was_left() {
    let mut restores = known();
    assert_eq!(restores.follow_now(at(1)), [("a1".to_owned(), 0)]);
    assert_eq!(restores.follow_now(at(1)), []);
    restores.hear("a1", vec![line(0, began("webui", 100))], at(2));
    let broken = Failure::new(Code::Daemon, "the answer broke off");
    restores.unheard("a1", broken, at(3));
    // Not in the same moment again: a daemon that refuses is not asked in each frame.
    assert_eq!(restores.follow_now(at(3)), []);
    assert_eq!(restores.follow_now(at(4)), [("a1".to_owned(), 1)]);
    restores.all_unheard();
    assert_eq!(restores.follow_now(at(5)), [("a1".to_owned(), 1)]);
    restores.unheard("a1", Failure::new(Code::NoTask, "there is none"), at(6));
    assert_eq!(restores.follow_now(at(60)), []);
    assert!(restores.get("a1").unwrap().lost.is_some());
    assert_eq!(restores.running().count(), 0);
}

#[test]
fn what_is_told_twice_counts_once() {
    let mut restores = known();
    let lines = vec![
        line(0, began("webui", 100)),
        line(1, advanced("webui", 40)),
        line(
            2,
            Event::Warned(Failure::new(Code::Failed, "a role is missing")),
        ),
    ];
    restores.hear("a1", lines.clone(), at(1));
    restores.hear("a1", lines, at(2));
    let one = restores.get("a1").unwrap();
    assert_eq!((one.parts.len(), one.warned), (1, 1));
    assert_eq!(one.bytes(), (40, Some(100)));
}

#[test]
fn a_rate_is_of_the_last_seconds() {
    let mut restores = known();
    restores.hear("a1", vec![line(0, began("webui", 10_000))], at(0));
    for secs in 0..=40_u64 {
        // It gets slower by half after 20 s.
        let done = if secs <= 20 {
            secs * 100
        } else {
            2000 + (secs - 20) * 50
        };
        let when = at(i64::try_from(secs).unwrap());
        restores.hear("a1", vec![line(1 + secs, advanced("webui", done))], when);
    }
    assert_eq!(restores.get("a1").unwrap().rate(), Some(50));
}

#[test]
fn the_end_ends_everything_that_was_open() {
    let mut restores = known();
    restores.hear("a1", vec![line(0, began("webui", 100))], at(1));
    let end = Numbered {
        n: 1,
        line: TaskLine::End(Outcome::from(Err(Failure::new(Code::NoSpace, "full")))),
    };
    restores.hear("a1", vec![end], at(9));
    let one = restores.get("a1").unwrap();
    assert_eq!(one.parts[0].ended, Some(at(9)));
    assert!(matches!(&one.end, Some((Err(failure), _)) if failure.code == Code::NoSpace));
    assert_eq!(restores.follow_now(at(60)), []);
}
