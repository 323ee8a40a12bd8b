//! Dumps of a real server, cut and broken in all the ways that must not go unseen.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use backup_model::{Code, DatabaseFacts};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    child::{ChildError, PassError},
    postgres::{
        Connection, Host, Programs,
        testing::{TestCluster, fake_programs, programs},
    },
};

const STALL: Duration = Duration::from_mins(10);

fn some_facts() -> DatabaseFacts {
    DatabaseFacts {
        database: "webui".to_owned(),
        server_version: "15.0".to_owned(),
        server_version_num: 150_000,
        dump_version: String::new(),
        encoding: "UTF8".to_owned(),
        collate: "C".to_owned(),
        ctype: "C".to_owned(),
        size_bytes: 0,
        extensions: Vec::new(),
        roles: Vec::new(),
        tables: None,
    }
}

async fn dump_of(connection: &Connection) -> (DatabaseFacts, Vec<u8>, DumpSummary) {
    let programs = programs();
    let facts = facts(connection, &programs).await.unwrap();
    let mut archive = Vec::new();
    let cancel = CancellationToken::new();
    let summary = dump(connection, &programs, &facts, STALL, &mut archive, &cancel).unwrap();
    (facts, archive, summary)
}

fn check(archive: &[u8], piece: usize) -> Result<ArchiveSummary, ArchiveError> {
    let mut check = ArchiveCheck::new();
    for piece in archive.chunks(piece) {
        check.push(piece)?;
    }
    check.finish()
}

#[tokio::test]
async fn a_dump_is_whole_and_no_part_of_it_is() {
    let server = TestCluster::start().await;
    server.make_sample("webui").await;
    let (_, archive, summary) = dump_of(&server.connection("webui")).await;
    assert_eq!(summary.warnings, []);
    let whole = summary.archive;
    assert_eq!(whole.length_bytes, archive.len() as u64);
    assert_eq!(whole.large_objects, 2);
    // Three tables and the large objects.
    assert_eq!(whole.data_blocks, 4);
    assert!(whole.data_bytes > 100_000, "{whole:?}");
    for piece in [1, 7, 4096, archive.len()] {
        assert_eq!(check(&archive, piece).unwrap(), whole);
    }

    // Every cut, whichever thing it goes through. One between two blocks is seen only by what
    // the table of contents announced.
    let mut missing = BTreeSet::new();
    let mut cut_here = ArchiveCheck::new();
    for byte in &archive {
        match cut_here.clone().finish() {
            Err(ArchiveError::Incomplete { .. }) => {}
            Err(ArchiveError::DataMissing { count, .. }) => {
                missing.insert(count);
            }
            other => panic!("{other:?}"),
        }
        cut_here.push(&[*byte]).unwrap();
    }
    assert_eq!(cut_here.clone().finish().unwrap(), whole);
    assert_eq!(missing, BTreeSet::from([1, 2, 3, 4]));
    cut_here.push(&[1]).unwrap();
    assert!(cut_here.finish().is_err());

    broken_programs(&server.connection("webui"), &archive);
}

/// What a program that breaks half-way is taken for.
fn broken_programs(connection: &Connection, archive: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let half = folder.path().join("half");
    let pid = folder.path().join("pid");
    fs::write(&half, &archive[..archive.len() / 2]).unwrap();
    let cat = format!("cat '{}'", half.display());
    let cancel = CancellationToken::new();
    let broken = |script: &str, out: &mut dyn Write, cancel: &CancellationToken| {
        let script = format!(
            "echo $$ > '{}'; {}",
            pid.display(),
            script.replace("HALF", &cat)
        );
        let programs = fake_programs(folder.path(), "15.1", &script);
        let error = dump(connection, &programs, &some_facts(), STALL, out, cancel).unwrap_err();
        let pid = fs::read_to_string(&pid).unwrap();
        assert!(
            !Path::new("/proc").join(pid.trim()).exists(),
            "it lives on: {script}"
        );
        error
    };

    let error = broken("HALF; exit 0", &mut io::sink(), &cancel);
    assert!(matches!(error, DumpError::Archive { .. }), "{error}");
    assert_eq!(error.code(), Code::PgDump);

    let error = broken(
        "HALF; echo pg_dump: error: disk on fire >&2; exit 1",
        &mut io::sink(),
        &cancel,
    );
    assert_eq!(
        error.to_string(),
        "`pg_dump` failed with exit status 1: pg_dump: error: disk on fire"
    );
    assert_eq!(error.code(), Code::PgDump);

    let error = broken("HALF; kill -9 $$", &mut io::sink(), &cancel);
    assert!(
        matches!(
            error,
            DumpError::Pass(PassError::Program(ChildError::Killed { signal: 9, .. }))
        ),
        "{error}"
    );
    assert!(error.to_string().contains("SIGKILL"), "{error}");

    let error = broken("HALF; exec sleep 600", &mut Full, &cancel);
    let DumpError::Pass(PassError::Output { source, .. }) = &error else {
        panic!("{error}")
    };
    assert_eq!(source.kind(), io::ErrorKind::StorageFull);

    let error = broken(
        "echo this is no archive; exec sleep 600",
        &mut io::sink(),
        &cancel,
    );
    assert!(matches!(error, DumpError::Archive { .. }), "{error}");

    let begun = Instant::now();
    let error = broken(
        "HALF; exec sleep 600",
        &mut CancelSoon(cancel.clone()),
        &cancel,
    );
    assert!(
        matches!(error, DumpError::Pass(PassError::Cancelled { .. })),
        "{error}"
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_dump_that_falls_silent_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let programs = fake_programs(folder.path(), "15.1", "echo on lock >&2; exec sleep 600");
    let connection = Connection {
        host: Host::Socket(folder.path().to_owned()),
        port: 5432,
        user: "backup".to_owned(),
        database: "webui".to_owned(),
        password: None,
        connect_timeout: Duration::from_secs(10),
    };
    let (facts, stall) = (some_facts(), Duration::from_millis(500));
    let cancel = CancellationToken::new();
    let error = dump(
        &connection,
        &programs,
        &facts,
        stall,
        &mut io::sink(),
        &cancel,
    );
    let error = error.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`pg_dump` wrote nothing for 500 ms and was stopped: on lock"
    );
    assert_eq!(error.code(), Code::PgDump);
}

struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Cancels from another thread once something arrived and the pipe has fallen silent.
struct CancelSoon(CancellationToken);

impl Write for CancelSoon {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let token = self.0.clone();
        thread::Builder::new().spawn(move || {
            thread::sleep(Duration::from_millis(100));
            token.cancel();
        })?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn facts_name_what_a_restore_needs_and_failures_have_their_codes() {
    let server = TestCluster::start().await;
    server.make_sample("webui").await;
    let connection = server.connection("webui");
    let found = facts(&connection, &programs()).await.unwrap();
    assert_eq!(found.database, "webui");
    assert_eq!(
        (found.encoding.as_str(), found.collate.as_str()),
        ("UTF8", "C")
    );
    assert_eq!(found.roles, ["app", "postgres", "reader"]);
    assert_eq!(found.extensions[0].name, "plpgsql");
    assert!(found.size_bytes > 1_000_000);
    assert!(found.server_version_num > 120_000);

    let folder = tempfile::tempdir().unwrap();
    let old = fake_programs(folder.path(), "9.6.24", "exit 1");
    let error = facts(&connection, &old).await.unwrap_err();
    assert_eq!(error.code(), Code::PgTooOld);
    let nosuch = connection.with_database("nosuch");
    let error = facts(&nosuch, &programs()).await.unwrap_err();
    assert_eq!(error.code(), Code::PgDatabase);

    // Where the facts were got before the password changed, pg_dump is the one to complain.
    let cancel = CancellationToken::new();
    let wrong = Connection {
        password: Some("wrong".into()),
        ..connection
    };
    let error = dump(&wrong, &programs(), &found, STALL, &mut io::sink(), &cancel).unwrap_err();
    assert_eq!(error.code(), Code::PgDump);
    assert!(
        error.to_string().contains("password authentication failed"),
        "{error}"
    );
}

#[tokio::test]
async fn names_and_bytes_of_any_kind_survive() {
    let server = TestCluster::start().await;
    let name = "host=evil 'x' %41 \u{fc}";
    server
        .run(
            "postgres",
            &format!("create database \"{name}\" template template0 encoding 'SQL_ASCII'"),
        )
        .await;
    let bytes = "create table t as select convert_from('\\xfffe41'::bytea, 'SQL_ASCII') as x";
    server.run(name, bytes).await;
    let (facts, archive, _) = dump_of(&server.connection(name)).await;
    assert_eq!(facts.database, name);
    assert_eq!(facts.encoding, "SQL_ASCII");
    assert!(archive.windows(3).any(|part| part == [0xff, 0xfe, 0x41]));
}

#[tokio::test]
async fn globals_hold_passwords_only_for_those_who_may_read_them() {
    let server = TestCluster::start().await;
    server.make_sample("webui").await;
    let cancel = CancellationToken::new();
    let take = |connection: &Connection, programs: &Programs| {
        let mut sql = Vec::new();
        let summary = globals(connection, programs, STALL, &mut sql, &cancel)?;
        assert_eq!(summary.length_bytes, sql.len() as u64);
        Ok::<_, DumpError>((String::from_utf8(sql).unwrap(), summary.warnings))
    };
    let superuser = server.connection("webui");
    let (sql, warnings) = take(&superuser, &programs()).unwrap();
    assert!(sql.contains("CREATE ROLE reader") && sql.contains("SCRAM-SHA-256$"));
    assert_eq!(warnings, []);

    let limited = Connection {
        user: "app".to_owned(),
        password: Some("app".into()),
        ..superuser.clone()
    };
    let (sql, warnings) = take(&limited, &programs()).unwrap();
    assert!(sql.contains("CREATE ROLE reader") && !sql.contains("SCRAM-SHA-256$"));
    assert!(warnings[0].message.contains("`app`"), "{warnings:?}");
    assert!(warnings[0].causes[0].contains("pg_authid"), "{warnings:?}");

    let folder = tempfile::tempdir().unwrap();
    let cut = fake_programs(folder.path(), "15.1", "echo 'CREATE ROLE half;'");
    let error = take(&superuser, &cut).unwrap_err();
    assert!(matches!(error, DumpError::Globals { .. }), "{error}");
    let endless = fake_programs(folder.path(), "15.1", "exec yes");
    assert_eq!(
        take(&superuser, &endless).unwrap_err().to_string(),
        "`pg_dumpall` wrote more than the 8388608 bytes that it may, and was stopped"
    );
    let broken = fake_programs(folder.path(), "15.1", "echo no >&2; exit 2");
    assert_eq!(take(&superuser, &broken).unwrap_err().code(), Code::PgDump);
}

#[test]
fn other_bytes_are_no_archives() {
    assert_eq!(
        check(b"-- PostgreSQL database dump", 4),
        Err(ArchiveError::NotAnArchive)
    );
    assert_eq!(
        check(b"PGDMP\x01\x0d\x00\x04\x08\x01\0", 3),
        Err(ArchiveError::Version((1, 13)))
    );
    assert_eq!(
        check(b"PGDMP\x01\x10\x00\x04\x08\x01\x01", 99),
        Err(ArchiveError::Compressed)
    );
    assert_eq!(
        check(b"PGDMP\x01\x10\x00\x04\x08\x03\x00", 99),
        Err(ArchiveError::NotAnArchive)
    );
    let inside = |bytes| match check(bytes, 5) {
        Err(ArchiveError::Incomplete { inside, .. }) => inside,
        other => panic!("{other:?}"),
    };
    assert_eq!(inside(b""), "its header");
    assert_eq!(inside(b"PGD"), "its header");
}

/// Later versions put a byte for the compression into the header and the kind of relation into
/// each entry; servers that write them are not at hand everywhere, so this one is made by hand.
#[test]
fn an_archive_of_version_1_16_is_read() {
    fn int(number: i32) -> Vec<u8> {
        let sign = u8::from(number < 0);
        [&[sign][..], &number.unsigned_abs().to_le_bytes()].concat()
    }
    fn string(text: &str) -> Vec<u8> {
        [int(i32::try_from(text.len()).unwrap()), text.into()].concat()
    }
    let mut archive = b"PGDMP\x01\x10\x00\x04\x08\x01\x00".to_vec();
    archive.extend((0..7).flat_map(int));
    for text in ["webui", "18.0", "18.0"] {
        archive.extend(string(text));
    }
    archive.extend(int(2)); // entries
    for (id, has_data) in [(7, 1), (9, 0)] {
        archive.extend([int(id), int(has_data)].concat());
        for text in ["1259", "16400", "chat", "TABLE DATA"] {
            archive.extend(string(text));
        }
        archive.extend(int(3)); // section
        for text in ["", "", "COPY", "public", "", ""] {
            archive.extend(string(text));
        }
        archive.extend(int(114)); // kind of relation
        for text in ["postgres", "false", "215"] {
            archive.extend(string(text));
        }
        archive.extend(int(-1)); // no more dependencies
        archive.extend([1; 9]); // offset
    }
    archive.push(1);
    archive.extend([int(7), string("1\n"), string("\\.\n\n\n"), int(0)].concat());
    for piece in [1, 64, archive.len()] {
        let summary = check(&archive, piece).unwrap();
        assert_eq!((summary.version, summary.entries), ((1, 16), 2));
        assert_eq!((summary.data_blocks, summary.data_bytes), (1, 7));
    }
    for cut in 0..archive.len() {
        assert!(check(&archive[..cut], 50).is_err(), "cut at {cut}");
    }
    let twice = [&archive[..], &[1], &int(7), &int(0)].concat();
    assert!(matches!(
        check(&twice, 64),
        Err(ArchiveError::Damaged { .. })
    ));
}
