//! A server that speaks S3 on loopback, in this process: s3s-fs, which can be told to misbehave.
//! It does not decide races, unless it is told to take one put after another.

use std::{
    collections::VecDeque,
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use backup_core::store::{Endpoint, Limits, S3Credentials, S3Options, Store};
use hyper::{
    Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use s3s::{
    S3, S3Request, S3Response, S3Result,
    access::{S3Access, S3AccessContext},
    auth::SimpleAuth,
    dto, s3_error,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;

pub(crate) const BUCKET: &str = "vault";
pub(crate) const KEY_ID: &str = "AKIDEXAMPLE";
pub(crate) const SECRET: &str = "geheim";
/// An access key that may list, read and create, where a server has one.
pub(crate) const CREATOR_ID: &str = "AKIDCREATOR";
pub(crate) const CREATOR_SECRET: &str = "auch-geheim";

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
        Self::with(Puts::Careless).await
    }

    /// A server that decides races.
    pub(crate) async fn deciding() -> Self {
        Self::with(Puts::OneByOne(tokio::sync::Mutex::new(()))).await
    }

    /// The same with two access keys, of which one may do everything, and the other one list, read
    /// and create.
    pub(crate) async fn guarded() -> Self {
        Self::serve(|files| {
            let puts = Puts::OneByOne(tokio::sync::Mutex::new(()));
            let mut builder = S3ServiceBuilder::new(Putting { files, puts });
            let mut keys = SimpleAuth::from_single(KEY_ID, SECRET);
            keys.register(CREATOR_ID.to_owned(), CREATOR_SECRET.into());
            builder.set_auth(keys);
            builder.set_access(CreateOnly);
            builder.build()
        })
        .await
    }

    async fn with(puts: Puts) -> Self {
        Self::serve(|files| {
            let mut builder = S3ServiceBuilder::new(Putting { files, puts });
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
    pub(crate) fn bucket(&self) -> PathBuf {
        self.folder.path().join(BUCKET)
    }
}

#[expect(clippy::infinite_loop, reason = "it is aborted with the server")]
async fn accept(listener: TcpListener, service: S3Service, turns: Arc<Mutex<VecDeque<Turn>>>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        socket.set_nodelay(true).unwrap();
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

/// What the second access key may do, as the policy of a bucket says it: a put counts as a creation
/// if it asks to be refused where something is.
struct CreateOnly;

#[async_trait]
impl S3Access for CreateOnly {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        let creates = || {
            let condition = request.headers().get("if-none-match");
            condition.is_some_and(|condition| condition == "*")
        };
        let key = request.credentials().map(|key| key.access_key.as_str());
        let allowed = match (key, request.s3_op().name()) {
            (Some(KEY_ID), _) | (Some(_), "ListObjectsV2" | "GetObject" | "HeadObject") => true,
            (Some(_), "PutObject") => creates(),
            (Some(_) | None, _) => false,
        };
        if allowed {
            Ok(())
        } else {
            Err(s3_error!(AccessDenied))
        }
    }
}

/// How objects are put.
enum Puts {
    /// Without create-if-absent.
    Careless,
    /// So that what is not there stays absent until it is put.
    OneByOne(tokio::sync::Mutex<()>),
}

/// Files, put otherwise.
struct Putting {
    files: FileSystem,
    puts: Puts,
}

#[async_trait]
impl S3 for Putting {
    async fn put_object(
        &self,
        mut request: S3Request<dto::PutObjectInput>,
    ) -> S3Result<S3Response<dto::PutObjectOutput>> {
        match &self.puts {
            Puts::Careless => {
                request.input.if_none_match = None;
                self.files.put_object(request).await
            }
            Puts::OneByOne(turn) => {
                let _turn = turn.lock().await;
                self.files.put_object(request).await
            }
        }
    }

    async fn get_object(
        &self,
        request: S3Request<dto::GetObjectInput>,
    ) -> S3Result<S3Response<dto::GetObjectOutput>> {
        self.files.get_object(request).await
    }

    async fn head_object(
        &self,
        request: S3Request<dto::HeadObjectInput>,
    ) -> S3Result<S3Response<dto::HeadObjectOutput>> {
        self.files.head_object(request).await
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<dto::ListObjectsV2Input>,
    ) -> S3Result<S3Response<dto::ListObjectsV2Output>> {
        self.files.list_objects_v2(request).await
    }

    async fn delete_object(
        &self,
        request: S3Request<dto::DeleteObjectInput>,
    ) -> S3Result<S3Response<dto::DeleteObjectOutput>> {
        self.files.delete_object(request).await
    }

    async fn delete_objects(
        &self,
        request: S3Request<dto::DeleteObjectsInput>,
    ) -> S3Result<S3Response<dto::DeleteObjectsOutput>> {
        self.files.delete_objects(request).await
    }
}
