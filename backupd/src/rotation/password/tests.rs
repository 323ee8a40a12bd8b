//! On a real server that wants passwords: every death in between, and every way to fail.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::PathBuf,
    time::Duration,
};

use backup_core::postgres::{Host, Programs, ScratchCluster};
use backup_model::JobName;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use super::*;
use crate::{
    config::{
        Connection as Configured, JobConfig, PostgresSource, SourceConfig, SourceKind, VerifyConfig,
    },
    hooks::Hooks,
};

const SECRETS: SecretSources = SecretSources {
    env: |_| None,
    credentials: None,
};

/// A server with a role `app`, whose password is in a file, and a job that reads it.
struct World {
    file: PathBuf,
    jobs: BTreeMap<JobName, JobConfig>,
    cluster: ScratchCluster,
    dir: TempDir,
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // The server is not root, and its socket is below.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let programs = Programs::find(None, &[])
            .expect("PostgreSQL is installed: apt-get install postgresql-15");
        let cluster = ScratchCluster::start(&programs, dir.path()).await.unwrap();
        let mut world = Self {
            file: dir.path().join("password"),
            jobs: BTreeMap::new(),
            cluster,
            dir,
        };
        world.sql("create role app login password 'first'").await;
        world.write("password", "first");
        let socket = world.socket();
        world.add("job", socket, "postgres", "password");
        world
    }

    async fn sql(&self, sql: &str) {
        let session = self.cluster.connection("postgres").connect().await.unwrap();
        session.client().batch_execute(sql).await.unwrap();
    }

    fn socket(&self) -> PathBuf {
        match self.cluster.connection("postgres").host {
            Host::Socket(folder) => folder,
            Host::Tcp(_) => panic!("a scratch cluster has a socket"),
        }
    }

    /// One more job that signs in as `app`.
    fn add(&mut self, job: &str, host: PathBuf, database: &str, file: &str) {
        let source = SourceConfig {
            name: "db".parse().unwrap(),
            kind: SourceKind::Postgres(PostgresSource {
                connection: Configured {
                    host: host.into_os_string().into_string().unwrap(),
                    port: 5432,
                    user: "app".to_owned(),
                    dbname: database.to_owned(),
                },
                password: Some(SecretRef::File(self.dir.path().join(file))),
                bin_dir: None,
                globals: false,
                stall_timeout: Duration::from_mins(1),
            }),
        };
        let config = JobConfig {
            repository: "main".parse().unwrap(),
            timing: None,
            rpo: None,
            limit: None,
            retention: None,
            hooks: Hooks::default(),
            verify: VerifyConfig::default(),
            sources: vec![source],
        };
        self.jobs.insert(job.parse().unwrap(), config);
    }

    fn write(&self, name: &str, secret: &str) {
        let path = self.dir.path().join(name);
        fs::write(&path, secret).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    async fn look(&self) -> Result<PasswordRotation, RotationError> {
        let job = "job".parse().unwrap();
        let found = PasswordUse::of(&self.jobs, &job, None)?;
        PasswordRotation::look(&found, &SECRETS).await
    }

    fn in_file(&self) -> String {
        fs::read_to_string(&self.file).unwrap()
    }

    async fn lets_in(&self, password: &str) -> bool {
        let app = Connection {
            user: "app".to_owned(),
            ..self.cluster.connection("postgres")
        };
        app.with_password(&password.into()).lets_in().await.unwrap()
    }

    /// The file's password is the server's, and nothing lies beside it.
    #[track_caller]
    fn assert_clean(&self) {
        let names = fs::read_dir(self.dir.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let left: Vec<_> = names.filter(|name| name.starts_with("password.")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[tokio::test]
async fn a_password_is_replaced() {
    let world = World::new().await;
    let rotation = world.look().await.unwrap();
    assert_eq!(rotation.left(), Left::Nothing);
    assert!(matches!(world.look().await, Err(RotationError::Busy(_))));
    rotation.run().await.unwrap();
    assert_ne!(world.in_file(), "first");
    assert!(world.lets_in(&world.in_file()).await);
    assert!(!world.lets_in("first").await);
    world.assert_clean();
}

#[tokio::test]
async fn whoever_dies_in_between_is_healed_by_the_next() {
    let world = World::new().await;
    for steps in 1..=3 {
        let before = world.in_file();
        let rotation = world.look().await.unwrap();
        let new = rotation.make().unwrap();
        if steps > 1 {
            rotation.set(&new).await.unwrap();
        }
        if steps > 2 {
            rotation.prove(&new).await.unwrap();
        }
        drop(rotation);
        assert_eq!(world.in_file(), before, "{steps}");

        let next = world.look().await.unwrap();
        let left = if steps == 1 {
            Left::Unused
        } else {
            Left::InUse
        };
        assert_eq!(next.left(), left, "{steps}");
        next.run().await.unwrap();
        assert_eq!(world.in_file() == new.expose_secret(), steps > 1);
        assert!(world.lets_in(&world.in_file()).await);
        assert!(!world.lets_in(&before).await);
        world.assert_clean();
    }
}

#[tokio::test]
async fn half_a_new_password_was_never_told_to_anybody() {
    let world = World::new().await;
    for torn in ["", "0a3"] {
        world.write("password.new", torn);
        let next = world.look().await.unwrap();
        assert_eq!(next.left(), Left::Unused);
        next.run().await.unwrap();
        assert!(world.lets_in(&world.in_file()).await);
        world.assert_clean();
    }
}

#[tokio::test]
async fn who_fails_the_test_brings_the_old_password_back() {
    let mut world = World::new().await;
    world.sql("create database second").await;
    world.add("other", world.socket(), "second", "password");
    // Killed before and after the old one was brought back, too.
    for interrupted in [false, true] {
        let rotation = world.look().await.unwrap();
        let new = rotation.make().unwrap();
        rotation.set(&new).await.unwrap();
        world
            .sql("alter database second allow_connections false")
            .await;
        let why = rotation.prove(&new).await.unwrap_err();
        assert!(why.to_string().starts_with("other/db"), "{why}");
        if interrupted {
            drop(rotation);
            world
                .sql("alter database second allow_connections true")
                .await;
            let next = world.look().await.unwrap();
            assert_eq!(next.left(), Left::InUse);
            world
                .sql("alter database second allow_connections false")
                .await;
            let failed = next.run().await.unwrap_err();
            assert!(matches!(failed, RotationError::RolledBack { .. }));
        } else {
            let failed = rotation.roll_back(&new, why).await;
            let failed = Failure::from(failed);
            assert!(failed.message.contains("as before"), "{failed:?}");
            assert_eq!(failed.causes.len(), 3, "{failed:?}");
            world
                .sql("alter database second allow_connections true")
                .await;
        }
        assert_eq!(world.in_file(), "first");
        assert!(world.lets_in("first").await);
        assert!(!world.lets_in(new.expose_secret()).await);
        world.assert_clean();
    }
}

#[tokio::test]
async fn a_lost_session_is_no_obstacle_to_going_back() {
    let world = World::new().await;
    let rotation = world.look().await.unwrap();
    let new = rotation.make().unwrap();
    rotation.set(&new).await.unwrap();
    world
        .sql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'")
        .await;
    let why = RotationError::Someone {
        who: "job/db".to_owned(),
    };
    let failed = rotation.roll_back(&new, why).await;
    assert!(matches!(failed, RotationError::RolledBack { .. }));
    assert!(world.lets_in("first").await);
    world.assert_clean();
}

#[tokio::test]
async fn when_neither_works_both_are_kept() {
    let world = World::new().await;
    world.write("password.new", "second");
    world.sql("alter role app password 'third'").await;
    let failed = world.look().await.unwrap_err();
    assert_eq!(failed.code(), Code::PgAuth);
    assert!(matches!(failed, RotationError::NeitherWorks { .. }));
    assert!(world.dir.path().join("password.new").exists());

    // The same while it is going back.
    world.sql("alter role app password 'first'").await;
    let rotation = world.look().await.unwrap();
    let new = rotation.make().unwrap();
    rotation.set(&new).await.unwrap();
    let why = RotationError::Someone {
        who: "job/db".to_owned(),
    };
    world.sql("alter role app nologin").await;
    let failed = rotation.roll_back(&new, why).await;
    assert!(matches!(failed, RotationError::Stuck { .. }), "{failed}");
    assert!(world.dir.path().join("password.new").exists());
    drop(rotation);
    world.sql("alter role app login").await;
    world.look().await.unwrap().run().await.unwrap();
    assert!(world.lets_in(&world.in_file()).await);
    world.assert_clean();
}

#[tokio::test]
async fn who_would_be_shut_out_is_found_at_other_addresses() {
    let mut world = World::new().await;
    let elsewhere = world.dir.path().join("socket");
    symlink(world.socket(), &elsewhere).unwrap();
    world.write("second", "first");
    world.add("other", elsewhere, "postgres", "second");
    let failed = world.look().await.unwrap_err();
    let RotationError::Elsewhere { other, origin, .. } = failed else {
        panic!("{failed}");
    };
    assert_eq!(other, "other/db");
    assert!(origin.ends_with("/second"), "{origin}");

    // Whom nobody can ask is told.
    world.add("other", "/nowhere".into(), "postgres", "second");
    assert_eq!(world.look().await.unwrap().unasked(), ["other/db"]);

    // One file for two servers.
    let two = World::new().await;
    world.add("other", two.socket(), "postgres", "password");
    let failed = world.look().await.unwrap_err();
    assert!(matches!(failed, RotationError::OtherServer { .. }));
}

#[tokio::test]
async fn a_server_that_asks_for_no_password_proves_nothing() {
    let world = World::new().await;
    let rules = world.socket().join("data/pg_hba.conf");
    let strict = fs::read_to_string(&rules).unwrap();
    fs::write(&rules, format!("local all app trust\n{strict}")).unwrap();
    world.sql("select pg_reload_conf()").await;
    // The server hears of it in its own time.
    while !world.lets_in("wrong").await {}
    let failed = world.look().await.unwrap_err();
    assert_eq!(failed.code(), Code::RotationRefused);
    assert!(matches!(failed, RotationError::Unasked { .. }));
}
