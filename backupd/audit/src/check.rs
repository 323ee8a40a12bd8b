//! Whether the log is as it was written.

use std::collections::BTreeMap;

use backup_model::{AuditCheck, AuditFault, Digest, SnapshotName};
use jiff::{SignedDuration, Timestamp};

use crate::{
    append::AuditLog,
    error::AuditError,
    files::{self, Line},
};

/// What a snapshot says of the log: this was its last entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The snapshot.
    pub snapshot: SnapshotName,
    /// When it was made.
    pub created: Timestamp,
    /// The entry's digest.
    pub digest: Digest,
}

/// No run takes longer, from when it asks for the head to its snapshot.
const LONGEST_RUN: SignedDuration = SignedDuration::from_hours(7 * 24);

impl AuditLog {
    /// Reads the whole log: whether each line follows from the one before, and whether the entries
    /// are there that snapshots name. Only what is too old to be kept may be gone; where the first
    /// entry of all is there, nothing may.
    pub fn check(&self, heads: Vec<Head>, now: Timestamp) -> Result<AuditCheck, AuditError> {
        let mut reading = Reading::new(heads);
        if let Some((folder, _lock)) = self.at_rest()? {
            for month in files::months(&folder)? {
                let name = files::name(month);
                let Some(file) = folder.read(&name)? else {
                    continue;
                };
                for line in files::lines(&folder.at(&name), file) {
                    reading.take(&name, line?);
                }
            }
        }
        let oldest = now.checked_sub(self.keep).unwrap_or(Timestamp::MIN) + LONGEST_RUN;
        Ok(reading.end(oldest))
    }
}

/// What was read so far.
struct Reading {
    wanted: BTreeMap<Digest, Vec<Head>>,
    told: AuditCheck,
    /// The line before, and its number if it was an entry.
    before: Option<(Digest, Option<u64>)>,
    /// When the first entry was written.
    since: Option<Timestamp>,
}

impl Reading {
    fn new(heads: Vec<Head>) -> Self {
        let mut wanted: BTreeMap<Digest, Vec<Head>> = BTreeMap::new();
        for head in heads {
            wanted.entry(head.digest).or_default().push(head);
        }
        Self {
            wanted,
            told: AuditCheck::default(),
            before: None,
            since: None,
        }
    }

    fn take(&mut self, file: &str, line: Line) {
        if let Some(what) = self.wrong(&line) {
            self.told.faults.push(AuditFault {
                file: Some(file.to_owned()),
                line: Some(line.number),
                what,
            });
        }
        if let Some(entry) = &line.entry {
            self.told.entries += 1;
            self.told.first = self.told.first.or(Some(entry.seq));
            self.told.last = Some(entry.seq);
            self.since = self.since.or(Some(entry.time));
        }
        self.before = Some((line.digest, line.entry.map(|entry| entry.seq)));
        let found = self.wanted.remove(&line.digest).unwrap_or_default();
        self.told.snapshots += found.len() as u64;
    }

    fn wrong(&self, line: &Line) -> Option<String> {
        let Some(entry) = &line.entry else {
            return Some("this line is no entry".to_owned());
        };
        let number = entry.seq;
        match self.before {
            None if number == 1 && entry.prev != Digest([0; 32]) => {
                Some("the first entry follows another".to_owned())
            }
            Some((_, Some(seq))) if number != seq + 1 => {
                Some(format!("entry {number} comes after entry {seq}"))
            }
            Some((digest, _)) if entry.prev != digest => Some(format!(
                "entry {number} does not follow from the line before it"
            )),
            _ => None,
        }
    }

    /// What snapshots since `oldest` name, and what those name that are no older than the log, must
    /// have been there.
    fn end(mut self, oldest: Timestamp) -> AuditCheck {
        let whole = self.told.first == Some(1);
        let must = |head: &Head| {
            let kept = self.since.is_none_or(|since| head.created >= since);
            whole || kept || head.created >= oldest
        };
        let missing = self.wanted.into_values().flatten().filter(must);
        let mut missing: Vec<Head> = missing.collect();
        missing.sort_by_key(|head| head.created);
        let faults = missing.into_iter().map(|head| AuditFault {
            file: None,
            line: None,
            what: format!(
                "the entry that was the last when {} was made, at {}, is not there: \
                 cut off or replaced",
                head.snapshot, head.created
            ),
        });
        self.told.faults.extend(faults);
        self.told
    }
}
