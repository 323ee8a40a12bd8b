//! What speaks against restoring into a server, found before anything is made there.

use std::collections::BTreeSet;

use backup_model::{Code, DatabaseFacts, Failure};
use tokio_postgres::Client;

use super::target::partial_name;
use crate::postgres::{Connection, ConnectionError};

/// Looks for obstacles; none found means that a restore may start. With `no_owner` the roles of
/// the archive need not exist. That nothing can be found out is an obstacle too.
pub async fn preflight(
    maintenance: &Connection,
    facts: &DatabaseFacts,
    name: &str,
    no_owner: bool,
) -> Vec<Failure> {
    let partial = match partial_name(name) {
        Ok(partial) => partial,
        Err(error) => return vec![Failure::from_error(error.code(), &error)],
    };
    let looked = async {
        let session = maintenance.connect().await?;
        let client = session.client();
        let mut found = server(client, facts).await?;
        found.extend(names(client, name, &partial).await?);
        found.extend(extensions(client, facts).await?);
        if !no_owner {
            found.extend(roles(client, facts).await?);
        }
        Ok::<_, ConnectionError>(found)
    };
    looked
        .await
        .unwrap_or_else(|error| vec![Failure::from_error(error.code(), &error)])
}

pub(super) async fn server(
    client: &Client,
    facts: &DatabaseFacts,
) -> Result<Vec<Failure>, ConnectionError> {
    let row = client
        .query_one(
            "select current_setting('server_version_num')::int4, rolcreatedb or rolsuper, \
             current_user::text from pg_roles where rolname = current_user",
            &[],
        )
        .await
        .map_err(ConnectionError::query(
            "tell its version and the user's rights",
        ))?;
    let (here, may_create, user): (i32, bool, String) = (row.get(0), row.get(1), row.get(2));
    let mut found = Vec::new();
    let (here, dumped) = (
        here.unsigned_abs() / 10_000,
        facts.server_version_num / 10_000,
    );
    if here < dumped {
        found.push(refused(format!(
            "the server is PostgreSQL {here}, the dump is of PostgreSQL {dumped}"
        )));
    }
    if !may_create {
        found.push(refused(format!("user `{user}` may not create databases")));
    }
    Ok(found)
}

pub(super) async fn names(
    client: &Client,
    name: &str,
    partial: &str,
) -> Result<Vec<Failure>, ConnectionError> {
    let rows = client
        .query(
            "select datname::text from pg_database where datname::text in ($1, $2) order by 1",
            &[&name, &partial],
        )
        .await
        .map_err(ConnectionError::query("list the databases"))?;
    let taken = rows.iter().map(|row| {
        let there: &str = row.get(0);
        let message = if there == partial {
            format!("there is an unfinished database `{there}` of an earlier or running restore")
        } else {
            format!("there is a database `{there}` already")
        };
        Failure::new(Code::TargetNotEmpty, message)
    });
    Ok(taken.collect())
}

pub(super) async fn extensions(
    client: &Client,
    facts: &DatabaseFacts,
) -> Result<Vec<Failure>, ConnectionError> {
    let rows = client
        .query("select name::text from pg_available_extensions", &[])
        .await
        .map_err(ConnectionError::query("list the available extensions"))?;
    let available: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let missing = facts
        .extensions
        .iter()
        .filter(|e| !available.contains(&e.name));
    Ok(missing
        .map(|e| {
            refused(format!(
                "the server has no extension `{}` ({})",
                e.name, e.version
            ))
        })
        .collect())
}

pub(super) async fn roles(
    client: &Client,
    facts: &DatabaseFacts,
) -> Result<Vec<Failure>, ConnectionError> {
    let rows = client
        .query("select rolname::text from pg_roles", &[])
        .await
        .map_err(ConnectionError::query("list the roles"))?;
    let there: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let missing = facts.roles.iter().filter(|role| !there.contains(*role));
    Ok(missing
        .map(|role| refused(format!("the server has no role `{role}`")))
        .collect())
}

pub(super) fn refused(message: String) -> Failure {
    Failure::new(Code::TargetRefused, message)
}
