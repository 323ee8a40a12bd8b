//! What a server says of itself to the role that backs up. Where the role may not see something,
//! that is what it saw.

use backup_core::postgres::{Connection, ConnectionError, Said, Session};
use backup_model::Failure;
use secrecy::SecretString;

use super::rules::Rule;

/// Waits for nobody's lock, and not long for anything.
const CAREFUL: &str = "set statement_timeout = '5s'; set lock_timeout = '1s'";

const SERVER: &str = "select current_setting('server_version'), \
     current_setting('server_version_num')::int4, current_user::text, r.rolsuper, \
     exists (select from pg_roles g where g.rolname = 'pg_read_all_data' \
         and pg_has_role(current_user, g.oid, 'usage')), \
     current_setting('password_encryption'), current_setting('listen_addresses'), \
     current_setting('ssl'), has_table_privilege('pg_authid', 'select') \
     from pg_roles r where r.rolname = current_user";

/// What a dump has to lock and read, and this role may not.
const UNREADABLE: &str = "select count(*), coalesce((array_agg(name order by name))[1:3], '{}') \
     from (select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name \
         from pg_class c join pg_namespace n on n.oid = c.relnamespace \
         where c.relkind in ('r', 'p', 'S') and c.relpersistence <> 't' \
         and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' \
         and not (has_schema_privilege(n.oid, 'usage') and case c.relkind \
             when 'S' then has_sequence_privilege(c.oid, 'select') \
             else has_table_privilege(c.oid, 'select') end)) of_others";

const RULES: &str = "select line_number, coalesce(type, ''), address, coalesce(auth_method, ''), \
     error from pg_hba_file_rules order by line_number";

const LOGINS: &str =
    "select rolname::text from pg_roles where rolcanlogin order by rolsuper desc, rolname limit 6";

/// MD5 verifiers are compared there: no program of ours needs MD5.
const PASSWORDS: &str = "select rolname::text, coalesce(rolpassword, ''), \
     case when rolpassword like 'md5%' then rolpassword in \
         ('md5' || md5(rolname || rolname), 'md5' || md5('postgres' || rolname)) \
     else false end from pg_authid where rolcanlogin order by rolsuper desc, rolname limit 50";

/// What was seen.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) version: String,
    pub(super) version_num: u32,
    pub(super) role: String,
    pub(super) superuser: bool,
    pub(super) reads_all: bool,
    pub(super) encryption: String,
    pub(super) listens: String,
    pub(super) ssl: bool,
    /// How many tables and sequences it may not read, and the first of them.
    pub(super) unreadable: (u64, Vec<String>),
    /// The rules by which the server lets people in; none where this role may not see them.
    pub(super) rules: Option<Vec<Rule>>,
    /// How each role's password is kept; none where this role may not see it.
    pub(super) passwords: Option<Vec<Kept>>,
    /// The first roles that can sign in.
    pub(super) logins: Vec<String>,
}

/// How the password of a role is kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) role: String,
    /// Empty for a role without one.
    pub(super) verifier: SecretString,
    /// It is kept as MD5, and is one that everybody tries first.
    pub(super) md5_guessed: bool,
    pub(super) md5: bool,
}

/// Asks a server.
pub(super) async fn ask(connection: &Connection) -> Result<Seen, Failure> {
    let session = connection.connect().await;
    let session = session.map_err(|error| Failure::from_error(error.code(), &error))?;
    look(&session)
        .await
        .map_err(|error| Failure::from_error(error.code(), &error))
}

async fn look(session: &Session) -> Result<Seen, ConnectionError> {
    let client = session.client();
    let failed = |error: tokio_postgres::Error| ConnectionError::Query {
        what: "say how it is set up",
        source: Said::from(error),
    };
    client.batch_execute(CAREFUL).await.map_err(failed)?;
    let row = client.query_one(SERVER, &[]).await.map_err(failed)?;
    let lacks = client.query_one(UNREADABLE, &[]).await.map_err(failed)?;
    let logins = client.query(LOGINS, &[]).await.map_err(failed)?;
    let sees_passwords: bool = row.try_get(8).map_err(failed)?;
    Ok(Seen {
        version: row.try_get(0).map_err(failed)?,
        version_num: row.try_get::<_, i32>(1).map_err(failed)?.unsigned_abs(),
        role: row.try_get(2).map_err(failed)?,
        superuser: row.try_get(3).map_err(failed)?,
        reads_all: row.try_get(4).map_err(failed)?,
        encryption: row.try_get(5).map_err(failed)?,
        listens: row.try_get(6).map_err(failed)?,
        ssl: row.try_get::<_, &str>(7).map_err(failed)? == "on",
        unreadable: (
            lacks.try_get::<_, i64>(0).map_err(failed)?.unsigned_abs(),
            lacks.try_get(1).map_err(failed)?,
        ),
        // Denied, or a server that keeps them elsewhere: either way they are not seen.
        rules: rules(session).await.ok(),
        passwords: if sees_passwords {
            passwords(session).await.ok()
        } else {
            None
        },
        logins: logins
            .iter()
            .filter_map(|row| row.try_get(0).ok())
            .collect(),
    })
}

async fn rules(session: &Session) -> Result<Vec<Rule>, tokio_postgres::Error> {
    let rows = session.client().query(RULES, &[]).await?;
    let rule = |row: &tokio_postgres::Row| {
        Ok(Rule {
            line: row.try_get(0)?,
            kind: row.try_get(1)?,
            address: row.try_get(2)?,
            method: row.try_get(3)?,
            error: row.try_get(4)?,
        })
    };
    rows.iter().map(rule).collect()
}

async fn passwords(session: &Session) -> Result<Vec<Kept>, tokio_postgres::Error> {
    let rows = session.client().query(PASSWORDS, &[]).await?;
    let kept = |row: &tokio_postgres::Row| {
        let verifier: String = row.try_get(1)?;
        Ok(Kept {
            role: row.try_get(0)?,
            md5_guessed: row.try_get(2)?,
            md5: verifier.starts_with("md5"),
            verifier: verifier.into(),
        })
    };
    rows.iter().map(kept).collect()
}
