use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::mpsc,
    time::Duration,
};

use backup_model::{Code, End, LogLevel, RunOutcome, RunQuery};
use rusqlite::Connection;

use super::support::{backup_of, clock, open, snapshot};
use crate::ledger::{Claim, Ending, Keep, Ledger, LedgerError, LedgerReader, file::Book};

fn file(state: &tempfile::TempDir) -> PathBuf {
    state.path().join("ledger.sqlite")
}

/// A ledger with some hundred runs, closed.
async fn filled(state: &tempfile::TempDir) {
    let ledger = open(state).await;
    for _ in 0..150 {
        let (run, entered) = ledger.begin(backup_of("webui", None)).await;
        entered.unwrap();
        run.line(LogLevel::Info, &"said ".repeat(50));
        run.end(Ending::new(RunOutcome::Succeeded)).await.unwrap();
    }
    ledger.close().await;
}

async fn runs(ledger: &Ledger) -> usize {
    ledger.list(RunQuery::default()).await.unwrap().runs.len()
}

/// Opens what was broken: it must be moved aside, whole, and a new one be in use.
async fn is_moved_aside(state: &tempfile::TempDir, what: &str) {
    let before = fs::metadata(file(state)).unwrap();
    let ledger = open(state).await;
    let standing = ledger.standing().borrow().clone();
    let moved = standing.moved.expect(what);
    assert_eq!(standing.made, 1, "{what}");
    assert!(!moved.why.is_empty(), "{what}");
    let name = moved.to.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("ledger.sqlite.broken-2026"), "{name}");
    let after = fs::metadata(&moved.to).unwrap();
    assert_eq!(
        (after.ino(), after.len()),
        (before.ino(), before.len()),
        "{what}"
    );

    assert_eq!(runs(&ledger).await, 0, "{what}");
    let found = vec![snapshot("webui/1", 1, End::Complete)];
    let entered = ledger.enter_found("main", found).await.unwrap();
    assert_eq!(entered.external, 1, "{what}");
    ledger.close().await;

    let ledger = open(state).await;
    assert_eq!(ledger.standing().borrow().moved, None, "{what}");
    assert_eq!(runs(&ledger).await, 1, "{what}");
    ledger.close().await;
}

#[tokio::test]
async fn a_missing_ledger_is_made_for_its_owner_alone() {
    let outer = tempfile::tempdir().unwrap();
    let state = outer.path().join("new/state");
    let ledger = Ledger::open(&state, clock).await.unwrap();
    let (run, entered) = ledger.begin(backup_of("webui", None)).await;
    entered.unwrap();
    let standing = ledger.standing().borrow().clone();
    assert_eq!((standing.made, standing.moved), (1, None));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for name in ["", "-wal", "-shm"] {
        let path = state.join(format!("ledger.sqlite{name}"));
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    assert_eq!(mode(&state.join("ledger.lock")), 0o600);
    assert_eq!(mode(&state), 0o700);
    run.end(Ending::new(RunOutcome::Succeeded)).await.unwrap();
}

#[tokio::test]
async fn no_cut_file_is_believed() {
    let whole = tempfile::tempdir().unwrap();
    filled(&whole).await;
    let bytes = fs::read(file(&whole)).unwrap();
    // Of all pages one in four, and lengths that are no page's end.
    let pages = (1..bytes.len() / 4_096).step_by(4).map(|n| n * 4_096);
    for len in pages.chain([1, 15, 99, 100, 4_095, 4_097, bytes.len() - 1]) {
        let state = tempfile::tempdir().unwrap();
        fs::write(file(&state), &bytes[..len]).unwrap();
        is_moved_aside(&state, &format!("cut at {len}")).await;
    }
    // An empty file is a new ledger, not a broken one.
    let state = tempfile::tempdir().unwrap();
    fs::write(file(&state), "").unwrap();
    let ledger = open(&state).await;
    assert_eq!(ledger.standing().borrow().moved, None);
    assert_eq!(runs(&ledger).await, 0);
}

#[tokio::test]
async fn what_is_no_ledger_is_moved_aside() {
    let state = tempfile::tempdir().unwrap();
    fs::write(
        file(&state),
        "not a database, and longer than its header is. ".repeat(99),
    )
    .unwrap();
    is_moved_aside(&state, "text").await;

    let state = tempfile::tempdir().unwrap();
    let other = Connection::open(file(&state)).unwrap();
    other.execute_batch("CREATE TABLE a (b)").unwrap();
    drop(other);
    is_moved_aside(&state, "a database of something else").await;

    let state = tempfile::tempdir().unwrap();
    filled(&state).await;
    let newer = Connection::open(file(&state)).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    assert!(matches!(
        LedgerReader::open(state.path()),
        Err(LedgerError::Newer { found: 99, .. })
    ));
    is_moved_aside(&state, "a newer version").await;

    let state = tempfile::tempdir().unwrap();
    fs::create_dir(file(&state)).unwrap();
    is_moved_aside(&state, "a folder").await;

    let state = tempfile::tempdir().unwrap();
    filled(&state).await;
    let mut bytes = fs::read(file(&state)).unwrap();
    for page in bytes.chunks_mut(4_096).skip(3) {
        page[..16].fill(0xee);
    }
    fs::write(file(&state), bytes).unwrap();
    is_moved_aside(&state, "overwritten pages").await;
}

#[tokio::test]
async fn several_broken_ledgers_of_one_second_keep_their_names_apart() {
    let state = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        fs::write(file(&state), "broken".repeat(99)).unwrap();
        open(&state).await.close().await;
    }
    let names = fs::read_dir(state.path()).unwrap();
    let broken = names
        .filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_str().unwrap().contains(".broken-")
        })
        .count();
    assert_eq!(broken, 3);
}

#[tokio::test]
async fn a_wal_without_its_file_is_nothing() {
    let state = tempfile::tempdir().unwrap();
    let ledger = open(&state).await;
    let (run, _) = ledger.begin(backup_of("webui", None)).await;
    let wal = state.path().join("ledger.sqlite-wal");
    let stale = fs::read(&wal).unwrap();
    assert!(!stale.is_empty());
    drop(run);
    ledger.close().await;
    fs::remove_file(file(&state)).unwrap();
    fs::write(&wal, stale).unwrap();
    let ledger = open(&state).await;
    assert_eq!(ledger.standing().borrow().made, 1);
    assert_eq!(runs(&ledger).await, 0);
}

#[tokio::test]
async fn a_ledger_that_is_removed_under_a_living_daemon_is_made_anew() {
    let state = tempfile::tempdir().unwrap();
    let ledger = open(&state).await;
    let (run, _) = ledger.begin(backup_of("webui", None)).await;
    fs::remove_file(file(&state)).unwrap();
    // The run that was under way is entered again by what it says next.
    run.end(Ending::new(RunOutcome::Succeeded)).await.unwrap();
    let info = ledger.show(run.run()).await.unwrap().info;
    assert_eq!(info.outcome, RunOutcome::Succeeded);
    assert_eq!(ledger.standing().borrow().made, 2);
    drop(run);
    ledger.close().await;
    assert_eq!(runs(&open(&state).await).await, 1);
}

#[tokio::test]
async fn a_second_daemon_is_refused_and_told_who_is_first() {
    let state = tempfile::tempdir().unwrap();
    let first = open(&state).await;
    let refused = Ledger::open(state.path(), clock).await.unwrap_err();
    assert!(
        matches!(refused, LedgerError::InUse { pid: Some(pid), .. } if pid == std::process::id())
    );
    assert_eq!(refused.code(), Code::Busy);
    assert!(refused.to_string().contains("another daemon uses"));
    first.close().await;
    open(&state).await;
}

#[tokio::test]
async fn a_state_folder_that_cannot_be_is_an_error_of_its_own() {
    let state = tempfile::tempdir().unwrap();
    let taken = state.path().join("taken");
    fs::write(&taken, "").unwrap();
    let refused = Ledger::open(&taken.join("state"), clock).await.unwrap_err();
    assert!(matches!(refused, LedgerError::Io { .. }));
}

#[tokio::test]
async fn runs_go_on_without_space_and_are_written_once_there_is_some() {
    let state = tempfile::tempdir().unwrap();
    let ledger = open(&state).await;
    let pages: i64 = ledger
        .ask(|book| {
            Ok(book
                .file
                .pragma_query_value(None, "page_count", |row| row.get(0))?)
        })
        .await
        .unwrap();
    let limit = move |pages: i64| {
        let ledger = ledger.clone();
        async move {
            let set = move |book: &mut Book| {
                let set = format!("PRAGMA max_page_count = {pages}");
                Ok(book.file.query_row(&set, [], |row| row.get::<_, i64>(0))?)
            };
            ledger.ask(set).await.unwrap();
            ledger
        }
    };
    let ledger = limit(pages).await;
    // Fill what is left on the pages that are there.
    let (run, refused) = loop {
        let (run, entered) = ledger.begin(backup_of("webui", None)).await;
        if let Err(error) = entered {
            break (run, error);
        }
    };
    assert!(matches!(refused, LedgerError::Full), "{refused:?}");
    assert_eq!(refused.code(), Code::NoSpace);
    let standing = ledger.standing();
    assert_eq!(
        standing.borrow().trouble.as_ref().unwrap().code,
        Code::NoSpace
    );

    // Nothing that happens to the run is lost, nor does it wait.
    run.line(LogLevel::Info, "said while the disk was full");
    let unwritten = run.end(Ending::new(RunOutcome::Succeeded)).await;
    assert!(matches!(unwritten, Err(LedgerError::Full)));
    // Reading still works, and is no news about writing.
    assert!(runs(&ledger).await > 0);
    assert!(standing.borrow().trouble.is_some());
    assert!(matches!(
        ledger.show(run.run()).await,
        Err(LedgerError::NoRun(_))
    ));

    let set = |book: &mut Book| {
        let sql = "PRAGMA max_page_count = 100000";
        Ok(book.file.query_row(sql, [], |row| row.get::<_, i64>(0))?)
    };
    ledger.ask(set).await.unwrap();
    let info = ledger.show(run.run()).await.unwrap().info;
    assert_eq!(info.outcome, RunOutcome::Succeeded);
    let log = ledger.log(run.run(), 0).await.unwrap();
    assert_eq!(log.lines[0].text, "said while the disk was full");
    assert_eq!(standing.borrow().trouble, None);
}

#[tokio::test]
async fn a_ledger_that_may_not_be_written_says_so_and_is_read_on() {
    let state = tempfile::tempdir().unwrap();
    let ledger = open(&state).await;
    let (run, _) = ledger.begin(backup_of("webui", None)).await;
    let may_write = |may: bool| {
        let ledger = ledger.clone();
        async move {
            let set =
                move |book: &mut Book| Ok(book.file.pragma_update(None, "query_only", !may)?);
            ledger.ask(set).await.unwrap();
        }
    };
    may_write(false).await;
    let refused = run
        .end(Ending::new(RunOutcome::Succeeded))
        .await
        .unwrap_err();
    assert!(matches!(refused, LedgerError::ReadOnly), "{refused:?}");
    assert_eq!(refused.code(), Code::LocalIo);
    assert_eq!(runs(&ledger).await, 1);
    assert!(ledger.standing().borrow().trouble.is_some());
    may_write(true).await;
    let info = ledger.show(run.run()).await.unwrap().info;
    assert_eq!(info.outcome, RunOutcome::Succeeded);
}

#[tokio::test]
async fn damage_under_a_living_daemon_costs_the_file_and_not_the_run() {
    let state = tempfile::tempdir().unwrap();
    filled(&state).await;
    let ledger = open(&state).await;
    let (run, entered) = ledger.begin(backup_of("webui", None)).await;
    entered.unwrap();
    // All pages but the header's, and no page of it in a cache.
    ledger
        .ask(|book| {
            Ok(book
                .file
                .execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA cache_size = 0")?)
        })
        .await
        .unwrap();
    let bytes = fs::read(file(&state)).unwrap();
    let spoilt = fs::OpenOptions::new()
        .write(true)
        .open(file(&state))
        .unwrap();
    let junk = vec![0xee; bytes.len() - 4_096];
    std::os::unix::fs::FileExt::write_all_at(&spoilt, &junk, 4_096).unwrap();
    let refused = ledger.list(RunQuery::default()).await.unwrap_err();
    assert!(matches!(refused, LedgerError::Corrupt(_)), "{refused:?}");

    run.end(Ending::new(RunOutcome::Succeeded)).await.unwrap();
    let standing = ledger.standing().borrow().clone();
    assert!(standing.moved.is_some());
    assert_eq!((standing.made, standing.trouble), (1, None));
    let info = ledger.show(run.run()).await.unwrap().info;
    assert_eq!(info.outcome, RunOutcome::Succeeded);
}

#[tokio::test]
async fn a_reader_needs_no_more_than_to_read() {
    let state = tempfile::tempdir().unwrap();
    filled(&state).await;
    fs::set_permissions(file(&state), Permissions::from_mode(0o400)).unwrap();
    let reader = LedgerReader::open(state.path()).unwrap();
    assert_eq!(reader.list(&RunQuery::default()).unwrap().runs.len(), 150);
    fs::write(file(&state), "broken".repeat(999)).unwrap();
    assert!(matches!(
        LedgerReader::open(state.path()),
        Err(LedgerError::Corrupt(_))
    ));
    assert!(file(&state).exists(), "a reader moves nothing");
}

#[tokio::test]
async fn a_disk_that_hangs_holds_up_no_run() {
    let state = tempfile::tempdir().unwrap();
    let mut ledger = open(&state).await;
    ledger.patience = Duration::from_millis(20);
    let (let_go, held) = mpsc::sync_channel::<()>(1);
    let hang = move |_: &mut Book| {
        held.recv().ok();
        Ok(())
    };
    assert!(matches!(ledger.ask(hang).await, Err(LedgerError::Slow(_))));
    let (run, entered) = ledger.begin(backup_of("webui", None)).await;
    assert!(matches!(entered, Err(LedgerError::Slow(_))));
    // More than the queue holds.
    for number in 0..1_000 {
        run.line(LogLevel::Info, &format!("line {number}"));
    }
    let ended = run.end(Ending::new(RunOutcome::Succeeded)).await;
    assert!(matches!(ended, Err(LedgerError::Slow(_))));

    let_go.send(()).unwrap();
    ledger.patience = Duration::from_mins(1);
    // Whatever is written next, the end goes along.
    ledger.discard(Keep::default()).await.unwrap();
    let info = ledger.show(run.run()).await.unwrap().info;
    assert_eq!(info.outcome, RunOutcome::Succeeded);
    let log = ledger.log(run.run(), 500).await.unwrap();
    assert_eq!(log.lines[499].text, "line 999");
}

/// Root, beside a daemon that is not, would leave a lock that it cannot open.
#[test]
fn whoever_is_no_daemon_makes_nothing_in_the_state_folder_of_somebody_else() {
    let state = tempfile::tempdir().unwrap();
    let root = rustix::process::geteuid().is_root();
    let theirs = if root {
        std::os::unix::fs::chown(state.path(), Some(65_534), None).unwrap();
        state.path()
    } else {
        Path::new("/")
    };
    let refused = Claim::take_beside(theirs).unwrap_err();
    assert!(matches!(refused, LedgerError::Foreign { .. }), "{refused}");
    assert!(refused.to_string().contains("sudo -u '#"), "{refused}");
    assert!(!theirs.join("ledger.lock").exists());

    let ours = state.path().join("new");
    let claim = Claim::take_beside(&ours).unwrap();
    let second = Claim::take_beside(&ours).unwrap_err();
    assert!(matches!(second, LedgerError::InUse { .. }), "{second}");
    drop(claim);
}
