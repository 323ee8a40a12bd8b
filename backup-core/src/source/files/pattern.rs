//! Patterns of what to leave out: `**/.cache/**`, `/srv/webui/tmp`, `*.sock`.
//!
//! A pattern with a slash is compared with the absolute path, one without with the name alone.
//! `*` and `?` stop at a slash, `**` does not. What a pattern names is left out with all that is
//! in it; of a folder whose content alone is named (`x/**`) the folder itself is kept, so that a
//! restored program finds it where it was. Bytes count: names need not be UTF-8.

use std::{ffi::OsStr, fmt, os::unix::ffi::OsStrExt as _, path::Path, str::FromStr};

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

/// A pattern of names or paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    glob: Glob,
}

/// Why a text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// Nothing there.
    #[error("the pattern is empty")]
    Empty,
    /// It could never be an absolute path.
    #[error("`{text}` has a slash and begins neither with `/` nor with `**/`")]
    NotAbsolute {
        /// The pattern.
        text: String,
    },
    /// No path ends in a slash.
    #[error("`{text}` ends with `/`")]
    TrailingSlash {
        /// The pattern.
        text: String,
    },
    /// Its syntax.
    #[error("`{text}` is not a pattern")]
    Syntax {
        /// The pattern.
        text: String,
        /// What is wrong with it.
        #[source]
        source: globset::Error,
    },
}

impl Pattern {
    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        self.glob.glob()
    }

    /// Whether it names this absolute path itself.
    pub fn leaves_out(&self, path: &Path) -> bool {
        let compared = if self.of_names() {
            path.file_name().map(Path::new)
        } else {
            Some(path)
        };
        compared.is_some_and(|path| self.glob.compile_matcher().is_match(path))
    }

    fn of_names(&self) -> bool {
        !self.as_str().contains('/')
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let owned = || text.to_owned();
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.contains('/') && !text.starts_with('/') && !text.starts_with("**/") {
            return Err(PatternError::NotAbsolute { text: owned() });
        }
        if text.ends_with('/') {
            return Err(PatternError::TrailingSlash { text: owned() });
        }
        let glob = GlobBuilder::new(text).literal_separator(true).build();
        let glob = glob.map_err(|source| PatternError::Syntax {
            text: owned(),
            source,
        })?;
        Ok(Self { glob })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// All patterns of a source.
pub(super) struct Excludes {
    paths: GlobSet,
    names: GlobSet,
    /// The absolute path that is being compared.
    path: Vec<u8>,
}

impl Excludes {
    pub(super) fn new(patterns: &[Pattern]) -> Result<Self, globset::Error> {
        let set = |of_names| {
            let mut set = GlobSetBuilder::new();
            for pattern in patterns.iter().filter(|one| one.of_names() == of_names) {
                set.add(pattern.glob.clone());
            }
            set.build()
        };
        Ok(Self {
            paths: set(false)?,
            names: set(true)?,
            path: Vec::new(),
        })
    }

    /// Whether a path of the archive is left out, and what is in it too.
    pub(super) fn leave_out(&mut self, path: &[u8], name: &[u8]) -> bool {
        self.names.is_match(OsStr::from_bytes(name)) || self.path_matches(path, b"")
    }

    /// Whether of this folder everything that is in it is left out.
    pub(super) fn empty(&mut self, folder: &[u8]) -> bool {
        self.path_matches(folder, b"/")
    }

    fn path_matches(&mut self, path: &[u8], end: &[u8]) -> bool {
        if self.paths.is_empty() {
            return false;
        }
        self.path.clear();
        for part in [b"/", path, end] {
            self.path.extend_from_slice(part);
        }
        self.paths.is_match(OsStr::from_bytes(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_names_are_compared_each_in_its_way() {
        let patterns = ["**/.cache/**", "/srv/*/tmp", "*.sock", "[ab]?", "**/x/y"];
        let patterns = patterns.map(|text| text.parse::<Pattern>().unwrap());
        let mut excludes = Excludes::new(&patterns).unwrap();
        let mut left_out = |path: &[u8]| {
            let name = path.rsplit(|&byte| byte == b'/').next().unwrap();
            excludes.leave_out(path, name)
        };
        for path in [
            &b"home/.cache/x"[..],
            b".cache/x/y/z",
            b"home/.cache/\xff",
            b"srv/a/tmp",
            b"run/a.sock",
            b"\xff.sock",
            b"q/a1",
            b"x/y",
            b"deep/er/x/y",
        ] {
            assert!(left_out(path), "{}", String::from_utf8_lossy(path));
        }
        for path in [
            &b"home/.cache"[..],
            b"home/.cached/x",
            b"srv/tmp",
            b"srv/a/b/tmp",
            b"srv/a/tmp2",
            b"a.sock/x",
            b"a.socket",
            b"c1",
            b"x/y/z",
        ] {
            assert!(!left_out(path), "{}", String::from_utf8_lossy(path));
        }
        assert!(excludes.empty(b"home/.cache") && !excludes.empty(b"home"));
    }

    #[test]
    fn what_could_never_match_is_refused() {
        for (text, message) in [
            ("", "the pattern is empty"),
            (
                "cache/x",
                "`cache/x` has a slash and begins neither with `/` nor with `**/`",
            ),
            ("/srv/x/", "`/srv/x/` ends with `/`"),
            ("[a", "`[a` is not a pattern"),
        ] {
            let error = text.parse::<Pattern>().unwrap_err();
            assert_eq!(error.to_string(), message);
        }
        let pattern: Pattern = "**/.cache/**".parse().unwrap();
        assert!(pattern.leaves_out(Path::new("/home/.cache/x")));
        assert!(!pattern.leaves_out(Path::new("/home/.cache")));
    }
}
