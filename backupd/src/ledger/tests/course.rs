use backup_model::{
    Code, Event, Failure, LogLevel, Phase, Progress as _, RunBytes, RunId, RunKind, RunOutcome,
    RunQuery,
};

use super::support::{at, backup_of, book, clock, head, job, open};
use crate::ledger::{Ending, LedgerError, LedgerReader, PAGE_MAX};

fn began(object: &str, total_bytes: Option<u64>) -> Event {
    Event::Began {
        phase: Phase::Store,
        object: object.to_owned(),
        total_bytes,
    }
}

fn advanced(object: &str, done_bytes: u64, stored_bytes: u64) -> Event {
    Event::Advanced {
        object: object.to_owned(),
        done_bytes,
        stored_bytes,
    }
}

#[tokio::test]
async fn runs_of_one_moment_keep_their_order() {
    let state = tempfile::tempdir().unwrap();
    let ledger = open(&state).await;
    let mut begun = Vec::new();
    for _ in 0..20 {
        let (run, entered) = ledger.begin(backup_of("webui", None)).await;
        entered.unwrap();
        begun.insert(0, run.run());
    }
    let listed = ledger.list(RunQuery::default()).await.unwrap().runs;
    let listed: Vec<RunId> = listed.into_iter().map(|run| run.run).collect();
    assert_eq!(listed, begun);
}

#[tokio::test]
async fn what_comes_after_the_end_takes_nothing_from_the_report() {
    let state = tempfile::tempdir().unwrap();
    let ledger = open(&state).await;
    let (run, entered) = ledger.begin(backup_of("webui", Some(100))).await;
    entered.unwrap();
    let bytes = RunBytes {
        read_bytes: 9,
        new_bytes: 9,
        stored_bytes: 5,
        total_bytes: None,
    };
    let ending = Ending {
        bytes: Some(bytes),
        ..Ending::new(RunOutcome::Succeeded)
    };
    run.end(ending).await.unwrap();
    run.line(LogLevel::Info, "late");
    let log = ledger.log(run.run(), 0).await.unwrap();
    assert_eq!(log.lines[0].text, "late");
    assert_eq!(ledger.show(run.run()).await.unwrap().info.bytes, bytes);
}

#[tokio::test]
async fn a_run_is_there_from_its_beginning_with_all_it_says() {
    let state = tempfile::tempdir().unwrap();
    let ledger = open(&state).await;
    let (run, entered) = ledger.begin(backup_of("webui", Some(100))).await;
    entered.unwrap();
    assert_eq!(
        ledger.show(run.run()).await.unwrap().info.outcome,
        RunOutcome::Running
    );

    run.event(began("db", Some(80)));
    run.event(advanced("db", 40, 4));
    assert_eq!(run.running().percent, Some(50));
    run.event(began("files", Some(20)));
    run.event(Event::Ended {
        object: "db".to_owned(),
    });
    run.line(LogLevel::Info, "hook before: ok");
    let warning = Failure::new(Code::Source, "could not read a.txt");
    run.event(Event::Warned(warning.clone()));

    // What was said is written by the thread before it answers whoever asks after that.
    let detail = ledger.show(run.run()).await.unwrap();
    assert_eq!(detail.info.bytes.total_bytes, Some(100));
    assert_eq!(detail.phases.len(), 2);
    assert_eq!(detail.phases[0].ended, Some(clock()));
    assert_eq!(detail.phases[1].ended, None);
    assert_eq!(detail.first_warnings, [warning]);
    let log = ledger.log(run.run(), 0).await.unwrap();
    assert_eq!(log.lines[0].text, "hook before: ok");
    assert_eq!(log.lines[1].text, "E-SOURCE could not read a.txt");
    assert_eq!((log.next, log.ended), (2, false));

    run.line(LogLevel::Info, "done");
    let bytes = RunBytes {
        read_bytes: 99,
        new_bytes: 9,
        stored_bytes: 5,
        total_bytes: None,
    };
    let ending = Ending {
        bytes: Some(bytes),
        snapshot: Some("webui/41".parse().unwrap()),
        ..Ending::new(RunOutcome::Warnings)
    };
    run.end(ending).await.unwrap();
    let info = ledger.show(run.run()).await.unwrap().info;
    assert_eq!(info.outcome, RunOutcome::Warnings);
    assert_eq!((info.bytes, info.warnings), (bytes, 1));
    assert_eq!(info.ended, Some(clock()));
    assert_eq!(info.due, Some(at(100)));
    // A follower goes on where it was.
    let rest = ledger.log(run.run(), log.next).await.unwrap();
    assert_eq!(rest.lines.len(), 1);
    assert_eq!((rest.next, rest.ended), (3, true));
}

#[tokio::test]
async fn bytes_are_written_at_the_end_even_if_nothing_else_is_said() {
    let state = tempfile::tempdir().unwrap();
    let ledger = open(&state).await;
    let (run, _) = ledger.begin(backup_of("webui", None)).await;
    run.event(began("db", None));
    for done in 1..=5_000 {
        run.event(advanced("db", done, done / 2));
    }
    run.end(Ending::new(RunOutcome::Succeeded)).await.unwrap();
    let bytes = ledger.show(run.run()).await.unwrap().info.bytes;
    assert_eq!((bytes.read_bytes, bytes.new_bytes), (5_000, 2_500));
}

#[tokio::test]
async fn a_run_that_talks_without_end_keeps_its_warnings_and_counts_the_rest() {
    let state = tempfile::tempdir().unwrap();
    let ledger = open(&state).await;
    let (run, _) = ledger.begin(backup_of("webui", None)).await;
    for number in 0..3_000 {
        run.line(LogLevel::Info, &format!("line {number}"));
    }
    for _ in 0..300 {
        run.event(Event::Warned(Failure::new(Code::Source, "gone")));
    }
    run.line(LogLevel::Info, &"x".repeat(10_000));
    run.end(Ending::new(RunOutcome::Warnings)).await.unwrap();

    let detail = ledger.show(run.run()).await.unwrap();
    assert_eq!(detail.info.warnings, 300);
    assert_eq!(detail.first_warnings.len(), 100);
    let (mut from, mut lines, mut dropped) = (0, Vec::new(), 0);
    loop {
        let log = ledger.log(run.run(), from).await.unwrap();
        lines.extend(log.lines);
        (from, dropped) = (log.next, log.dropped.max(dropped));
        if log.ended {
            break;
        }
    }
    assert_eq!(lines.len(), 2_200);
    assert_eq!(dropped, 1_000 + 100 + 1);
    assert!(lines.iter().zip(0..).all(|(line, n)| line.number == n));
    assert_eq!(lines[2_199].level, LogLevel::Warn);
}

#[test]
fn lists_are_newest_first_by_pages_and_filters() {
    let state = tempfile::tempdir().unwrap();
    let (_claim, mut book) = book(&state, 0);
    let mut ids = Vec::new();
    for n in 0..7 {
        let name = if n % 2 == 0 { "webui" } else { "wiki" };
        let outcome = if n == 4 {
            RunOutcome::Failed
        } else {
            RunOutcome::Succeeded
        };
        let head = head(backup_of(name, None), n, 0);
        ids.push(book.ran(&head, n, outcome));
    }
    let list = |query: RunQuery| {
        let page = book.list(&query).unwrap();
        let runs: Vec<RunId> = page.runs.iter().map(|info| info.run).collect();
        (runs, page.next)
    };
    let all = RunQuery::default();
    assert_eq!(
        list(all.clone()).0,
        ids.iter().copied().rev().collect::<Vec<_>>()
    );
    let first = list(RunQuery {
        limit: Some(3),
        ..all.clone()
    });
    assert_eq!(first, (vec![ids[6], ids[5], ids[4]], Some(ids[4])));
    let rest = list(RunQuery {
        before: first.1,
        ..all.clone()
    });
    assert_eq!(rest, (vec![ids[3], ids[2], ids[1], ids[0]], None));
    // A page that is exactly full is the last one.
    let exact = RunQuery {
        limit: Some(7),
        ..all.clone()
    };
    assert_eq!(list(exact).1, None);
    let wiki = RunQuery {
        job: Some(job("wiki")),
        since: Some(at(3)),
        ..all.clone()
    };
    assert_eq!(list(wiki).0, [ids[5], ids[3]]);
    let failed = RunQuery {
        outcome: Some(RunOutcome::Failed),
        ..all.clone()
    };
    assert_eq!(list(failed).0, [ids[4]]);
    let prunes = RunQuery {
        kind: Some(RunKind::Prune),
        ..all.clone()
    };
    assert_eq!(list(prunes).0, []);
    let greedy = RunQuery {
        limit: Some(u32::MAX),
        ..all
    };
    assert!(list(greedy).0.len() <= PAGE_MAX as usize);
}

#[test]
fn a_run_is_found_by_the_end_of_its_id_if_that_is_one() {
    let state = tempfile::tempdir().unwrap();
    let (_claim, mut book) = book(&state, 0);
    let one = book.ran(&head(backup_of("webui", None), 1, 1), 1, RunOutcome::Failed);
    let two = book.ran(&head(backup_of("webui", None), 2, 2), 2, RunOutcome::Failed);
    let twin = book.ran(&head(backup_of("webui", None), 3, 2), 3, RunOutcome::Failed);
    assert_eq!(book.find(&one.short()).unwrap(), one);
    assert_eq!(book.find(&one.short().to_lowercase()).unwrap(), one);
    assert_eq!(book.find(&two.to_string()).unwrap(), two);
    assert_ne!(two, twin);
    assert!(matches!(
        book.find(&two.short()),
        Err(LedgerError::Ambiguous { count: 2, .. })
    ));
    let stranger = RunId::new(at(9), [9; 10]);
    assert!(matches!(
        book.find(&stranger.to_string()),
        Err(LedgerError::NoRun(run)) if run == stranger
    ));
    for nothing in ["", "8Q", "%%%%", "____", "no such run"] {
        assert!(
            matches!(book.find(nothing), Err(LedgerError::NoSuch(_))),
            "{nothing}"
        );
    }
    assert!(matches!(book.show(stranger), Err(LedgerError::NoRun(_))));
    assert!(matches!(book.log(stranger, 0), Err(LedgerError::NoRun(_))));
}

#[tokio::test]
async fn others_read_while_the_daemon_writes_and_when_it_is_gone() {
    let state = tempfile::tempdir().unwrap();
    assert!(matches!(
        LedgerReader::open(state.path()),
        Err(LedgerError::Missing(_))
    ));
    let ledger = open(&state).await;
    let (run, _) = ledger.begin(backup_of("webui", None)).await;
    let reader = LedgerReader::open(state.path()).unwrap();
    assert_eq!(reader.list(&RunQuery::default()).unwrap().runs.len(), 1);
    run.end(Ending::new(RunOutcome::Succeeded)).await.unwrap();
    let seen = reader.show(run.run()).unwrap().info.outcome;
    assert_eq!(seen, RunOutcome::Succeeded);
    drop((run, ledger, reader));
    let reader = LedgerReader::open(state.path()).unwrap();
    assert_eq!(reader.list(&RunQuery::default()).unwrap().runs.len(), 1);
}
