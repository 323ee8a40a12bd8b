//! From files to a checked configuration: which files, whether they are fit to be read, parsing.

use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Component, Path, PathBuf},
};

use backup_model::{Code, Failure};
use rustix::fs::{Mode, OFlags};
use toml::de::DeTable;

use super::{
    Config, Places,
    check::check,
    problem::{Findings, Problems, Spot},
    raw::{self, RawFile},
    table::looks_secret,
};

/// More than anybody writes by hand.
const MAX_BYTES: u64 = 1 << 20;

/// Why there is no configuration to work with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// None of the files is there.
    #[error("there is no configuration at {}", either(.searched))]
    Missing {
        /// Where it was looked for.
        searched: Vec<PathBuf>,
    },
    /// It is wrong.
    #[error(transparent)]
    Invalid(#[from] Problems),
}

fn either(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    paths.join(" or ")
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        let message = error.to_string();
        match error {
            LoadError::Missing { .. } => Self::new(Code::ConfigMissing, message),
            LoadError::Invalid(problems) => Self {
                causes: problems.0.iter().map(super::Problem::one_line).collect(),
                ..Self::new(Code::Config, message)
            },
        }
    }
}

/// Finds, reads and checks the configuration.
pub fn load(places: &Places) -> Result<Config, LoadError> {
    let searched = places.candidates();
    let there = |path: &&PathBuf| !matches!(path.metadata(), Err(error) if is_missing(&error));
    let Some(main) = searched.iter().find(there) else {
        return Err(LoadError::Missing { searched });
    };
    let main = plain_path(main);

    let mut findings = Findings::default();
    let mut files = Vec::new();
    let (main_file, raw) = read(&main, &mut findings);
    files.extend(raw);
    let parts = parts(&main.with_file_name("conf.d")).unwrap_or_else(|error| {
        let message = format!("`conf.d` beside it cannot be listed: {error}");
        findings.in_file(main_file, &message, "Make it readable, or remove it.");
        Vec::new()
    });
    for part in parts {
        files.extend(read(&part, &mut findings).1);
    }
    Ok(check(&files, places, findings)?)
}

/// The absolute path; without `..`, for paths in the file are relative to it and may have none.
fn plain_path(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if !path.components().any(|part| part == Component::ParentDir) {
        return path;
    }
    match (path.parent().map(Path::canonicalize), path.file_name()) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => path,
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// The files of `conf.d` in the order of their names; hidden ones are an editor's.
fn parts(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match folder.read_dir() {
        Err(error) if is_missing(&error) => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let hidden = path
            .file_name()
            .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
            && !hidden
        {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Reads one file; `None` where a finding says why its content is not to be looked at.
fn read(path: &Path, findings: &mut Findings) -> (usize, Option<RawFile>) {
    let bytes = match open(path) {
        Ok(bytes) => bytes,
        Err(refusal) => {
            let file = findings.add_file(path.to_owned(), String::new());
            findings.in_file(file, &refusal.0, &refusal.1);
            return (file, None);
        }
    };
    let (text, refusal) = decode(&bytes);
    let file = findings.add_file(path.to_owned(), text.clone());
    if let Some((offset, message, help)) = refusal {
        mask_lines(&text, file, findings);
        findings.at(&spot(file, offset..offset), message, help);
        return (file, None);
    }
    let (table, errors) = DeTable::parse_recoverable(&text);
    if errors.is_empty() {
        let raw = raw::read(table.get_ref(), file, findings);
        return (file, Some(raw));
    }
    mask_lines(&text, file, findings);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let message = match (error.message(), text.get(span.clone())) {
            ("duplicate key", Some(key)) => format!("`{}` stands here twice", key.trim()),
            (other, _) => other.to_owned(),
        };
        let help = "A table or key may stand only once, and a string needs quotes.";
        findings.at(&spot(file, span), message, help);
    }
    (file, None)
}

fn spot(file: usize, span: std::ops::Range<usize>) -> Spot {
    let key = String::new();
    Spot { file, span, key }
}

/// Message and help.
type Refusal = (String, String);

/// The bytes of a file that nobody but root and the user can have written.
fn open(path: &Path) -> Result<Vec<u8>, Refusal> {
    let refuse = |message: &str, help: String| (message.to_owned(), help);
    let unreadable = |error: io::Error| {
        let help = format!("Make {} readable for this user.", path.display());
        (format!("the file cannot be read: {error}"), help)
    };
    // Without blocking, so that a named pipe is seen to be one.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(|e| unreadable(e.into()))?;
    let file = File::from(fd);
    let facts = file.metadata().map_err(unreadable)?;
    if !facts.is_file() {
        let help = "Name a TOML file.".to_owned();
        return Err(refuse("it is not a regular file", help));
    }
    let me = rustix::process::geteuid().as_raw();
    if facts.uid() != 0 && facts.uid() != me {
        let help = format!("Take it over: chown {me} {}", path.display());
        return Err(refuse(
            "the file belongs to another user, who can change it",
            help,
        ));
    }
    if facts.mode() & 0o022 != 0 {
        let help = format!("Take the right away: chmod go-w {}", path.display());
        return Err(refuse("others can write to the file", help));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        let help = "Look whether it is the right file, or split it into conf.d.".to_owned();
        return Err(refuse("the file is larger than 1 MiB", help));
    }
    Ok(bytes)
}

/// The text for showing, and why it cannot be parsed: where, what, what to do.
fn decode(bytes: &[u8]) -> (String, Option<(usize, &'static str, &'static str)>) {
    const UTF8: &str = "Save the file as UTF-8 without a byte order mark.";
    let text = String::from_utf8_lossy(bytes).into_owned();
    let refusal = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some((0, "the file is UTF-16", UTF8)),
        [0xef, 0xbb, 0xbf, ..] => Some((0, "the file begins with a byte order mark", UTF8)),
        bytes => match std::str::from_utf8(bytes) {
            Err(error) => Some((error.valid_up_to(), "the file is not UTF-8", UTF8)),
            Ok(text) if text.trim().is_empty() => {
                Some((0, "the file is empty", "Begin it with `version = 1`."))
            }
            Ok(_) => None,
        },
    };
    (text, refusal)
}

/// Blacks out what may be a secret in a text that cannot be parsed: what follows a secret's key,
/// and whole lines that are none of a configuration. Somebody may have named a file with a password
/// or a key in it.
fn mask_lines(text: &str, file: usize, findings: &mut Findings) {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let key_end = line.find('=').filter(|_| looks_secret(line));
        if !looks_configured(line) {
            findings.mask(file, start..start + line.trim_end().len());
        } else if let Some(at) = key_end {
            findings.mask(file, start + at + 1..start + line.len());
        }
        start += line.len();
    }
}

/// Whether a line could be one of TOML: `key = …`, a table, a comment, part of an array.
fn looks_configured(line: &str) -> bool {
    const LONGEST_KEY: usize = 40;
    let line = line.trim();
    let is_key = |key: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.\"' ".contains(c);
        key.len() <= LONGEST_KEY && key.chars().all(plain)
    };
    line.is_empty()
        || line.starts_with(['[', ']', '{', '}', '#', '"', '\''])
        || line.split_once('=').is_some_and(|(key, _)| is_key(key))
}
