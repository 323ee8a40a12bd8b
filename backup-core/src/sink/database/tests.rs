//! Restores into a real server.

use std::{
    io::{self, Read},
    process::Command,
    time::Duration,
};

use backup_model::{Code, DatabaseFacts, Extension};
use tokio_util::sync::CancellationToken;

use super::{DatabaseTarget, TargetError, preflight, preflight_in_place, target::partial_name};
use crate::{
    child::ChildError,
    postgres::{
        Connection,
        environment::ChildEnvironment,
        testing::{TestCluster, programs},
    },
    source::postgres::{dump, facts},
};

async fn dump_of(connection: &Connection) -> (DatabaseFacts, Vec<u8>) {
    let facts = facts(connection, &programs()).await.unwrap();
    let (mut archive, cancel) = (Vec::new(), CancellationToken::new());
    let stall = Duration::from_mins(10);
    dump(
        connection,
        &programs(),
        &facts,
        stall,
        &mut archive,
        &cancel,
    )
    .unwrap();
    (facts, archive)
}

/// The database as SQL, the same for equal databases.
fn as_sql(connection: &Connection) -> String {
    let environment = ChildEnvironment::new(connection).unwrap();
    let mut command: Command = environment.command(programs().pg_dump()).unwrap();
    let output = command.args(["--restrict-key=x"]).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn large_objects(connection: &Connection) -> bool {
    as_sql(connection).contains("lo_create")
}

async fn databases(server: &TestCluster) -> Vec<String> {
    let session = server.connection("postgres").connect().await.unwrap();
    let sql = "select datname::text from pg_database where not datistemplate order by 1";
    let rows = session.client().query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_restored_database_is_equal_and_was_closed_until_published() {
    let server = TestCluster::start().await;
    server.make_sample("webui").await;
    let source = server.connection("webui");
    let (facts, archive) = dump_of(&source).await;
    let maintenance = server.connection("postgres");
    let name = "webui_restored =x' \"1\"";
    assert_eq!(preflight(&maintenance, &facts, name, false).await, []);

    let target = DatabaseTarget::create(&maintenance, name, &facts)
        .await
        .unwrap();
    let app = Connection {
        user: "app".to_owned(),
        password: Some("app".into()),
        ..target.connection()
    };
    assert_eq!(app.connect().await.unwrap_err().code(), Code::PgAuth);
    let cancel = CancellationToken::new();
    let filled = target
        .fill(&programs(), &mut &archive[..], false, &cancel)
        .unwrap();
    assert_eq!(filled.read_bytes, archive.len() as u64);
    assert_eq!(filled.warnings, []);
    assert_eq!(app.connect().await.unwrap_err().code(), Code::PgAuth);

    // A second restore finds the first one in its way, and leaves it alone.
    let error = DatabaseTarget::create(&maintenance, name, &facts)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::TargetNotEmpty);
    let found = preflight(&maintenance, &facts, name, false).await;
    assert!(found[0].message.contains("unfinished"), "{found:?}");

    target.publish().await.unwrap();
    let restored = server.connection(name);
    assert!(large_objects(&restored));
    assert_eq!(as_sql(&restored), as_sql(&source));
    app.with_database(name).connect().await.unwrap();
    let error = DatabaseTarget::create(&maintenance, name, &facts)
        .await
        .unwrap_err();
    assert!(matches!(error, TargetError::Exists { .. }), "{error}");
    assert_eq!(databases(&server).await, ["postgres", "webui", name]);
}

/// Gives the start of an archive, then fails.
struct Damaged<'a>(&'a [u8]);

impl Read for Damaged<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("pack 3 is damaged")),
            len => Ok(len),
        }
    }
}

/// Gives the start of an archive, then cancels, then gives zeros for ever.
struct Cancelling<'a>(&'a [u8], CancellationToken);

impl Read for Cancelling<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => {
                self.1.cancel();
                io::repeat(0).read(buffer)
            }
            len => Ok(len),
        }
    }
}

#[tokio::test]
async fn what_stops_a_restore_is_told_and_leaves_nothing() {
    let server = TestCluster::start().await;
    server.make_sample("webui").await;
    let (facts, archive) = dump_of(&server.connection("webui")).await;
    let maintenance = server.connection("postgres");
    let target = DatabaseTarget::create(&maintenance, "again", &facts)
        .await
        .unwrap();
    let cancel = CancellationToken::new();
    let fill = |archive: &mut dyn Read, no_owner| {
        target
            .fill(&programs(), archive, no_owner, &cancel)
            .unwrap_err()
    };

    let half = &archive[..archive.len() / 2];
    let error = fill(&mut Damaged(half), false);
    let TargetError::Read(source) = &error else {
        panic!("{error}")
    };
    assert_eq!(source.to_string(), "pack 3 is damaged");
    let error = fill(&mut &b"this is no archive"[..], false);
    assert_eq!(error.code(), Code::PgRestore);
    assert!(error.to_string().contains("archive"), "{error}");
    // The first attempt left its tables, which pg_restore now runs into.
    let error = fill(&mut &archive[..], true);
    assert!(
        matches!(error, TargetError::Program(ChildError::Exit { .. })),
        "{error}"
    );
    assert!(error.to_string().contains("already exists"), "{error}");

    target.abandon().await.unwrap();
    target.abandon().await.unwrap();
    assert_eq!(databases(&server).await, ["postgres", "webui"]);

    let target = DatabaseTarget::create(&maintenance, "again", &facts)
        .await
        .unwrap();
    let error = target
        .fill(
            &programs(),
            &mut Cancelling(half, cancel.clone()),
            false,
            &cancel,
        )
        .unwrap_err();
    assert!(matches!(error, TargetError::Cancelled), "{error}");
    target.abandon().await.unwrap();

    // A cut archive without an error of the reader.
    let target = DatabaseTarget::create(&maintenance, "again", &facts)
        .await
        .unwrap();
    let quiet = CancellationToken::new();
    let cut = target.fill(&programs(), &mut &half[..], false, &quiet);
    assert_eq!(cut.unwrap_err().code(), Code::PgRestore);
    target.abandon().await.unwrap();
    assert_eq!(databases(&server).await, ["postgres", "webui"]);
}

#[tokio::test]
async fn obstacles_are_all_found_before_anything_is_made() {
    let server = TestCluster::start().await;
    server.make_sample("webui").await;
    let maintenance = server.connection("postgres");
    let mut wanted = facts(&server.connection("webui"), &programs())
        .await
        .unwrap();
    wanted.server_version_num = 990_000;
    wanted.roles.push("stranger".to_owned());
    wanted.extensions.push(Extension {
        name: "timescaledb".to_owned(),
        version: "2.1".to_owned(),
    });
    let limited = Connection {
        user: "app".to_owned(),
        password: Some("app".into()),
        ..maintenance.clone()
    };
    let found = preflight(&limited, &wanted, "webui", false).await;
    let texts: Vec<_> = found
        .iter()
        .map(|failure| failure.message.as_str())
        .collect();
    for part in [
        "PostgreSQL 99",
        "`app` may not create",
        "`webui` already",
        "`timescaledb`",
        "`stranger`",
    ] {
        assert!(
            texts.iter().any(|text| text.contains(part)),
            "{part}: {texts:?}"
        );
    }
    assert_eq!(found.len(), 5);
    let found = preflight(&limited, &wanted, "webui", true).await;
    assert_eq!(found.len(), 4);

    wanted.collate = "xx_YY.nosuch".to_owned();
    let error = DatabaseTarget::create(&maintenance, "new", &wanted)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::TargetRefused);
    let nowhere = Connection {
        port: 1,
        ..maintenance
    };
    let found = preflight(&nowhere, &wanted, "new", true).await;
    assert_eq!(found[0].code, Code::PgConnect);
    let found = preflight(&nowhere, &wanted, "", true).await;
    assert_eq!(found[0].code, Code::TargetRefused);
}

#[test]
fn temporary_names_fit_and_stay_apart() {
    assert_eq!(partial_name("webui").unwrap(), "webui.partial");
    let long = |end: &str| partial_name(&format!("{}{end}", "\u{fc}".repeat(30))).unwrap();
    assert!(long("aaa").len() <= 63);
    assert_ne!(long("aaa"), long("aab"));
    for bad in ["", "a\0b", &"x".repeat(64)] {
        assert!(partial_name(bad).is_err());
    }
}

/// A value of a database, as text.
async fn value(server: &TestCluster, database: &str, sql: &str) -> String {
    let session = server.connection(database).connect().await.unwrap();
    let row = session.client().query_one(sql, &[]).await.unwrap();
    row.get(0)
}

/// Waits until so many are connected: the server takes a moment to see that a session has ended.
async fn connected(server: &TestCluster, database: &str, wanted: &str) {
    let sql = format!("select count(*)::text from pg_stat_activity where datname = '{database}'");
    for _ in 0..500 {
        if value(server, "postgres", &sql).await == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not {wanted} in {database}");
}

/// What a database has besides its content.
const OF_ITS_OWN: &str = r#"alter database webui owner to app;
            revoke all on database webui from public;
            grant connect on database webui to reader;
            alter database webui connection limit 7;
            alter database webui set search_path to public, pg_catalog, 'Odd "schema';
            alter role reader in database webui set work_mem to '9MB'"#;

/// What somebody leaves who waits for a superuser that calls a function by the database's own path.
const TRAP: &str = "create table public.trapped (who text);
            create function public.set_config(text, text, boolean) returns text language sql
            as 'insert into public.trapped values (current_user); select $2'";

#[tokio::test]
async fn a_database_takes_the_place_of_the_old_one_which_is_kept() {
    let server = TestCluster::start().await;
    server.make_sample("webui").await;
    let (facts, archive) = dump_of(&server.connection("webui")).await;
    let before = as_sql(&server.connection("webui"));
    let maintenance = server.connection("postgres");
    server.run("postgres", OF_ITS_OWN).await;
    server.run("postgres", TRAP).await;
    server.run("webui", "drop table chat cascade").await;
    connected(&server, "webui", "0").await;
    let kept = "webui_before_20261122_140200";
    let found = preflight_in_place(&maintenance, &facts, kept, false).await;
    assert_eq!(found, (Vec::new(), true));

    let target = DatabaseTarget::create_beside(&maintenance, "webui", &facts)
        .await
        .unwrap();
    let cancel = CancellationToken::new();
    target
        .fill(&programs(), &mut &archive[..], false, &cancel)
        .unwrap();
    // Whoever is connected keeps the old one as it is.
    let session = server.connection("webui").connect().await.unwrap();
    let (found, _) = preflight_in_place(&maintenance, &facts, kept, false).await;
    assert!(
        found
            .iter()
            .any(|one| one.message.contains("in use, by 1 connection (")
                && one.message.contains("as postgres")),
        "{found:?}"
    );
    let error = target.replace(kept).await.unwrap_err();
    assert!(matches!(error, TargetError::InUse { .. }), "{error}");
    assert_eq!(
        databases(&server).await,
        ["postgres", "webui", "webui.partial"]
    );
    drop(session);
    connected(&server, "webui", "0").await;
    assert_eq!(target.replace(kept).await.unwrap(), []);
    assert_eq!(databases(&server).await, ["postgres", "webui", kept]);
    assert_eq!(as_sql(&server.connection("webui")), before);
    for (what, of) in [
        ("datdba::regrole::text", "app"),
        ("datacl::text", "{app=CTc/app,reader=c/app}"),
        ("datconnlimit::text", "7"),
    ] {
        for database in ["webui", kept] {
            let sql = format!("select {what} from pg_database where datname = '{database}'");
            assert_eq!(value(&server, "postgres", &sql).await, of, "{what}");
        }
    }
    let settings = |database: &str| {
        format!(
            "select string_agg(setrole::regrole::text || ': ' || setconfig::text, ' ' order by setrole) \
             from pg_db_role_setting join pg_database d on d.oid = setdatabase \
             where datname = '{database}'"
        )
    };
    let new = value(&server, "postgres", &settings("webui")).await;
    assert_eq!(new, value(&server, "postgres", &settings(kept)).await);
    assert!(
        new.contains("search_path") && new.contains("work_mem=9MB"),
        "{new}"
    );
    let trapped = "select count(*)::text from public.trapped";
    assert_eq!(value(&server, "postgres", trapped).await, "0");
}

#[tokio::test]
async fn what_keeps_a_database_from_being_replaced_is_named() {
    let server = TestCluster::start().await;
    server.make_sample("webui").await;
    let maintenance = server.connection("postgres");
    let mut wanted = facts(&server.connection("webui"), &programs())
        .await
        .unwrap();
    let limited = Connection {
        user: "app".to_owned(),
        password: Some("app".into()),
        ..maintenance.clone()
    };
    for name in ["taken", "\"webui.partial\""] {
        server
            .run("postgres", &format!("create database {name}"))
            .await;
    }
    let (found, there) = preflight_in_place(&limited, &wanted, "taken", true).await;
    let texts: Vec<_> = found.iter().map(|one| one.message.as_str()).collect();
    for part in [
        "`app` may not create",
        "`app` may not rename `webui`, which belongs to `postgres`",
        "`taken` already",
        "unfinished",
    ] {
        assert!(texts.iter().any(|text| text.contains(part)), "{texts:?}");
    }
    assert!(there && found.len() == 4, "{texts:?}");
    let itself = server.connection("webui");
    let (found, _) = preflight_in_place(&itself, &wanted, "new", true).await;
    assert!(
        found.iter().any(|one| one.message.contains("to itself")),
        "{found:?}"
    );
    wanted.database = "gone".to_owned();
    let found = preflight_in_place(&maintenance, &wanted, "new", true).await;
    assert_eq!(found, (Vec::new(), false));
}
