//! Servers that speak S3, on loopback: s3s-fs in this process, which can be told to misbehave,
//! and moto, a process of its own, which decides races right.

use std::{
    collections::VecDeque,
    fs, io,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use async_trait::async_trait;
use backup_core::store::{Endpoint, Limits, S3Credentials, S3Options, Store};
use hyper::{
    Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use s3s::{
    S3, S3Request, S3Response, S3Result,
    auth::SimpleAuth,
    dto,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

pub(crate) const BUCKET: &str = "vault";
const KEY_ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "geheim";

/// How a bucket of a server is reached, at a prefix.
pub(crate) fn options(endpoint: &str, prefix: &str) -> S3Options {
    S3Options {
        bucket: BUCKET.to_owned(),
        prefix: prefix.to_owned(),
        endpoint: Some(Endpoint::parse(endpoint).unwrap()),
        region: None,
        path_style: true,
        credentials: S3Credentials {
            access_key_id: KEY_ID.into(),
            secret_access_key: SECRET.into(),
            session_token: None,
        },
        read_back: true,
        limits: Limits::default(),
    }
}

/// What becomes of one request.
#[derive(Clone, Debug)]
pub(crate) enum Turn {
    /// It is answered with this instead of being done.
    Answers(StatusCode, &'static str),
    /// It is done, and the connection closed without an answer.
    LosesAnswer,
}

/// A server in this process, on a folder that is gone with it.
pub(crate) struct S3Files {
    pub(crate) endpoint: String,
    turns: Arc<Mutex<VecDeque<Turn>>>,
    folder: TempDir,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for S3Files {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl S3Files {
    pub(crate) async fn start() -> Self {
        Self::serve(|files| {
            let mut builder = S3ServiceBuilder::new(files);
            builder.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
            builder.build()
        })
        .await
    }

    /// A server that ignores create-if-absent.
    pub(crate) async fn careless() -> Self {
        Self::serve(|files| {
            let mut builder = S3ServiceBuilder::new(Careless(files));
            builder.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
            builder.build()
        })
        .await
    }

    async fn serve(service: impl FnOnce(FileSystem) -> S3Service) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let service = service(FileSystem::new(folder.path()).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let turns = Arc::new(Mutex::new(VecDeque::new()));
        let task = tokio::spawn(accept(listener, service, Arc::clone(&turns)));
        Self {
            endpoint,
            turns,
            folder,
            task,
        }
    }

    /// What becomes of the next requests, one after another; those after them are answered.
    pub(crate) fn next(&self, turns: impl IntoIterator<Item = Turn>) {
        self.turns.lock().unwrap().extend(turns);
    }

    /// Whether all that was told has happened.
    pub(crate) fn is_done(&self) -> bool {
        self.turns.lock().unwrap().is_empty()
    }

    pub(crate) fn store(&self, prefix: &str) -> Store {
        Store::s3(&options(&self.endpoint, prefix)).unwrap()
    }

    /// The bucket's folder.
    pub(crate) fn bucket(&self) -> std::path::PathBuf {
        self.folder.path().join(BUCKET)
    }
}

async fn accept(listener: TcpListener, service: S3Service, turns: Arc<Mutex<VecDeque<Turn>>>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let (service, turns) = (service.clone(), Arc::clone(&turns));
        let answer = service_fn(move |request: Request<Incoming>| {
            let turn = turns.lock().unwrap().pop_front();
            answer(service.clone(), request, turn)
        });
        connections.spawn(async move {
            // What a client or a lost answer does to a connection is not this server's business.
            drop(
                http1::Builder::new()
                    .serve_connection(TokioIo::new(socket), answer)
                    .await,
            );
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(
    service: S3Service,
    request: Request<Incoming>,
    turn: Option<Turn>,
) -> io::Result<Response<s3s::Body>> {
    if let Some(Turn::Answers(status, text)) = turn {
        let body = s3s::Body::from(text.to_owned());
        let answer = Response::builder().status(status).body(body);
        return answer.map_err(io::Error::other);
    }
    let answered = hyper::service::Service::call(&service, request).await;
    match turn {
        Some(_) => Err(io::Error::other("lost")),
        None => answered.map_err(|error| io::Error::other(format!("{error:?}"))),
    }
}

/// Files without create-if-absent.
struct Careless(FileSystem);

#[async_trait]
impl S3 for Careless {
    async fn put_object(
        &self,
        mut request: S3Request<dto::PutObjectInput>,
    ) -> S3Result<S3Response<dto::PutObjectOutput>> {
        request.input.if_none_match = None;
        self.0.put_object(request).await
    }

    async fn get_object(
        &self,
        request: S3Request<dto::GetObjectInput>,
    ) -> S3Result<S3Response<dto::GetObjectOutput>> {
        self.0.get_object(request).await
    }

    async fn head_object(
        &self,
        request: S3Request<dto::HeadObjectInput>,
    ) -> S3Result<S3Response<dto::HeadObjectOutput>> {
        self.0.head_object(request).await
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<dto::ListObjectsV2Input>,
    ) -> S3Result<S3Response<dto::ListObjectsV2Output>> {
        self.0.list_objects_v2(request).await
    }

    async fn delete_object(
        &self,
        request: S3Request<dto::DeleteObjectInput>,
    ) -> S3Result<S3Response<dto::DeleteObjectOutput>> {
        self.0.delete_object(request).await
    }

    async fn delete_objects(
        &self,
        request: S3Request<dto::DeleteObjectsInput>,
    ) -> S3Result<S3Response<dto::DeleteObjectsOutput>> {
        self.0.delete_objects(request).await
    }
}

/// A moto server of our own.
pub(crate) struct Moto {
    pub(crate) endpoint: String,
    child: Child,
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

const MOTO_READY: Duration = Duration::from_mins(1);

impl Moto {
    /// Starts it on a port that it chooses, and waits until it says which.
    pub(crate) async fn start() -> Self {
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/moto/bin/moto_server");
        let program = if ours.exists() {
            ours
        } else {
            "moto_server".into()
        };
        let mut child = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect(
                "moto_server, from: python3 -m venv target/moto && \
                 target/moto/bin/pip install 'moto[s3]' flask flask-cors",
            );
        let stderr = child.stderr.take().unwrap();
        let (sender, lines) = mpsc::sync_channel(64);
        // Its log is read to the end, so that it never blocks on a full pipe.
        std::thread::Builder::new()
            .name("moto".to_owned())
            .spawn(move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    drop(sender.try_send(line));
                }
            })
            .unwrap();
        let mut moto = Self {
            endpoint: String::new(),
            child,
        };
        let mut seen = Vec::new();
        while moto.endpoint.is_empty() {
            let line = lines.recv_timeout(MOTO_READY);
            let line = line.unwrap_or_else(|_| panic!("moto_server is not ready: {seen:?}"));
            if let Some((_, address)) = line.split_once("Running on ") {
                moto.endpoint = address.trim().to_owned();
            }
            seen.push(line);
        }
        moto.make_bucket().await;
        moto
    }

    async fn make_bucket(&self) {
        let host = self.endpoint.strip_prefix("http://").unwrap();
        let mut socket = TcpStream::connect(host).await.unwrap();
        let request = format!(
            "PUT /{BUCKET} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    pub(crate) fn store(&self, prefix: &str) -> Store {
        Store::s3(&options(&self.endpoint, prefix)).unwrap()
    }
}
