//! A problem in the configuration: what is wrong, where, and what to do; and how it is collected.
//!
//! Problems show lines of the files they are in. Values that are, or look like, secrets are
//! blacked out in those lines first, so that a report can be sent to somebody.

use std::{
    fmt,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError,
    MietteSpanContents, SourceCode, SourceSpan, SpanContents,
};
use serde::Serialize;

/// One thing that is wrong in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{}", self.title())]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; none where the file as a whole is meant.
    pub line: Option<usize>,
    /// The column in characters, from 1.
    pub column: Option<usize>,
    /// The key path, for example `job.webui.repository`; may be empty.
    pub key: String,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// What to do: a full sentence.
    pub help: Option<String>,
    #[serde(skip)]
    span: Option<Range<usize>>,
    #[serde(skip)]
    text: Arc<Shown>,
}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.span.as_ref().map(|_| &*self.text as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(
            None, span,
        ))))
    }
}

impl Problem {
    /// The message; with the file where no line will show it.
    fn title(&self) -> String {
        match self.span {
            Some(_) => self.message.clone(),
            None => self.one_line(),
        }
    }

    /// `file:line:column: message`, as compilers write it.
    pub fn one_line(&self) -> String {
        let file = self.file.display();
        match (self.line, self.column) {
            (Some(line), Some(column)) => format!("{file}:{line}:{column}: {}", self.message),
            _ => format!("{file}: {}", self.message),
        }
    }
}

/// A file as it is shown: secrets blacked out, and of each problem just its own lines.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    name: String,
    text: String,
}

impl SourceCode for Shown {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        _context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (before, after) = self
            .text
            .split_at_checked(span.offset())
            .ok_or(MietteError::OutOfBounds)?;
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        // Asked without context, the reader wants to know where the span begins.
        let (start, column) = match context_lines_before {
            0 => (before.len(), before[line..].chars().count()),
            _ => (line, 0),
        };
        let within = span.len().min(after.len());
        let rest = after.as_bytes().get(within..).unwrap_or_default();
        let tail = rest.iter().position(|&byte| byte == b'\n');
        let end = before.len() + within + tail.unwrap_or(rest.len());
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            &self.text.as_bytes()[start..end],
            (start, end - start).into(),
            before.matches('\n').count(),
            column,
            1,
        )))
    }
}

/// All problems of a configuration, in the order of files and lines; at least one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{}", count(.0.len()))]
pub struct Problems(pub Vec<Problem>);

fn count(problems: usize) -> String {
    match problems {
        1 => "the configuration has a problem".to_owned(),
        n => format!("the configuration has {n} problems"),
    }
}

impl Problems {
    /// All problems as people read them, with the lines they are in.
    pub fn render(&self, color: bool, width: usize) -> String {
        let theme = if color {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::unicode_nocolor()
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(width)
            .with_links(false);
        let mut text = String::new();
        for problem in &self.0 {
            if !text.is_empty() {
                text.push('\n');
            }
            if handler.render_report(&mut text, problem).is_err() {
                text.push_str(&problem.one_line());
            }
        }
        text
    }
}

/// A place in one of the files, with the key path that leads there.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    pub(crate) file: usize,
    pub(crate) span: Range<usize>,
    pub(crate) key: String,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Located<T> {
    pub(crate) value: T,
    pub(crate) at: Spot,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    text: String,
    masked: Vec<Range<usize>>,
}

#[derive(Debug)]
struct Found {
    file: usize,
    span: Option<Range<usize>>,
    key: String,
    message: String,
    help: Option<String>,
}

/// What a reading of the configuration has found so far.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    files: Vec<File>,
    found: Vec<Found>,
    warned: Vec<Found>,
}

impl Findings {
    /// Takes in a file; what is found in it names it by the number returned.
    pub(crate) fn add_file(&mut self, path: PathBuf, text: String) -> usize {
        let masked = Vec::new();
        self.files.push(File { path, text, masked });
        self.files.len() - 1
    }

    pub(crate) fn file_count(&self) -> usize {
        self.files.len()
    }

    pub(crate) fn path(&self, file: usize) -> &Path {
        &self.files[file].path
    }

    /// The folder that paths in this file are relative to.
    pub(crate) fn folder(&self, file: usize) -> &Path {
        self.path(file).parent().unwrap_or(Path::new("/"))
    }

    pub(crate) fn text(&self, file: usize) -> &str {
        &self.files[file].text
    }

    /// `file:line` of a spot, for messages about somewhere else.
    pub(crate) fn name_of(&self, at: &Spot) -> String {
        let (line, _) = position(self.text(at.file), at.span.start);
        format!("{}:{line}", self.path(at.file).display())
    }

    pub(crate) fn at(&mut self, at: &Spot, message: impl Into<String>, help: impl Into<String>) {
        self.found.push(Found::new(at, message.into(), help.into()));
    }

    /// Something that works and is hardly meant. Told only where nothing is wrong.
    pub(crate) fn warn(&mut self, at: &Spot, message: &str, help: &str) {
        self.warned
            .push(Found::new(at, message.to_owned(), help.to_owned()));
    }

    /// Something wrong with a file as a whole.
    pub(crate) fn in_file(&mut self, file: usize, message: &str, help: &str) {
        self.found.push(Found {
            file,
            span: None,
            key: String::new(),
            message: message.to_owned(),
            help: Some(help.to_owned()).filter(|help| !help.is_empty()),
        });
    }

    /// Blacks out a part of a file in everything that is shown.
    pub(crate) fn mask(&mut self, file: usize, span: Range<usize>) {
        self.files[file].masked.push(span);
    }

    /// How many things were found so far.
    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.found.is_empty()
    }

    /// The files, the main one first, and what was warned of.
    pub(crate) fn into_warnings(self) -> (Vec<PathBuf>, Vec<Problem>) {
        let warnings = located(&self.files, self.warned);
        let paths = self.files.into_iter().map(|file| file.path);
        (paths.collect(), warnings)
    }

    /// Everything that was found, in the order of files and lines.
    pub(crate) fn into_problems(self) -> Problems {
        Problems(located(&self.files, self.found))
    }
}

/// What was found, in the order of files and lines, with the lines it is in.
fn located(files: &[File], mut found: Vec<Found>) -> Vec<Problem> {
    found.sort_by_key(|found| (found.file, found.span.as_ref().map(|span| span.start)));
    let texts: Vec<_> = files.iter().map(File::shown).map(Arc::new).collect();
    let problems = found.into_iter().map(|found| {
        let file = &files[found.file];
        let at = found
            .span
            .as_ref()
            .map(|span| position(&file.text, span.start));
        Problem {
            file: file.path.clone(),
            line: at.map(|(line, _)| line),
            column: at.map(|(_, column)| column),
            key: found.key,
            message: found.message,
            help: found.help,
            span: found.span,
            text: Arc::clone(&texts[found.file]),
        }
    });
    problems.collect()
}

impl Found {
    fn new(at: &Spot, message: String, help: String) -> Self {
        Self {
            file: at.file,
            span: Some(at.span.clone()),
            key: at.key.clone(),
            message,
            help: Some(help).filter(|help| !help.is_empty()),
        }
    }
}

impl<T: Clone> Located<&T> {
    pub(crate) fn cloned(&self) -> Located<T> {
        Located {
            value: self.value.clone(),
            at: self.at.clone(),
        }
    }
}

impl<T> Located<T> {
    pub(crate) fn as_ref(&self) -> Located<&T> {
        let at = self.at.clone();
        Located {
            value: &self.value,
            at,
        }
    }
}

impl File {
    fn shown(&self) -> Shown {
        let mut bytes = self.text.clone().into_bytes();
        for span in &self.masked {
            let end = span.end.min(bytes.len());
            for byte in &mut bytes[span.start.min(end)..end] {
                if *byte != b'\n' {
                    *byte = b'*';
                }
            }
        }
        // Spans of the parser end between characters, so this changes nothing.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let name = self.path.display().to_string();
        Shown { name, text }
    }
}

/// Line and column, from 1, of a byte of a text.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |s| s.chars().count()) + 1;
    (line, column)
}
