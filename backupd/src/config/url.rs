//! Where a repository is: a URL or a path, read into a type that can only be a usable place.

use std::{
    fmt,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Component, Path, PathBuf},
    str::FromStr,
};

/// The place of a repository: for now always a local folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryUrl {
    path: PathBuf,
}

/// Why a text is not the place of a repository.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// Nothing there.
    #[error("the repository's URL is empty")]
    Empty,
    /// Another kind of store.
    #[error("`{scheme}://` is not supported by this version")]
    Scheme {
        /// What stood before `://`.
        scheme: String,
    },
    /// User and password in the URL.
    #[error("the repository's URL holds a password")]
    Password,
    /// `file://host/…` or `file://path`.
    #[error("a `file://` URL must name an absolute path on this host")]
    NotAbsolute,
    /// A relative path where nothing says relative to what.
    #[error("the repository's path must be absolute here")]
    Relative,
    /// `..` somewhere in it.
    #[error("the repository's path contains `..`")]
    Parent,
    /// `%` without two digits, a query, a fragment or NUL.
    #[error("the repository's URL holds `{text}`, which means nothing in a `file://` URL")]
    Escape {
        /// The part that is wrong.
        text: String,
    },
}

impl UrlError {
    /// What to do about it: a full sentence.
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Password => {
                "Remove the password from the URL and change it: others may have read it."
            }
            Self::Parent => "Write the path without `..`.",
            Self::Escape { .. } => {
                "Write `%` as `%25`, `?` as `%3F` and `#` as `%23`, or give a plain path."
            }
            Self::Empty | Self::Scheme { .. } | Self::NotAbsolute | Self::Relative => {
                "Give a local folder, for example `file:///var/lib/backupd/repo`."
            }
        }
    }
}

impl RepositoryUrl {
    /// Reads a `file://` URL, an absolute path, or a path relative to `base`.
    pub fn parse(text: &str, base: &Path) -> Result<Self, UrlError> {
        let url = Self::parse_open(text)?;
        let path = base.join(url);
        Ok(Self { path })
    }

    /// The repository's folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn parse_open(text: &str) -> Result<PathBuf, UrlError> {
        if text.is_empty() {
            return Err(UrlError::Empty);
        }
        let path = match text.split_once("://") {
            None => PathBuf::from(text),
            Some((scheme, rest)) => {
                let authority = rest.split('/').next().unwrap_or_default();
                if authority
                    .split_once('@')
                    .is_some_and(|(user, _)| user.contains(':'))
                {
                    return Err(UrlError::Password);
                }
                if !scheme.eq_ignore_ascii_case("file") {
                    return Err(UrlError::Scheme {
                        scheme: scheme.to_owned(),
                    });
                }
                if !rest.starts_with('/') {
                    return Err(UrlError::NotAbsolute);
                }
                unescaped(rest)?
            }
        };
        if path.components().any(|part| part == Component::ParentDir) {
            return Err(UrlError::Parent);
        }
        if path.as_os_str().as_bytes().contains(&0) {
            return Err(UrlError::Escape {
                text: "%00".to_owned(),
            });
        }
        Ok(path.components().collect())
    }
}

impl FromStr for RepositoryUrl {
    type Err = UrlError;

    /// Reads what cannot be relative: a `file://` URL or an absolute path.
    fn from_str(text: &str) -> Result<Self, UrlError> {
        let path = Self::parse_open(text)?;
        if path.is_absolute() {
            Ok(Self { path })
        } else {
            Err(UrlError::Relative)
        }
    }
}

impl fmt::Display for RepositoryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("file://")?;
        for &byte in self.path.as_os_str().as_bytes() {
            if byte.is_ascii_alphanumeric() || b"/-._~+@,=:".contains(&byte) {
                write!(f, "{}", char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

/// The path part of a URL with its `%xx` read.
fn unescaped(text: &str) -> Result<PathBuf, UrlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match first {
            b'%' => {
                let byte = tail
                    .get(..2)
                    .and_then(|digits| std::str::from_utf8(digits).ok())
                    .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
                    .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                    .ok_or_else(|| UrlError::Escape {
                        text: "%".to_owned(),
                    })?;
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            b'?' | b'#' => {
                return Err(UrlError::Escape {
                    text: char::from(*first).to_string(),
                });
            }
            &other => bytes.push(other),
        }
    }
    Ok(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_being_shown() {
        for (text, path) in [
            ("file:///srv/repo", "/srv/repo"),
            ("/srv/repo/", "/srv/repo"),
            ("file:///srv/a%20b%25", "/srv/a b%"),
            ("repo", "/etc/backupd/repo"),
            ("./repo", "/etc/backupd/repo"),
        ] {
            let url = RepositoryUrl::parse(text, Path::new("/etc/backupd")).unwrap();
            assert_eq!(url.path(), Path::new(path), "{text}");
            assert_eq!(url.to_string().parse(), Ok(url), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_place_is_refused_with_its_reason() {
        for (text, message) in [
            ("", "the repository's URL is empty"),
            (
                "s3://bucket/main",
                "`s3://` is not supported by this version",
            ),
            (
                "https://a:b@host/x",
                "the repository's URL holds a password",
            ),
            (
                "file://srv/repo",
                "a `file://` URL must name an absolute path on this host",
            ),
            ("/srv/../repo", "the repository's path contains `..`"),
            (
                "file:///srv/%2e%2e/repo",
                "the repository's path contains `..`",
            ),
            ("repo", "the repository's path must be absolute here"),
            (
                "file:///a%zz",
                "the repository's URL holds `%`, which means nothing in a `file://` URL",
            ),
            (
                "file:///a%00",
                "the repository's URL holds `%00`, which means nothing in a `file://` URL",
            ),
            (
                "file:///a?b",
                "the repository's URL holds `?`, which means nothing in a `file://` URL",
            ),
        ] {
            let error = text.parse::<RepositoryUrl>().unwrap_err();
            assert_eq!(error.to_string(), message, "{text}");
            assert!(error.help().ends_with('.'), "{text}");
        }
    }
}
