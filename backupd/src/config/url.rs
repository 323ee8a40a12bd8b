//! Where a repository is: a URL or a path, read into a type that can only be a usable place.

use std::{
    fmt,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Component, Path, PathBuf},
    str::FromStr,
};

/// The place of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RepositoryUrl {
    /// A folder of this host; an absolute path.
    Folder(PathBuf),
    /// A bucket, or a part of one.
    S3(Bucket),
}

/// A bucket, or the part of it below a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The bucket's name.
    pub name: String,
    /// The prefix, without slashes around it; empty for all of the bucket.
    pub prefix: String,
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
    /// `s3://` without a bucket's name, or with one that no bucket has.
    #[error("the repository's URL names no bucket")]
    Bucket,
    /// `//` or `.` in a prefix, or characters that servers treat differently.
    #[error("the repository's URL has a prefix that not every server takes")]
    Prefix,
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
            Self::Bucket => {
                "A bucket's name is 3 to 63 lower-case letters, digits, dots and hyphens: \
                 `s3://bucket/prefix`."
            }
            Self::Prefix => {
                "Use letters, digits and `-_.~` between single slashes: `s3://bucket/prefix`."
            }
            Self::Escape { .. } => {
                "Write `%` as `%25`, `?` as `%3F` and `#` as `%23`, or give a plain path."
            }
            Self::Empty | Self::Scheme { .. } | Self::NotAbsolute | Self::Relative => {
                "Give a local folder, for example `file:///var/lib/backupd/repo`, or a bucket: \
                 `s3://bucket/prefix`."
            }
        }
    }
}

impl RepositoryUrl {
    /// Reads a URL, an absolute path, or a path relative to `base`.
    pub fn parse(text: &str, base: &Path) -> Result<Self, UrlError> {
        Ok(match Self::parse_open(text)? {
            Self::Folder(path) => Self::Folder(base.join(path)),
            bucket @ Self::S3(_) => bucket,
        })
    }

    /// The repository's folder, where it is one.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(path) => Some(path),
            Self::S3(_) => None,
        }
    }

    /// As short as it can be given again: a path or a URL.
    pub fn shown(&self) -> String {
        match self {
            Self::Folder(path) => path.display().to_string(),
            Self::S3(_) => self.to_string(),
        }
    }

    /// A place whose path may be relative still.
    fn parse_open(text: &str) -> Result<Self, UrlError> {
        if text.is_empty() {
            return Err(UrlError::Empty);
        }
        let path = match text.split_once("://") {
            None => PathBuf::from(text),
            Some((scheme, rest)) => {
                let authority = rest.split('/').next().unwrap_or_default();
                let s3 = scheme.eq_ignore_ascii_case("s3");
                if authority
                    .split_once('@')
                    .is_some_and(|(user, _)| s3 || user.contains(':'))
                {
                    return Err(UrlError::Password);
                }
                if s3 {
                    return Bucket::parse(rest).map(Self::S3);
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
        Ok(Self::Folder(path.components().collect()))
    }
}

impl Bucket {
    /// Reads what follows `s3://`.
    fn parse(text: &str) -> Result<Self, UrlError> {
        let (name, prefix) = text.split_once('/').unwrap_or((text, ""));
        let edge = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let inner = |byte: u8| edge(byte) || byte == b'-' || byte == b'.';
        let sound = (3..=63).contains(&name.len())
            && name.bytes().all(inner)
            && name.bytes().next().is_some_and(edge)
            && name.bytes().last().is_some_and(edge);
        if !sound {
            return Err(UrlError::Bucket);
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        if prefix.split('/').any(|part| part == "..") {
            return Err(UrlError::Parent);
        }
        let plain = |part: &str| {
            !matches!(part, "" | ".")
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
        };
        if !prefix.is_empty() && !prefix.split('/').all(plain) {
            return Err(UrlError::Prefix);
        }
        Ok(Self {
            name: name.to_owned(),
            prefix: prefix.to_owned(),
        })
    }
}

impl FromStr for RepositoryUrl {
    type Err = UrlError;

    /// Reads what cannot be relative: a URL or an absolute path.
    fn from_str(text: &str) -> Result<Self, UrlError> {
        match Self::parse_open(text)? {
            Self::Folder(path) if !path.is_absolute() => Err(UrlError::Relative),
            place => Ok(place),
        }
    }
}

impl fmt::Display for RepositoryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = match self {
            Self::Folder(path) => path,
            Self::S3(Bucket { name, prefix }) if prefix.is_empty() => {
                return write!(f, "s3://{name}");
            }
            Self::S3(Bucket { name, prefix }) => return write!(f, "s3://{name}/{prefix}"),
        };
        f.write_str("file://")?;
        for &byte in path.as_os_str().as_bytes() {
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
            assert_eq!(url.folder(), Some(Path::new(path)), "{text}");
            assert_eq!(url.to_string().parse(), Ok(url), "{text}");
        }
    }

    #[test]
    fn a_bucket_has_a_name_and_may_have_a_prefix() {
        for (text, name, prefix) in [
            ("s3://vault", "vault", ""),
            ("s3://vault/", "vault", ""),
            ("s3://my.vault-1/a/b_c~/", "my.vault-1", "a/b_c~"),
        ] {
            let url: RepositoryUrl = text.parse().unwrap();
            let (name, prefix) = (name.to_owned(), prefix.to_owned());
            assert_eq!(url, RepositoryUrl::S3(Bucket { name, prefix }), "{text}");
            assert_eq!(url.folder(), None);
            assert_eq!(url.to_string(), text.trim_end_matches('/'));
            assert_eq!(RepositoryUrl::parse(text, Path::new("/x")), Ok(url));
        }
    }

    #[test]
    fn what_is_not_a_place_is_refused_with_its_reason() {
        for (text, message) in [
            ("", "the repository's URL is empty"),
            (
                "gs://bucket/main",
                "`gs://` is not supported by this version",
            ),
            ("s3://", "the repository's URL names no bucket"),
            ("s3://Vault/x", "the repository's URL names no bucket"),
            ("s3://-v-/x", "the repository's URL names no bucket"),
            ("s3://id:key@vault", "the repository's URL holds a password"),
            ("s3://id@vault", "the repository's URL holds a password"),
            ("s3://vault/a/../b", "the repository's path contains `..`"),
            (
                "s3://vault/a//b",
                "the repository's URL has a prefix that not every server takes",
            ),
            (
                "s3://vault/a?versionId=1",
                "the repository's URL has a prefix that not every server takes",
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
