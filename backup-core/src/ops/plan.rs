//! The plan of a restore: which stream goes where, how much it is, and what speaks against it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use backup_keys::{Identity, OpensKeyFiles};
use backup_model::{
    ChosenEntries, Code, Failure, RestorePlan, RestoreStep, RestoreTarget, SnapshotName,
    StreamInfo, StreamKind,
};

use super::{
    OpError,
    choose::{Chosen, Paths},
    list::{committed, read_recipe, stream_info},
};
use crate::{
    format::{Recipe, RecipeStream},
    pipeline::{Fetcher, SnapshotReader, on_thread},
    postgres::{Connection, Programs},
    repo::{Repository, RunRecord},
    sink::{
        database,
        directory::{DirectoryTarget, ExtractOptions},
    },
};

/// What is wanted, and where.
#[derive(Clone, Debug)]
pub struct RestoreRequest {
    /// The snapshot.
    pub snapshot: SnapshotName,
    /// These streams only; empty for all that have a target.
    pub streams: Vec<String>,
    /// These files and folders of `files` streams only; empty for all. Without slashes around them
    /// they are as the archive names them.
    pub paths: Vec<PathBuf>,
    /// The new folder for `files` streams; several get a folder each beneath it.
    pub folder: Option<PathBuf>,
    /// The server for databases: a connection to another database of it, and its programs.
    pub server: Option<(Connection, Programs)>,
    /// The name for the new database; `None` for `<database>_restored_<time>`.
    pub database: Option<String>,
    /// Everything belongs to the connection's user.
    pub no_owner: bool,
    /// How folders are extracted.
    pub extract: ExtractOptions,
    /// For default names: `YYYYMMDD_HHMMSS`.
    pub stamp: String,
}

/// A plan with all that is needed to carry it out.
#[derive(Debug)]
pub struct Prepared {
    /// What will be done.
    pub plan: RestorePlan,
    pub(super) request: RestoreRequest,
    pub(super) record: RunRecord,
    pub(super) epoch: Identity,
    pub(super) recipe: Arc<Recipe>,
    /// What was chosen of streams, by their names, if paths were given.
    pub(super) chosen: BTreeMap<String, Chosen>,
}

/// The longest name of a database.
const MAX_DATABASE_NAME: usize = 63;

/// Says what a restore would do, and what speaks against it.
pub async fn plan(
    repository: &Repository,
    request: RestoreRequest,
    identity: &dyn OpensKeyFiles,
) -> Result<Prepared, OpError> {
    let record = committed(repository, &request.snapshot).await?;
    let commit = record.commit()?;
    let (epoch, recipe) = read_recipe(repository, commit, identity).await?;
    known_streams(&recipe, &request)?;
    let fetcher = Fetcher::spawn(repository.store().clone());
    let snapshot = SnapshotReader::new(fetcher, epoch.clone(), Arc::clone(&recipe));
    let (chosen_entries, parts_bytes) = choose(snapshot, &request).await?;
    let mut steps = Vec::new();
    let mut left_out = Vec::new();
    let mut chosen = Vec::new();
    for stream in recipe.source_streams() {
        let name = &stream.line.name;
        let wanted = request.streams.is_empty() || request.streams.contains(name);
        let entries = chosen_entries.get(name);
        let step = if wanted && (request.paths.is_empty() || entries.is_some()) {
            step(&recipe, stream, &request, entries).await?
        } else {
            None
        };
        match step {
            Some(step) => {
                steps.push(step);
                chosen.push(stream.clone());
            }
            None => left_out.push(name.clone()),
        }
    }
    one_target_each(&mut steps);
    let fetch_bytes = if request.paths.is_empty() {
        fetch_bytes(&recipe, &chosen)
    } else {
        parts_bytes
    };
    let plan = RestorePlan {
        snapshot: request.snapshot.clone(),
        created: commit.created,
        steps,
        left_out,
        fetch_bytes,
    };
    Ok(Prepared {
        plan,
        request,
        record,
        epoch,
        recipe,
        chosen: chosen_entries,
    })
}

/// What the paths choose of each stream, and about how much must be fetched for it.
async fn choose(
    snapshot: SnapshotReader,
    request: &RestoreRequest,
) -> Result<(BTreeMap<String, Chosen>, u64), OpError> {
    let mut paths = Paths::new(&request.paths)?;
    let (streams, name) = (request.streams.clone(), request.snapshot.clone());
    on_thread("choose", move || {
        let mut all = BTreeMap::new();
        let mut fetch_bytes = 0;
        if paths.is_empty() {
            return Ok((all, fetch_bytes));
        }
        for stream in snapshot.recipe().source_streams() {
            let meant = streams.is_empty() || streams.contains(&stream.line.name);
            if stream.line.kind != StreamKind::Files || !meant {
                continue;
            }
            let chosen = paths.choose(|| snapshot.entries(stream))?;
            if !chosen.parts.is_empty() {
                fetch_bytes += snapshot.parts_bytes(stream, &chosen.parts)?;
                all.insert(stream.line.name.clone(), chosen);
            }
        }
        paths.all_found(&name)?;
        Ok((all, fetch_bytes))
    })
    .await?
}

/// Two streams cannot go to one place: found now, not when the first is already there.
fn one_target_each(steps: &mut [RestoreStep]) {
    let mut taken: Vec<RestoreTarget> = Vec::new();
    for step in steps {
        if taken.contains(&step.target) {
            let text = format!(
                "{} would go where another stream goes: choose one with --stream",
                step.stream.name
            );
            step.obstacles
                .push(Failure::new(Code::TargetNotEmpty, text));
        }
        taken.push(step.target.clone());
    }
}

fn known_streams(recipe: &Recipe, request: &RestoreRequest) -> Result<(), OpError> {
    for wanted in &request.streams {
        if recipe.stream(wanted).is_none() {
            return Err(OpError::NoStream {
                snapshot: request.snapshot.to_string(),
                stream: wanted.clone(),
                known: recipe
                    .source_streams()
                    .map(|stream| stream.line.name.clone())
                    .collect(),
            });
        }
    }
    Ok(())
}

/// The step for one stream; `None` if it has no target.
async fn step(
    recipe: &Recipe,
    stream: &RecipeStream,
    request: &RestoreRequest,
    chosen: Option<&Chosen>,
) -> Result<Option<RestoreStep>, OpError> {
    let info = stream_info(stream)?;
    Ok(match stream.line.kind {
        StreamKind::Files => {
            let folder = request.folder.as_ref();
            folder.map(|folder| folder_step(recipe, info, folder, chosen))
        }
        StreamKind::Postgres => match &request.server {
            Some((server, _)) => Some(database_step(info, server, request).await?),
            None => None,
        },
        StreamKind::Globals | StreamKind::Command | StreamKind::List | _ => None,
    })
}

fn folder_step(
    recipe: &Recipe,
    stream: StreamInfo,
    folder: &Path,
    chosen: Option<&Chosen>,
) -> RestoreStep {
    let chosen: Option<ChosenEntries> = chosen.map(|chosen| chosen.entries.into());
    let several = recipe
        .source_streams()
        .filter(|stream| stream.line.kind == StreamKind::Files)
        .count()
        > 1;
    let path = if several {
        let name = stream.name.strip_suffix(".tar");
        folder.join(name.unwrap_or(&stream.name))
    } else {
        folder.to_owned()
    };
    let (obstacles, free_bytes) = match DirectoryTarget::new(&path) {
        // With several streams the folder that holds theirs is made when the restore starts.
        Ok(_) if several && !folder.exists() => (Vec::new(), None),
        Ok(target) => {
            target.preflight(chosen.map_or(stream.length_bytes, |chosen| chosen.length_bytes))
        }
        Err(error) => (vec![Failure::from_error(error.code(), &error)], None),
    };
    RestoreStep {
        stream,
        chosen,
        target: RestoreTarget::Folder { path },
        free_bytes,
        obstacles,
    }
}

async fn database_step(
    stream: StreamInfo,
    server: &Connection,
    request: &RestoreRequest,
) -> Result<RestoreStep, OpError> {
    let facts = stream.database.as_ref().ok_or_else(|| {
        let text = format!("the snapshot has no facts of {}", stream.name);
        OpError::Refused(Failure::new(Code::TargetRefused, text))
    })?;
    let name = request
        .database
        .clone()
        .unwrap_or_else(|| default_name(&facts.database, &request.stamp));
    let obstacles = database::preflight(server, facts, &name, request.no_owner).await;
    Ok(RestoreStep {
        target: RestoreTarget::Database {
            database: name,
            server: server.server(),
        },
        stream,
        chosen: None,
        free_bytes: None,
        obstacles,
    })
}

/// `<database>_restored_<stamp>`, cut so that the server does not have to.
fn default_name(database: &str, stamp: &str) -> String {
    let suffix = format!("_restored_{stamp}");
    let mut end = database.len().min(MAX_DATABASE_NAME - suffix.len());
    while !database.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{suffix}", &database[..end])
}

/// Stored bytes of the packs that hold these streams, as far as the recipe itself tells.
fn fetch_bytes(recipe: &Recipe, chosen: &[RecipeStream]) -> u64 {
    if chosen.iter().any(|stream| stream.extents.is_none()) {
        return recipe.packs.iter().map(|pack| pack.size).sum();
    }
    let mut numbers: Vec<u64> = chosen
        .iter()
        .flat_map(|stream| stream.extents.iter().flatten())
        .map(|extent| extent.pack)
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    let sizes = numbers.iter().filter_map(|&number| {
        let pack = recipe.packs.get(usize::try_from(number).ok()?)?;
        Some(pack.size)
    });
    sizes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_names_fit_and_stay_readable() {
        let stamp = "20261122_140200";
        assert_eq!(default_name("shop", stamp), "shop_restored_20261122_140200");
        let long = default_name(&"ü".repeat(40), stamp);
        assert!(
            long.len() <= MAX_DATABASE_NAME && long.ends_with(stamp),
            "{long}"
        );
    }

    #[test]
    fn two_streams_to_one_place_are_an_obstacle() {
        let step = |name: &str, path: &str| RestoreStep {
            stream: StreamInfo {
                name: name.to_owned(),
                kind: StreamKind::Files,
                length_bytes: 0,
                digest: backup_model::Digest([0; 32]),
                entries: None,
                database: None,
                files: None,
            },
            chosen: None,
            target: RestoreTarget::Folder { path: path.into() },
            free_bytes: None,
            obstacles: Vec::new(),
        };
        let mut steps = [step("a", "/x"), step("b", "/y"), step("c", "/x")];
        one_target_each(&mut steps);
        let obstacles = steps.map(|step| step.obstacles.len());
        assert_eq!(obstacles, [0, 0, 1]);
    }
}
