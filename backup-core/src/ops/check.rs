//! Check: a look over everything that can be seen without a key and without reading packs. Is each
//! record valid and in its chain, is each object that a snapshot names there in its size, and what
//! is there that nobody names?

use std::time::Instant;

use backup_model::{Amount, CheckReport, Code, Failure, SnapshotName};
use tokio_util::sync::CancellationToken;

use super::{
    OpError,
    candidates::stored,
    prune::open_run,
    survey::{Survey, survey},
};
use crate::{
    format::{Objects, SizedDigest, layout},
    repo::{NewestPrune, RepoError, Repository, Unended},
    store::Object,
};

/// Of foreign objects so many are named.
const NAMED_FOREIGN: usize = 20;

/// Looks over a repository.
pub async fn check(
    repository: &Repository,
    cancel: &CancellationToken,
) -> Result<CheckReport, OpError> {
    let started = Instant::now();
    let mut seen = Seen::take(repository, cancel).await?;
    if !seen.faults.is_empty() && seen.is_outdated(repository).await? {
        // What was forgotten while we looked may be gone, which is no fault.
        seen = Seen::take(repository, cancel).await?;
    }
    let Seen {
        survey,
        mut faults,
        unnamed,
    } = seen;
    let prune = match repository.newest_prune().await {
        Ok(NewestPrune::Begun(begun)) => Some(begun.plan.generation),
        Ok(NewestPrune::Done(_)) => None,
        Err(RepoError::Store(error)) => return Err(error.into()),
        Err(error) => {
            faults.push(failure(&error));
            None
        }
    };
    if let Some(error) = repository.doomed().await?.unknown() {
        let fault = failure(error);
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }
    let objects = repository.store().list_all().await?;
    let foreign = objects.iter().filter(|object| is_foreign(object));
    let mut foreign: Vec<String> = foreign.map(|object| object.key.clone()).collect();
    let foreign_objects = foreign.len() as u64;
    foreign.truncate(NAMED_FOREIGN);
    let unreadable = survey.open.iter().filter_map(Unended::fault);
    faults.extend(unreadable.map(failure));
    let open = survey.open.iter().map(open_run).collect();
    let dead = survey.forgotten.jobs();
    Ok(CheckReport {
        repository: repository.id(),
        trust: repository.trust().version,
        snapshots: survey.living.len() as u64,
        forgotten: dead
            .map(|job| survey.forgotten.dead_of(job).count() as u64)
            .sum(),
        holds: survey.forgotten.holds().cloned().collect(),
        open,
        named: survey.named_packs(),
        unnamed,
        prune,
        foreign,
        foreign_objects,
        faults,
        notes: come_back(&survey, &objects),
        took_secs: started.elapsed().as_secs_f64(),
    })
}

/// A look, compared with what is stored.
struct Seen {
    survey: Survey,
    faults: Vec<Failure>,
    unnamed: Amount,
}

impl Seen {
    /// What is stored is listed after the look, so that all that was named is in it.
    async fn take(repository: &Repository, cancel: &CancellationToken) -> Result<Self, OpError> {
        let survey = survey(repository, cancel).await?;
        let stored = stored(repository.store()).await?;
        let mut faults: Vec<Failure> = survey.faults.iter().map(failure).collect();
        let unnamed = compare(&survey, &stored, &mut faults);
        Ok(Self {
            survey,
            faults,
            unnamed,
        })
    }

    async fn is_outdated(&self, repository: &Repository) -> Result<bool, RepoError> {
        let known = &self.survey.forgotten;
        Ok(repository.forgotten_since(known).await? != *known)
    }
}

/// Compares what is named with what is stored: adds what is missing or of another size to the
/// faults, and gives what nobody names.
fn compare(survey: &Survey, stored: &Objects, faults: &mut Vec<Failure>) -> Amount {
    let mut unnamed = Amount::default();
    let named = &survey.named;
    let lists: [(_, _, fn(&_) -> String); 3] = [
        (&named.packs, &stored.packs, layout::pack),
        (&named.recipes, &stored.recipes, layout::recipe),
        (&named.refs, &stored.refs, layout::refs),
    ];
    for (named, stored, key) in lists {
        for (digest, &size) in named {
            let at = stored.binary_search_by_key(digest, |object| object.0);
            match at.ok().and_then(|at| stored.get(at)) {
                Some(SizedDigest(_, found)) if *found == size => {}
                Some(SizedDigest(_, found)) => {
                    let text = format!("{}: {size} bytes expected, {found} found", key(digest));
                    faults.push(Failure::new(Code::Damaged, text));
                }
                None => {
                    let text = format!("{} is missing", key(digest));
                    faults.push(Failure::new(Code::Damaged, text));
                }
            }
        }
        for object in stored
            .iter()
            .filter(|object| !named.contains_key(&object.0))
        {
            unnamed.add(object.1);
        }
    }
    unnamed
}

/// Records of runs that are dead: just forgotten, or put back by somebody. They count for nothing.
fn come_back(survey: &Survey, objects: &[Object]) -> Vec<Failure> {
    let runs = objects.iter().filter_map(|object| {
        let (job, seq) = layout::parse_run(layout::SNAPSHOTS, &object.key)?;
        survey.forgotten.dead(&job, seq)?;
        let name = SnapshotName { job, seq };
        let text = format!("{} is there, although {name} was forgotten", object.key);
        Some(Failure::new(Code::Forgotten, text))
    });
    runs.collect()
}

fn is_foreign(object: &Object) -> bool {
    !layout::is_ours(&object.key) && !layout::is_probe(&object.key)
}

fn failure(error: &RepoError) -> Failure {
    Failure::from_error(error.code(), error)
}
