//! A snapshot's streams, put together from packs by its recipe and checked as they are read.
//!
//! Lists flow: of a snapshot of any size, the recipe itself is in memory, a window of extents, and
//! some numbers a pack.

use std::{ops::Range, sync::Arc};

use backup_keys::Identity;

use super::{
    AheadReader, CheckedReader, Entries, Expected, Extents, Fetcher, Packs, StreamReader,
    lists::ListLines,
    needs::Needs,
    parts::{Cut, InParts},
};
use crate::{
    format::{ListRef, Recipe, RecipeStream},
    repo::RepoError,
};

/// Reads streams of one snapshot. Blocks; for a plain thread.
#[derive(Clone, Debug)]
pub struct SnapshotReader {
    recipe: Arc<Recipe>,
    packs: Arc<Packs>,
}

impl SnapshotReader {
    /// Reads by `recipe` with the identity of its epoch.
    pub fn new(fetcher: Fetcher, identity: Identity, recipe: Arc<Recipe>) -> Self {
        let packs = Packs::new(fetcher, identity, recipe.packs.clone());
        Self {
            packs: Arc::new(packs),
            recipe,
        }
    }

    /// The recipe.
    pub fn recipe(&self) -> &Arc<Recipe> {
        &self.recipe
    }

    /// Opens a stream. Its extents were all looked at by then; whoever reads it must read to its
    /// end before believing any of it.
    pub fn open(&self, stream: &RecipeStream) -> Result<CheckedReader<AheadReader>, RepoError> {
        let needs = Needs::of(&self.packs, self.extents(stream)?)?;
        let entries = match stream.line.entries {
            None => None,
            Some(_) => Some(Box::new(self.entries(stream)?) as _),
        };
        let expected = Expected {
            name: stream.line.name.clone(),
            length: stream.line.length,
            digest: Some(stream.line.digest),
            entries,
        };
        let extents = Box::new(self.extents(stream)?);
        let reader = StreamReader::ahead(Arc::clone(&self.packs), needs, extents);
        Ok(CheckedReader::new(ahead(reader)?, expected))
    }

    /// Opens the parts of a `files` stream that hold these entries, one after another. Whoever reads
    /// them must read to the end before believing any of it.
    pub fn open_parts(
        &self,
        stream: &RecipeStream,
        parts: &[Range<u64>],
    ) -> Result<CheckedReader<AheadReader>, RepoError> {
        let cut = || {
            self.extents(stream)
                .map(|extents| Cut::new(extents, parts.to_vec()))
        };
        let needs = Needs::of(&self.packs, cut()?)?;
        let inside = InParts::new(self.entries(stream)?, parts.to_vec());
        let expected = Expected {
            name: stream.line.name.clone(),
            length: parts.iter().map(|part| part.end - part.start).sum(),
            digest: None,
            entries: Some(Box::new(inside)),
        };
        let reader = StreamReader::ahead(Arc::clone(&self.packs), needs, Box::new(cut()?));
        Ok(CheckedReader::new(ahead(reader)?, expected))
    }

    /// About how much the store must give to read these parts of a stream.
    pub fn parts_bytes(
        &self,
        stream: &RecipeStream,
        parts: &[Range<u64>],
    ) -> Result<u64, RepoError> {
        let cut = Cut::new(self.extents(stream)?, parts.to_vec());
        Ok(Needs::of(&self.packs, cut)?.fetch_bytes(&self.packs))
    }

    /// The extents of a stream, wherever they are listed.
    pub fn extents(&self, stream: &RecipeStream) -> Result<Extents, RepoError> {
        let (name, length) = (&stream.line.name, stream.line.length);
        let name = format!("the extents of {name}");
        let packs = Arc::clone(&self.packs);
        if let Some(extents) = &stream.extents {
            return Ok(Extents::inline(packs, name, extents.clone(), length));
        }
        let lines = self.list(name, stream.line.extents)?;
        Ok(Extents::stream(packs, lines, length))
    }

    /// The entries of a `files` stream.
    pub fn entries(&self, stream: &RecipeStream) -> Result<Entries, RepoError> {
        let name = format!("the entries of {}", stream.line.name);
        let lines = match (&stream.entries, stream.line.entries) {
            (Some(lines), _) => ListLines::inline(name, lines.clone()),
            (None, Some(list)) => self.list(name, list)?,
            (None, None) => return Err(RepoError::rule(&name, "there are none")),
        };
        Ok(Entries::new(lines))
    }

    /// The lines of a list that is a stream of its own.
    fn list(&self, name: String, list: ListRef) -> Result<ListLines, RepoError> {
        let stream = list
            .stream
            .and_then(|number| usize::try_from(number).ok())
            .and_then(|number| self.recipe.streams.get(number))
            .filter(|stream| stream.extents.is_some())
            .ok_or_else(|| RepoError::rule("recipe", "a list names no stream"))?;
        let expected = Expected {
            name: stream.line.name.clone(),
            length: stream.line.length,
            digest: Some(stream.line.digest),
            entries: None,
        };
        let extents = Box::new(self.extents(stream)?);
        let reader = StreamReader::list(Arc::clone(&self.packs), extents);
        let reader = Box::new(CheckedReader::new(reader, expected));
        Ok(ListLines::stream(name, reader, list.count))
    }
}

fn ahead(reader: StreamReader) -> Result<AheadReader, RepoError> {
    AheadReader::spawn(reader).map_err(RepoError::Thread)
}
