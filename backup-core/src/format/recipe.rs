//! Recipes: JSON Lines that say how streams are put together from packs.
//!
//! The reader checks everything that can be checked without the packs: counts, bounds, that
//! extents lie inside their packs and add up to their stream's length, that names are unique and
//! that lists refer to earlier streams which are lists themselves.

use std::collections::BTreeSet;

use backup_model::{Digest, JobName, Nonce, RepositoryId, Seq, StreamKind};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Lists up to this length stand in the recipe; longer ones become streams.
pub const INLINE_LINES: u64 = 1_000;

/// A line of a recipe, refs or list is not longer.
pub const MAX_LINE: usize = 1 << 20;

/// A pack does not decompress to more.
pub const MAX_PLAIN: u64 = 320 << 20;

/// A pack is not stored in more.
pub const MAX_PACK: u64 = 64 << 20;

/// What is wrong with a recipe, refs or list.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinesError {
    /// A line is not what its place asks for.
    #[error("line {line} is not {what}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What should be there.
        what: &'static str,
        /// Why it is not.
        source: serde_json::Error,
    },
    /// A line breaks a rule.
    #[error("line {line}: {rule}")]
    Rule {
        /// Counted from 1.
        line: u64,
        /// The rule.
        rule: &'static str,
    },
    /// It ends early.
    #[error("it ends after line {line}, where {what} should be")]
    Short {
        /// Counted from 1.
        line: u64,
        /// What should be there.
        what: &'static str,
    },
}

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "recipe")]
pub struct RecipeHead {
    /// The repository.
    pub repository: RepositoryId,
    /// The job.
    pub job: JobName,
    /// The run's number.
    pub seq: Seq,
    /// The session's nonce.
    pub nonce: Nonce,
    /// The epoch of its packs.
    pub epoch: u64,
    /// How many packs follow.
    pub packs: u64,
    /// How many streams follow them.
    pub streams: u64,
}

/// A pack that the snapshot uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "pack")]
pub struct PackLine {
    /// Its digest, which is its name.
    pub sha256: Digest,
    /// Its stored size.
    pub size: u64,
    /// The digest of its head: age header and nonce.
    pub head: Digest,
    /// Its decompressed size.
    pub plain: u64,
}

/// A list: in the recipe, or in a stream of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListRef {
    /// Lines in the list.
    pub count: u64,
    /// The stream that holds them; `None` if they follow here.
    pub stream: Option<u64>,
}

/// A stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "stream")]
pub struct StreamLine {
    /// Its number, from 0.
    pub number: u64,
    /// What it is.
    pub kind: StreamKind,
    /// Its name.
    pub name: String,
    /// Its length.
    pub length: u64,
    /// Its digest.
    pub digest: Digest,
    /// Its extents.
    pub extents: ListRef,
    /// Its entries; only for `files`.
    pub entries: Option<ListRef>,
    /// What the source knew.
    pub facts: Option<serde_json::Value>,
}

/// A run of bytes of a decompressed pack, written as `[pack,offset,length]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u64, u64)", into = "(u64, u64, u64)")]
pub struct Extent {
    /// The pack's number in the recipe.
    pub pack: u64,
    /// Where it begins in the decompressed pack.
    pub offset: u64,
    /// How long it is.
    pub length: u64,
}

impl From<(u64, u64, u64)> for Extent {
    fn from((pack, offset, length): (u64, u64, u64)) -> Self {
        Self {
            pack,
            offset,
            length,
        }
    }
}

impl From<Extent> for (u64, u64, u64) {
    fn from(extent: Extent) -> Self {
        (extent.pack, extent.offset, extent.length)
    }
}

/// A stream with the lists that stand in the recipe.
#[derive(Clone, Debug, PartialEq)]
pub struct RecipeStream {
    /// Its line.
    pub line: StreamLine,
    /// Its extents, if they stand here.
    pub extents: Option<Vec<Extent>>,
    /// The lines of its entries, if they stand here.
    pub entries: Option<Vec<String>>,
}

/// A whole recipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// Whose it is.
    pub head: RecipeHead,
    /// Its packs.
    pub packs: Vec<PackLine>,
    /// Its streams.
    pub streams: Vec<RecipeStream>,
}

impl Recipe {
    /// The plaintext.
    pub fn to_lines(&self) -> Vec<u8> {
        let mut out = Vec::new();
        push_line(&mut out, &self.head);
        for pack in &self.packs {
            push_line(&mut out, pack);
        }
        for stream in &self.streams {
            push_line(&mut out, &stream.line);
            for extent in stream.extents.iter().flatten() {
                push_line(&mut out, extent);
            }
            for entry in stream.entries.iter().flatten() {
                out.extend_from_slice(entry.as_bytes());
                out.push(b'\n');
            }
        }
        out
    }

    /// Reads and checks the plaintext.
    pub fn parse(bytes: &[u8]) -> Result<Self, LinesError> {
        let mut lines = Lines::new(bytes);
        let head: RecipeHead = lines.json("a recipe's head")?;
        let mut packs = Vec::new();
        for _ in 0..head.packs {
            let pack: PackLine = lines.json("a pack")?;
            lines.rule(
                pack.size <= MAX_PACK && (1..=MAX_PLAIN).contains(&pack.plain),
                "the pack is over the format's limits",
            )?;
            packs.push(pack);
        }
        let mut streams: Vec<RecipeStream> = Vec::new();
        let mut names = BTreeSet::new();
        for number in 0..head.streams {
            let stream = parse_stream(&mut lines, number, &packs, &streams)?;
            lines.rule(
                names.insert(stream.line.name.clone()),
                "two streams have one name",
            )?;
            streams.push(stream);
        }
        lines.end()?;
        Ok(Self {
            head,
            packs,
            streams,
        })
    }

    /// The stream with a name, but not the lists behind streams.
    pub fn stream(&self, name: &str) -> Option<&RecipeStream> {
        self.streams
            .iter()
            .find(|stream| stream.line.name == name && stream.line.kind != StreamKind::List)
    }

    /// The streams that a source gave: all but lists.
    pub fn source_streams(&self) -> impl Iterator<Item = &RecipeStream> {
        self.streams
            .iter()
            .filter(|stream| stream.line.kind != StreamKind::List)
    }
}

fn parse_stream(
    lines: &mut Lines<'_>,
    number: u64,
    packs: &[PackLine],
    earlier: &[RecipeStream],
) -> Result<RecipeStream, LinesError> {
    let line: StreamLine = lines.json("a stream")?;
    lines.rule(line.number == number, "streams are not numbered in order")?;
    lines.rule(is_stream_name(&line.name), "the stream's name is not one")?;
    let is_list = |index: u64| {
        usize::try_from(index)
            .ok()
            .and_then(|index| earlier.get(index))
            .is_some_and(|s| s.line.kind == StreamKind::List && s.line.extents.stream.is_none())
    };
    let lists = [Some(line.extents), line.entries];
    lines.rule(
        lists.iter().flatten().filter_map(|l| l.stream).all(is_list),
        "a list is not in an earlier list stream",
    )?;
    lines.rule(
        line.entries.is_some() == (line.kind == StreamKind::Files),
        "entries belong to files streams, and only to them",
    )?;
    let mut extents = None;
    if line.extents.stream.is_none() {
        let mut list = Vec::new();
        for _ in 0..line.extents.count {
            list.push(lines.json("an extent")?);
        }
        lines.rule(
            extents_fit(&list, packs, line.length),
            "the stream's extents do not fit its packs and length",
        )?;
        extents = Some(list);
    }
    let mut entries = None;
    if let Some(ListRef {
        count,
        stream: None,
    }) = line.entries
    {
        let mut list = Vec::new();
        for _ in 0..count {
            list.push(lines.text("an entry")?.to_owned());
        }
        entries = Some(list);
    }
    Ok(RecipeStream {
        line,
        extents,
        entries,
    })
}

/// Whether extents lie in their packs and add up to a stream of `length`.
pub fn extents_fit(extents: &[Extent], packs: &[PackLine], length: u64) -> bool {
    let fits = |extent: &Extent| {
        let pack = usize::try_from(extent.pack).ok().and_then(|i| packs.get(i));
        let end = extent.offset.checked_add(extent.length);
        extent.length > 0 && pack.zip(end).is_some_and(|(pack, end)| end <= pack.plain)
    };
    let sum = extents
        .iter()
        .try_fold(0u64, |sum, extent| sum.checked_add(extent.length));
    extents.iter().all(fits) && sum == Some(length)
}

/// Whether a text can be a stream's name.
pub fn is_stream_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && !name.contains('/')
        && !name.chars().any(char::is_control)
        && name != "."
        && name != ".."
}

/// Appends one line of JSON.
pub fn push_line<T: Serialize>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(&mut *out, value).expect("plain data with text keys always serialises");
    out.push(b'\n');
}

/// Reads one line, without its line feed, as JSON of one type in its canonical spelling.
pub fn parse_line<T: DeserializeOwned + Serialize>(
    text: &[u8],
    line: u64,
    what: &'static str,
) -> Result<T, LinesError> {
    let wrong = |source| LinesError::Line { line, what, source };
    let value: T = serde_json::from_slice(text).map_err(wrong)?;
    let again = serde_json::to_vec(&value).map_err(wrong)?;
    if again == text {
        return Ok(value);
    }
    let rule = "the line is not in canonical form";
    Err(LinesError::Rule { line, rule })
}

/// Reads lines one by one and knows where it is.
#[derive(Debug)]
pub struct Lines<'a> {
    rest: &'a [u8],
    line: u64,
}

impl<'a> Lines<'a> {
    /// Begins at the first line.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            line: 0,
        }
    }

    /// The next line as text.
    pub fn text(&mut self, what: &'static str) -> Result<&'a str, LinesError> {
        let short = LinesError::Short {
            line: self.line,
            what,
        };
        let end = self.rest.iter().position(|&b| b == b'\n').ok_or(short)?;
        self.line = self.line.saturating_add(1);
        self.rule(end <= MAX_LINE, "the line is too long")?;
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest.get(1..).unwrap_or_default();
        std::str::from_utf8(line).map_err(|_| LinesError::Rule {
            line: self.line,
            rule: "the line is not UTF-8",
        })
    }

    /// The next line as JSON of one type, in its canonical spelling.
    pub fn json<T: DeserializeOwned + Serialize>(
        &mut self,
        what: &'static str,
    ) -> Result<T, LinesError> {
        let text = self.text(what)?;
        parse_line(text.as_bytes(), self.line, what)
    }

    /// Refuses what breaks a rule.
    pub fn rule(&self, holds: bool, rule: &'static str) -> Result<(), LinesError> {
        if holds {
            return Ok(());
        }
        Err(LinesError::Rule {
            line: self.line,
            rule,
        })
    }

    /// Refuses anything after the last line.
    pub fn end(&self) -> Result<(), LinesError> {
        self.rule(self.rest.is_empty(), "something follows the last line")
    }
}
