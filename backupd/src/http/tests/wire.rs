//! What comes over a connection and is no request that everybody reads alike, or comes too
//! slowly: refused, and nothing else is done for it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::fixture::{Fixture, raw};
use crate::http::Settings;

const QUICK: Duration = Duration::from_millis(200);

fn quick(settings: &mut Settings) {
    settings.limits.head = QUICK;
    settings.limits.body = QUICK;
}

/// The statuses of all answers on a connection.
fn statuses(answer: &str) -> Vec<&str> {
    let lines = answer.lines();
    let lines = lines.filter_map(|line| line.split_once("HTTP/1.1 "));
    lines.map(|(_, rest)| &rest[..3]).collect()
}

#[tokio::test]
async fn a_request_inside_a_request_is_never_answered() {
    let fixture = Fixture::with(quick).await;
    let (socket, _stop, _served) = fixture.serve().await;
    let inner = "GET /v1/tokens HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let chunk = format!("{:x}\r\n{inner}\r\n0\r\n\r\n", inner.len());
    let post = "POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let cases = [
        (
            "length before chunks",
            format!(
                "{post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}"
            ),
        ),
        (
            "chunks before length",
            format!(
                "{post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n{inner}"
            ),
        ),
        (
            "chunks",
            format!("{post}Transfer-Encoding: chunked\r\n\r\n{chunk}"),
        ),
        (
            "chunks twice",
            format!("{post}Transfer-Encoding: chunked, chunked\r\n\r\n{chunk}"),
        ),
        (
            "chunks that are not the last coding",
            format!("{post}Transfer-Encoding: chunked, identity\r\n\r\n{inner}"),
        ),
        (
            "a space before the colon",
            format!("{post}Transfer-Encoding : chunked\r\n\r\n{chunk}"),
        ),
        (
            "two lengths",
            format!("{post}Content-Length: 0\r\nContent-Length: 5\r\n\r\n{inner}"),
        ),
        (
            "a length with a sign",
            format!("{post}Content-Length: +5\r\n\r\n{inner}"),
        ),
        (
            "a folded line",
            format!("{post}X: a\r\n Content-Length: 5\r\n\r\n{inner}"),
        ),
    ];
    for (what, bytes) in cases {
        let answer = raw(&socket, bytes.as_bytes()).await;
        assert_eq!(statuses(&answer), ["400"], "{what}: {answer}");
        assert!(!answer.contains("[]"), "{what}: {answer}");
    }
    // As a body of its right length it is a body.
    let body = format!("{post}Content-Length: {}\r\n\r\n{inner}", inner.len());
    let answer = raw(&socket, body.as_bytes()).await;
    assert_eq!(statuses(&answer), ["400"], "{answer}");
    // And after a request that has none it is the next one.
    let two = format!("GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n{inner}");
    assert_eq!(
        statuses(&raw(&socket, two.as_bytes()).await),
        ["200", "200"]
    );
}

#[tokio::test]
async fn a_host_stands_in_one_place() {
    let fixture = Fixture::with(quick).await;
    let (socket, _stop, _served) = fixture.serve().await;
    for line in [
        "GET http://evil.example/v1/jobs HTTP/1.1",
        "GET http://localhost/v1/jobs HTTP/1.1",
        "CONNECT localhost:443 HTTP/1.1",
    ] {
        let bytes = format!("{line}\r\nHost: localhost\r\n\r\n");
        let answer = raw(&socket, bytes.as_bytes()).await;
        assert_eq!(statuses(&answer), ["400"], "{line}: {answer}");
    }
    let old = raw(&socket, b"GET /v1/jobs HTTP/1.0\r\n\r\n").await;
    assert!(old.contains(" 403 "), "{old}");
}

#[tokio::test]
async fn a_flood_of_cookies_or_headers_is_cut_off() {
    let fixture = Fixture::with(quick).await;
    let (socket, _stop, _served) = fixture.serve().await;
    let head = "GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\n";
    for (what, lines) in [
        (
            "one cookie",
            format!("Cookie: {}\r\n", "a=b; ".repeat(20_000)),
        ),
        ("cookies", "Cookie: a=b\r\n".repeat(1000)),
        ("tokens", "Authorization: Bearer x\r\n".repeat(1000)),
        ("a name", format!("{}: x\r\n", "x".repeat(100_000))),
    ] {
        let answer = raw(&socket, format!("{head}{lines}\r\n").as_bytes()).await;
        assert_eq!(statuses(&answer), ["431"], "{what}: {answer}");
    }
    let path = format!(
        "GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "a".repeat(100_000)
    );
    let answer = raw(&socket, path.as_bytes()).await;
    assert_eq!(statuses(&answer).len(), 1, "{answer}");
    assert!(["414", "431"].contains(&statuses(&answer)[0]), "{answer}");
}

#[tokio::test]
async fn whoever_takes_too_long_is_not_waited_for() {
    let fixture = Fixture::with(quick).await;
    let (socket, _stop, _served) = fixture.serve().await;
    // Each ends only because the daemon hangs up: nothing more is sent, and nothing closed.
    for begun in ["", "GET /v1", "GET /v1/jobs HTTP/1.1\r\nHost: loc"] {
        let answer = raw(&socket, begun.as_bytes()).await;
        assert!(!answer.contains("200"), "{begun:?}: {answer}");
    }
    let post = "POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let body = format!("{post}Content-Length: 100\r\n\r\n{{\"backup\":");
    let answer = raw(&socket, body.as_bytes()).await;
    assert_eq!(statuses(&answer), ["408"], "{answer}");
    assert!(answer.contains("E-TIME-OUT"), "{answer}");
    // What was answered leaves an idle connection, which ends as well.
    let one = raw(&socket, b"GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(statuses(&one), ["200"]);
}

#[tokio::test]
async fn the_longest_wait_does_not_keep_the_daemon_from_stopping() {
    let fixture = Fixture::new().await;
    let (socket, stop, served) = fixture.serve().await;
    let idle = tokio::net::UnixStream::connect(&socket).await.unwrap();
    let other = fixture.serve_tcp(&CancellationToken::new()).await;
    let elsewhere = tokio::net::TcpStream::connect(other).await.unwrap();
    stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(10), served).await;
    ended.expect("an idle connection was waited for").unwrap();
    drop((idle, elsewhere));
    let refused = tokio::net::UnixStream::connect(&socket).await;
    assert_eq!(
        refused.unwrap_err().kind(),
        std::io::ErrorKind::ConnectionRefused
    );
}
