//! Lists as they flow: lines out of the recipe, or out of a stream of their own, one at a time.
//!
//! A list's lines are given out before its last line was seen; its stream's digest has its say at
//! the end, as for any stream. So each line is checked by itself and by what came before it, and
//! what is read by it carries digests of its own.

use std::{
    fmt,
    io::{BufRead as _, BufReader, Read},
    sync::Arc,
    vec,
};

use super::{
    Packs,
    error::{Carried, unwrap_io},
};
use crate::{
    format::{Entry, Extent, LinesError, MAX_LINE, parse_line},
    repo::RepoError,
};

/// Lines of a list.
pub(super) struct ListLines {
    source: Source,
    /// The list's name, for messages.
    name: String,
    line: u64,
    count: u64,
}

enum Source {
    Recipe(vec::IntoIter<String>),
    Stream {
        reader: BufReader<Box<dyn Read + Send>>,
        buffer: Vec<u8>,
    },
}

impl ListLines {
    /// Lines that stand in the recipe.
    pub(super) fn inline(name: String, lines: Vec<String>) -> Self {
        let count = lines.len() as u64;
        Self::new(name, Source::Recipe(lines.into_iter()), count)
    }

    /// As many lines out of a stream, which must hold no more.
    pub(super) fn stream(name: String, reader: Box<dyn Read + Send>, count: u64) -> Self {
        let source = Source::Stream {
            reader: BufReader::with_capacity(64 * 1024, reader),
            buffer: Vec::new(),
        };
        Self::new(name, source, count)
    }

    fn new(name: String, source: Source, count: u64) -> Self {
        Self {
            source,
            name,
            line: 0,
            count,
        }
    }

    /// The next line, without its line feed; `None` after the last, and after the digest of the
    /// whole was compared.
    fn next<T>(
        &mut self,
        what: &'static str,
        read: impl FnOnce(&[u8], u64) -> Result<T, RepoError>,
    ) -> Option<Result<T, RepoError>> {
        let line = self.line.saturating_add(1);
        let text = match &mut self.source {
            Source::Recipe(lines) => lines.next().map(|line| Ok(line.into_bytes())),
            Source::Stream { reader, buffer } => {
                let mut taken = reader.take(MAX_LINE as u64 + 1);
                buffer.clear();
                match taken.read_until(b'\n', buffer) {
                    Ok(0) => None,
                    Ok(_) => Some(Ok(std::mem::take(buffer))),
                    Err(error) => Some(Err(match unwrap_io(error) {
                        Carried::Repo(error) => error,
                        Carried::Pipeline(error) => RepoError::rule(&self.name, error.to_string()),
                        Carried::Io(error) => RepoError::rule(&self.name, error.to_string()),
                    })),
                }
            }
        };
        let mut text = match text {
            None if self.line < self.count => {
                let line = self.line;
                return Some(Err(self.wrong(LinesError::Short { line, what })));
            }
            None => return None,
            Some(Err(error)) => return Some(Err(error)),
            Some(Ok(text)) => text,
        };
        if self.line >= self.count {
            return Some(Err(self.rule("something follows the last line")));
        }
        self.line = line;
        let in_stream = matches!(self.source, Source::Stream { .. });
        if in_stream && text.pop() != Some(b'\n') {
            return Some(Err(self.rule("the line is too long, or has no end")));
        }
        let result = read(&text, line);
        if let Source::Stream { buffer, .. } = &mut self.source {
            *buffer = text;
        }
        Some(result)
    }

    fn wrong(&self, source: LinesError) -> RepoError {
        RepoError::Lines {
            key: self.name.clone(),
            source,
        }
    }

    fn rule(&self, rule: &'static str) -> RepoError {
        let line = self.line;
        self.wrong(LinesError::Rule { line, rule })
    }
}

/// The extents of a stream, each checked against its pack, and all of them against the stream's
/// length at the end.
pub struct Extents {
    source: ExtentSource,
    packs: Arc<Packs>,
    name: String,
    length: u64,
    sum: u64,
}

enum ExtentSource {
    Recipe(vec::IntoIter<Extent>),
    Stream(ListLines),
}

impl fmt::Debug for Extents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extents({})", self.name)
    }
}

impl Extents {
    pub(super) fn inline(
        packs: Arc<Packs>,
        name: String,
        extents: Vec<Extent>,
        length: u64,
    ) -> Self {
        Self::new(
            packs,
            name,
            ExtentSource::Recipe(extents.into_iter()),
            length,
        )
    }

    pub(super) fn stream(packs: Arc<Packs>, lines: ListLines, length: u64) -> Self {
        let name = lines.name.clone();
        Self::new(packs, name, ExtentSource::Stream(lines), length)
    }

    fn new(packs: Arc<Packs>, name: String, source: ExtentSource, length: u64) -> Self {
        Self {
            source,
            packs,
            name,
            length,
            sum: 0,
        }
    }

    fn check(&mut self, extent: Extent) -> Result<Extent, RepoError> {
        let end = extent.offset.checked_add(extent.length);
        let plain = self.packs.line(extent.pack).ok().map(|line| line.plain);
        let sum = self.sum.checked_add(extent.length);
        let fits = extent.length > 0 && end.zip(plain).is_some_and(|(end, plain)| end <= plain);
        match sum.filter(|sum| fits && *sum <= self.length) {
            Some(sum) => self.sum = sum,
            None => return Err(self.misfit()),
        }
        Ok(extent)
    }

    fn misfit(&self) -> RepoError {
        RepoError::rule(&self.name, "they do not fit packs and length")
    }
}

impl Iterator for Extents {
    type Item = Result<Extent, RepoError>;

    fn next(&mut self) -> Option<Self::Item> {
        let name = &self.name;
        let extent = match &mut self.source {
            ExtentSource::Recipe(extents) => extents.next().map(Ok),
            ExtentSource::Stream(lines) => lines.next("an extent", |text, line| {
                parse_line(text, line, "an extent").map_err(|source| RepoError::Lines {
                    key: name.clone(),
                    source,
                })
            }),
        };
        match extent {
            None if self.sum != self.length => Some(Err(self.misfit())),
            None => None,
            Some(extent) => Some(extent.and_then(|extent| self.check(extent))),
        }
    }
}

/// The entries of a `files` stream, in its order; the last is the end of the archive.
pub struct Entries {
    lines: ListLines,
    ended: bool,
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entries({})", self.lines.name)
    }
}

impl Entries {
    pub(super) fn new(lines: ListLines) -> Self {
        Self {
            lines,
            ended: false,
        }
    }
}

impl Iterator for Entries {
    type Item = Result<Entry, RepoError>;

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.lines.name.clone();
        let parse = |text: &[u8], line| {
            Entry::parse(text).map_err(|source| RepoError::Entry { key, line, source })
        };
        let entry = match self.lines.next("an entry", parse) {
            None if self.ended => return None,
            None => Err(self.lines.rule("the last entry is not the end")),
            Some(Ok(_)) if self.ended => Err(self.lines.rule("an entry follows the end")),
            Some(entry) => entry,
        };
        // After an error there is nothing that could be believed.
        self.ended |= entry.as_ref().map_or(true, |entry| entry.node.is_none());
        Some(entry)
    }
}
