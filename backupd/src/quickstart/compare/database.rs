//! Two databases side by side: every table's rows, by count and by a sum over their text.

use std::collections::BTreeMap;

use backup_core::postgres::Connection;
use backup_model::{Code, Failure};
use tokio_postgres::Client;

use super::Compared;

/// Rows and the sum of a table.
type Content = (i64, String);

const TABLES: &str = "select quote_ident(schemaname) || '.' || quote_ident(tablename) \
     from pg_tables where schemaname not in ('pg_catalog', 'information_schema') order by 1";

const SEQUENCES: &str = "select quote_ident(schemaname) || '.' || quote_ident(sequencename), \
     coalesce(last_value, 0) from pg_sequences order by 1";

/// Compares every table and every sequence.
pub(in super::super) async fn databases(
    original: &Connection,
    restored: &Connection,
) -> Result<Compared, Failure> {
    let (before, after) = (contents(original).await?, contents(restored).await?);
    let names = before.keys().chain(after.keys());
    let mut different: Vec<String> = names
        .filter(|name| before.get(*name) != after.get(*name))
        .cloned()
        .collect();
    different.sort();
    different.dedup();
    let rows: i64 = after.values().map(|(rows, _)| rows).sum();
    Ok(Compared {
        what: format!("{} tables and sequences, {rows} rows", after.len()),
        different,
    })
}

async fn contents(connection: &Connection) -> Result<BTreeMap<String, Content>, Failure> {
    let session = connection
        .connect()
        .await
        .map_err(|error| Failure::from_error(error.code(), &error))?;
    read(session.client())
        .await
        .map_err(|error| Failure::from_error(Code::PgQuery, &error))
}

async fn read(client: &Client) -> Result<BTreeMap<String, Content>, tokio_postgres::Error> {
    // One snapshot for all tables, and one spelling of values.
    client
        .batch_execute(
            "begin transaction isolation level repeatable read read only; \
             set local timezone = 'UTC'; set local extra_float_digits = 3",
        )
        .await?;
    let mut contents = BTreeMap::new();
    for table in client.query(TABLES, &[]).await? {
        let name: String = table.get(0);
        let sum = format!(
            "select count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text \
             from {name} t"
        );
        let row = client.query_one(&sum, &[]).await?;
        contents.insert(name, (row.get(0), row.get(1)));
    }
    for sequence in client.query(SEQUENCES, &[]).await? {
        let value: i64 = sequence.get(1);
        contents.insert(sequence.get(0), (0, value.to_string()));
    }
    client.batch_execute("commit").await?;
    Ok(contents)
}
