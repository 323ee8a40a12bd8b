//! What a throw-away server promises, on real ones.

use super::*;
use crate::postgres::ConnectionError;

fn programs() -> Programs {
    Programs::find(None, &[]).expect("PostgreSQL is installed: apt-get install postgresql-15")
}

#[tokio::test]
async fn a_cluster_is_private_and_leaves_nothing_behind() {
    let parent = tempfile::tempdir().unwrap();
    fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let cluster = ScratchCluster::start(&programs(), parent.path())
        .await
        .unwrap();
    let good = cluster.connection("postgres");
    let session = good.connect().await.unwrap();
    let row = session
        .client()
        .query_one("show listen_addresses", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, &str>(0), "");
    drop(session);

    let code = async |connection: Connection| connection.connect().await.unwrap_err().code();
    let wrong = Connection {
        password: Some("wrong".into()),
        ..good.clone()
    };
    assert_eq!(code(wrong).await, Code::PgAuth);
    let none = Connection {
        password: None,
        ..good.clone()
    };
    assert_eq!(code(none).await, Code::PgAuth);
    let stranger = Connection {
        user: "stranger".to_owned(),
        ..good.clone()
    };
    assert_eq!(code(stranger).await, Code::PgAuth);
    assert_eq!(code(good.with_database("nosuch")).await, Code::PgDatabase);
    let nobody_there = Connection {
        port: 5433,
        ..good.clone()
    };
    assert_eq!(code(nobody_there).await, Code::PgConnect);

    cluster.stop().await.unwrap();
    assert_eq!(code(good).await, Code::PgConnect);
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn dropping_a_cluster_ends_it_too() {
    let parent = tempfile::tempdir().unwrap();
    fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let cluster = ScratchCluster::start(&programs(), parent.path())
        .await
        .unwrap();
    let connection = cluster.connection("postgres");
    drop(cluster);
    let error = connection.connect().await.unwrap_err();
    assert!(matches!(error, ConnectionError::Unreachable { .. }));
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_is_said_so() {
    let parent = tempfile::tempdir().unwrap();
    let deep = parent.path().join("x".repeat(100));
    fs::create_dir(&deep).unwrap();
    let error = ScratchCluster::start(&programs(), &deep).await.unwrap_err();
    assert!(matches!(error, ScratchError::PathTooLong { .. }), "{error}");
    assert!(error.to_string().contains("107"), "{error}");
}

#[test]
fn what_is_guarded_ends_with_us() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Command::new("sleep").arg("600").spawn().unwrap();
    let mut guard = guard(&server, folder.path()).unwrap();
    assert!(server.try_wait().unwrap().is_none());
    // The system closes our end in the same way when we are killed.
    drop(guard.stdin.take());
    assert_eq!(server.wait().unwrap().signal(), Some(3));
    assert!(guard.wait().unwrap().success());
    assert!(!folder.path().exists());
}

#[test]
fn users_are_found_by_name() {
    let users = "root:x:0:0::/root:/bin/sh\npostgres:x:101:104:PostgreSQL,,,:/var:/bin/sh\n";
    assert_eq!(ids_of(users, "postgres"), Some((101, 104)));
    assert_eq!(ids_of(users, "nobody"), None);
}
