//! Long work: begun once, followed from any line on, cancelled, and not tied to who began it.

use backupd_api::{Scope, Service as _};
use serde_json::Value;

use super::fixture::{Answer, Fixture, STRANGER, raw, request, with};
use crate::http::source::Peer;

const ROOT: Peer = Peer::Local { uid: 0 };
const BACKUP: &str = r#"{"backup":{"job":"app"}}"#;

async fn begin(fixture: &Fixture, key: &str, body: &str) -> Answer {
    let mut request = request("POST", "/v1/tasks", body);
    request
        .headers_mut()
        .insert("idempotency-key", key.parse().unwrap());
    fixture.ask(ROOT, request).await
}

fn lines(answer: &str) -> Vec<Value> {
    let lines = answer.lines().filter(|line| line.starts_with("{\"n\""));
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Follows a task over the socket to its end.
async fn follow(fixture: &Fixture, socket: &std::path::Path, id: &str, from: u64) -> Vec<Value> {
    let head = format!(
        "GET /v1/tasks/{id}/events?from={from} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    );
    let lines = lines(&raw(socket, head.as_bytes()).await);
    assert!(fixture.path("state").is_dir());
    lines
}

#[tokio::test]
async fn one_key_begins_one_task() {
    let fixture = Fixture::new().await;
    let (socket, _stop, _served) = fixture.serve().await;
    let first = begin(&fixture, "nightly-1", BACKUP).await;
    assert_eq!(
        (first.status, &first.body["state"]),
        (202, &"running".into())
    );
    let id = first.body["id"].as_str().unwrap();
    let busy = begin(&fixture, "nightly-2", BACKUP).await;
    let again = begin(&fixture, "nightly-1", BACKUP).await;
    assert_eq!(again.body["id"], first.body["id"]);
    let other = begin(&fixture, "nightly-1", r#"{"backup":{"job":"other"}}"#).await;
    assert_eq!(
        (other.status, &other.body["code"]),
        (409, &"E-KEY-REUSED".into())
    );
    // Nothing has been awaited that would let the first one end.
    assert_eq!((busy.status, &busy.body["code"]), (409, &"E-BUSY".into()));

    let log = follow(&fixture, &socket, id, 0).await;
    assert_eq!(
        log.last().unwrap()["line"],
        serde_json::json!({"end": {"ok": null}})
    );
    assert!(
        log.iter()
            .any(|line| line["line"]["report"]["backup"]["snapshot"] == "app/000001")
    );
    // The key is still known, and nothing is done twice.
    let after = begin(&fixture, "nightly-1", BACKUP).await;
    assert_eq!(
        (&after.body["id"], &after.body["state"]),
        (&first.body["id"], &"done".into())
    );
    let job = fixture.direct.jobs().await.unwrap().remove(0);
    assert_eq!(fixture.direct.newest(&job).await.unwrap().seq.0, 1);
    // From any line on.
    let last = log.last().unwrap()["n"].as_u64().unwrap();
    assert_eq!(
        follow(&fixture, &socket, id, last).await,
        log[log.len() - 1..]
    );
}

#[tokio::test]
async fn work_goes_on_without_who_began_it() {
    let fixture = Fixture::new().await;
    let (socket, stop, served) = fixture.serve().await;
    let head = format!(
        "POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{BACKUP}",
        BACKUP.len()
    );
    let answer = raw(&socket, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    let listed = fixture.ask(ROOT, request("GET", "/v1/tasks", "")).await;
    let id = listed.body["items"][0]["id"].as_str().unwrap().to_owned();
    let log = follow(&fixture, &socket, &id, 0).await;
    assert_eq!(
        log.last().unwrap()["line"],
        serde_json::json!({"end": {"ok": null}})
    );
    fixture.api.stop().await;
    stop.cancel();
    served.await.unwrap();
    let late = begin(&fixture, "late", BACKUP).await;
    assert_eq!(
        (late.status, &late.body["code"]),
        (503, &"E-OVERLOADED".into())
    );
}

#[tokio::test]
async fn a_cancelled_task_ends_and_says_so() {
    let fixture = Fixture::new().await;
    let (socket, _stop, _served) = fixture.serve().await;
    let begun = begin(&fixture, "one", BACKUP).await;
    let id = begun.body["id"].as_str().unwrap();
    let path = format!("/v1/tasks/{id}");
    // The work has not been let run yet: this test has one thread, and has not waited.
    let cancelled = fixture.ask(ROOT, request("DELETE", &path, "")).await;
    assert_eq!(cancelled.status, 200);
    let log = follow(&fixture, &socket, id, 0).await;
    let code = &log.last().unwrap()["line"]["end"]["failed"]["code"];
    assert_eq!(code, "E-INTERRUPTED");
    let shown = fixture.ask(ROOT, request("GET", &path, "")).await;
    assert_eq!(shown.body["state"], "failed");
    let job = fixture.direct.jobs().await.unwrap().remove(0);
    assert!(fixture.direct.newest(&job).await.is_err());
}

#[tokio::test]
async fn whoever_may_only_look_does_not_hear_what_was_found() {
    let fixture = Fixture::new().await;
    let begun = begin(&fixture, "one", BACKUP).await;
    let id = begun.body["id"].as_str().unwrap();
    let status = fixture.token(&[Scope::Status]);
    let shown = request("GET", &format!("/v1/tasks/{id}"), "");
    assert_eq!(
        fixture.ask(STRANGER, with(&status, shown)).await.status,
        200
    );
    let events = request("GET", &format!("/v1/tasks/{id}/events"), "");
    assert_eq!(
        fixture.ask(STRANGER, with(&status, events)).await.status,
        403
    );
    // Another caller's key is another key.
    let run = fixture.token(&[Scope::Run]);
    let mut same = with(
        &run,
        request("POST", "/v1/tasks", r#"{"backup":{"job":"other"}}"#),
    );
    same.headers_mut()
        .insert("idempotency-key", "one".parse().unwrap());
    assert_eq!(fixture.ask(STRANGER, same).await.status, 202);
}
