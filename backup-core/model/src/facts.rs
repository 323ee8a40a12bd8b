//! What a source knew about what it gave, kept with each stream.

use serde::{Deserialize, Serialize};

/// What a stream is, and so how it is restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StreamKind {
    /// A `pg_dump` archive in custom format.
    Postgres,
    /// SQL of `pg_dumpall --globals-only`: roles and tablespaces.
    Globals,
    /// A tar of folders.
    Files,
    /// What a command wrote to its standard output.
    Command,
    /// Lines that another stream refers to.
    List,
}

impl StreamKind {
    /// The word used in records and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Globals => "globals",
            Self::Files => "files",
            Self::Command => "command",
            Self::List => "list",
        }
    }
}

/// An extension that a database uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Extension {
    /// Its name, as in `pg_extension`.
    pub name: String,
    /// Its installed version.
    pub version: String,
}

/// What a database was when it was dumped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DatabaseFacts {
    /// The database's name.
    pub database: String,
    /// `server_version`, for people.
    pub server_version: String,
    /// `server_version_num`, for example 150018.
    pub server_version_num: u32,
    /// The version of `pg_dump`, as it prints it.
    pub dump_version: String,
    /// The database's encoding, for example `UTF8`.
    pub encoding: String,
    /// `datcollate`.
    pub collate: String,
    /// `datctype`.
    pub ctype: String,
    /// `pg_database_size` in bytes.
    pub size_bytes: u64,
    /// The installed extensions, by name.
    pub extensions: Vec<Extension>,
    /// Roles that own something or were granted something, by name.
    pub roles: Vec<String>,
}

/// Something that should have been read and could not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Unreadable {
    /// Its path, lossily as UTF-8.
    pub path: String,
    /// Why.
    pub error: String,
}

/// A file that was left out for its size, as it was wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TooLarge {
    /// Its path, lossily as UTF-8.
    pub path: String,
    /// Its size.
    pub size_bytes: u64,
}

/// What a `files` source covered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FilesFacts {
    /// The configured paths, absolute.
    pub roots: Vec<String>,
    /// How many things could not be read.
    pub unreadable: u64,
    /// The first of them: at most 1,000, and only as many as fit into a recipe's line.
    pub examples: Vec<Unreadable>,
    /// How many names a pattern left out; a folder counts once, with all that is in it.
    #[serde(default)]
    pub excluded: u64,
    /// How many files were left out for their size.
    #[serde(default)]
    pub too_large: u64,
    /// The first of them, as of `examples`.
    #[serde(default)]
    pub too_large_examples: Vec<TooLarge>,
}
