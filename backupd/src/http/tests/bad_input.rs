//! What is not a request that this daemon takes: each with its status and code, and nothing done.

use backupd_api::Scope;
use http::Request;
use secrecy::ExposeSecret as _;

use super::fixture::{Fixture, STRANGER, raw, request, with};
use crate::http::{body, source::Peer};

const ROOT: Peer = Peer::Local { uid: 0 };

#[track_caller]
fn header(name: &'static str, value: &str) -> Request<axum::body::Body> {
    let mut request = request("GET", "/v1/jobs", "");
    request.headers_mut().append(name, value.parse().unwrap());
    request
}

#[tokio::test]
async fn headers_that_do_not_belong_are_refused() {
    let fixture = Fixture::new().await;
    let token = fixture.token(&[Scope::Admin]);
    let whole = token.whole().expose_secret().to_owned();
    let mut twice = with(&token, request("GET", "/v1/jobs", ""));
    twice
        .headers_mut()
        .append("authorization", "Bearer x".parse().unwrap());
    let host = |value: &str| {
        let mut request = request("GET", "/v1/jobs", "");
        request.headers_mut().insert("host", value.parse().unwrap());
        request
    };
    let mut none = request("GET", "/v1/jobs", "");
    none.headers_mut().remove("host");
    let cases = [
        ("two tokens", twice, 401),
        ("malformed", header("authorization", "Bearer bk_1_2"), 401),
        ("basic", header("authorization", "Basic YTpi"), 401),
        (
            "case",
            header("authorization", &format!("bearer {whole}")),
            401,
        ),
        ("rebound", host("evil.example"), 403),
        ("with a port", host("evil.example:80"), 403),
        ("no host", none, 403),
        ("two hosts", header("host", "localhost"), 403),
        ("origin", header("origin", "https://evil.example"), 403),
        ("own origin", header("origin", "http://localhost"), 403),
        ("fetch", header("sec-fetch-site", "same-origin"), 403),
        ("cookie", header("cookie", "a=b"), 403),
        ("websocket", header("upgrade", "websocket"), 400),
    ];
    for (what, request, status) in cases {
        let answer = fixture.ask(ROOT, request).await;
        assert_eq!(answer.status, status, "{what}: {answer:?}");
    }
    for fine in ["localhost", "LOCALHOST:8443", "vault01"] {
        assert_eq!(fixture.ask(ROOT, host(fine)).await.status, 200, "{fine}");
    }
}

#[tokio::test]
async fn addresses_that_do_not_belong_are_refused() {
    let fixture = Fixture::new().await;
    let token = fixture.token(&[Scope::Admin]);
    let whole = token.whole().expose_secret().to_owned();
    for (method, path, status, code) in [
        ("GET", "/", 404, "E-NO-ROUTE"),
        ("GET", "/v1", 404, "E-NO-ROUTE"),
        ("GET", "/v1/jobs/", 404, "E-NO-ROUTE"),
        ("GET", "/v1/../v1/jobs", 404, "E-NO-ROUTE"),
        ("PATCH", "/v1/jobs", 405, "E-METHOD"),
        ("DELETE", "/v1/jobs", 405, "E-METHOD"),
        ("OPTIONS", "/v1/jobs", 405, "E-METHOD"),
        ("GET", "/v1/jobs?x=1", 400, "E-USAGE"),
        ("GET", "/v1/jobs/..%2f..%2fetc/newest", 400, "E-USAGE"),
        ("GET", "/v1/jobs/app%00/newest", 400, "E-USAGE"),
        ("GET", "/v1/jobs/APP/newest", 400, "E-USAGE"),
        ("GET", "/v1/snapshots/app/1", 400, "E-USAGE"),
        ("GET", "/v1/snapshots/app/%2e%2e", 400, "E-USAGE"),
        (
            "GET",
            "/v1/repositories/..%2f..%2fetc/stats",
            404,
            "E-REPOSITORY-MISSING",
        ),
        ("GET", "/v1/tasks/..%2f/events", 404, "E-NO-TASK"),
        ("DELETE", "/v1/tokens/0123456789abcdef", 404, "E-NO-TOKEN"),
        ("GET", "/v1/snapshots?limit=1001", 400, "E-USAGE"),
        ("GET", "/v1/snapshots?limit=0", 400, "E-USAGE"),
        ("GET", "/v1/snapshots?limit=-1", 400, "E-USAGE"),
        (
            "GET",
            "/v1/snapshots?from=99999999999999999999",
            400,
            "E-USAGE",
        ),
        ("GET", "/v1/snapshots?from=1&from=2", 400, "E-USAGE"),
        ("GET", "/v1/snapshots?select=..", 400, "E-USAGE"),
    ] {
        let answer = fixture.ask(ROOT, request(method, path, "")).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (status, &code.into()),
            "{method} {path}"
        );
    }
    // A token in an address would stand in logs: it neither counts nor comes back.
    for path in ["/v1/jobs", "/v1/snapshots"] {
        let there = format!("{path}?token={whole}");
        let answer = fixture.ask(STRANGER, request("GET", &there, "")).await;
        assert_eq!(answer.status, 401);
        let answer = fixture.ask(ROOT, request("GET", &there, "")).await;
        assert_eq!(answer.status, 400);
        assert!(!answer.body.to_string().contains(&whole));
    }
}

#[tokio::test]
async fn bodies_that_do_not_belong_are_refused() {
    let fixture = Fixture::new().await;
    let begin = |kind: &str, body: &str| {
        let mut request = request("POST", "/v1/tasks", body);
        request
            .headers_mut()
            .insert("content-type", kind.parse().unwrap());
        request
    };
    let json = "application/json";
    let backup = r#"{"backup":{"job":"app"}}"#;
    let large = format!(r#"{{"backup":{{"job":"{}"}}}}"#, "a".repeat(body::LARGEST));
    let mut packed = begin(json, backup);
    packed
        .headers_mut()
        .insert("content-encoding", "gzip".parse().unwrap());
    let mut none = begin(json, backup);
    none.headers_mut().remove("content-type");
    for (what, request, status) in [
        (
            "form",
            begin("application/x-www-form-urlencoded", backup),
            415,
        ),
        ("text", begin("text/plain", backup), 415),
        (
            "charset",
            begin("application/json; charset=utf-16", backup),
            415,
        ),
        ("no type", none, 415),
        ("compressed", packed, 415),
        ("large", begin(json, &large), 413),
        ("empty", begin(json, " "), 400),
        ("list", begin(json, "[]"), 400),
        ("two", begin(json, &format!("{backup}{backup}")), 400),
    ] {
        assert_eq!(fixture.ask(ROOT, request).await.status, status, "{what}");
    }
    for key in ["", "a b", &"x".repeat(129)] {
        let mut request = begin(json, backup);
        request
            .headers_mut()
            .insert("idempotency-key", key.parse().unwrap());
        assert_eq!(fixture.ask(ROOT, request).await.status, 400, "{key:?}");
    }
    let tasks = fixture.ask(ROOT, request("GET", "/v1/tasks", "")).await;
    assert_eq!(tasks.body["items"], serde_json::json!([]));
}

#[tokio::test]
async fn what_is_not_http_or_too_much_of_it_is_refused_by_the_socket() {
    let fixture = Fixture::new().await;
    let (socket, _stop, _served) = fixture.serve().await;
    let head = "GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    let flood = "X: x\r\n".repeat(100);
    let long = format!("X: {}\r\n", "x".repeat(20 << 10));
    let cases = [
        (format!("{head}{flood}\r\n"), "HTTP/1.1 431"),
        (format!("{head}{long}\r\n"), "HTTP/1.1 431"),
        ("\0\0\0\r\n\r\n".to_owned(), "HTTP/1.1 400"),
        (
            format!("{head}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
            "HTTP/1.1 400",
        ),
        (
            format!("{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
            "HTTP/1.1 ",
        ),
        (format!("{head}\r\n"), "HTTP/1.1 200"),
    ];
    for (bytes, begins) in cases {
        let answer = raw(&socket, bytes.as_bytes()).await;
        assert!(answer.starts_with(begins), "{begins}: {answer}");
    }
}

#[tokio::test]
async fn more_requests_than_there_is_room_for_are_told_so() {
    let fixture = Fixture::new().await;
    let room = std::sync::Arc::clone(&fixture.api.0.room);
    let taken = room.acquire_many_owned(8).await.unwrap();
    let answer = fixture.ask(ROOT, request("GET", "/v1/jobs", "")).await;
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (503, &"E-OVERLOADED".into())
    );
    drop(taken);
    assert_eq!(
        fixture
            .ask(ROOT, request("GET", "/v1/jobs", ""))
            .await
            .status,
        200
    );
}
