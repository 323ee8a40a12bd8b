use backup_model::{Code, End, RunCause, RunKind, RunOutcome, RunQuery};

use super::support::{at, backup_of, book, head, job, snapshot};
use crate::ledger::{Ending, Entered, Subject, file::Book, write::News};

fn outcomes(book: &Book) -> Vec<(RunCause, RunOutcome, Option<String>)> {
    let page = book.list(&RunQuery::default()).unwrap();
    page.runs
        .into_iter()
        .map(|run| {
            (
                run.cause,
                run.outcome,
                run.snapshot.map(|name| name.to_string()),
            )
        })
        .collect()
}

#[test]
fn an_empty_ledger_learns_from_the_repository_and_only_once() {
    let state = tempfile::tempdir().unwrap();
    let (_claim, mut book) = book(&state, 50);
    let found = [
        snapshot("webui/1", 1, End::Complete),
        snapshot("webui/2", 2, End::Partial),
        snapshot("webui/3", 3, End::Aborted),
        snapshot("webui/4", 4, End::Fenced),
        snapshot("webui/5", 5, End::Open),
    ];
    let entered = book.enter_found("main", &found, at(200)).unwrap();
    assert_eq!(
        entered,
        Entered {
            external: 4,
            settled: 0
        }
    );
    let external = RunCause::External;
    assert_eq!(
        outcomes(&book),
        [
            (external, RunOutcome::Interrupted, None),
            (external, RunOutcome::Failed, None),
            (
                external,
                RunOutcome::Warnings,
                Some("webui/000002".to_owned())
            ),
            (
                external,
                RunOutcome::Succeeded,
                Some("webui/000001".to_owned())
            ),
        ]
    );
    let runs = book.list(&RunQuery::default()).unwrap().runs;
    assert_eq!(runs[1].failure.as_ref().unwrap().code, Code::PgConnect);
    assert_eq!(runs[3].bytes.stored_bytes, 7);
    let past = book
        .past(RunKind::Backup, &Subject::Job(job("webui")), at(200))
        .unwrap();
    assert_eq!((past.last_due, past.last_success), (None, Some(at(2))));

    let again = book.enter_found("main", &found, at(200)).unwrap();
    assert_eq!(again, Entered::default());
    assert_eq!(outcomes(&book).len(), 4);
}

#[test]
fn an_interrupted_run_whose_snapshot_is_there_did_not_fail() {
    let state = tempfile::tempdir().unwrap();
    let (claim, mut book) = book(&state, 0);
    let dead = head(backup_of("webui", Some(1)), 1, 1);
    book.begin(&dead).unwrap();
    drop(book);
    let mut book = claim.open("second", at(5)).unwrap().book;
    book.interrupt_others().unwrap();
    let subject = Subject::Job(job("webui"));
    assert_eq!(
        book.past(RunKind::Backup, &subject, at(200))
            .unwrap()
            .failed_tries,
        1
    );

    // One from before it, its own, and one of somebody else after it.
    let found = [
        snapshot("webui/1", 0, End::Complete),
        snapshot("webui/2", 2, End::Partial),
        snapshot("webui/3", 3, End::Complete),
    ];
    let entered = book.enter_found("main", &found, at(200)).unwrap();
    assert_eq!(
        entered,
        Entered {
            external: 2,
            settled: 1
        }
    );
    let info = book.info(dead.run).unwrap();
    assert_eq!(info.outcome, RunOutcome::Warnings);
    assert_eq!(info.snapshot.unwrap().to_string(), "webui/000002");
    // So it is not tried again.
    assert_eq!(
        book.past(RunKind::Backup, &subject, at(200))
            .unwrap()
            .failed_tries,
        0
    );
    assert_eq!(
        book.enter_found("main", &found, at(200)).unwrap(),
        Entered::default()
    );
}

#[test]
fn a_run_of_ours_that_has_just_committed_is_not_a_strangers() {
    let state = tempfile::tempdir().unwrap();
    let (_claim, mut book) = book(&state, 0);
    let ours = head(backup_of("webui", None), 2, 1);
    book.begin(&ours).unwrap();
    let found = [snapshot("webui/1", 3, End::Complete)];
    let entered = book.enter_found("main", &found, at(200)).unwrap();
    assert_eq!(entered, Entered::default());

    let ending = Ending {
        snapshot: Some("webui/1".parse().unwrap()),
        ..Ending::new(RunOutcome::Succeeded)
    };
    let news = News {
        heard: at(3),
        ..News::default()
    };
    book.record(&ours, &news, Some(&ending)).unwrap();
    assert_eq!(
        book.enter_found("main", &found, at(200)).unwrap(),
        Entered::default()
    );
    assert_eq!(outcomes(&book).len(), 1);
}

#[test]
fn an_end_that_comes_late_takes_its_snapshot_back() {
    let state = tempfile::tempdir().unwrap();
    let (_claim, mut book) = book(&state, 0);
    // The beginning could not be written, so that its snapshot was taken for a stranger's.
    let ours = head(backup_of("webui", None), 2, 1);
    let found = [snapshot("webui/1", 3, End::Complete)];
    assert_eq!(
        book.enter_found("main", &found, at(200)).unwrap().external,
        1
    );
    let ending = Ending {
        snapshot: Some("webui/1".parse().unwrap()),
        ..Ending::new(RunOutcome::Succeeded)
    };
    let news = News {
        heard: at(3),
        ..News::default()
    };
    book.record(&ours, &news, Some(&ending)).unwrap();
    let left = outcomes(&book);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].0, RunCause::Schedule);
}

#[test]
fn failures_that_this_ledger_saw_itself_are_not_entered_again() {
    let state = tempfile::tempdir().unwrap();
    let (_claim, mut book) = book(&state, 10);
    book.ran(
        &head(backup_of("webui", None), 11, 1),
        12,
        RunOutcome::Failed,
    );
    let found = [snapshot("webui/1", 12, End::Aborted)];
    assert_eq!(
        book.enter_found("main", &found, at(200)).unwrap(),
        Entered::default()
    );
    assert_eq!(outcomes(&book).len(), 1);
}

#[test]
fn a_snapshot_of_the_future_was_made_by_now() {
    let state = tempfile::tempdir().unwrap();
    let (_claim, mut book) = book(&state, 0);
    let found = [snapshot("webui/1", 90_000, End::Complete)];
    for entered in [1, 0] {
        let new = book.enter_found("main", &found, at(200)).unwrap();
        assert_eq!(new.external, entered);
    }
    let runs = book.list(&RunQuery::default()).unwrap().runs;
    assert_eq!(runs[0].begun, at(200));
}
