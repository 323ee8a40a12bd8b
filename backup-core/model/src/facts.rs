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

/// What kind of table it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TableKind {
    /// One that holds its rows itself.
    Table,
    /// One whose rows are in its partitions, which are listed, too.
    Partitioned,
    /// A view whose rows are stored. A dump holds how to make it, and a restore makes it anew.
    MaterializedView,
    /// One whose rows are on another server: a dump holds none of them.
    Foreign,
}

/// A table as the catalog described it when its database was dumped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Table {
    /// Its schema, lossily as UTF-8.
    pub schema: String,
    /// Its name, lossily as UTF-8.
    pub name: String,
    /// What it is.
    pub kind: TableKind,
    /// How many rows it had by the server's estimate; none where nobody has counted yet.
    pub rows: Option<u64>,
    /// What it took on the server with its indexes.
    pub bytes: u64,
}

/// The tables of a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tables {
    /// How many there were.
    pub total: u64,
    /// The first of them by schema and name: at most 10,000, and only as many as fit into a
    /// recipe's line.
    pub list: Vec<Table>,
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
    /// The tables that the dump takes. None where they are not known, as in snapshots of older
    /// programs, and where they are not told: only who opens a snapshot is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tables: Option<Tables>,
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
