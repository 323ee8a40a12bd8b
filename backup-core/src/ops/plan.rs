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
    in_place,
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
    /// Everything goes where it came from: each root of folders to itself, each database to its
    /// name on `server`. Then there is neither `folder` nor `database`, and there are no `paths`.
    pub in_place: bool,
    /// In place: the plan's `confirm`, once it is to be carried out.
    pub confirm: Option<String>,
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
    /// What was chosen of the stream of each step; `None` for all of it.
    pub(super) chosen: Vec<Option<Chosen>>,
}

/// A step, and what was chosen of its stream.
pub(super) struct Planned {
    pub(super) step: RestoreStep,
    pub(super) chosen: Option<Chosen>,
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
    let found = if request.in_place {
        places(snapshot, &request).await?
    } else {
        targets(snapshot, &request).await?
    };
    let (mut steps, chosen): (Vec<_>, Vec<_>) = found
        .planned
        .into_iter()
        .map(|planned| (planned.step, planned.chosen))
        .unzip();
    one_target_each(&mut steps);
    let confirm = in_place::confirmation(&request.snapshot.job, &steps);
    let plan = RestorePlan {
        snapshot: request.snapshot.clone(),
        created: commit.created,
        steps,
        left_out: found.left_out,
        fetch_bytes: found.fetch_bytes,
        confirm: request.in_place.then_some(confirm),
        safety_backup: false,
    };
    Ok(Prepared {
        plan,
        request,
        record,
        epoch,
        recipe,
        chosen,
    })
}

/// What there is to do.
#[derive(Default)]
struct Steps {
    planned: Vec<Planned>,
    left_out: Vec<String>,
    fetch_bytes: u64,
}

/// The steps in place.
async fn places(snapshot: SnapshotReader, request: &RestoreRequest) -> Result<Steps, OpError> {
    let mut found = Steps::default();
    let mut databases = Vec::new();
    let recipe = Arc::clone(snapshot.recipe());
    for stream in recipe.source_streams() {
        let name = &stream.line.name;
        let mut planned = Vec::new();
        if request.streams.is_empty() || request.streams.contains(name) {
            let info = stream_info(stream)?;
            let (steps, fetch_bytes) =
                in_place::steps(snapshot.clone(), stream, info, request).await?;
            planned = steps;
            found.fetch_bytes += fetch_bytes;
        }
        match planned.as_slice() {
            [] => found.left_out.push(name.clone()),
            [_, ..] if stream.line.kind == StreamKind::Postgres => databases.push(stream.clone()),
            _ => {}
        }
        found.planned.extend(planned);
    }
    found.fetch_bytes += fetch_bytes(&recipe, &databases);
    Ok(found)
}

/// The steps into new places.
async fn targets(snapshot: SnapshotReader, request: &RestoreRequest) -> Result<Steps, OpError> {
    let recipe = Arc::clone(snapshot.recipe());
    let (mut entries, parts_bytes) = choose(snapshot, request).await?;
    let mut found = Steps::default();
    let mut streams = Vec::new();
    for stream in recipe.source_streams() {
        let name = &stream.line.name;
        let wanted = request.streams.is_empty() || request.streams.contains(name);
        let chosen = entries.remove(name);
        let step = if wanted && (request.paths.is_empty() || chosen.is_some()) {
            step(&recipe, stream, request, chosen.as_ref()).await?
        } else {
            None
        };
        match step {
            Some(step) => {
                found.planned.push(Planned { step, chosen });
                streams.push(stream.clone());
            }
            None => found.left_out.push(name.clone()),
        }
    }
    found.fetch_bytes = if request.paths.is_empty() {
        fetch_bytes(&recipe, &streams)
    } else {
        parts_bytes
    };
    Ok(found)
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
        if taken.iter().any(|taken| overlap(taken, &step.target)) {
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

/// Whether two targets are one, or one is in the other.
fn overlap(one: &RestoreTarget, other: &RestoreTarget) -> bool {
    match (one, other) {
        (RestoreTarget::Folder { path: one }, RestoreTarget::Folder { path: other }) => {
            one.starts_with(other) || other.starts_with(one)
        }
        _ => one == other,
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
        kept_as: None,
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
        OpError::Refused(refused(text))
    })?;
    let name = request
        .database
        .clone()
        .unwrap_or_else(|| stamped(&facts.database, "restored", &request.stamp));
    let obstacles = database::preflight(server, facts, &name, request.no_owner).await;
    Ok(RestoreStep {
        target: RestoreTarget::Database {
            database: name,
            server: server.server(),
        },
        kept_as: None,
        stream,
        chosen: None,
        free_bytes: None,
        obstacles,
    })
}

pub(super) fn refused(message: String) -> Failure {
    Failure::new(Code::TargetRefused, message)
}

/// `<database>_<word>_<stamp>`, cut so that the server does not have to.
pub(super) fn stamped(database: &str, word: &str, stamp: &str) -> String {
    let suffix = format!("_{word}_{stamp}");
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
        let named = |name: &str| stamped(name, "restored", stamp);
        assert_eq!(named("shop"), "shop_restored_20261122_140200");
        let long = named(&"ü".repeat(40));
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
            kept_as: None,
            free_bytes: None,
            obstacles: Vec::new(),
        };
        let mut steps = [step("a", "/x"), step("b", "/y"), step("c", "/x")];
        one_target_each(&mut steps);
        let obstacles = steps.map(|step| step.obstacles.len());
        assert_eq!(obstacles, [0, 0, 1]);
    }
}
