//! The client before a daemon that answers late, never, or not as it should.

use std::{fs, time::Duration};

use backup_model::{Code, JobName};
use futures::StreamExt as _;
use http::Method;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
};

use super::{HttpService, Target, connection::Daemon};
use crate::{Service as _, TaskInfo, TaskRequest};

/// A request as it came, to the end of its body.
async fn request(stream: &mut UnixStream) -> String {
    let mut text = String::new();
    loop {
        let mut some = [0; 4096];
        let len = stream.read(&mut some).await.unwrap();
        text.push_str(std::str::from_utf8(&some[..len]).unwrap());
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let len = header(head, "content-length").map_or(0, |len| len.parse().unwrap());
            if body.len() >= len {
                return text;
            }
        }
        assert!(len > 0, "the request broke off: {text}");
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Takes the next connection, and answers its request so; with nothing it hangs up.
async fn next(listener: &UnixListener, answer: &str) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let asked = request(&mut stream).await;
    stream.write_all(answer.as_bytes()).await.unwrap();
    asked
}

#[tokio::test]
async fn a_daemon_is_there_or_not_and_anything_else_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let target = |name: &str| Target::socket(&folder.path().join(name));
    assert!(HttpService::find(target("none")).await.unwrap().is_none());
    drop(UnixListener::bind(folder.path().join("left")).unwrap());
    assert!(HttpService::find(target("left")).await.unwrap().is_none());

    fs::write(folder.path().join("file"), "").unwrap();
    let failure = HttpService::find(target("file/socket")).await.unwrap_err();
    assert_eq!(failure.code, Code::Daemon);

    // It is there, and whatever it says, nobody else does its work.
    let listener = UnixListener::bind(folder.path().join("api")).unwrap();
    let strange = async {
        drop(listener.accept().await.unwrap());
        next(&listener, &answer("200 OK", "no JSON")).await
    };
    let (found, _) = tokio::join!(HttpService::find(target("api")), strange);
    let failure = found.unwrap_err();
    assert_eq!(failure.code, Code::Daemon);
    assert_eq!(failure.message, "the daemon's answer cannot be read");

    // Who may only run jobs is let in, too; who may do nothing is not.
    for (code, status) in [
        ("E-NOT-PERMITTED", "403 Forbidden"),
        ("E-SIGN-IN", "401 Unauthorized"),
    ] {
        let body = format!(r#"{{"code":"{code}","message":"no"}}"#);
        let body = answer(status, &body);
        let (reached, _) = tokio::join!(HttpService::reach(target("api")), next(&listener, &body));
        assert_eq!(reached.is_ok(), code == "E-NOT-PERMITTED", "{reached:?}");
    }
}

#[tokio::test]
async fn a_daemon_that_never_answers_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api");
    let listener = UnixListener::bind(&path).unwrap();
    let daemon = Daemon::at(Target::socket(&path)).unwrap();
    let daemon = daemon.within(Duration::from_millis(100));
    let asked = daemon.ask::<Vec<JobName>>(Method::GET, "/v1/jobs");
    let silent = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        request(&mut stream).await;
        // Until the other end goes.
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
    };
    let (asked, ()) = tokio::join!(asked, silent);
    let failure = asked.unwrap_err();
    assert_eq!(failure.code, Code::Daemon);
    assert!(
        failure.message.contains("did not answer within"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_task_whose_answer_is_lost_is_begun_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api");
    let listener = UnixListener::bind(&path).unwrap();
    let none = answer("200 OK", "[]");
    let (daemon, _) = tokio::join!(HttpService::connect(&path), next(&listener, &none));
    let daemon = daemon.unwrap();
    let request = TaskRequest::Backup {
        job: "app".parse().unwrap(),
    };
    let body = r#"{"id":"1","kind":"backup","object":"app","actor":"uid 0",
        "began":"2026-01-01T00:00:00Z","state":"running"}"#;
    let info: TaskInfo = serde_json::from_str(body).unwrap();
    let lossy = async {
        let lost = next(&listener, "").await;
        let heard = next(&listener, &answer("202 Accepted", body)).await;
        (lost, heard)
    };
    let (begun, (lost, heard)) = tokio::join!(daemon.begin(&request), lossy);
    assert_eq!(begun.unwrap(), info);
    let key = header(&lost, "idempotency-key");
    assert!(key.is_some_and(|key| key.len() == 32), "{lost}");
    assert_eq!(key, header(&heard, "idempotency-key"));
}

#[tokio::test]
async fn a_line_without_an_end_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api");
    let listener = UnixListener::bind(&path).unwrap();
    let none = answer("200 OK", "[]");
    let (daemon, _) = tokio::join!(HttpService::connect(&path), next(&listener, &none));
    let daemon = daemon.unwrap();
    let asked = async {
        let mut lines = daemon.follow_status().await.unwrap();
        lines.next().await.unwrap().unwrap_err()
    };
    let endless = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        // Until the other end has enough.
        while stream.write_all(&[b'x'; 1 << 14]).await.is_ok() {}
    };
    let (failure, ()) = tokio::join!(asked, endless);
    assert_eq!(failure.code, Code::Daemon);
    assert!(failure.message.contains("a line of more than"), "{failure}");
}
