//! Ls: what is in the folders of a snapshot.

use std::path::Path;

use backup_keys::OpensKeyFiles;
use backup_model::{EntryInfo, SnapshotName, StreamKind};
use tokio_util::sync::CancellationToken;

use super::{
    OpError,
    browse::{Give, entry_info, flow},
    choose::{entry_path, is_within},
    list::{committed, read_recipe},
};
use crate::{
    format::RecipeStream,
    pipeline::{Fetcher, SnapshotReader},
    repo::Repository,
};

/// Gives the entries of a folder, or the one entry that is none; the outermost ones without a path.
/// With `true` all beneath, too.
pub async fn ls(
    repository: &Repository,
    name: &SnapshotName,
    (path, recursive): (Option<&Path>, bool),
    identity: &dyn OpensKeyFiles,
    report: &mut (dyn FnMut(EntryInfo) + Send),
    cancel: &CancellationToken,
) -> Result<(), OpError> {
    let wanted = path.map(entry_path).transpose()?;
    let record = committed(repository, name).await?;
    let (epoch, recipe) = read_recipe(repository, record.commit()?, identity).await?;
    let fetcher = Fetcher::spawn(repository.store().clone());
    let snapshot = SnapshotReader::new(fetcher, epoch, recipe);
    let cancel = cancel.clone();
    let found = flow("ls", report, move |give| {
        let recipe = snapshot.recipe();
        let streams = recipe.source_streams();
        let mut found = false;
        for stream in streams.filter(|stream| stream.line.kind == StreamKind::Files) {
            let listing = Listing {
                snapshot: &snapshot,
                stream,
                wanted: wanted.as_deref(),
                recursive,
            };
            found |= listing.run(give, &cancel)?;
        }
        Ok(found)
    });
    match (found.await?, path) {
        (false, Some(path)) => Err(OpError::NoPath {
            snapshot: name.to_string(),
            path: path.to_owned(),
            alike: Vec::new(),
        }),
        _ => Ok(()),
    }
}

struct Listing<'a> {
    snapshot: &'a SnapshotReader,
    stream: &'a RecipeStream,
    wanted: Option<&'a [u8]>,
    recursive: bool,
}

impl Listing<'_> {
    /// Says whether the path was there.
    fn run(&self, give: Give<'_, EntryInfo>, cancel: &CancellationToken) -> Result<bool, OpError> {
        let mut found = false;
        // Content follows its folder: what is beneath the one shown last is not shown itself.
        let mut shown: Option<Vec<u8>> = None;
        for entry in self.snapshot.entries(self.stream)? {
            if cancel.is_cancelled() {
                return Err(OpError::Cancelled);
            }
            let entry = entry?;
            let Some(node) = &entry.node else { continue };
            if let Some(wanted) = self.wanted {
                if !is_within(&node.path, wanted) {
                    continue;
                }
                found = true;
                let is_folder = matches!(node.kind, crate::format::NodeKind::Directory);
                if node.path == wanted && is_folder {
                    continue;
                }
            }
            if !self.recursive {
                if shown
                    .as_ref()
                    .is_some_and(|shown| is_within(&node.path, shown))
                {
                    continue;
                }
                shown = Some(node.path.clone());
            }
            give(entry_info(self.stream, node, entry.sha256))?;
        }
        Ok(found)
    }
}
