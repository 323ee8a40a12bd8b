//! Answers longer than anybody would hold: given as they are made, to whoever goes on reading.

use std::{fs, path::Path};

use backup_model::{AuditQuery, EntryInfo};
use backupd_api::{HttpService, ListingLine, LsRequest, Service as _, Task, secret_body};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};
use tokio_util::sync::CancellationToken;

use super::fixture::Fixture;

/// What an answer could have at most when it was kept.
const ONCE: usize = 32 << 20;

/// A snapshot of so many files whose paths are almost as long as any can be, and how to list it.
async fn wide(files: usize) -> (Fixture, LsRequest) {
    let fixture = Fixture::new().await;
    let part = "d".repeat(250);
    let folder = fixture.path(&format!("src/{}", [part.as_str(); 14].join("/")));
    fs::create_dir_all(&folder).unwrap();
    for number in 0..files {
        fs::write(folder.join(format!("{number:0200}")), "").unwrap();
    }
    let job = "app".parse().unwrap();
    let task = Task::unheard(CancellationToken::new());
    let made = fixture.direct.backup(&job, &task).await.unwrap();
    let request = LsRequest {
        snapshot: made.snapshot,
        path: None,
        recursive: true,
        keys: fixture.keys().await,
    };
    (fixture, request)
}

/// Asks over the socket, and gives the connection with the first bytes of the answer read.
async fn begin(socket: &Path, request: &LsRequest) -> UnixStream {
    let body = secret_body(request).unwrap();
    let head = format!(
        "POST /v1/ls HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = UnixStream::connect(socket).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_has_no_bound() {
    let (fixture, request) = wide(10_000).await;
    let (socket, _stop, _served) = fixture.serve().await;
    let far = HttpService::connect(&socket).await.unwrap();
    let task = Task::unheard(CancellationToken::new());
    let (mut bytes, mut paths) = (0, Vec::new());
    let mut report = |entry: EntryInfo| {
        bytes += serde_json::to_vec(&entry).unwrap().len();
        paths.push(entry.path);
    };
    far.ls(&request, &mut report, &task).await.unwrap();
    assert!(bytes > ONCE, "{bytes}");
    let mut same = paths.iter();
    let mut report = |entry: EntryInfo| assert_eq!(same.next(), Some(&entry.path));
    fixture
        .direct
        .ls(&request, &mut report, &task)
        .await
        .unwrap();
    assert_eq!(same.next(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_in_the_middle_says_so_in_its_last_line() {
    let (fixture, request) = wide(2_000).await;
    let (socket, _stop, _served) = fixture.serve().await;
    let mut stream = begin(&socket, &request).await;
    // Nobody reads, so it has not been given; and the daemon stops for all that.
    fixture.api.stop().await;
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    let (head, body) = rest.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("application/x-ndjson"), "{head}");
    let lines = body.lines().filter(|line| line.starts_with('{'));
    let lines: Vec<ListingLine<EntryInfo>> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (last, items) = lines.split_last().unwrap();
    assert!((1..2_000).contains(&items.len()), "{}", items.len());
    let are_items = |line: &ListingLine<_>| matches!(line, ListingLine::Item(_));
    assert!(items.iter().all(are_items));
    let ListingLine::Failed(failure) = last else {
        panic!("{last:?}");
    };
    assert_eq!(failure.code, backup_model::Code::Interrupted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_away_ends_it() {
    let (fixture, request) = wide(2_000).await;
    let (socket, _stop, _served) = fixture.serve().await;
    drop(begin(&socket, &request).await);
    let ended = async {
        loop {
            let page = fixture.direct.audit(&AuditQuery::default()).await.unwrap();
            let last = page.entries.into_iter().next().unwrap();
            if last.details.is_some() {
                return last;
            }
            tokio::task::yield_now().await;
        }
    };
    let ended = tokio::time::timeout(std::time::Duration::from_secs(30), ended).await;
    let ended = ended.unwrap();
    assert_eq!(
        (ended.action.as_str(), &*ended.object),
        ("ls", "app/000001")
    );
    assert_eq!(ended.details.as_deref(), Some("E-INTERRUPTED"));

    // What did not begin is refused like any other question.
    let mut gone = request.clone();
    gone.path = Some("no/such".into());
    let far = HttpService::connect(&socket).await.unwrap();
    let task = Task::unheard(CancellationToken::new());
    let refused = far.ls(&gone, &mut |_| (), &task).await.unwrap_err();
    assert_eq!(refused.code, backup_model::Code::NoPath);
    // So does who is told to stop.
    task.cancel.cancel();
    let stopped = far.ls(&request, &mut |_| (), &task).await.unwrap_err();
    assert_eq!(stopped.code, backup_model::Code::Interrupted);
}
