//! Diff: what differs between two snapshots.
//!
//! Streams are compared by name. The entries of two `files` streams are in one order, component by
//! component, so both lists flow side by side and nothing is kept. Lists that are not in this order
//! (an old repository with such roots) are refused: a wrong answer would look like a right one.

use std::{cmp::Ordering, iter::Peekable, path::Path};

use backup_keys::OpensKeyFiles;
use backup_model::{Aspect, Change, Difference, EntryInfo, SnapshotName, StreamInfo, StreamKind};
use tokio_util::sync::CancellationToken;

use super::{
    OpError,
    browse::{Give, entry_info, flow},
    choose::{entry_path, is_within},
    list::{committed, read_recipe, stream_info},
};
use crate::{
    format::{Entry, FileTime, Node, RecipeStream},
    pipeline::{Entries, Fetcher, SnapshotReader},
    repo::Repository,
};

/// Gives what differs from the first snapshot to the second; beneath a path, if one is given.
pub async fn diff(
    snapshots: &[(Repository, &SnapshotName); 2],
    path: Option<&Path>,
    identity: &dyn OpensKeyFiles,
    report: &mut (dyn FnMut(Difference) + Send),
    cancel: &CancellationToken,
) -> Result<(), OpError> {
    let wanted = path.map(entry_path).transpose()?;
    let mut sides = Vec::new();
    for (repository, name) in snapshots {
        let fetcher = Fetcher::spawn(repository.store().clone());
        let record = committed(repository, name).await?;
        let (epoch, recipe) = read_recipe(repository, record.commit()?, identity).await?;
        sides.push(SnapshotReader::new(fetcher, epoch, recipe));
    }
    let cancel = cancel.clone();
    let found = flow("diff", report, move |give| {
        let [before, after] = &sides[..] else {
            return Ok(true);
        };
        let comparison = Comparison {
            sides: [before, after],
            wanted: wanted.as_deref(),
            cancel,
        };
        comparison.run(give)
    });
    match (found.await?, path) {
        (false, Some(path)) => Err(OpError::NoPath {
            snapshot: snapshots
                .each_ref()
                .map(|(_, name)| name.to_string())
                .join(" and "),
            path: path.to_owned(),
            alike: Vec::new(),
        }),
        _ => Ok(()),
    }
}

struct Comparison<'a> {
    sides: [&'a SnapshotReader; 2],
    wanted: Option<&'a [u8]>,
    cancel: CancellationToken,
}

impl Comparison<'_> {
    /// Says whether the path was there, on either side.
    fn run(&self, give: Give<'_, Difference>) -> Result<bool, OpError> {
        let [before, after] = self.sides.map(SnapshotReader::recipe);
        let mut found = false;
        for first in before.source_streams() {
            let second = after.stream(&first.line.name);
            found |= self.streams(Some(first), second, give)?;
        }
        for second in after.source_streams() {
            if before.stream(&second.line.name).is_none() {
                found |= self.streams(None, Some(second), give)?;
            }
        }
        Ok(found)
    }

    fn streams(
        &self,
        before: Option<&RecipeStream>,
        after: Option<&RecipeStream>,
        give: Give<'_, Difference>,
    ) -> Result<bool, OpError> {
        let both_files = [before, after]
            .iter()
            .flatten()
            .all(|stream| stream.line.kind == StreamKind::Files);
        let whole = self.wanted.is_none();
        let same = before
            .zip(after)
            .is_some_and(|(a, b)| a.line.digest == b.line.digest);
        if whole && (!both_files || before.is_none() || after.is_none()) {
            let info = |stream: Option<&RecipeStream>| stream.map(stream_info).transpose();
            if let Some(difference) = stream_difference(info(before)?, info(after)?) {
                give(difference)?;
            }
        }
        // The digest is over those of all entries: nothing in them can differ.
        if !both_files || (whole && same) {
            return Ok(false);
        }
        self.entries(before, after, give)
    }

    fn entries(
        &self,
        before: Option<&RecipeStream>,
        after: Option<&RecipeStream>,
        give: Give<'_, Difference>,
    ) -> Result<bool, OpError> {
        let mut found = false;
        let mut first = self.side(0, before)?;
        let mut second = self.side(1, after)?;
        loop {
            if self.cancel.is_cancelled() {
                return Err(OpError::Cancelled);
            }
            let order = match (first.peek()?, second.peek()?) {
                (None, None) => return Ok(found),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => path_order(&a.path, &b.path),
            };
            let a = if order.is_le() { first.take()? } else { None };
            let b = if order.is_ge() { second.take()? } else { None };
            found = true;
            if let Some(difference) = entry_difference(a, b) {
                give(difference)?;
            }
        }
    }

    fn side<'s>(
        &'s self,
        index: usize,
        stream: Option<&'s RecipeStream>,
    ) -> Result<Side<'s>, OpError> {
        let entries = stream.map(|stream| self.sides[index].entries(stream));
        Ok(Side {
            stream,
            entries: entries.transpose()?.map(Iterator::peekable),
            wanted: self.wanted,
            last: Vec::new(),
        })
    }
}

/// One side's entries, in their order.
struct Side<'a> {
    stream: Option<&'a RecipeStream>,
    entries: Option<Peekable<Entries>>,
    wanted: Option<&'a [u8]>,
    last: Vec<u8>,
}

impl Side<'_> {
    /// The next entry that is meant.
    fn peek(&mut self) -> Result<Option<&Node>, OpError> {
        let Some(entries) = &mut self.entries else {
            return Ok(None);
        };
        let wanted = self.wanted;
        let passes = |entry: &Entry| match (&entry.node, wanted) {
            (None, _) => true,
            (Some(node), Some(wanted)) => !is_within(&node.path, wanted),
            (Some(_), None) => false,
        };
        while let Some(Ok(entry)) = entries.next_if(|entry| entry.as_ref().is_ok_and(passes)) {
            ordered(&mut self.last, &entry, self.stream)?;
        }
        // An error is taken, not looked at.
        if let Some(Err(error)) = entries.next_if(Result::is_err) {
            return Err(error.into());
        }
        let next = entries.peek().and_then(|entry| entry.as_ref().ok());
        Ok(next.and_then(|entry| entry.node.as_ref()))
    }

    fn take(&mut self) -> Result<Option<(EntryInfo, FileTime)>, OpError> {
        let entry = self.entries.as_mut().and_then(Iterator::next).transpose()?;
        let (Some(entry), Some(stream)) = (entry, self.stream) else {
            return Ok(None);
        };
        ordered(&mut self.last, &entry, self.stream)?;
        let info = entry.node.as_ref().map(|node| {
            let info = entry_info(stream, node, entry.sha256);
            (info, node.mtime)
        });
        Ok(info)
    }
}

/// Each path comes after the one before it.
fn ordered(
    last: &mut Vec<u8>,
    entry: &Entry,
    stream: Option<&RecipeStream>,
) -> Result<(), OpError> {
    let Some(node) = &entry.node else {
        return Ok(());
    };
    if !last.is_empty() && path_order(last, &node.path).is_ge() {
        let stream = stream.map(|stream| stream.line.name.clone());
        return Err(OpError::Unordered {
            stream: stream.unwrap_or_default(),
            path: String::from_utf8_lossy(&node.path).into_owned(),
        });
    }
    last.clone_from(&node.path);
    Ok(())
}

/// Component by component: a folder before its content, and its content before what follows it.
fn path_order(a: &[u8], b: &[u8]) -> Ordering {
    let parts = |path| <[u8]>::split(path, |&byte: &u8| byte == b'/');
    parts(a).cmp(parts(b))
}

fn change<T>(before: Option<&T>, after: Option<&T>) -> Change {
    match (before, after) {
        (None, _) => Change::Added,
        (_, None) => Change::Removed,
        _ => Change::Changed,
    }
}

fn stream_difference(before: Option<StreamInfo>, after: Option<StreamInfo>) -> Option<Difference> {
    let mut aspects = Vec::new();
    if let (Some(a), Some(b)) = (&before, &after) {
        let differs = [
            (a.kind != b.kind, Aspect::Kind),
            (a.length_bytes != b.length_bytes, Aspect::Size),
            (a.digest != b.digest, Aspect::Digest),
            (
                a.database != b.database || a.files != b.files,
                Aspect::Facts,
            ),
        ];
        aspects.extend(
            differs
                .iter()
                .filter(|(is, _)| *is)
                .map(|(_, aspect)| *aspect),
        );
        if aspects.is_empty() {
            return None;
        }
    }
    let name = before.as_ref().or(after.as_ref())?.name.clone();
    Some(Difference::Stream {
        name,
        change: change(before.as_ref(), after.as_ref()),
        aspects,
        before: before.map(Box::new),
        after: after.map(Box::new),
    })
}

type Timed = (EntryInfo, FileTime);

fn entry_difference(before: Option<Timed>, after: Option<Timed>) -> Option<Difference> {
    let mut aspects = Vec::new();
    if let (Some((a, a_time)), Some((b, b_time))) = (&before, &after) {
        if a.digest == b.digest {
            return None;
        }
        let differs = [
            (a.kind != b.kind, Aspect::Kind),
            (a.size_bytes != b.size_bytes, Aspect::Size),
            (a_time != b_time, Aspect::Modified),
            (a.mode != b.mode, Aspect::Mode),
            ((a.uid, a.gid) != (b.uid, b.gid), Aspect::Owner),
            (a.target != b.target, Aspect::Target),
        ];
        aspects.extend(
            differs
                .iter()
                .filter(|(is, _)| *is)
                .map(|(_, aspect)| *aspect),
        );
        if aspects.is_empty() {
            aspects.push(Aspect::Content);
        }
    }
    let info = |side: Option<Timed>| side.map(|(info, _)| Box::new(info));
    Some(Difference::Entry {
        change: change(before.as_ref(), after.as_ref()),
        aspects,
        before: info(before),
        after: info(after),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_comes_before_its_content_and_that_before_its_neighbours() {
        let sorted: [&[u8]; 6] = [b"a", b"a/b", b"a/b/c", b"a/b-c", b"a-b", b"b"];
        for pair in sorted.windows(2) {
            assert_eq!(path_order(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
    }
}
