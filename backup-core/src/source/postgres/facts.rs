//! Asks a database what it is, before it is dumped.

use backup_model::{Code, DatabaseFacts, Extension};

use super::tables::tables;
use crate::postgres::{Connection, ConnectionError, Programs};

/// Roles that a restore needs: those that own something that was made after the server was, or
/// that something was granted to. Predefined roles are on every server. The dependency catalog
/// leaves out the first superuser, so owners are looked up as well.
const ROLES: &str = "select rolname::text from pg_roles r where rolname !~ '^pg_' and (\
     exists (select from pg_shdepend d where d.refclassid = 'pg_authid'::regclass \
        and d.refobjid = r.oid and d.dbid = (select oid from pg_database where datname = current_database())) \
     or exists (select from pg_class where relowner = r.oid and oid >= 16384) \
     or exists (select from pg_proc where proowner = r.oid and oid >= 16384) \
     or exists (select from pg_type where typowner = r.oid and oid >= 16384) \
     or exists (select from pg_namespace where nspowner = r.oid and oid >= 16384) \
     or exists (select from pg_largeobject_metadata where lomowner = r.oid)) order by 1";

const DATABASE: &str = "select current_setting('server_version'), \
     current_setting('server_version_num')::int4, pg_encoding_to_char(encoding)::text, \
     datcollate::text, datctype::text, pg_database_size(oid)::int8, datname::text \
     from pg_database where datname = current_database()";

const EXTENSIONS: &str = "select extname::text, extversion from pg_extension order by 1";

/// Why a database cannot be dumped from here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FactsError {
    /// No session, or no answer.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// `pg_dump` refuses servers that are newer than itself.
    #[error("`pg_dump` is of PostgreSQL {program} and the server of PostgreSQL {server}")]
    TooOld {
        /// Major version of `pg_dump`.
        program: u32,
        /// Major version of the server.
        server: u32,
    },
}

impl FactsError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Connection(error) => error.code(),
            Self::TooOld { .. } => Code::PgTooOld,
        }
    }
}

/// The facts of the connection's database. Fails when `programs` are too old to dump it.
pub async fn facts(
    connection: &Connection,
    programs: &Programs,
) -> Result<DatabaseFacts, FactsError> {
    let session = connection.connect().await?;
    let client = session.client();
    let database = client
        .query_one(DATABASE, &[])
        .await
        .map_err(ConnectionError::query("describe the database"))?;
    let extensions = client
        .query(EXTENSIONS, &[])
        .await
        .map_err(ConnectionError::query("list the extensions"))?;
    let roles = client
        .query(ROLES, &[])
        .await
        .map_err(ConnectionError::query("list the roles"))?;
    let mut facts = DatabaseFacts {
        server_version: database.get(0),
        server_version_num: database.get::<_, i32>(1).unsigned_abs(),
        encoding: database.get(2),
        collate: database.get(3),
        ctype: database.get(4),
        size_bytes: database.get::<_, i64>(5).unsigned_abs(),
        database: database.get(6),
        dump_version: programs.version().text.clone(),
        extensions: extensions
            .iter()
            .map(|row| Extension {
                name: row.get(0),
                version: row.get(1),
            })
            .collect(),
        roles: roles.iter().map(|row| row.get(0)).collect(),
        tables: None,
    };
    let server = facts.server_version_num / 10_000;
    let program = programs.version().major;
    if program < server {
        return Err(FactsError::TooOld { program, server });
    }
    facts.tables = tables(client, &facts).await?;
    Ok(facts)
}
