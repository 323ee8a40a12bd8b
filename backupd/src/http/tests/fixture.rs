//! A repository with a job, an API on it, and ways to ask it: in process as any peer, or as bytes
//! over its socket.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body};
use backup_keys::Identity;
use backup_model::Selection;
use backupd_api::{EpochKeys, NewSecret, NewToken, Scope, Scopes, Service as _, TokenText};
use http::Request;
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    clock,
    config::{self, Places, RepositoryUrl, SecretSources},
    http::{Api, Server, Settings, Tokens, guard::Peer, listen, routes::router},
    service::{Access, Direct},
    setup::{SetUp, create_repository},
    unwrap::unwrap,
};

/// A user who is neither root nor the daemon's.
pub(super) const STRANGER: Peer = Peer::Local { uid: 4_000_000 };

/// A daemon's API and what it is about.
pub(super) struct Fixture {
    pub(super) api: Api,
    pub(super) direct: Arc<Direct>,
    pub(super) tokens: Arc<Tokens>,
    pub(super) said: Arc<Mutex<Vec<String>>>,
    folder: TempDir,
    identity: PathBuf,
}

/// An answer: its status, headers, and body.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: http::HeaderMap,
    pub(super) body: Value,
}

impl Fixture {
    /// A repository without a snapshot; the job `app` reads a folder with two files.
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let secrets = SecretSources {
            env: |_| None,
            credentials: None,
        };
        let set_up = SetUp {
            url: RepositoryUrl::parse(&dir.join("repo").display().to_string(), dir).unwrap(),
            s3: None,
            secrets: secrets.clone(),
            keys: dir.join("keys"),
            state: dir.join("state"),
            now: clock::now(),
        };
        let created = create_repository(&set_up).await.unwrap();
        fs::create_dir(dir.join("src")).unwrap();
        fs::write(dir.join("src/a"), "one").unwrap();
        fs::write(dir.join("src/b"), "two").unwrap();
        let file = dir.join("config.toml");
        fs::write(&file, text(dir, &created.root)).unwrap();
        let config = config::load(&Places {
            flag: Some(file),
            ..Places::default()
        });
        let access = Access::of_config(config.unwrap(), secrets, Vec::new());
        let direct = Arc::new(Direct::new(access));
        let tokens = Arc::new(Tokens::open(&dir.join("state")).unwrap());
        let said = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&said);
        let settings = Settings {
            group_scopes: Scopes::default(),
            hosts: vec!["vault01".to_owned()],
            most_requests: 8,
            auth_failed: Arc::new(move |failure| hears.lock().unwrap().push(failure.to_string())),
        };
        let service = Arc::clone(&direct);
        Self {
            api: Api::new(service, Arc::clone(&tokens), settings),
            direct,
            tokens,
            said,
            identity: created.identity,
            folder,
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What opens every snapshot.
    pub(super) async fn keys(&self) -> EpochKeys {
        let text = fs::read_to_string(&self.identity).unwrap().into();
        let identity = Identity::from_file_text(&text).unwrap();
        let files = self.direct.key_files(&Selection::All).await.unwrap();
        unwrap(&files, &identity, |_| true).unwrap()
    }

    /// A new token that counts for an hour.
    pub(super) fn token(&self, scopes: &[Scope]) -> TokenText {
        let token = TokenText::generate().unwrap();
        self.tokens
            .add(&new_token(&token, scopes, clock::now()), clock::now())
            .unwrap();
        token
    }

    /// Asks in process.
    pub(super) async fn ask(&self, peer: Peer, request: Request<Body>) -> Answer {
        ask(router(&self.api), peer, request).await
    }

    /// Serves on a socket until the token is cancelled.
    pub(super) async fn serve(&self) -> (PathBuf, CancellationToken, JoinHandle<()>) {
        let path = self.path("api.sock");
        let listener = listen(&path).await.unwrap();
        let stop = CancellationToken::new();
        let (server, stopped) = (Server::new(&self.api), stop.clone());
        let served = tokio::spawn(async move { server.serve(listener, stopped).await });
        (path, stop, served)
    }
}

fn text(dir: &Path, trust: &str) -> String {
    let dir = dir.display();
    format!(
        "version = 1\nstate = \"{dir}/state\"\n\
         [repository.main]\nurl = \"file://{dir}/repo\"\ntrust = \"{trust}\"\n\
         [job.app]\n[[job.app.source]]\nkind = \"files\"\nname = \"src\"\npaths = [\"{dir}/src\"]\n"
    )
}

pub(super) fn new_token(token: &TokenText, scopes: &[Scope], now: Timestamp) -> NewToken {
    NewToken {
        id: token.id.clone(),
        label: "test".to_owned(),
        scopes: Scopes(scopes.to_vec()),
        expires: now + SignedDuration::from_hours(1),
        secret: NewSecret(token.digest()),
    }
}

/// A request with a body, if it is not empty.
pub(super) fn request(method: &str, path: &str, body: &str) -> Request<Body> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost");
    let request = if body.is_empty() {
        request
    } else {
        request.header("content-type", "application/json")
    };
    request.body(Body::from(body.to_owned())).unwrap()
}

/// The same, by a token.
pub(super) fn with(token: &TokenText, mut request: Request<Body>) -> Request<Body> {
    let value = format!("Bearer {}", token.whole().expose_secret());
    request
        .headers_mut()
        .insert("authorization", value.parse().unwrap());
    request
}

async fn ask(router: Router, peer: Peer, mut request: Request<Body>) -> Answer {
    request.extensions_mut().insert(peer);
    let endless = request.uri().path() == "/v1/status/events";
    let response = TowerToHyperService::new(router)
        .call(request)
        .await
        .unwrap();
    let (parts, mut body) = response.into_parts();
    let body = if endless && parts.status.is_success() {
        let frame = body.frame().await.unwrap().unwrap();
        frame.into_data().unwrap()
    } else {
        body.collect().await.unwrap().to_bytes()
    };
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    }
}

/// Sends bytes over a socket and gives all that comes back until the daemon hangs up.
pub(super) async fn raw(socket: &Path, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(socket).await.unwrap();
    // A daemon that has heard enough hangs up before all is sent.
    stream.write_all(bytes).await.ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    String::from_utf8_lossy(&answer).into_owned()
}
