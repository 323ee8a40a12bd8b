//! Identifiers, each a type of its own so that no two can be confused.

use std::{fmt, str::FromStr};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Why a text is not the identifier that it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}")]
#[non_exhaustive]
pub struct InvalidId {
    /// The text, as given.
    pub text: String,
    /// What it should have been, with its rule.
    pub what: &'static str,
}

impl InvalidId {
    pub(crate) fn new(text: &str, what: &'static str) -> Self {
        Self {
            text: text.chars().take(80).collect(),
            what,
        }
    }
}

/// Serde as text, through `Display` and `FromStr`.
macro_rules! text_serde {
    ($name:ident, $pattern:literal) => {
        #[cfg(feature = "schema")]
        crate::schema::text!($name, $pattern);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(D::Error::custom)
            }
        }
    };
}

/// Fixed-size bytes, written as lower-case hexadecimal digits and in no other spelling.
macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $len:literal, $pattern:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                HEXLOWER
                    .decode(text.as_bytes())
                    .ok()
                    .and_then(|bytes| bytes.try_into().ok())
                    .map(Self)
                    .ok_or_else(|| InvalidId::new(text, $what))
            }
        }

        text_serde!($name, $pattern);
    };
}

hex_id!(
    /// A SHA-256 digest.
    Digest, 32, "^[0-9a-f]{64}$", "a digest: 64 lower-case hexadecimal digits"
);
hex_id!(
    /// The random id of a repository.
    RepositoryId, 16, "^[0-9a-f]{32}$", "a repository id: 32 lower-case hexadecimal digits"
);
hex_id!(
    /// The random number that tells one run from any other.
    Nonce, 16, "^[0-9a-f]{32}$", "a nonce: 32 lower-case hexadecimal digits"
);

impl Digest {
    /// The first eight digits: enough for people to tell packs apart.
    pub fn short(&self) -> String {
        HEXLOWER.encode(&self.0[..4])
    }
}

/// The name of a job: 1 to 64 of `a-z 0-9 - _`, starting with a letter or digit.
///
/// Lower case only, so that names stay apart on file systems that fold case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobName(String);

impl JobName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for JobName {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let bytes = text.as_bytes();
        let fits = (1..=64).contains(&bytes.len())
            && plain(bytes[0])
            && bytes.iter().all(|&b| plain(b) || b == b'-' || b == b'_');
        fits.then(|| Self(text.to_owned())).ok_or_else(|| {
            InvalidId::new(
                text,
                "a name: 1 to 64 of a-z 0-9 - _, starting with a letter or digit",
            )
        })
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_serde!(JobName, "^[a-z0-9][a-z0-9_-]{0,63}$");

/// The number of a run of a job, from 1; shown with at least six digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The first number of every job.
    pub const FIRST: Self = Self(1);

    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The number before this one; `None` before the first.
    pub const fn previous(self) -> Option<Self> {
        match self.0 {
            0 | 1 => None,
            n => Some(Self(n - 1)),
        }
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

impl fmt::Debug for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Seq {
    type Err = InvalidId;

    /// Only the spelling that [`Display`](fmt::Display) gives is a number of a run.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        text.parse()
            .ok()
            .filter(|&n| (1..1 << 53).contains(&n))
            .map(Self)
            .filter(|seq| seq.to_string() == text)
            .ok_or_else(|| InvalidId::new(text, "a run's number: six digits or more, from 000001"))
    }
}

/// A snapshot: `<job>/<seq>`, for example `webui/000041`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotName {
    /// The job that made it.
    pub job: JobName,
    /// Its number within the job.
    pub seq: Seq,
}

impl fmt::Display for SnapshotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.job, self.seq)
    }
}

impl fmt::Debug for SnapshotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for SnapshotName {
    type Err = InvalidId;

    /// Takes `webui/41` as well as `webui/000041`: people type these.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let wrong = || InvalidId::new(text, "a snapshot: <job>/<number>, as in webui/000041");
        let (job, seq) = text.split_once('/').ok_or_else(wrong)?;
        let number: u64 = seq.parse().map_err(|_| wrong())?;
        if number == 0 || number >= 1 << 53 || !seq.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        Ok(Self {
            job: job.parse().map_err(|_| wrong())?,
            seq: Seq(number),
        })
    }
}

text_serde!(SnapshotName, "^[a-z0-9][a-z0-9_-]{0,63}/[0-9]+$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_escape_or_collide_are_refused() {
        for bad in ["", "..", "a/b", "Webui", "-x", "_x", "a\0", "ä", "a b"] {
            assert!(bad.parse::<JobName>().is_err(), "{bad:?}");
        }
        assert!("a".repeat(65).parse::<JobName>().is_err());
        assert!("open-webui_2".parse::<JobName>().is_ok());
    }

    #[test]
    fn a_number_has_one_spelling_in_the_repository_and_two_for_people() {
        assert_eq!("000041".parse(), Ok(Seq(41)));
        for bad in ["41", "0000041", "000000", "+00041", "00004x"] {
            assert!(bad.parse::<Seq>().is_err(), "{bad}");
        }
        assert_eq!("1234567".parse(), Ok(Seq(1_234_567)));
        let name: SnapshotName = "webui/41".parse().unwrap();
        assert_eq!(name.to_string(), "webui/000041");
        for bad in ["webui", "webui/", "webui/0", "webui/+1", "/1", "a/1/2"] {
            assert!(bad.parse::<SnapshotName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn digests_are_lower_case_and_whole() {
        let digest = Digest([0xab; 32]);
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert!(digest.to_string().to_uppercase().parse::<Digest>().is_err());
        assert!("abab".parse::<Digest>().is_err());
    }
}
