//! A bucket whose server looks at access keys: s3s-fs in this process. Keys come, go, and may be
//! good for so many requests only.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use s3s::{
    S3Result,
    auth::{S3Auth, SecretKey},
    s3_error,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use tempfile::TempDir;

pub(crate) const BUCKET: &str = "vault";

/// The server, gone with the process of the test.
pub(crate) struct KeyedBucket {
    pub(crate) endpoint: String,
    keys: Keys,
    _folder: TempDir,
}

#[derive(Clone, Default)]
struct Keys(Arc<Mutex<BTreeMap<String, Key>>>);

struct Key {
    secret: String,
    requests: usize,
    most: usize,
}

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, name: &str) -> S3Result<SecretKey> {
        let mut keys = self.0.lock().unwrap();
        let key = keys.get_mut(name).filter(|key| key.requests < key.most);
        let key = key.ok_or_else(|| s3_error!(InvalidAccessKeyId))?;
        key.requests += 1;
        Ok(SecretKey::from(key.secret.as_str()))
    }
}

impl KeyedBucket {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let keys = Keys::default();
        let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        builder.set_auth(keys.clone());
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let serve = move || runtime.block_on(accept(listener, service));
        let thread = thread::Builder::new().name("bucket".to_owned());
        thread.spawn(serve).unwrap();
        Self {
            endpoint,
            keys,
            _folder: folder,
        }
    }

    /// Lets a key in.
    pub(crate) fn let_in(&self, name: &str, secret: &str) {
        let key = Key {
            secret: secret.to_owned(),
            requests: 0,
            most: usize::MAX,
        };
        self.keys.0.lock().unwrap().insert(name.to_owned(), key);
    }

    /// How many requests a key has made.
    pub(crate) fn requests(&self, name: &str) -> usize {
        self.keys.0.lock().unwrap()[name].requests
    }

    /// From now on a key is good for so many requests.
    pub(crate) fn limit(&self, name: &str, requests: usize) {
        let mut keys = self.keys.0.lock().unwrap();
        let key = keys.get_mut(name).unwrap();
        key.most = key.requests.saturating_add(requests);
    }
}

#[expect(clippy::infinite_loop, reason = "it ends with the process")]
async fn accept(listener: TcpListener, service: S3Service) {
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let service = service.clone();
        let answer = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let service = service.clone();
            async move { service.call(request.map(s3s::Body::from)).await }
        });
        // What a client does to its connection is not this server's business.
        tokio::spawn(async move {
            let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), answer);
            drop(connection.await);
        });
    }
}
