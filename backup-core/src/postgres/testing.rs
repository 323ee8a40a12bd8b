//! What tests of sources and sinks share: a real server with something in it, and fake programs.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::{Connection, Programs, ScratchCluster};

pub(crate) fn programs() -> Programs {
    Programs::find(None, &[]).expect("PostgreSQL is installed: apt-get install postgresql-15")
}

/// A cluster and the folder that it is in.
pub(crate) struct TestCluster {
    pub(crate) cluster: ScratchCluster,
    _parent: TempDir,
}

impl TestCluster {
    pub(crate) async fn start() -> Self {
        let parent = tempfile::tempdir().unwrap();
        fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let cluster = ScratchCluster::start(&programs(), parent.path())
            .await
            .unwrap();
        Self {
            cluster,
            _parent: parent,
        }
    }

    pub(crate) fn connection(&self, database: &str) -> Connection {
        self.cluster.connection(database)
    }

    pub(crate) async fn run(&self, database: &str, sql: &str) {
        let session = self.connection(database).connect().await.unwrap();
        session.client().batch_execute(sql).await.unwrap();
    }

    /// A database with all that a dump treats in its own way: tables, an empty one, keys, views,
    /// sequences, functions, large objects, an extension, roles and grants.
    pub(crate) async fn make_sample(&self, database: &str) {
        self.run("postgres", &format!("create database \"{database}\""))
            .await;
        self.run(
            database,
            r"create role app login password 'app'; create role reader;
            create table chat (id serial primary key, title text not null, body bytea, at timestamptz);
            insert into chat (title, body, at) select 'chat ' || n, decode(md5(n::text), 'hex'),
                '2026-01-01'::timestamptz + n * interval '1 minute' from generate_series(1, 5000) n;
            create table message (id bigint primary key, chat int references chat, price money);
            insert into message select n, n, n from generate_series(1, 100) n;
            create table empty (nothing text);
            create index on chat (title);
            create view titles as select id, title from chat;
            create function twice(int) returns int language sql as 'select $1 * 2';
            alter table chat owner to app; grant select on chat to reader;
            select lo_from_bytea(0, decode(repeat('ab', 100000), 'hex'));
            select lo_from_bytea(0, '');",
        )
        .await;
    }
}

/// Programs of which `pg_dump` and `pg_dumpall` are a shell script that claims to be `version`.
pub(crate) fn fake_programs(folder: &Path, version: &str, script: &str) -> Programs {
    let text = format!(
        "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'pg_dump (PostgreSQL) {version}'; exit; fi\n{script}\n"
    );
    for name in ["pg_dump", "pg_dumpall", "pg_restore"] {
        let path: PathBuf = folder.join(name);
        fs::write(&path, &text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    Programs::find(Some(folder), &[]).unwrap()
}
