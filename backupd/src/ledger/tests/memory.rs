use std::collections::BTreeSet;

use backup_model::{Level, Pause, RunCause, RunKind, RunOutcome, RunQuery, Verdict, VerifyReport};
use jiff::SignedDuration;

use super::support::{at, backup_of, book, head, job};
use crate::ledger::{Keep, NewRun, Subject, Verified, VerifyOutcome, file::Book, write::News};

fn webui() -> Subject {
    Subject::Job(job("webui"))
}

#[test]
fn the_past_of_a_task_nobody_ran_is_empty() {
    let state = tempfile::tempdir().unwrap();
    let (_claim, book) = book(&state, 0);
    assert_eq!(
        book.past(RunKind::Backup, &webui(), at(200)).unwrap(),
        Default::default()
    );
}

#[test]
fn tries_are_counted_for_the_last_due_time_until_one_settles_it() {
    let state = tempfile::tempdir().unwrap();
    let (_claim, mut book) = book(&state, 0);
    let past = |book: &Book| book.past(RunKind::Backup, &webui(), at(200)).unwrap();
    let due = |hour| backup_of("webui", Some(hour));

    book.ran(&head(due(1), 1, 1), 1, RunOutcome::Failed);
    book.ran(&head(due(2), 2, 2), 2, RunOutcome::Failed);
    book.ran(&head(due(2), 3, 3), 4, RunOutcome::Interrupted);
    let known = past(&book);
    assert_eq!(known.last_due, Some(at(2)));
    assert_eq!((known.failed_tries, known.failed_at), (2, Some(at(4))));
    assert_eq!(known.last_success, None);
    assert_eq!(known.last_ended.unwrap().outcome, RunOutcome::Interrupted);

    // Another try is under way: the ones before still count, and it does not yet.
    let third = head(due(2), 5, 4);
    book.begin(&third).unwrap();
    assert_eq!(past(&book).failed_tries, 2);
    book.ran(&third, 6, RunOutcome::Warnings);
    let known = past(&book);
    assert_eq!((known.failed_tries, known.failed_at), (0, None));
    assert_eq!(known.last_success, Some(at(5)));

    // Cancelled is not to be tried again; skipped and missed are served.
    for (hour, outcome) in [
        (10, RunOutcome::Cancelled),
        (11, RunOutcome::Skipped),
        (12, RunOutcome::Missed),
    ] {
        let noise = u8::try_from(hour).unwrap();
        book.ran(&head(due(hour), hour, noise), hour, outcome);
        let known = past(&book);
        assert_eq!((known.last_due, known.failed_tries), (Some(at(hour)), 0));
        assert!(known.last_ended.unwrap().outcome.ran());
    }

    // By hand: a success, but no due time.
    book.ran(
        &head(backup_of("webui", None), 13, 13),
        13,
        RunOutcome::Succeeded,
    );
    let known = past(&book);
    assert_eq!(
        (known.last_due, known.last_success),
        (Some(at(12)), Some(at(13)))
    );

    // Other jobs and other kinds have a past of their own.
    book.ran(
        &head(backup_of("wiki", Some(20)), 20, 20),
        20,
        RunOutcome::Failed,
    );
    let verify = NewRun {
        kind: RunKind::Verify,
        ..due(21)
    };
    book.ran(&head(verify, 21, 21), 21, RunOutcome::Failed);
    assert_eq!(past(&book), known);
}

#[test]
fn a_clock_that_was_ahead_holds_nothing_up() {
    let state = tempfile::tempdir().unwrap();
    let (_claim, mut book) = book(&state, 0);
    let past = |book: &Book| book.past(RunKind::Backup, &webui(), at(5)).unwrap();
    book.ran(
        &head(backup_of("webui", Some(1)), 1, 1),
        1,
        RunOutcome::Failed,
    );
    let before = past(&book);
    let ahead = head(backup_of("webui", Some(90_000)), 90_000, 2);
    book.ran(&ahead, 90_000, RunOutcome::Succeeded);
    assert_eq!(past(&book), before);
    assert_eq!((before.last_due, before.failed_tries), (Some(at(1)), 1));
    let runs = book
        .due_runs(RunKind::Backup, &webui(), at(0), at(5))
        .unwrap();
    assert_eq!(runs.len(), 1);
}

#[test]
fn a_prune_belongs_to_its_repository() {
    let state = tempfile::tempdir().unwrap();
    let (_claim, mut book) = book(&state, 0);
    let prune = NewRun {
        kind: RunKind::Prune,
        job: None,
        repository: "main".to_owned(),
        cause: RunCause::Schedule,
        asked_by: None,
        due: Some(at(1)),
    };
    book.ran(&head(prune, 1, 1), 1, RunOutcome::Succeeded);
    let past = |name: &str| {
        let subject = Subject::Repository(name.to_owned());
        book.past(RunKind::Prune, &subject, at(200))
            .unwrap()
            .last_success
    };
    assert_eq!(past("main"), Some(at(1)));
    assert_eq!(past("nas"), None);
}

#[test]
fn due_runs_are_those_that_can_matter_since_then() {
    let state = tempfile::tempdir().unwrap();
    let (_claim, mut book) = book(&state, 0);
    let old = head(backup_of("webui", Some(1)), 1, 1);
    let late = head(backup_of("webui", Some(4)), 6, 2);
    let hand = head(backup_of("webui", None), 7, 3);
    for head in [&old, &late, &hand] {
        book.ran(head, 8, RunOutcome::Succeeded);
    }
    let runs = book
        .due_runs(RunKind::Backup, &webui(), at(5), at(200))
        .unwrap();
    let ids: BTreeSet<_> = runs.iter().map(|run| run.run).collect();
    assert_eq!(ids, BTreeSet::from([late.run, hand.run]));
}

#[test]
fn what_an_earlier_daemon_left_running_was_interrupted() {
    let state = tempfile::tempdir().unwrap();
    let (claim, mut book) = book(&state, 0);
    let left = head(backup_of("webui", Some(1)), 1, 1);
    book.begin(&left).unwrap();
    let news = News {
        heard: at(3),
        ..News::default()
    };
    book.record(&left, &news, None).unwrap();
    // The same daemon finds nothing to interrupt.
    assert_eq!(book.interrupt_others().unwrap(), []);
    drop(book);

    let mut book = claim.open("second", at(9)).unwrap().book;
    assert_eq!(book.interrupt_others().unwrap(), [left.run]);
    let info = book.info(left.run).unwrap();
    assert_eq!(info.outcome, RunOutcome::Interrupted);
    assert_eq!(info.ended, Some(at(3)), "when it was last heard of");
    assert_eq!(book.interrupt_others().unwrap(), []);
}

#[test]
fn pauses_outlive_the_daemon_and_end_by_themselves() {
    let state = tempfile::tempdir().unwrap();
    let (claim, mut book) = book(&state, 0);
    let pause = |until| Pause {
        who: "anna@vault01".to_owned(),
        at: at(0),
        until,
        why: Some("migration".to_owned()),
    };
    book.pause(&job("webui"), &pause(None)).unwrap();
    book.pause(&job("webui"), &pause(Some(at(5)))).unwrap();
    book.pause(&job("wiki"), &pause(None)).unwrap();
    drop(book);

    let mut book = claim.open("second", at(1)).unwrap().book;
    let known = book.pauses(at(4)).unwrap();
    assert_eq!(known[&job("webui")], pause(Some(at(5))));
    assert_eq!(known.len(), 2);
    let known = book.pauses(at(5)).unwrap();
    assert_eq!(known.keys().collect::<Vec<_>>(), [&job("wiki")]);
    assert!(book.resume(&job("wiki")).unwrap());
    assert!(!book.resume(&job("wiki")).unwrap());
    assert!(book.pauses(at(5)).unwrap().is_empty());
}

fn report(name: &str, level: Level, verdict: Verdict) -> VerifyReport {
    VerifyReport {
        snapshot: name.parse().unwrap(),
        created: None,
        level,
        verdict,
        packs: 1,
        stored_bytes: 1,
        read_bytes: 1,
        took_secs: 1.0,
    }
}

#[test]
fn verifications_are_remembered_each_at_its_level() {
    let state = tempfile::tempdir().unwrap();
    let (_claim, mut book) = book(&state, 0);
    let untested = || Verdict::Untested {
        reason: backup_model::Failure::new(backup_model::Code::ProgramMissing, "no age"),
    };
    let mut remember = |name, level, verdict, hour| {
        let one = Verified::of(&report(name, level, verdict), at(hour));
        book.remember("main", &[one]).unwrap();
    };
    remember("webui/1", Level::Storage, Verdict::Good, 1);
    remember("webui/1", Level::Data, Verdict::Good, 2);
    remember("webui/1", Level::Data, untested(), 3);
    remember(
        "webui/2",
        Level::Storage,
        Verdict::Damaged { faults: Vec::new() },
        4,
    );
    remember("webui/2", Level::Storage, untested(), 5);
    let known = |book: &Book| -> Vec<_> {
        let all = book.verified("main").unwrap();
        all.into_iter()
            .map(|one| (one.snapshot.seq.0, one.level, one.at, one.outcome, one.good))
            .collect()
    };
    let first = [
        (1, Level::Data, at(3), VerifyOutcome::Untested, Some(at(2))),
        (1, Level::Storage, at(1), VerifyOutcome::Good, Some(at(1))),
        (2, Level::Storage, at(5), VerifyOutcome::Damaged, None),
    ];
    assert_eq!(known(&book), first);
    assert!(book.verified("nas").unwrap().is_empty());

    // Repaired from elsewhere, and found to be good.
    let good = Verified::of(&report("webui/2", Level::Storage, Verdict::Good), at(6));
    book.remember("main", &[good]).unwrap();
    assert_eq!(
        known(&book)[2],
        (2, Level::Storage, at(6), VerifyOutcome::Good, Some(at(6)))
    );
    let present = BTreeSet::from(["webui/2".parse().unwrap()]);
    book.keep_verified("main", &present).unwrap();
    assert_eq!(known(&book).len(), 1);
}

#[test]
fn what_is_old_goes_and_what_decides_stays() {
    let state = tempfile::tempdir().unwrap();
    let (_claim, mut book) = book(&state, 0);
    let mut ran = |due, begun: i64, outcome| {
        let head = head(backup_of("webui", due), begun, u8::try_from(begun).unwrap());
        book.ran(&head, begun, outcome)
    };
    let plain = ran(None, 1, RunOutcome::Succeeded);
    let due = ran(Some(9), 2, RunOutcome::Failed);
    let success = ran(None, 3, RunOutcome::Succeeded);
    let last = ran(None, 4, RunOutcome::Failed);
    let young = ran(None, 100, RunOutcome::Failed);
    let open = head(backup_of("wiki", None), 1, 50);
    book.begin(&open).unwrap();
    let before = book.past(RunKind::Backup, &webui(), at(200)).unwrap();

    let keep = Keep {
        runs: SignedDuration::from_hours(50),
        logs: SignedDuration::from_hours(10),
    };
    assert_eq!(book.discard(keep, at(100)).unwrap(), 2);
    let left: BTreeSet<_> = book
        .list(&RunQuery::default())
        .unwrap()
        .runs
        .iter()
        .map(|r| r.run)
        .collect();
    assert_eq!(left, BTreeSet::from([due, success, young, open.run]));
    assert!(!left.contains(&plain) && !left.contains(&last));
    assert_eq!(
        book.past(RunKind::Backup, &webui(), at(200)).unwrap(),
        before
    );
    assert_eq!(book.discard(keep, at(100)).unwrap(), 0);
}
