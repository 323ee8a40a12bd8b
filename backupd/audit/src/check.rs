//! Whether the log is as it was written.

use std::{collections::BTreeMap, path::Path};

use backup_model::{AuditCheck, AuditFault, Digest, SnapshotName};
use jiff::Timestamp;

use crate::{error::AuditError, files};

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

/// Reads the whole log: whether each line follows from the one before, and whether the entries
/// are there that snapshots name. Of a time that is not kept any more nothing is asked.
pub fn check(folder: &Path, heads: Vec<Head>) -> Result<AuditCheck, AuditError> {
    let mut wanted: BTreeMap<Digest, Vec<Head>> = BTreeMap::new();
    for head in heads {
        wanted.entry(head.digest).or_default().push(head);
    }
    let mut told = AuditCheck::default();
    let mut before: Option<(Digest, Option<u64>)> = None;
    let mut since = None;
    for month in files::months(folder)? {
        let path = files::file(folder, month);
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        for line in files::lines(&path)? {
            let line = line?;
            let mut wrong = |what: String| {
                told.faults.push(AuditFault {
                    file: name.clone(),
                    line: Some(line.number),
                    what,
                });
            };
            if let Some(entry) = &line.entry {
                match before {
                    None if entry.seq == 1 && entry.prev != Digest([0; 32]) => {
                        wrong("the first entry follows another".to_owned());
                    }
                    Some((_, Some(seq))) if entry.seq != seq + 1 => {
                        wrong(format!("entry {} comes after entry {seq}", entry.seq));
                    }
                    Some((digest, _)) if entry.prev != digest => {
                        wrong(format!(
                            "entry {} does not follow from the line before it",
                            entry.seq
                        ));
                    }
                    _ => {}
                }
                told.entries += 1;
                told.first = told.first.or(Some(entry.seq));
                told.last = Some(entry.seq);
                since = since.or(Some(entry.time));
            } else {
                wrong("this line is no entry".to_owned());
            }
            before = Some((line.digest, line.entry.map(|entry| entry.seq)));
            let found = wanted.remove(&line.digest).unwrap_or_default();
            told.snapshots += found.len() as u64;
        }
    }
    let kept = |head: &Head| since.is_none_or(|since| head.created >= since);
    let mut missing: Vec<Head> = wanted.into_values().flatten().filter(kept).collect();
    missing.sort_by_key(|head| head.created);
    told.faults.extend(missing.into_iter().map(|head| AuditFault {
        file: None,
        line: None,
        what: format!(
            "the entry that was the last when {} was made, at {}, is not there: cut off or replaced",
            head.snapshot, head.created
        ),
    }));
    Ok(told)
}
