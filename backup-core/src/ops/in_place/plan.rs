//! The steps of a stream in place: its database, or one step for each of its roots.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use backup_model::{Code, FilesFacts, JobName, RestoreStep, RestoreTarget, StreamInfo, StreamKind};

use tokio::time::sleep;

use crate::{
    format::RecipeStream,
    ops::{
        OpError,
        choose::{Chosen, Paths},
        plan::{Planned, RestoreRequest, refused, stamped},
    },
    pipeline::{SnapshotReader, on_thread},
    postgres::Connection,
    sink::{database, directory::InPlace},
};

/// A session of the backup may be there for a moment after its program has ended.
const SESSIONS_END: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(100);

/// What must be said again before this is carried out: the one place that it is about, or the job.
pub(in crate::ops) fn confirmation(job: &JobName, steps: &[RestoreStep]) -> String {
    match steps {
        [step] => place(&step.target).unwrap_or_else(|| job.to_string()),
        _ => job.to_string(),
    }
}

fn place(target: &RestoreTarget) -> Option<String> {
    match target {
        RestoreTarget::Database { database, .. } => Some(database.clone()),
        RestoreTarget::Folder { path } => Some(path.display().to_string()),
        _ => None,
    }
}

/// The steps of a stream, and about how much must be fetched for its files; none if it has no
/// place of its own.
pub(in crate::ops) async fn steps(
    snapshot: SnapshotReader,
    stream: &RecipeStream,
    info: StreamInfo,
    request: &RestoreRequest,
) -> Result<(Vec<Planned>, u64), OpError> {
    match stream.line.kind {
        StreamKind::Files => roots(snapshot, stream, info, request).await,
        StreamKind::Postgres => {
            let Some((server, _)) = &request.server else {
                let text = format!(
                    "no server is known for {}: leave it out with --stream, or restore it with \
                     --to-database --server",
                    info.name
                );
                return Err(OpError::Refused(refused(text)));
            };
            let planned = database_step(info, server, request).await?;
            Ok((vec![planned], 0))
        }
        StreamKind::Globals | StreamKind::Command | StreamKind::List | _ => Ok((Vec::new(), 0)),
    }
}

async fn database_step(
    stream: StreamInfo,
    server: &Connection,
    request: &RestoreRequest,
) -> Result<Planned, OpError> {
    let facts = stream.database.as_ref().ok_or_else(|| {
        let text = format!("the snapshot has no facts of {}", stream.name);
        OpError::Refused(refused(text))
    })?;
    let name = facts.database.clone();
    let kept = stamped(&name, "before", &request.stamp);
    let found = database::preflight_in_place(server, facts, &kept, request.no_owner).await;
    let (obstacles, there) = found;
    Ok(Planned {
        step: RestoreStep {
            target: RestoreTarget::Database {
                database: name,
                server: server.server(),
            },
            kept_as: there.then_some(kept),
            stream,
            chosen: None,
            free_bytes: None,
            obstacles,
        },
        chosen: None,
    })
}

/// Looks once more for what speaks against replacing databases. The backup that was made meanwhile
/// took its time, and its hooks may have started again what was stopped for the restore.
pub(in crate::ops) async fn look_again(
    steps: &[RestoreStep],
    request: &RestoreRequest,
) -> Result<(), OpError> {
    let Some((server, _)) = &request.server else {
        return Ok(());
    };
    for step in steps {
        let (Some(facts), Some(kept)) = (&step.stream.database, &step.kept_as) else {
            continue;
        };
        let begun = Instant::now();
        loop {
            let looked = database::preflight_in_place(server, facts, kept, request.no_owner);
            let (obstacles, _) = looked.await;
            let Some(obstacle) = obstacles.into_iter().next() else {
                break;
            };
            if begun.elapsed() > SESSIONS_END {
                return Err(OpError::Refused(obstacle));
            }
            sleep(AGAIN).await;
        }
    }
    Ok(())
}

/// One step for each root, with what the stream has of it.
async fn roots(
    snapshot: SnapshotReader,
    stream: &RecipeStream,
    info: StreamInfo,
    request: &RestoreRequest,
) -> Result<(Vec<Planned>, u64), OpError> {
    let roots = outermost(info.files.as_ref());
    if roots.is_empty() {
        let text = format!("the snapshot does not say where {} was", info.name);
        return Err(OpError::Refused(refused(text)));
    }
    let (stream, stamp) = (stream.clone(), request.stamp.clone());
    on_thread("choose", move || {
        let mut all = Vec::new();
        let mut fetch_bytes = 0;
        for root in roots {
            let chosen = choose(&snapshot, &stream, &root)?;
            if let Some(chosen) = &chosen {
                fetch_bytes += snapshot.parts_bytes(&stream, &chosen.parts)?;
            }
            all.push(root_step(info.clone(), &root, chosen, &stamp));
        }
        Ok((all, fetch_bytes))
    })
    .await?
}

/// The roots that are in no other one.
fn outermost(facts: Option<&FilesFacts>) -> Vec<PathBuf> {
    let roots = facts.map_or(&[][..], |facts| &facts.roots);
    // Without a slash at the end, as names of files are compared.
    let mut roots: Vec<PathBuf> = roots
        .iter()
        .map(|root| Path::new(root).components().collect())
        .collect();
    roots.sort();
    roots.dedup_by(|later, earlier| later.starts_with(earlier));
    roots
}

/// What a stream has of a root; `None` if it has nothing of it.
fn choose(
    snapshot: &SnapshotReader,
    stream: &RecipeStream,
    root: &Path,
) -> Result<Option<Chosen>, OpError> {
    let mut paths = match Paths::new(&[root.to_owned()]) {
        // The root of all: its step says that it is no target.
        Err(error) if error.code() == Code::Usage => return Ok(None),
        paths => paths?,
    };
    let chosen = paths.choose(|| snapshot.entries(stream))?;
    Ok((!chosen.parts.is_empty()).then_some(chosen))
}

fn root_step(stream: StreamInfo, root: &Path, chosen: Option<Chosen>, stamp: &str) -> Planned {
    let entries: backup_model::ChosenEntries = match &chosen {
        Some(chosen) => chosen.entries.into(),
        None => backup_model::ChosenEntries {
            entries: 0,
            length_bytes: 0,
        },
    };
    let (mut obstacles, free_bytes, kept_as) = match InPlace::new(root, stamp) {
        Ok(target) => {
            let (obstacles, free) = target.preflight(entries.length_bytes);
            (obstacles, free, target.kept_as())
        }
        Err(error) => {
            let failure = backup_model::Failure::from_error(error.code(), &error);
            (vec![failure], None, None)
        }
    };
    if chosen.is_none() && obstacles.is_empty() {
        let text = format!("{} has nothing of `{}`", stream.name, root.display());
        obstacles.push(refused(text));
    }
    Planned {
        step: RestoreStep {
            stream,
            chosen: Some(entries),
            target: RestoreTarget::Folder {
                path: root.to_owned(),
            },
            kept_as: kept_as.map(|path| path.display().to_string()),
            free_bytes,
            obstacles,
        },
        chosen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_within_another_comes_with_it() {
        let facts = FilesFacts {
            roots: ["/b/c/", "/a", "/b", "/bc", "/a"]
                .map(str::to_owned)
                .to_vec(),
            ..FilesFacts::default()
        };
        let roots = outermost(Some(&facts));
        assert_eq!(roots, ["/a", "/b", "/bc"].map(PathBuf::from));
    }
}
