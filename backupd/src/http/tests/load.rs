//! Many at once: good clients beside each other, and beside a storm of bad ones.

#![expect(
    clippy::print_stderr,
    reason = "what was measured is for whoever runs this"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use backupd_api::{Scope, TokenText};
use tokio::{net::TcpSocket, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::fixture::{Fixture, Talk, bearer};
use crate::http::Limits;

const CLIENTS: usize = 64;
const EACH: usize = 50;
const STORM: usize = 10_000;

async fn connect(to: std::net::SocketAddr, from: &str) -> Talk<tokio::net::TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(from.parse().unwrap()).unwrap();
    Talk(socket.connect(to).await.unwrap())
}

/// What so many of a hundred took at most.
fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

async fn timed(talk: &mut Talk<tokio::net::TcpStream>, line: &str) -> (Duration, u16) {
    let began = Instant::now();
    let answer = talk.get("/v1/jobs", line).await;
    (began.elapsed(), answer.map_or(0, |(status, _)| status))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_clients_are_answered_beside_each_other() {
    let fixture = Fixture::with(|settings| settings.limits = Limits::default()).await;
    let at = fixture.serve_tcp(&CancellationToken::new()).await;
    let line: Arc<str> = bearer(&fixture.token(&[Scope::Status])).into();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let line = Arc::clone(&line);
        clients.spawn(async move {
            let mut talk = connect(at, "127.0.0.1:0").await;
            let mut all = Vec::new();
            for _ in 0..EACH {
                all.push(timed(&mut talk, &line).await);
            }
            all
        });
    }
    let all = clients.join_all().await.concat();
    let errors = all.iter().filter(|(_, status)| *status != 200).count();
    let mut times: Vec<_> = all.iter().map(|(time, _)| *time).collect();
    let (median, p99) = (percentile(&mut times, 50), percentile(&mut times, 99));
    eprintln!(
        "{CLIENTS} clients, {} requests: p50 {median:?}, p99 {p99:?}, errors {errors}",
        times.len()
    );
    assert_eq!((errors, times.len()), (0, CLIENTS * EACH));
    assert!(p99 < Duration::from_secs(1), "{p99:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_bad_tokens_does_not_slow_a_good_client() {
    let fixture = Fixture::with(|settings| settings.limits = Limits::default()).await;
    let at = fixture.serve_tcp(&CancellationToken::new()).await;
    let line = bearer(&fixture.token(&[Scope::Status]));
    let mut good = connect(at, "127.0.0.2:0").await;
    let mut before = Vec::new();
    for _ in 0..500 {
        let (time, status) = timed(&mut good, &line).await;
        assert_eq!(status, 200);
        before.push(time);
    }

    // More connections than one source has: those beyond are closed, and tried again.
    let sent = Arc::new(AtomicUsize::new(0));
    let mut storm = JoinSet::new();
    for _ in 0..200 {
        let sent = Arc::clone(&sent);
        storm.spawn(async move {
            while sent.load(Ordering::Relaxed) < STORM {
                let mut talk = connect(at, "127.0.0.1:0").await;
                let line = bearer(&TokenText::generate().unwrap());
                while sent.load(Ordering::Relaxed) < STORM {
                    match talk.get("/v1/jobs", &line).await {
                        Some((401 | 429, _)) => sent.fetch_add(1, Ordering::Relaxed),
                        Some(other) => panic!("{other:?}"),
                        None => break,
                    };
                }
            }
        });
    }
    let mut during = Vec::new();
    while sent.load(Ordering::Relaxed) < STORM {
        let (time, status) = timed(&mut good, &line).await;
        assert_eq!(status, 200);
        during.push(time);
    }
    storm.join_all().await;
    let (calm, stormy) = (percentile(&mut before, 50), percentile(&mut during, 50));
    let p99 = percentile(&mut during, 99);
    eprintln!(
        "a good client: p50 {calm:?} before and {stormy:?} in a storm of {STORM} (p99 {p99:?}, {} answers)",
        during.len()
    );
    assert!(stormy < calm + Duration::from_millis(100), "{stormy:?}");
}
