//! What is told, and how it gets there: by real servers at loopback that record, refuse, redirect,
//! hang and are not there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::Arc,
    time::Duration,
};

use backup_model::{
    Code, EventKind, Failure, JobStatus, Protection, ProtectionReason, ProtectionState, RunId,
    RunOutcome, StatusReport,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::{prop, prop_assert, proptest};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{About, Event, Message, Post, Told, events::QUIET, memory, words};
use crate::{
    clock,
    config::{self, Config, Places, SecretSources},
    metrics::Counters,
};

fn at(mins: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + mins * 60).unwrap()
}

fn failed() -> ProtectionReason {
    ProtectionReason::LastRunFailed {
        run: RunId::new(at(0), [7; 10]),
        outcome: RunOutcome::Failed,
        failure: None,
    }
}

fn report(mins: i64, reasons: Vec<ProtectionReason>, faults: Vec<Failure>) -> StatusReport {
    let state = reasons.iter().map(ProtectionReason::state).max();
    let protection = Protection {
        job: "app".parse().unwrap(),
        state: state.unwrap_or(ProtectionState::Protected),
        reasons,
        was: None,
        paused: None,
        running: None,
        last_good: None,
        rpo: None,
    };
    let job = JobStatus {
        protection,
        repository: "main".to_owned(),
        schedule: None,
        next: None,
        proven: None,
        snapshots: None,
        last_run: None,
    };
    StatusReport {
        at: at(mins),
        daemon: None,
        faults,
        jobs: vec![job],
    }
}

fn kinds(events: &[Event]) -> Vec<String> {
    let word = |event: &Event| match event.over {
        None => event.kind.to_string(),
        Some(over) => format!("{} of {over}", event.kind),
    };
    events.iter().map(word).collect()
}

#[test]
fn beginnings_and_ends_are_told_once() {
    let mut told = Told::default();
    let mut step = |mins, reasons| kinds(&told.advance(&report(mins, reasons, Vec::new())));
    assert!(step(0, vec![]).is_empty());
    assert_eq!(step(1, vec![failed()]), ["at-risk", "failed"]);
    assert!(step(2, vec![failed()]).is_empty());
    // It gets worse: that is new, and nothing is over.
    let worse = || vec![ProtectionReason::NoSnapshot, failed()];
    assert_eq!(step(3, worse()), ["breached"]);
    assert!(step(500, worse()).is_empty());
    let ended = step(501, vec![]);
    let over = ["breached", "at-risk", "failed"].map(|kind| format!("recovered of {kind}"));
    assert_eq!(ended, over);
    assert!(step(502, vec![]).is_empty());
}

#[test]
fn what_flaps_says_little_and_nothing_is_kept_back_for_good() {
    let mut told = Told::default();
    let mut step = |mins, reasons| kinds(&told.advance(&report(mins, reasons, Vec::new())));
    assert_eq!(step(0, vec![failed()]), ["at-risk", "failed"]);
    assert_eq!(step(1, vec![]).len(), 2);
    for mins in 2..15 {
        let reasons = if mins % 2 == 0 {
            vec![failed()]
        } else {
            vec![]
        };
        assert_eq!(step(mins, reasons), Vec::<String>::new(), "{mins}");
    }
    assert_eq!(step(15, vec![failed()]), ["at-risk", "failed"]);
}

#[test]
fn who_cannot_see_says_neither_that_it_began_nor_that_it_is_over() {
    let mut told = Told::default();
    let unconfirmed = || vec![ProtectionReason::KitNotConfirmed];
    let begun = told.advance(&report(0, unconfirmed(), Vec::new()));
    assert_eq!(kinds(&begun), ["at-risk", "kit-unconfirmed"]);
    assert_eq!(begun[1].about, About::Repository("main".to_owned()));
    let blind = told.advance(&report(1, vec![ProtectionReason::NotLookedYet], Vec::new()));
    assert!(blind.is_empty(), "{blind:?}");
    assert!(
        told.advance(&report(2, unconfirmed(), Vec::new()))
            .is_empty()
    );
    // A job that the configuration has lost is not well: nobody asks any more.
    let without = StatusReport {
        jobs: Vec::new(),
        ..report(3, Vec::new(), Vec::new())
    };
    assert!(told.advance(&without).is_empty());
    assert_eq!(told, Told::default());
}

#[test]
fn a_configuration_that_cannot_be_used_is_told_and_so_is_its_end() {
    let mut told = Told::default();
    let fault = Failure::new(Code::Config, "the configuration cannot be used");
    let events = told.advance(&report(0, Vec::new(), vec![fault]));
    assert_eq!(kinds(&events), ["config-invalid"]);
    assert_eq!(events[0].about, About::Daemon);
    let events = told.advance(&report(1, Vec::new(), Vec::new()));
    assert_eq!(kinds(&events), ["recovered of config-invalid"]);
}

#[test]
fn a_restart_repeats_nothing() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(memory::read(folder.path()), Told::default());
    let mut told = Told::default();
    assert_eq!(
        told.advance(&report(0, vec![failed()], Vec::new())).len(),
        2
    );
    memory::write(folder.path(), &told).unwrap();
    let mut again = memory::read(folder.path());
    assert_eq!(again, told);
    assert!(
        again
            .advance(&report(1, vec![failed()], Vec::new()))
            .is_empty()
    );
    assert_eq!(again.advance(&report(2, vec![], Vec::new())).len(), 2);
    fs::write(folder.path().join("notify.json"), "[[").unwrap();
    assert_eq!(memory::read(folder.path()), Told::default());
}

proptest! {
    /// Whatever happens: nothing is over that was not told, the same thing is not told twice in a
    /// row nor within the quiet time, and in the end people know how it is.
    #[test]
    fn what_people_heard_adds_up(course in prop::collection::vec((1_i64..20, 0_u8..4), 1..60)) {
        let mut told = Told::default();
        let mut open: BTreeMap<EventKind, Timestamp> = BTreeMap::new();
        let mut last: BTreeMap<EventKind, Timestamp> = BTreeMap::new();
        let mut now = 0;
        let reasons = |state: u8| match state {
            0 => vec![],
            1 => vec![failed()],
            2 => vec![ProtectionReason::NoSnapshot],
            _ => vec![ProtectionReason::NotLookedYet],
        };
        let ends = *course.last().unwrap();
        for (pause, state) in course.into_iter().chain([(60, ends.1)]) {
            now += pause;
            for event in told.advance(&report(now, reasons(state), Vec::new())) {
                if let Some(over) = event.over {
                    prop_assert!(open.remove(&over).is_some());
                } else {
                    prop_assert!(open.insert(event.kind, at(now)).is_none());
                    let quiet = last.insert(event.kind, at(now))
                        .map(|before| at(now).duration_since(before));
                    prop_assert!(quiet.is_none_or(|quiet: SignedDuration| quiet >= QUIET));
                }
            }
        }
        let there: Option<BTreeSet<EventKind>> = match ends.1 {
            0 => Some(BTreeSet::new()),
            1 => Some([EventKind::AtRisk, EventKind::Failed].into()),
            2 => Some([EventKind::Breached].into()),
            _ => None,
        };
        let mut heard: BTreeSet<EventKind> = open.into_keys().collect();
        if heard.contains(&EventKind::Breached) {
            // That it was at risk before may stand beside it.
            heard.remove(&EventKind::AtRisk);
        }
        prop_assert!(there.is_none_or(|there| there == heard));
    }
}

const CANARY: &str = "CANARY0123456789";

/// What a server at loopback got, head and body, and what it answers to each: a status and more
/// of the head.
async fn server(answers: &'static [&'static str]) -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (got, requests) = mpsc::channel(64);
    tokio::spawn(async move {
        let mut answers = answers.iter();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let request = request(&mut stream).await;
            let answer = answers.next().unwrap_or(&"200 OK");
            let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            if got.send(request).await.is_err() {
                return;
            }
        }
    });
    (port, requests)
}

async fn request(stream: &mut TcpStream) -> String {
    let mut got = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&got).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lower = head.to_lowercase();
            let len = lower.split("content-length: ").nth(1);
            let len = len.map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
            if body.len() >= len {
                return text;
            }
        }
        assert_ne!(stream.read_buf(&mut got).await.unwrap(), 0, "{text}");
    }
}

fn config(folder: &Path, url: &str, channel: &str) -> Config {
    fs::write(folder.join("url"), url).unwrap();
    fs::write(folder.join("token"), format!("tk{CANARY}")).unwrap();
    for file in ["url", "token"] {
        fs::set_permissions(folder.join(file), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let text = format!(
        "version = 1\nstate = \"state\"\n[server]\nname = \"vault\"\n[repository.main]\n\
         url = \"file:///nowhere/repo\"\n\
         trust = \"RWQBAgMEBQYHCAECAwQFBgcIAQIDBAUGBwgBAgMEBQYHCAECAwQFBgcI\"\n[job.app]\n\
         [[job.app.source]]\nkind = \"files\"\npaths = [\"/nowhere/src\"]\n\
         [notify.ops]\nurl = {{ file = \"url\" }}\n{channel}\n"
    );
    let file = folder.join("config.toml");
    fs::write(&file, text).unwrap();
    config::load(&Places {
        flag: Some(file),
        ..Places::default()
    })
    .unwrap()
}

fn post(folder: &Path, url: &str, channel: &str) -> Post {
    const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(1)];
    let post = Post::with_pauses(Counters::default(), CancellationToken::new(), &PAUSES);
    let secrets = SecretSources {
        env: |_| None,
        credentials: None,
    };
    let config = config(folder, url, channel);
    post.arrange(&config.channels, &config.server.name, &secrets, folder);
    post
}

fn events() -> Vec<Event> {
    let mut told = Told::default();
    told.advance(&report(0, vec![failed()], Vec::new()))
}

async fn next(requests: &mut mpsc::Receiver<String>) -> String {
    let got = timeout(Duration::from_secs(30), requests.recv()).await;
    got.expect("something is sent").unwrap()
}

/// Waits until the channel knows how it ended.
async fn settled(post: &Post) -> backup_model::ChannelState {
    let look = async {
        loop {
            let state = post.states().remove(0);
            if state.last_delivered.is_some() || state.last_failed.is_some() {
                return state;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(30), look)
        .await
        .expect("an end")
}

#[tokio::test]
async fn a_webhook_gets_what_it_asked_for_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let (port, mut requests) = server(&[]).await;
    let url = format!("http://127.0.0.1:{port}/hook/{CANARY}");
    let channel = "kind = \"webhook\"\ntoken = { file = \"token\" }\nevents = [\"failed\"]";
    let post = post(folder.path(), &url, channel);
    post.tell(at(0), &events());
    let got = next(&mut requests).await;
    assert!(got.starts_with(&format!("POST /hook/{CANARY} ")), "{got}");
    assert!(
        got.contains(&format!("authorization: Bearer tk{CANARY}")),
        "{got}"
    );
    let body = got.split_once("\r\n\r\n").unwrap().1;
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["server"], "vault");
    let events = body["events"].as_array().unwrap();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(
        (&events[0]["event"], &events[0]["job"]),
        (&"failed".into(), &"app".into())
    );
    let state = settled(&post).await;
    assert!(
        state.last_delivered.is_some() && state.failure.is_none(),
        "{state:?}"
    );
}

#[tokio::test]
async fn ntfy_gets_a_title_and_lines() {
    let folder = tempfile::tempdir().unwrap();
    let (port, mut requests) = server(&[]).await;
    let url = format!("http://127.0.0.1:{port}/{CANARY}");
    let post = post(folder.path(), &url, "kind = \"ntfy\"");
    post.tell(at(0), &events());
    let got = next(&mut requests).await;
    assert!(
        got.contains("title: backupd on vault: job app: at-risk and 1 more"),
        "{got}"
    );
    assert!(got.contains("priority: high"), "{got}");
    assert!(got.contains("job app: failed: the last run ("), "{got}");
}

#[tokio::test]
async fn a_digest_comes_once_a_day_and_says_how_everything_stands() {
    let folder = tempfile::tempdir().unwrap();
    let (port, mut requests) = server(&[]).await;
    let url = format!("http://127.0.0.1:{port}/");
    let daily =
        "kind = \"webhook\"\nevents = []\ndigest = \"00:00\"\n[defaults]\ntimezone = \"UTC\"";
    let post = post(folder.path(), &url, daily);
    let day = 24 * 60;
    let now = (clock::now().as_second() - at(0).as_second()) / 60;
    let stands = |mins, reasons| report(mins, reasons, Vec::new());
    let worse = || vec![ProtectionReason::NoSnapshot, failed()];
    // It is not due yet; and then nobody has looked.
    post.digest(&stands(now, worse()));
    post.digest(&stands(now + day, vec![ProtectionReason::NotLookedYet]));
    post.digest(&stands(now + day + 1, worse()));
    post.digest(&stands(now + day + 2, vec![]));
    post.digest(&stands(now + 2 * day + 2, vec![]));
    for (state, title) in [("breached", "1 breached"), ("protected", "1 protected")] {
        let got = next(&mut requests).await;
        let body = got.split_once("\r\n\r\n").unwrap().1;
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["title"], format!("backupd on vault: {title}"));
        assert_eq!(body["events"], serde_json::json!([]));
        assert_eq!(body["digest"]["jobs"][0]["state"], state);
    }
    assert!(requests.try_recv().is_err());
}

#[test]
fn a_digest_in_words_has_the_worst_first() {
    let mut both = report(0, vec![], vec![Failure::new(Code::Config, "it is broken")]);
    let mut worse = report(0, vec![failed()], Vec::new()).jobs.remove(0);
    worse.protection.job = "other".parse().unwrap();
    both.jobs.push(worse);
    let message = Message::Digest(Arc::new(both));
    let title = words::title("vault", &message);
    assert_eq!(title, "backupd on vault: 1 at risk, 1 protected");
    let text = words::text(&message);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "the daemon: E-CONFIG it is broken");
    assert_eq!(lines[1], "job other: at risk, no good snapshot");
    assert!(lines[2].starts_with("  the last run ("), "{text}");
    assert_eq!(lines[3], "job app: protected, no good snapshot");
}

#[tokio::test]
async fn healthchecks_gets_each_run_of_its_jobs_and_no_events() {
    let folder = tempfile::tempdir().unwrap();
    let (port, mut requests) = server(&[]).await;
    let url = format!("http://127.0.0.1:{port}/{CANARY}/");
    let post = post(
        folder.path(),
        &url,
        "kind = \"healthchecks\"\njobs = [\"app\"]",
    );
    post.tell(at(0), &events());
    let run = RunId::new(at(0), [9; 10]);
    post.begun(run, &"other".parse().unwrap());
    post.begun(run, &"app".parse().unwrap());
    let got = next(&mut requests).await;
    let rid = run.as_uuid();
    assert_eq!(rid.len(), 36);
    assert!(
        got.starts_with(&format!("POST /{CANARY}/start?rid={rid} ")),
        "{got}"
    );
}

/// What is shown of a failure has none of the secrets, and says what happened.
async fn fails(answers: &'static [&'static str], tries: usize, wanted: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (port, mut requests) = server(answers).await;
    let url = format!("http://127.0.0.1:{port}/{CANARY}");
    let post = post(folder.path(), &url, "kind = \"ntfy\"");
    post.tell(at(0), &events());
    let state = settled(&post).await;
    let why = state.failure.clone().unwrap_or_default();
    assert!(why.contains(wanted), "{why}");
    assert!(!format!("{state:?}").contains(CANARY), "{state:?}");
    let mut got = 0;
    while requests.try_recv().is_ok() {
        got += 1;
    }
    assert_eq!(got, tries, "{wanted}");
}

#[tokio::test]
async fn what_does_not_go_is_tried_again_if_that_may_help_and_then_given_up() {
    let broken = &["500 Oh", "502 Oh", "503 Oh", "500 Oh"];
    fails(broken, 3, "the answer was 503").await;
    fails(&["403 No"], 1, "the answer was 403").await;
    let elsewhere = &["302 Found\r\nLocation: http://127.0.0.1:1/elsewhere"];
    fails(elsewhere, 1, "a redirection, which is not followed").await;
    // In the end it may go.
    let folder = tempfile::tempdir().unwrap();
    let (port, mut requests) = server(&["500 Oh"]).await;
    let post = post(
        folder.path(),
        &format!("http://[::1]:{port}/"),
        "kind = \"ntfy\"",
    );
    post.tell(at(0), &events());
    let state = settled(&post).await;
    assert_eq!(state.failure.as_deref(), Some("no connection"));
    assert!(requests.try_recv().is_err());
}

#[tokio::test]
async fn secrets_go_nowhere_in_clear() {
    for (url, why) in [
        (
            format!("http://example.org/{CANARY}"),
            "must begin with https://",
        ),
        (format!("ftp://127.0.0.1/{CANARY}"), "not a URL"),
        (format!("no url {CANARY}"), "not a URL"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let post = post(folder.path(), &url, "kind = \"ntfy\"");
        post.tell(at(0), &events());
        let failure = settled(&post).await.failure.unwrap();
        assert!(failure.contains(why), "{failure}");
        assert!(!failure.contains(CANARY), "{failure}");
    }
}

#[tokio::test]
async fn who_hangs_holds_up_nobody_and_what_is_too_much_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://127.0.0.1:{port}/{CANARY}");
    let post = post(folder.path(), &url, "kind = \"ntfy\"");
    let begun = std::time::Instant::now();
    for _ in 0..100 {
        post.tell(at(0), &events());
    }
    assert!(begun.elapsed() < Duration::from_secs(5));
    let state = post.states().remove(0);
    assert_eq!(state.failure.as_deref(), Some("64 messages wait already"));
    drop(listener);
}

/// A mail server that greets, and answers everything else so; gives how often it was tried.
async fn mail_server(answer: &'static str) -> (u16, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tried, tries) = mpsc::channel(64);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            if tried.send(()).await.is_err() {
                return;
            }
            let mut said = "220 here\r\n".to_owned();
            // Whoever was refused leaves without listening.
            while stream.write_all(said.as_bytes()).await.is_ok() {
                let mut line = [0; 512];
                if stream.read(&mut line).await.unwrap_or(0) == 0 {
                    break;
                }
                said = format!("{answer} {CANARY}\r\n");
            }
        }
    });
    (port, tries)
}

#[tokio::test]
async fn a_letter_that_is_refused_for_good_is_not_sent_again() {
    for (answer, tries) in [("550", 1), ("451", 3)] {
        let folder = tempfile::tempdir().unwrap();
        let (port, mut tried) = mail_server(answer).await;
        let mail = "kind = \"smtp\"\nfrom = \"b@example.net\"\nto = [\"ops@example.net\"]";
        let post = post(folder.path(), &format!("smtp://127.0.0.1:{port}"), mail);
        post.tell(at(0), &events());
        let why = settled(&post).await.failure.unwrap();
        assert_eq!(why, format!("the answer was {answer}"));
        let mut got = 0;
        while tried.try_recv().is_ok() {
            got += 1;
        }
        assert_eq!(got, tries, "{answer}");
    }
}

#[tokio::test]
async fn what_is_no_mail_server_is_said_without_its_address() {
    for url in ["https://mail.example.net/", "smtp:", "no url "] {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("{url}{CANARY}");
        let mail = "kind = \"smtp\"\nfrom = \"b@example.net\"\nto = [\"ops@example.net\"]";
        let post = post(folder.path(), &url, mail);
        post.tell(at(0), &events());
        let why = settled(&post).await.failure.unwrap();
        assert!(why.contains("does not begin with smtps://"), "{why}");
        assert!(!why.contains(CANARY), "{why}");
    }
}
