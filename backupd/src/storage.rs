//! From a configured place to a store: credentials are fetched here, at the moment of need.

use backup_core::store::{S3Credentials, S3Options, Store, StoreError};
use backup_model::{Code, Failure};

use crate::config::{Bucket, RepositoryUrl, S3Config, SecretSources};

/// What is said of a store that does not keep a second writer out.
const SINGLE_WRITER: &str = "this store does not keep two writers apart: \
    only one host may ever write to the repository, or backups can be lost";

/// Opens the store at a place; a folder must exist.
pub async fn open(
    url: &RepositoryUrl,
    s3: Option<&S3Config>,
    secrets: &SecretSources,
) -> Result<Store, Failure> {
    let opened = match url {
        RepositoryUrl::Folder(folder) => Store::local(folder),
        RepositoryUrl::S3(bucket) => {
            let s3 = s3.ok_or_else(|| {
                let text = format!("nothing says how to reach {url}");
                Failure::new(Code::Config, text)
            })?;
            Store::s3(&options(bucket, s3, secrets).await?)
        }
    };
    opened.map_err(|error| failure(&error))
}

async fn options(
    bucket: &Bucket,
    s3: &S3Config,
    secrets: &SecretSources,
) -> Result<S3Options, Failure> {
    let refs = &s3.credentials;
    // Other servers want the bucket in the path, and are not known to compare checksums.
    let other = s3.endpoint.is_some();
    Ok(S3Options {
        bucket: bucket.name.clone(),
        prefix: bucket.prefix.clone(),
        endpoint: s3.endpoint.clone(),
        region: s3.region.clone(),
        path_style: s3.path_style.unwrap_or(other),
        read_back: s3.read_back.unwrap_or(other),
        credentials: S3Credentials {
            access_key_id: refs.access_key_id.resolve(secrets).await?,
            secret_access_key: refs.secret_access_key.resolve(secrets).await?,
            session_token: match &refs.session_token {
                Some(token) => Some(token.resolve(secrets).await?),
                None => None,
            },
        },
        limits: s3.limits,
    })
}

/// A store that a second writer is not kept out of, and the warning that belongs to it.
pub fn single_writer(store: Store) -> (Store, Failure) {
    let warning = Failure::new(
        Code::SingleWriter,
        format!("{}: {SINGLE_WRITER}", store.place()),
    );
    (store.single_writer(), warning)
}

/// A store's error as it is shown.
pub fn failure(error: &StoreError) -> Failure {
    Failure::from_error(error.code(), error)
}
