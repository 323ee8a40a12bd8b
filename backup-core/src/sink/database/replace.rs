//! In place: a filled database takes the name of the one that is there, which is kept under
//! another. Owner, grants and settings come from the old one, as applications know them.

use backup_model::{Code, DatabaseFacts, Failure};
use tokio_postgres::{Client, error::SqlState};

use super::{
    preflight::{extensions, names, refused, roles, server},
    target::{DatabaseTarget, TargetError, identifier, literal, partial_name},
};
use crate::postgres::{Connection, ConnectionError, said};

/// How many of those who are connected are named.
const NAMED_USERS: i64 = 3;

/// Looks for obstacles to replacing the database of the facts, which would be kept as `kept`.
/// Says, too, whether there is one. That nothing can be found out is an obstacle.
pub async fn preflight_in_place(
    maintenance: &Connection,
    facts: &DatabaseFacts,
    kept: &str,
    no_owner: bool,
) -> (Vec<Failure>, bool) {
    let failed = |failure| (vec![failure], false);
    let partial = match partial_name(&facts.database) {
        Ok(partial) => partial,
        Err(error) => return failed(Failure::from_error(error.code(), &error)),
    };
    let looked = async {
        let session = maintenance.connect().await?;
        let client = session.client();
        let mut found = server(client, facts).await?;
        found.extend(names(client, kept, &partial).await?);
        found.extend(extensions(client, facts).await?);
        if !no_owner {
            found.extend(roles(client, facts).await?);
        }
        let there = renamable(client, &facts.database, &mut found).await?;
        Ok::<_, ConnectionError>((found, there))
    };
    looked
        .await
        .unwrap_or_else(|error| failed(Failure::from_error(error.code(), &error)))
}

/// Whether the database is there, and what speaks against giving it another name.
async fn renamable(
    client: &Client,
    name: &str,
    found: &mut Vec<Failure>,
) -> Result<bool, ConnectionError> {
    let row = client
        .query_opt(
            "select pg_has_role(datdba, 'usage'), current_user::text, \
             pg_get_userbyid(datdba)::text, datname = current_database() \
             from pg_database where datname::text = $1",
            &[&name],
        )
        .await
        .map_err(ConnectionError::query("tell whose the database is"))?;
    let Some(row) = row else { return Ok(false) };
    let (may, user, owner): (bool, String, String) = (row.get(0), row.get(1), row.get(2));
    if !may {
        found.push(refused(format!(
            "user `{user}` may not rename `{name}`, which belongs to `{owner}`"
        )));
    }
    if row.get(3) {
        found.push(refused(format!(
            "`{name}` cannot be replaced through a connection to itself"
        )));
    } else if let Some(users) = users(client, name).await? {
        found.push(refused(users));
    }
    Ok(true)
}

/// Who is connected, if anybody is.
async fn users(client: &Client, name: &str) -> Result<Option<String>, ConnectionError> {
    // Those of autovacuum give way by themselves.
    let rows = client
        .query(
            "select coalesce(nullif(application_name, ''), 'a program') || ' as ' || \
             coalesce(usename::text, 'nobody'), count(*), (sum(count(*)) over ())::int8 \
             from pg_stat_activity where datname::text = $1 \
             and backend_type is distinct from 'autovacuum worker' \
             group by 1 order by 2 desc, 1 limit $2",
            &[&name, &NAMED_USERS],
        )
        .await
        .map_err(ConnectionError::query("tell who is connected"))?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let all: i64 = first.get(2);
    let named: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    Ok(Some(format!(
        "`{name}` is in use, by {all} {} ({}): end them, and keep new ones out until the restore is \
         done",
        if all == 1 {
            "connection"
        } else {
            "connections"
        },
        named.join(", ")
    )))
}

/// A statement that takes something over from the old database.
struct Takeover {
    what: String,
    sql: String,
}

impl DatabaseTarget {
    /// Gives the database its name and the old one of this name another, and lets everybody
    /// connect who could. Says what could not be taken over from the old one.
    ///
    /// All in one transaction: nobody ever finds no database of this name, and if the server
    /// refuses to rename the old one, as it does while anybody is connected, nothing has changed.
    /// What cannot be taken over is no reason not to come back: its savepoint undoes it alone.
    pub async fn replace(&self, kept: &str) -> Result<Vec<Failure>, TargetError> {
        let session = self.maintenance().connect().await?;
        let client = session.client();
        let takeovers = takeovers(client, self.name()).await?;
        let (name, partial) = (identifier(self.name()), identifier(self.partial_name()));
        let renamed = client
            .batch_execute(&format!(
                "begin; alter database {name} rename to {}; \
                 alter database {partial} rename to {name}",
                identifier(kept)
            ))
            .await;
        renamed.map_err(|source| match source.code() {
            Some(&SqlState::OBJECT_IN_USE) => TargetError::InUse {
                name: self.name().to_owned(),
                source: said(source),
            },
            Some(&SqlState::DUPLICATE_DATABASE) => TargetError::Exists {
                name: kept.to_owned(),
            },
            _ => ConnectionError::query("put the database in the place of the old one")(source)
                .into(),
        })?;
        let mut warnings = Vec::new();
        for Takeover { what, sql } in takeovers {
            let one = format!("savepoint one; {sql}; release savepoint one");
            if let Err(source) = client.batch_execute(&one).await {
                let text = format!("{} did not get {what} of the old database", self.name());
                let causes = vec![said(source).to_string()];
                warnings.push(Failure {
                    causes,
                    ..Failure::new(Code::TargetRefused, text)
                });
                let undone = client.batch_execute("rollback to savepoint one").await;
                undone.map_err(ConnectionError::query("undo one statement"))?;
            }
        }
        let committed = client.batch_execute("commit").await;
        committed.map_err(ConnectionError::query("give the databases their names"))?;
        Ok(warnings)
    }
}

/// What makes a database like the one of this name is.
async fn takeovers(client: &Client, name: &str) -> Result<Vec<Takeover>, ConnectionError> {
    let asked = ConnectionError::query("tell owner, grants and settings of the old database");
    let rows = client
        .query(
            "select pg_get_userbyid(datdba)::text, datconnlimit::int4, spcname::text, \
             dattablespace <> (select dattablespace from pg_database where datname = 'template0') \
             from pg_database d join pg_tablespace t on t.oid = dattablespace \
             where datname::text = $1",
            &[&name],
        )
        .await
        .map_err(asked)?;
    let database = identifier(name);
    let mut all = Vec::new();
    let mut take = |what: String, sql: String| all.push(Takeover { what, sql });
    for row in rows {
        let (owner, limit): (String, i32) = (row.get(0), row.get(1));
        let (tablespace, other): (String, bool) = (row.get(2), row.get(3));
        take(
            format!("the owner `{owner}`"),
            format!("alter database {database} owner to {}", identifier(&owner)),
        );
        if limit >= 0 {
            take(
                format!("the limit of {limit} connections"),
                format!("alter database {database} connection limit {limit}"),
            );
        }
        if other {
            // A database cannot move in a transaction.
            take(
                format!("the tablespace `{tablespace}`"),
                format!(
                    "alter database {database} set tablespace {}",
                    identifier(&tablespace)
                ),
            );
        }
    }
    all.extend(grants(client, name).await?);
    all.extend(settings(client, name).await?);
    Ok(all)
}

async fn grants(client: &Client, name: &str) -> Result<Vec<Takeover>, ConnectionError> {
    let rows = client
        .query(
            "select case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) \
             end, privilege_type::text, is_grantable from pg_database d, \
             aclexplode(coalesce(datacl, acldefault('d', datdba))) \
             where datname::text = $1 and grantee <> datdba order by 1, 2",
            &[&name],
        )
        .await
        .map_err(ConnectionError::query(
            "tell the grants of the old database",
        ))?;
    let database = identifier(name);
    let closed = Takeover {
        what: "the grants to public".to_owned(),
        sql: format!("revoke all on database {database} from public"),
    };
    let grants = rows.iter().map(|row| {
        let (grantee, privilege): (String, String) = (row.get(0), row.get(1));
        let further = row.get::<_, bool>(2).then_some(" with grant option");
        let further = further.unwrap_or_default();
        Takeover {
            what: format!("the grant of {privilege} to {grantee}"),
            sql: format!("grant {privilege} on database {database} to {grantee}{further}"),
        }
    });
    Ok(std::iter::once(closed).chain(grants).collect())
}

async fn settings(client: &Client, name: &str) -> Result<Vec<Takeover>, ConnectionError> {
    let rows = client
        .query(
            "select case setrole when 0 then '' else pg_get_userbyid(setrole) end::text, setting \
             from pg_db_role_setting join pg_database d on d.oid = setdatabase, \
             unnest(setconfig) setting where datname::text = $1 order by 1, 2",
            &[&name],
        )
        .await
        .map_err(ConnectionError::query(
            "tell the settings of the old database",
        ))?;
    let database = identifier(name);
    let settings = rows.iter().filter_map(|row| {
        let (role, setting): (String, String) = (row.get(0), row.get(1));
        let (key, value) = setting.split_once('=')?;
        let whose = if role.is_empty() {
            format!("database {database}")
        } else {
            format!("role {} in database {database}", identifier(&role))
        };
        // From the session, as a value may be a list, which has rules of its own for quotes. The
        // database's owner wrote these values, and this session may be a superuser's: none of them
        // lasts for the next statement, and no `search_path` chooses what `set_config` is.
        let setting = identifier(key);
        Some(Takeover {
            what: format!("the setting `{key}`"),
            sql: format!(
                "select pg_catalog.set_config({}, {}, true); \
                 alter {whose} set {setting} from current; set local {setting} to default",
                literal(key),
                literal(value),
            ),
        })
    });
    Ok(settings.collect())
}
