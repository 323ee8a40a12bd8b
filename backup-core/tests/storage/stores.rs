//! What every store must do, asked of all that we have: memory, a folder, a server that speaks S3
//! in this process, and moto; and what a server may do to us.

use std::{fs, time::Duration};

use backup_core::store::{Limits, Probe, Put, S3Options, Store, is_create_refused, probe};
use backup_model::{Code, Failure};
use bytes::Bytes;
use futures::future::join_all;
use hyper::StatusCode;
use tokio::time::{Instant, timeout};

use crate::{
    moto::Moto,
    servers::{BUCKET, S3Files, Turn, options},
};

/// Everything but races.
async fn conforms(store: &Store) {
    assert!(store.is_empty().await.unwrap());
    assert_eq!(store.list("packs").await.unwrap(), []);
    let ours = Bytes::from_static(b"ours, and more than a few bytes");
    missing(store, &ours).await;

    let theirs = Bytes::from_static(b"theirs");
    let put = |bytes: &Bytes| store.put_new("packs/aa/x", bytes.clone());
    assert_eq!(put(&ours).await.unwrap(), Put::Stored);
    assert_eq!(put(&ours).await.unwrap(), Put::Stored, "our own, again");
    assert_eq!(put(&theirs).await.unwrap(), Put::Taken);
    assert_eq!(store.get("packs/aa/x").await.unwrap(), ours);
    assert_eq!(store.find("packs/aa/x").await.unwrap(), Some(ours.clone()));
    assert!(!store.is_empty().await.unwrap());

    parts(store, &ours).await;
    stored(store, &ours).await;
    listings(store).await;
}

async fn missing(store: &Store, bytes: &Bytes) {
    let key = "packs/aa/x";
    assert_eq!(store.find(key).await.unwrap(), None);
    assert_eq!(store.size(key).await.unwrap(), None);
    assert!(!store.check_stored(key, bytes).await.unwrap());
    assert!(store.get(key).await.unwrap_err().is_not_found());
    for range in [0..1, 5..5] {
        let part = store.get_range(key, range).await;
        assert!(part.unwrap_err().is_not_found());
    }
}

async fn parts(store: &Store, ours: &Bytes) {
    let len = ours.len() as u64;
    for range in [0..1, 3..9, 0..len, len - 1..len, 4..4] {
        let part = store.get_range("packs/aa/x", range.clone()).await.unwrap();
        let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        assert_eq!(part, ours.slice(range));
    }
    for beyond in [0..len + 1, len..len + 4, len + 5..len + 6] {
        let part = store.get_range("packs/aa/x", beyond).await;
        assert!(!part.unwrap_err().is_not_found());
    }
}

async fn stored(store: &Store, ours: &Bytes) {
    let key = "packs/aa/x";
    assert_eq!(store.size(key).await.unwrap(), Some(ours.len() as u64));
    assert!(store.check_stored(key, ours).await.unwrap());
    assert!(!store.check_stored(key, &ours.slice(1..)).await.unwrap());
    let longer = Bytes::from([&ours[..], b"!"].concat());
    assert!(!store.check_stored(key, &longer).await.unwrap());

    // More than any buffer on the way.
    let big: Vec<u8> = (0..5u32 << 20).map(|n| (n % 251) as u8).collect();
    let big = Bytes::from(big);
    let key = "packs/bb/big";
    assert_eq!(store.put_new(key, big.clone()).await.unwrap(), Put::Stored);
    assert!(store.check_stored(key, &big).await.unwrap());
    assert_eq!(store.get(key).await.unwrap(), big);
    let empty = store.put_new("empty", Bytes::new()).await;
    assert_eq!(empty.unwrap(), Put::Stored);
    assert_eq!(store.size("empty").await.unwrap(), Some(0));
    assert!(store.check_stored("empty", &Bytes::new()).await.unwrap());
    assert_eq!(store.get("empty").await.unwrap(), Bytes::new());
}

async fn listings(store: &Store) {
    let other = Bytes::from_static(b"four");
    store.put_new("packs/aa/w", other.clone()).await.unwrap();
    store.put_new("packsother/y", other.clone()).await.unwrap();
    let listed = store.list("packs").await.unwrap();
    let keys: Vec<_> = listed.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys, ["packs/aa/w", "packs/aa/x", "packs/bb/big"]);
    assert_eq!(listed[0].size, 4);
    // More than one page of a listing.
    let many = (0..1100).map(|n| format!("many/{n:04}"));
    for keys in many.clone().collect::<Vec<_>>().chunks(50) {
        let puts = keys.iter().map(|key| store.put_new(key, other.clone()));
        for put in join_all(puts).await {
            assert_eq!(put.unwrap(), Put::Stored);
        }
    }
    let listed = store.list("many").await.unwrap();
    assert!(listed.into_iter().map(|object| object.key).eq(many));
}

/// Of several who create an object at once, one does.
async fn decides_races(store: &Store) {
    for race in 0..10 {
        let key = format!("race/{race}");
        let racers = (0..8u8).map(|n| store.put_new(&key, Bytes::from(vec![n])));
        let outcomes = join_all(racers).await;
        let won = |outcome: &Put| *outcome == Put::Stored;
        let winners = outcomes.into_iter().map(Result::unwrap).filter(won).count();
        assert_eq!(winners, 1, "{store:?}");
    }
}

#[tokio::test]
async fn memory_conforms() {
    let store = Store::memory();
    conforms(&store).await;
    decides_races(&store).await;
}

#[tokio::test]
async fn a_local_folder_conforms() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::local(dir.path()).unwrap();
    conforms(&store).await;
    decides_races(&store).await;
}

#[test]
fn a_missing_folder_is_said() {
    let dir = tempfile::tempdir().unwrap();
    assert!(Store::local(&dir.path().join("none")).is_err());
}

#[tokio::test]
async fn s3_in_this_process_conforms() {
    let server = S3Files::start().await;
    conforms(&server.store("a/b")).await;
    // A neighbour sees nothing of it.
    assert!(server.store("a/c").is_empty().await.unwrap());
    assert!(server.bucket().join("a/b/packs/aa/x").exists());
}

#[tokio::test]
async fn moto_conforms() {
    let moto = Moto::start(BUCKET);
    let store = Store::s3(&options(&moto.endpoint, "")).unwrap();
    conforms(&store).await;
    decides_races(&store).await;
    conforms(&Store::s3(&options(&moto.endpoint, "neighbour")).unwrap()).await;
}

#[tokio::test]
async fn only_the_size_is_asked_for_where_checksums_are_trusted() {
    let server = S3Files::start().await;
    let trusting = S3Options {
        read_back: false,
        ..options(&server.endpoint, "")
    };
    let store = Store::s3(&trusting).unwrap();
    let (bytes, same_size) = (Bytes::from_static(b"ours"), Bytes::from_static(b"xxxx"));
    store.put_new("a", bytes.clone()).await.unwrap();
    assert!(store.check_stored("a", &bytes).await.unwrap());
    assert!(store.check_stored("a", &same_size).await.unwrap());
    assert!(!store.check_stored("a", &bytes.slice(1..)).await.unwrap());
    assert!(!store.check_stored("none", &bytes).await.unwrap());
}

#[tokio::test]
async fn a_probe_tells_stores_apart() {
    let good = Probe {
        honoured: true,
        winners: 1,
    };
    let moto = Moto::start(BUCKET);
    let dir = tempfile::tempdir().unwrap();
    for store in [
        Store::memory(),
        Store::local(dir.path()).unwrap(),
        Store::s3(&options(&moto.endpoint, "x")).unwrap(),
    ] {
        assert_eq!(probe(&store).await.unwrap(), good, "{store:?}");
        assert!(store.is_empty().await.unwrap(), "nothing of a repository");
        let left = store.list("probe").await.unwrap();
        let keys: Vec<_> = left.iter().map(|object| object.key.as_str()).collect();
        assert_eq!(keys, ["probe/create"]);
        assert!(is_create_refused(&store).await.unwrap());
    }
    let careless = S3Files::careless().await;
    let found = probe(&careless.store("")).await.unwrap();
    assert!(!found.honoured && found.winners == 8, "{found:?}");
    assert!(!found.is_good());
    assert!(!is_create_refused(&careless.store("")).await.unwrap());
}

#[tokio::test]
async fn a_single_writer_sees_what_it_stored() {
    let careless = S3Files::careless().await;
    let plain = careless.store("plain");
    let (ours, theirs) = (Bytes::from_static(b"ours"), Bytes::from_static(b"theirs"));
    plain.put_new("x", ours.clone()).await.unwrap();
    let lost = plain.put_new("x", theirs.clone()).await.unwrap();
    assert_eq!(lost, Put::Stored, "which is why it is probed");

    let store = careless.store("alone").single_writer();
    assert!(!store.is_conditional());
    conforms(&store).await;
}

#[tokio::test]
async fn answers_that_get_lost_are_settled() {
    let server = S3Files::start().await;
    let store = server.store("");
    let (ours, theirs) = (Bytes::from_static(b"ours"), Bytes::from_static(b"theirs"));
    server.next([Turn::LosesAnswer]);
    assert_eq!(store.put_new("x", ours.clone()).await.unwrap(), Put::Stored);
    server.next([Turn::LosesAnswer, Turn::LosesAnswer]);
    let put = store.put_new("x", theirs.clone()).await;
    assert_eq!(put.unwrap(), Put::Taken);
    server.next([Turn::LosesAnswer, Turn::LosesAnswer]);
    assert_eq!(store.get("x").await.unwrap(), ours);
    server.next([Turn::LosesAnswer]);
    assert_eq!(store.list("").await.unwrap().len(), 1);
    // Busy with another put of the key, which then fails.
    let busy = "<Error><Code>ConditionalRequestConflict</Code></Error>";
    server.next([Turn::Answers(StatusCode::CONFLICT, busy)]);
    let put = store.put_new("y", theirs.clone()).await;
    assert_eq!(put.unwrap(), Put::Stored);
    let slow = "<Error><Code>SlowDown</Code></Error>";
    server.next([
        Turn::Answers(StatusCode::SERVICE_UNAVAILABLE, slow),
        Turn::Answers(StatusCode::INTERNAL_SERVER_ERROR, ""),
    ]);
    assert_eq!(store.get("y").await.unwrap(), theirs);
    assert!(server.is_done());
}

#[tokio::test]
async fn what_a_server_refuses_has_its_code_and_shows_no_secret() {
    let denied = "<Error><Code>AccessDenied</Code><Message>No.</Message>\
                  <StringToSign>geheim</StringToSign></Error>";
    let full = "<Error><Code>QuotaExceeded</Code></Error>";
    let old = "<Error><Code>ExpiredToken</Code></Error>";
    let wrong = "<Error><Code>InvalidRequest</Code></Error>";
    for (status, text, code, said) in [
        (
            StatusCode::FORBIDDEN,
            denied,
            Code::StoreDenied,
            "AccessDenied: No.",
        ),
        (StatusCode::UNAUTHORIZED, "", Code::StoreDenied, "401"),
        (
            StatusCode::BAD_REQUEST,
            old,
            Code::StoreDenied,
            "ExpiredToken",
        ),
        (StatusCode::FORBIDDEN, full, Code::NoSpace, "QuotaExceeded"),
        (StatusCode::INSUFFICIENT_STORAGE, "", Code::NoSpace, "507"),
        (
            StatusCode::BAD_REQUEST,
            wrong,
            Code::Store,
            "InvalidRequest",
        ),
        (StatusCode::MOVED_PERMANENTLY, "", Code::Store, "region"),
    ] {
        let server = S3Files::start().await;
        let store = server.store("");
        // The put, and the look at what became of it.
        server.next([Turn::Answers(status, text), Turn::Answers(status, text)]);
        let put = store.put_new("x", Bytes::new()).await.unwrap_err();
        server.next([Turn::Answers(status, text)]);
        let listed = store.list("x").await.unwrap_err();
        for error in [put, listed] {
            let failure = Failure::from_error(error.code(), &error);
            assert_eq!(failure.code, code, "{failure:?}");
            let shown = format!("{failure:?}");
            assert!(shown.contains(said), "{shown}");
            assert!(!shown.contains("geheim"), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_wrong_key_is_denied_and_a_missing_bucket_found_missing() {
    let server = S3Files::start().await;
    let mut wrong = options(&server.endpoint, "");
    wrong.credentials.secret_access_key = "falsch".into();
    let store = Store::s3(&wrong).unwrap();
    let error = store.get("x").await.unwrap_err();
    assert_eq!(error.code(), Code::StoreDenied, "{error:?}");
    assert!(!format!("{wrong:?} {store:?} {error:?}").contains("falsch"));

    fs::remove_dir(server.bucket()).unwrap();
    let error = server.store("").get("x").await.unwrap_err();
    assert!(error.is_not_found());
    let error = server.store("").list("packs").await.unwrap_err();
    let failure = Failure::from_error(error.code(), &error);
    assert_eq!(failure.code, Code::Store);
    assert!(
        format!("{failure:?}").contains("NoSuchBucket"),
        "{failure:?}"
    );
}

#[tokio::test]
async fn nobody_there_is_said_soon() {
    let server = S3Files::start().await;
    let store = server.store("");
    drop(server);
    // Retries have pauses; the test only bounds them.
    let found = timeout(Duration::from_secs(100), store.find("x")).await;
    let error = found.unwrap().unwrap_err();
    assert_eq!(error.code(), Code::Store);
}

#[tokio::test]
async fn bytes_go_at_the_pace_that_was_set() {
    let server = S3Files::start().await;
    let paced = |upload, download| {
        let mut options = options(&server.endpoint, "");
        options.limits = Limits {
            upload_per_sec: upload,
            download_per_sec: download,
            connections: 2,
        };
        Store::s3(&options).unwrap()
    };
    // The last piece is not waited for, and may be large.
    let bytes = Bytes::from(vec![7; 2 << 20]);
    let (rate, least) = (Some(2 << 20), Duration::from_millis(500));
    let begun = Instant::now();
    let store = paced(rate, None);
    store.put_new("a", bytes.clone()).await.unwrap();
    let up = begun.elapsed();
    assert!(up >= least, "{up:?}");
    let begun = Instant::now();
    assert_eq!(paced(None, rate).get("a").await.unwrap(), bytes);
    let down = begun.elapsed();
    assert!(down >= least, "{down:?}");
}
