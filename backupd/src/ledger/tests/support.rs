use backup_model::{Digest, End, JobName, RunCause, RunId, RunKind, RunOutcome, SnapshotInfo};
use jiff::Timestamp;

use crate::ledger::{
    Ending, Ledger, NewRun,
    file::{Book, Claim},
    write::{Head, News},
};

pub(super) fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + hour * 3_600).unwrap()
}

pub(super) fn clock() -> Timestamp {
    at(100)
}

pub(super) fn job(name: &str) -> JobName {
    name.parse().unwrap()
}

pub(super) fn backup_of(name: &str, due: Option<i64>) -> NewRun {
    NewRun {
        kind: RunKind::Backup,
        job: Some(job(name)),
        repository: "main".to_owned(),
        cause: RunCause::Schedule,
        asked_by: None,
        due: due.map(at),
    }
}

pub(super) fn head(new: NewRun, begun: i64, noise: u8) -> Head {
    Head {
        run: RunId::new(at(begun), [noise; 10]),
        begun: at(begun),
        new,
    }
}

pub(super) async fn open(state: &tempfile::TempDir) -> Ledger {
    let ledger = Ledger::open(state.path(), clock).await.unwrap();
    assert_eq!(ledger.standing().borrow().trouble, None);
    ledger
}

/// A ledger without a thread, at a time of its own.
pub(super) fn book(state: &tempfile::TempDir, hour: i64) -> (Claim, Book) {
    let claim = Claim::take(state.path()).unwrap();
    let opened = claim.open("first", at(hour)).unwrap();
    assert_eq!(opened.moved, None);
    (claim, opened.book)
}

impl Book {
    /// A run that begins and ends.
    pub(super) fn ran(&mut self, head: &Head, ended: i64, outcome: RunOutcome) -> RunId {
        self.begin(head).unwrap();
        let news = News {
            heard: at(ended),
            ..News::default()
        };
        self.record(head, &news, Some(&Ending::new(outcome)))
            .unwrap();
        head.run
    }
}

pub(super) fn snapshot(name: &str, created: i64, end: End) -> SnapshotInfo {
    let snapshot: backup_model::SnapshotName = name.parse().unwrap();
    let mut record = [u8::try_from(snapshot.seq.0).unwrap(); 32];
    record[1] = snapshot.job.as_str().as_bytes()[0];
    SnapshotInfo {
        snapshot,
        end,
        created: at(created),
        kinds: Vec::new(),
        packs: 1,
        stored_bytes: 10,
        added_bytes: 7,
        record: Digest(record),
        reason: matches!(end, End::Aborted).then(|| "E-PG-CONNECT".to_owned()),
        held: None,
    }
}
