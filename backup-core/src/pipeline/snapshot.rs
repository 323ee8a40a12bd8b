//! A snapshot's streams, put together from packs by its recipe and checked as they are read.

use std::{io::Read as _, sync::Arc};

use backup_keys::Identity;
use backup_model::Digest;
use serde::Deserialize;

use super::{
    CheckedReader, EntryDigest, Expected, Fetcher, PackReader, StreamReader,
    error::{Carried, unwrap_io},
};
use crate::{
    format::{Extent, Lines, LinesError, ListRef, Recipe, RecipeStream, extents_fit},
    repo::RepoError,
};

/// Reads streams of one snapshot. Blocks; for a plain thread.
#[derive(Debug)]
pub struct SnapshotReader {
    recipe: Arc<Recipe>,
    packs: PackReader,
}

impl SnapshotReader {
    /// Reads by `recipe` with the identity of its epoch.
    pub fn new(fetcher: Fetcher, identity: Identity, recipe: Arc<Recipe>) -> Self {
        let lines = Arc::new(recipe.packs.clone());
        Self {
            packs: PackReader::new(fetcher, identity, lines),
            recipe,
        }
    }

    /// The recipe.
    pub fn recipe(&self) -> &Arc<Recipe> {
        &self.recipe
    }

    /// Opens a stream. Whoever reads it must read to its end before believing any of it.
    pub fn open(
        &mut self,
        stream: &RecipeStream,
    ) -> Result<CheckedReader<StreamReader<'_>>, RepoError> {
        let extents = self.extents(stream)?;
        let entries = match stream.line.entries {
            None => None,
            Some(list) => Some(self.entry_digests(stream, list)?),
        };
        let expected = Expected {
            name: stream.line.name.clone(),
            length: stream.line.length,
            digest: stream.line.digest,
            entries,
        };
        let reader = StreamReader::new(&mut self.packs, extents);
        Ok(CheckedReader::new(reader, expected))
    }

    /// The extents of a stream, wherever they are listed.
    pub fn extents(&mut self, stream: &RecipeStream) -> Result<Vec<Extent>, RepoError> {
        if let Some(extents) = &stream.extents {
            return Ok(extents.clone());
        }
        let list = stream.line.extents;
        let text = self.list(list)?;
        let mut lines = Lines::new(&text);
        let name = || format!("the extents of {}", stream.line.name);
        let unreadable = |source| RepoError::Lines {
            key: name(),
            source,
        };
        let extents = (0..list.count)
            .map(|_| lines.json("an extent"))
            .collect::<Result<Vec<Extent>, _>>()
            .map_err(unreadable)?;
        lines.end().map_err(unreadable)?;
        if !extents_fit(&extents, &self.recipe.packs, stream.line.length) {
            return Err(RepoError::rule(&name(), "they do not fit packs and length"));
        }
        Ok(extents)
    }

    /// Length and digest of each entry of a `files` stream.
    fn entry_digests(
        &mut self,
        stream: &RecipeStream,
        list: ListRef,
    ) -> Result<Vec<EntryDigest>, RepoError> {
        #[derive(Deserialize)]
        struct Line {
            length: u64,
            sha256: Digest,
        }
        let text = match &stream.entries {
            Some(lines) => lines
                .iter()
                .flat_map(|l| [l.as_bytes(), b"\n"])
                .flatten()
                .copied()
                .collect(),
            None => self.list(list)?,
        };
        let mut lines = Lines::new(&text);
        let unreadable = |source| RepoError::Lines {
            key: format!("the entries of {}", stream.line.name),
            source,
        };
        let mut entries = Vec::new();
        for number in 1..=list.count {
            let text = lines.text("an entry").map_err(unreadable)?;
            let entry: Line = serde_json::from_str(text).map_err(|source| {
                unreadable(LinesError::Line {
                    line: number,
                    what: "an entry",
                    source,
                })
            })?;
            entries.push(EntryDigest {
                length: entry.length,
                sha256: entry.sha256,
            });
        }
        lines.end().map_err(unreadable)?;
        Ok(entries)
    }

    /// The whole text of a list that is a stream of its own.
    fn list(&mut self, list: ListRef) -> Result<Vec<u8>, RepoError> {
        let recipe = Arc::clone(&self.recipe);
        let stream = list
            .stream
            .and_then(|number| usize::try_from(number).ok())
            .and_then(|number| recipe.streams.get(number))
            .ok_or_else(|| RepoError::rule("recipe", "a list names no stream"))?;
        let mut text = Vec::new();
        self.open(stream)?
            .read_to_end(&mut text)
            .map_err(|error| match unwrap_io(error) {
                Carried::Repo(error) => error,
                Carried::Pipeline(error) => RepoError::rule("recipe", error.to_string()),
                Carried::Io(error) => RepoError::rule("recipe", error.to_string()),
            })?;
        Ok(text)
    }
}
