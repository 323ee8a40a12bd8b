//! Find: in which snapshots a path is, newest first, and as what.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _, path::Path};

use backup_keys::OpensKeyFiles;
use backup_model::{Failure, Found, Selection, StreamKind};
use globset::{GlobBuilder, GlobMatcher};
use tokio_util::sync::CancellationToken;

use super::{
    OpError,
    browse::{entry_info, flow},
    list::{read_recipe, selected},
};
use crate::{
    pipeline::{Fetcher, SnapshotReader},
    repo::{Repository, RunRecord, RunState},
};

/// A pattern for paths. With a slash in it, it is for whole paths; without one, for last names.
#[derive(Clone, Debug)]
struct Pattern {
    glob: GlobMatcher,
    whole: bool,
}

impl Pattern {
    fn new(text: &str) -> Result<Self, OpError> {
        let pattern = text.trim_start_matches('/');
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        let glob = glob.map_err(|source| OpError::Glob {
            glob: text.to_owned(),
            source,
        })?;
        Ok(Self {
            glob: glob.compile_matcher(),
            whole: text.contains('/'),
        })
    }

    fn takes(&self, path: &[u8]) -> bool {
        let path = Path::new(OsStr::from_bytes(path));
        match path.file_name() {
            Some(name) if !self.whole => self.glob.is_match(name),
            _ => self.glob.is_match(path),
        }
    }
}

/// Searches the snapshots that are meant. What cannot be searched is reported and does not end the
/// search. Says how many entries were found.
pub async fn find(
    repository: &Repository,
    selection: &Selection,
    glob: &str,
    identity: &dyn OpensKeyFiles,
    report: &mut (dyn FnMut(Result<Found, Failure>) + Send),
    cancel: &CancellationToken,
) -> Result<u64, OpError> {
    let pattern = Pattern::new(glob)?;
    let mut records = Vec::new();
    for job in selected(repository, selection).await? {
        for (seq, state) in job.runs {
            let meant = match selection {
                Selection::One(one) => one.seq == seq,
                _ => true,
            };
            match state {
                RunState::Ended(record) if meant && record.commit().is_ok() => records.push(record),
                RunState::Bad(error) if meant => {
                    report(Err(Failure::from_error(error.code(), &error)));
                }
                _ => {}
            }
        }
    }
    // Times order what is shown and decide nothing; runs of one job stay in their order.
    records.sort_by_key(|record| std::cmp::Reverse((record.end.created(), record.name.seq)));
    let fetcher = Fetcher::spawn(repository.store().clone());
    let mut found = 0;
    for record in records {
        let searched = search(
            repository, &fetcher, &record, &pattern, identity, report, cancel,
        );
        match searched.await {
            Ok(count) => found += count,
            Err(OpError::Cancelled) => return Err(OpError::Cancelled),
            Err(error) if error.code() == backup_model::Code::WrongIdentity => return Err(error),
            Err(error) => report(Err(error.to_failure())),
        }
    }
    Ok(found)
}

async fn search(
    repository: &Repository,
    fetcher: &Fetcher,
    record: &RunRecord,
    pattern: &Pattern,
    identity: &dyn OpensKeyFiles,
    report: &mut (dyn FnMut(Result<Found, Failure>) + Send),
    cancel: &CancellationToken,
) -> Result<u64, OpError> {
    let commit = record.commit()?;
    let (epoch, recipe) = read_recipe(repository, commit, identity).await?;
    let snapshot = SnapshotReader::new(fetcher.clone(), epoch, recipe);
    let (name, created) = (record.name.clone(), commit.created);
    let (pattern, cancel) = (pattern.clone(), cancel.clone());
    flow("find", report, move |give| {
        let mut found = 0;
        let streams = snapshot.recipe().source_streams();
        for stream in streams.filter(|stream| stream.line.kind == StreamKind::Files) {
            for entry in snapshot.entries(stream)? {
                if cancel.is_cancelled() {
                    return Err(OpError::Cancelled);
                }
                let entry = entry?;
                let Some(node) = entry.node.filter(|node| pattern.takes(&node.path)) else {
                    continue;
                };
                found += 1;
                give(Ok(Found {
                    snapshot: name.clone(),
                    created,
                    entry: entry_info(stream, &node, entry.sha256),
                }))?;
            }
        }
        Ok(found)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_for_last_names_or_for_whole_paths() {
        let takes = |glob: &str, path: &str| Pattern::new(glob).unwrap().takes(path.as_bytes());
        assert!(takes("*.env", "srv/webui/.env"));
        assert!(takes(".env", "srv/webui/.env"));
        assert!(!takes("webui", "srv/webui/.env"));
        assert!(takes("/srv/*/.env", "srv/webui/.env"));
        assert!(!takes("srv/*", "srv/webui/.env"));
        assert!(takes("srv/**", "srv/webui/.env"));
        assert!(Pattern::new("a[").is_err());
    }
}
