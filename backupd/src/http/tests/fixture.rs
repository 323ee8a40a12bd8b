//! A repository with a job, an API on it, and ways to ask it: in process as any peer, or as bytes
//! over its socket.

use std::{
    fs,
    net::SocketAddr,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body};
use backup_keys::{Identity, OpensKeyFiles as _, SecretKey, unwrap};
use backup_model::{Failure, LogLevel, Progress as _, RunCause, RunKind, RunOutcome, Selection};
use backupd_api::{
    Address, EpochKeys, NewSecret, NewToken, Scope, Scopes, Service as _, TokenText,
};
use http::Request;
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::UnixStream,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    clock,
    config::{self, Listen, Places, RepositoryUrl, SecretSources, ServerConfig, TlsConfig},
    http::{
        Api, Limits, Listeners, Server, Settings, Tokens, listen, routes::router, source::Peer,
    },
    ledger::{Ending, Ledger, NewRun},
    service::{Access, Direct},
    setup::{SetUp, create_repository},
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
    root_key: PathBuf,
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
        Self::with(|_| ()).await
    }

    /// The same with other settings of the API.
    pub(super) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let secrets = secrets();
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
        let audit = access.audit.clone();
        let direct = Arc::new(Direct::new(access));
        let tokens = Arc::new(Tokens::open(&dir.join("state")).unwrap());
        let said = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&said);
        let mut settings = Settings {
            group_scopes: Scopes::default(),
            hosts: vec!["vault01".to_owned()],
            trusted_proxies: Vec::new(),
            restore_folders: Vec::new(),
            limits: Limits {
                requests: 8,
                ..Limits::default()
            },
            audit,
            auth_failed: Arc::new(move |failure| hears.lock().unwrap().push(failure.to_string())),
        };
        change(&mut settings);
        let service = Arc::clone(&direct);
        Self {
            api: Api::new(service, Arc::clone(&tokens), settings),
            direct,
            tokens,
            said,
            identity: created.identity,
            root_key: created.root_key,
            folder,
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The first administrator's key.
    pub(super) fn identity(&self) -> Identity {
        let text = fs::read_to_string(&self.identity).unwrap().into();
        Identity::from_file_text(&text).unwrap()
    }

    /// What signs trust.
    pub(super) fn root_key(&self) -> SecretKey {
        let text = fs::read_to_string(&self.root_key).unwrap().into();
        SecretKey::from_file_text(&text).unwrap()
    }

    /// What opens every snapshot.
    pub(super) async fn keys(&self) -> EpochKeys {
        let identity = self.identity();
        let files = self.direct.key_files(&Selection::All).await.unwrap();
        EpochKeys {
            unwrapped_by: identity.name(),
            identities: unwrap(&files, &identity, |_| true).unwrap(),
        }
    }

    /// A new token that counts for an hour.
    pub(super) fn token(&self, scopes: &[Scope]) -> TokenText {
        let token = TokenText::generate().unwrap();
        self.tokens
            .add(&new_token(&token, scopes, clock::now()), clock::now())
            .unwrap();
        token
    }

    /// A backup in the ledger that failed, and said something; its id.
    pub(super) async fn run(&self) -> String {
        let ledger = Ledger::open(&self.path("state"), clock::now).await.unwrap();
        let job = "app".parse().unwrap();
        let new = NewRun {
            kind: RunKind::Backup,
            job: Some(job),
            repository: "main".to_owned(),
            cause: RunCause::Hand,
            asked_by: Some("somebody".to_owned()),
            due: None,
        };
        let (run, entered) = ledger.begin(new).await;
        entered.unwrap();
        run.event(backup_model::Event::Began {
            phase: backup_model::Phase::Store,
            object: "src".to_owned(),
            total_bytes: Some(1),
        });
        run.line(LogLevel::Info, "a line");
        run.end(Ending::new(RunOutcome::Failed)).await.unwrap();
        let id = run.run().to_string();
        drop(run);
        ledger.close().await;
        id
    }

    /// Asks in process.
    pub(super) async fn ask(&self, peer: Peer, request: Request<Body>) -> Answer {
        ask(router(&self.api), peer, request).await
    }

    /// Serves on a socket until the token is cancelled.
    pub(super) async fn serve(&self) -> (PathBuf, CancellationToken, JoinHandle<()>) {
        let path = self.path("api.sock");
        let listeners = self.listen(&[Listen::Unix(path.clone())]).await.unwrap();
        let stop = CancellationToken::new();
        let served = self.serve_on(listeners, &stop);
        (path, stop, served)
    }

    /// Listens somewhere, without a certificate from elsewhere.
    pub(super) async fn listen(&self, at: &[Listen]) -> Result<Listeners, Failure> {
        listen(&server(at, None), &self.path("state"), &secrets()).await
    }

    /// Serves wherever that is until the token is cancelled.
    pub(super) fn serve_on(&self, at: Listeners, stop: &CancellationToken) -> JoinHandle<()> {
        let (server, stopped) = (Server::new(&self.api), stop.clone());
        tokio::spawn(async move { server.serve(at, stopped).await })
    }

    /// Serves in clear at a port of the loopback that the kernel chooses.
    pub(super) async fn serve_tcp(&self, stop: &CancellationToken) -> SocketAddr {
        let at = Listen::Http("127.0.0.1:0".parse().unwrap());
        let listeners = self.listen(&[at]).await.unwrap();
        let address = match &listeners.addresses()[0] {
            Address::Http(address) => *address,
            other => panic!("{other}"),
        };
        self.serve_on(listeners, stop);
        address
    }
}

/// A configuration that listens there.
pub(super) fn server(at: &[Listen], tls: Option<TlsConfig>) -> ServerConfig {
    ServerConfig {
        name: "vault".to_owned(),
        parallel: NonZeroUsize::MIN,
        listen: at.to_vec(),
        hosts: vec!["vault01".to_owned()],
        group_scopes: Scopes::default(),
        trusted_proxies: Vec::new(),
        restore_folders: Vec::new(),
        tls,
    }
}

pub(super) fn secrets() -> SecretSources {
    SecretSources {
        env: |_| None,
        credentials: None,
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

/// A connection on which one request follows another.
pub(super) struct Talk<S>(pub(super) S);

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    /// Asks with these lines of a head; nothing comes back from a connection that is closed.
    pub(super) async fn get(&mut self, path: &str, lines: &str) -> Option<(u16, String)> {
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n");
        self.0.write_all(head.as_bytes()).await.ok()?;
        self.0.flush().await.ok()?;
        let mut all = Vec::new();
        let end = loop {
            if self.0.read_buf(&mut all).await.ok()? == 0 {
                return None;
            }
            if let Some(at) = all.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let head = String::from_utf8_lossy(&all[..end]).to_lowercase();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let len = head
            .lines()
            .find_map(|l| l.strip_prefix("content-length: "))?;
        let len: usize = len.parse().ok()?;
        while all.len() < end + len {
            if self.0.read_buf(&mut all).await.ok()? == 0 {
                return None;
            }
        }
        let body = String::from_utf8_lossy(&all[end..]).into_owned();
        Some((status, body))
    }
}

/// A line with a token.
pub(super) fn bearer(token: &TokenText) -> String {
    format!(
        "Authorization: Bearer {}\r\n",
        token.whole().expose_secret()
    )
}
