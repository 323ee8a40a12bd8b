//! Which tables a dump takes along, for whoever looks before he restores.
//!
//! It is asked of the catalog just before the dump begins: what is made or dropped in between is
//! told wrongly, and rows are the planner's estimate. The list is for people; a restore never
//! looks at it. So nothing here keeps a dump from being made: where the server refuses, above all
//! for a table that somebody has locked, whose size cannot be asked, the tables are unknown.

use backup_model::{DatabaseFacts, Table, TableKind, Tables};
use tokio_postgres::{Client, Row};

use crate::postgres::ConnectionError;

/// So many tables are listed by name.
const MAX_TABLES: i64 = 10_000;

/// How long the facts with the tables may be as JSON: they are part of one line of the recipe,
/// which readers take only up to a limit.
const MAX_FACTS_BYTES: usize = 900 << 10;

/// Asking for a size waits for whoever holds the table alone.
const PATIENCE: &str =
    "begin read only; set local lock_timeout = '5s'; set local statement_timeout = '5min'";

/// What `pg_dump` takes: nothing of the system's, and of an extension's only the tables that it
/// says hold the user's data. Names come as bytes, since in `SQL_ASCII` they may be no text.
/// Before PostgreSQL 14, no rows on no pages is what is said of a table that nobody has counted.
const TABLES: &str = "select convert_to(schema::text, encoding), convert_to(name::text, encoding), \
     kind::text, row_count, pg_total_relation_size(oid)::int8, total from (\
     select case getdatabaseencoding() when 'SQL_ASCII' then 'SQL_ASCII' else 'UTF8' end as encoding, \
        c.oid, n.nspname as schema, c.relname as name, c.relkind as kind, count(*) over () as total, \
        case when c.reltuples > 0 or c.reltuples = 0 and (c.relpages > 0 \
           or current_setting('server_version_num')::int4 >= 140000) \
           then c.reltuples::float8::int8 end as row_count \
     from pg_class c join pg_namespace n on n.oid = c.relnamespace \
     where c.relkind in ('r', 'p', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' \
        and (exists (select from pg_extension e where c.oid = any (e.extconfig)) \
           or not exists (select from pg_depend d where d.classid = 'pg_class'::regclass \
              and d.objid = c.oid and d.deptype = 'e')) \
     order by n.nspname, c.relname limit $1) t order by schema, name";

/// The tables of the client's database, as many as fit beside the other `facts`. The session is
/// of no further use.
pub(super) async fn tables(
    client: &Client,
    facts: &DatabaseFacts,
) -> Result<Option<Tables>, ConnectionError> {
    let asked = async {
        client.batch_execute(PATIENCE).await?;
        client.query(TABLES, &[&MAX_TABLES]).await
    };
    match asked.await {
        Ok(rows) => Ok(Some(listed(&rows, facts))),
        Err(error) if error.as_db_error().is_some() => Ok(None),
        Err(error) => Err(ConnectionError::query("list the tables")(error)),
    }
}

fn listed(rows: &[Row], facts: &DatabaseFacts) -> Tables {
    let total = rows.first().map_or(0, |row| row.get::<_, i64>(5));
    let mut tables = Tables {
        total: total.unsigned_abs(),
        list: Vec::new(),
    };
    let mut room = MAX_FACTS_BYTES.saturating_sub(json_bytes(facts));
    for row in rows {
        // Dropped while it was asked for its size.
        let Some(bytes) = row.get::<_, Option<i64>>(4) else {
            tables.total -= 1;
            continue;
        };
        let table = Table {
            schema: name(row, 0),
            name: name(row, 1),
            kind: kind(row.get(2)),
            rows: row.get::<_, Option<i64>>(3).map(i64::unsigned_abs),
            bytes: bytes.unsigned_abs(),
        };
        let taken = json_bytes(&table) + 1;
        if taken > room {
            break;
        }
        room -= taken;
        tables.list.push(table);
    }
    tables
}

fn name(row: &Row, column: usize) -> String {
    String::from_utf8_lossy(row.get(column)).into_owned()
}

fn kind(letter: &str) -> TableKind {
    match letter {
        "p" => TableKind::Partitioned,
        "m" => TableKind::MaterializedView,
        "f" => TableKind::Foreign,
        _ => TableKind::Table,
    }
}

/// What cannot be written needs no room.
fn json_bytes(value: &impl serde::Serialize) -> usize {
    serde_json::to_vec(value).map_or(0, |json| json.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        postgres::{
            Connection,
            testing::{TestCluster, programs},
        },
        source::postgres::facts,
    };

    async fn tables_of(connection: &Connection) -> Option<Tables> {
        facts(connection, &programs()).await.unwrap().tables
    }

    /// `schema.name kind rows`, one for each.
    fn shown(tables: &Tables) -> Vec<String> {
        let tables = tables.list.iter();
        let rows = |rows: Option<u64>| rows.map_or("?".to_owned(), |rows| rows.to_string());
        tables
            .map(|t| format!("{}.{} {:?} {}", t.schema, t.name, t.kind, rows(t.rows)))
            .collect()
    }

    #[tokio::test]
    async fn what_a_dump_takes_is_listed_and_nothing_else() {
        let server = TestCluster::start().await;
        server.make_sample("webui").await;
        let sql = "create schema \"Ä b\"; create table \"Ä b\".\"a \"\"q\"\"\nline\" (v int);
            create materialized view totals as select count(*) from chat;
            create table event (at date) partition by range (at);
            create table event_2026 partition of event for values from ('2026-01-01') to ('2027-01-01');
            insert into event select '2026-03-01' from generate_series(1, 70);
            create extension file_fdw; create server files foreign data wrapper file_fdw;
            create foreign table far (line text) server files options (filename '/dev/null');
            create temp table passing (v int); create unlogged table quick (v int);
            analyze chat; analyze message; analyze empty; analyze event; analyze totals";
        server.run("webui", sql).await;
        let tables = tables_of(&server.connection("webui")).await.unwrap();
        assert_eq!(
            shown(&tables),
            [
                "public.chat Table 5000",
                "public.empty Table 0",
                "public.event Partitioned 70",
                "public.event_2026 Table 70",
                "public.far Foreign ?",
                "public.message Table 100",
                "public.quick Table ?",
                "public.totals MaterializedView 1",
                "Ä b.a \"q\"\nline Table ?",
            ]
        );
        assert_eq!(tables.total, 9);
        let bytes = |name: &str| tables.list.iter().find(|t| t.name == name).unwrap().bytes;
        assert!(bytes("chat") > 300_000, "{}", bytes("chat"));
        assert_eq!((bytes("event"), bytes("far")), (0, 0));
    }

    #[tokio::test]
    async fn a_long_list_is_cut_and_says_so() {
        let server = TestCluster::start().await;
        let many = "do $$ begin for n in 1..3000 loop
            execute format('create table %I (v int)', repeat(e'\\x01', 55) || to_char(n, 'FM0000'));
            if n % 100 = 0 then commit; end if; end loop; end $$";
        server.run("postgres", many).await;
        let facts = facts(&server.connection("postgres"), &programs()).await;
        let facts = facts.unwrap();
        assert!(json_bytes(&facts) <= MAX_FACTS_BYTES + 100);
        let tables = facts.tables.unwrap();
        assert_eq!(tables.total, 3000);
        assert!(
            (1000..3000).contains(&tables.list.len()),
            "{}",
            tables.list.len()
        );
        assert!(tables.list.is_sorted_by(|a, b| a.name < b.name));
    }

    #[tokio::test]
    async fn a_locked_table_and_names_that_are_no_text_keep_no_dump_from_being_made() {
        let server = TestCluster::start().await;
        let make = "create database old template template0 encoding 'SQL_ASCII'";
        server.run("postgres", make).await;
        let make = "do $$ begin execute 'create table ' || convert_from('\\x62fc72'::bytea, 'SQL_ASCII') || ' (v int)'; end $$";
        server.run("old", make).await;
        let old = server.connection("old");
        assert_eq!(
            shown(&tables_of(&old).await.unwrap()),
            ["public.b\u{fffd}r Table ?"]
        );

        server.make_sample("webui").await;
        let webui = server.connection("webui");
        let session = webui.connect().await.unwrap();
        let lock = "begin; lock table chat in access exclusive mode";
        session.client().batch_execute(lock).await.unwrap();
        assert_eq!(tables_of(&webui).await, None);
    }

    #[test]
    fn facts_of_an_older_program_are_read() {
        let text = r#"{"collate":"C","ctype":"C","database":"webui","dump_version":"15.0","encoding":"UTF8","extensions":[],"roles":[],"server_version":"15.0","server_version_num":150000,"size_bytes":7}"#;
        let facts: DatabaseFacts = serde_json::from_str(text).unwrap();
        assert_eq!(facts.tables, None);
    }
}
