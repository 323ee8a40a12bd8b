//! Stores that speak S3: how one is reached, and what keeps it within bounds.
//!
//! Every request may be sent again: reads and deletes change nothing the second time, and a put
//! that meets its own object is settled by the caller. So whatever fails on the way is retried, a
//! bounded number of times within a bounded time.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, RetryConfig,
    aws::{AmazonS3Builder, Checksum, S3ConditionalPut},
    limit::LimitStore,
    prefix::PrefixStore,
};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    Store, StoreError,
    objects::Proof,
    wire::{Connector, Wire},
};

const MAX_RETRIES: usize = 6;
/// No retry begins later than this after the first try.
const RETRY_WITHIN: Duration = Duration::from_mins(2);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
const DEFAULT_REGION: &str = "us-east-1";

/// A bucket and how it is reached.
#[derive(Clone, Debug)]
pub struct S3Options {
    /// The bucket.
    pub bucket: String,
    /// The key prefix of the repository; empty for the whole bucket.
    pub prefix: String,
    /// The server; without one, Amazon's of the region.
    pub endpoint: Option<Endpoint>,
    /// The region; without one, `us-east-1`, which most other servers accept.
    pub region: Option<String>,
    /// Whether the bucket is named in the path and not in the host.
    pub path_style: bool,
    /// Who we are.
    pub credentials: S3Credentials,
    /// Whether new objects are read back to know that they are stored. Else the SHA-256 that is
    /// sent along is trusted to have been compared by the server, and only the size is asked for.
    pub read_back: bool,
    /// Bounds.
    pub limits: Limits,
}

/// An access key.
#[derive(Clone, Debug)]
pub struct S3Credentials {
    /// Its name.
    pub access_key_id: SecretString,
    /// Its secret.
    pub secret_access_key: SecretString,
    /// A token, for temporary keys.
    pub session_token: Option<SecretString>,
}

/// What a store may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes sent per second.
    pub upload_per_sec: Option<u64>,
    /// Bytes received per second.
    pub download_per_sec: Option<u64>,
    /// Requests at the same time.
    pub connections: usize,
}

impl Limits {
    /// The most connections that may be asked for.
    pub const MAX_CONNECTIONS: usize = 32;
    /// The least bytes per second: with less, requests that wait for their turn would look stuck.
    pub const MIN_PER_SEC: u64 = 16 << 10;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            upload_per_sec: None,
            download_per_sec: None,
            connections: 8,
        }
    }
}

/// The address of a server: `https://`, or `http://` to this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Url);

/// Why a text is not the address of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// Not a URL of the right kind.
    #[error("the endpoint is not a URL of the form https://host:port")]
    Form,
    /// User or password in it.
    #[error("the endpoint holds a user or a password")]
    Credentials,
    /// Something after the host.
    #[error("the endpoint has a path, a query or a fragment")]
    Path,
    /// Requests and answers could be read and changed on the way.
    #[error("the endpoint is plain http:// to another machine")]
    Plain,
}

impl Endpoint {
    /// Reads an address; plain http only to this machine.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let url = Url::parse(text).map_err(|_| EndpointError::Form)?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(EndpointError::Form);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::Credentials);
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(EndpointError::Path);
        }
        let endpoint = Self(url);
        if endpoint.is_plain() && !endpoint.is_loopback() {
            return Err(EndpointError::Plain);
        }
        Ok(endpoint)
    }

    /// Whether nothing is encrypted on the way.
    fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// Whether it is this machine.
    fn is_loopback(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        let host = host.trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// The address that requests to a bucket go to.
    fn of_bucket(&self, bucket: Option<&str>) -> Result<String, EndpointError> {
        let mut url = self.0.clone();
        if let Some(bucket) = bucket {
            let host = format!("{bucket}.{}", url.host_str().unwrap_or_default());
            url.set_host(Some(&host)).map_err(|_| EndpointError::Form)?;
        }
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl Store {
    /// A bucket of a server that speaks S3, or a part of it. Nothing is asked of the server yet.
    pub fn s3(options: &S3Options) -> Result<Self, StoreError> {
        let place = match options.prefix.as_str() {
            "" => format!("s3://{}", options.bucket),
            prefix => format!("s3://{}/{prefix}", options.bucket),
        };
        let failed = |source| StoreError::new("open", &place, source);
        check_words(options).map_err(failed)?;
        let bucket = builder(options).and_then(AmazonS3Builder::build);
        let bucket = PrefixStore::new(bucket.map_err(failed)?, options.prefix.as_str());
        let connections = options.limits.connections;
        let inner: Arc<dyn ObjectStore> = Arc::new(LimitStore::new(bucket, connections.max(1)));
        let proof = if options.read_back {
            Proof::ReadBack
        } else {
            Proof::Checksum
        };
        Ok(Self::new(inner, place).proved_by(proof))
    }
}

/// Whether a text can be the name of a region: it becomes part of headers and host names.
pub fn is_region(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(plain)
}

/// Refuses what does not fit into a header, where the client below would panic.
fn check_words(options: &S3Options) -> object_store::Result<()> {
    let credentials = &options.credentials;
    let visible = |secret: &SecretString| {
        let text = secret.expose_secret();
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let wrong = if options
        .region
        .as_deref()
        .is_some_and(|text| !is_region(text))
    {
        return Err(object_store::Error::Generic {
            store: "S3",
            source: "the region is not of the form eu-central-1".into(),
        });
    } else if !visible(&credentials.access_key_id) {
        "access key id"
    } else if !visible(&credentials.secret_access_key) {
        "secret access key"
    } else if credentials
        .session_token
        .as_ref()
        .is_some_and(|token| !visible(token))
    {
        "session token"
    } else {
        return Ok(());
    };
    Err(object_store::Error::Unauthenticated {
        path: options.bucket.clone(),
        source: format!("the {wrong} is empty or holds more than visible ASCII characters").into(),
    })
}

fn builder(options: &S3Options) -> object_store::Result<AmazonS3Builder> {
    let endpoint = options.endpoint.as_ref();
    let local = endpoint.is_some_and(Endpoint::is_loopback);
    let plain = endpoint.is_some_and(Endpoint::is_plain);
    let wire = Wire::new(options.limits, local).map_err(|source| object_store::Error::Generic {
        store: "S3",
        source: source.into(),
    })?;
    let credentials = &options.credentials;
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&options.bucket)
        .with_region(options.region.as_deref().unwrap_or(DEFAULT_REGION))
        .with_virtual_hosted_style_request(!options.path_style)
        .with_access_key_id(credentials.access_key_id.expose_secret())
        .with_secret_access_key(credentials.secret_access_key.expose_secret())
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        // Not every server knows how to delete many at once, and one by one each has its answer.
        .with_disable_bulk_delete(true)
        .with_checksum_algorithm(Checksum::SHA256)
        .with_client_options(ClientOptions::new().with_allow_http(plain))
        .with_http_connector(Connector(wire))
        .with_retry(RetryConfig {
            backoff: BackoffConfig {
                init_backoff: FIRST_PAUSE,
                max_backoff: LONGEST_PAUSE,
                base: 2.0,
            },
            max_retries: MAX_RETRIES,
            retry_timeout: RETRY_WITHIN,
        });
    if let Some(token) = &credentials.session_token {
        builder = builder.with_token(token.expose_secret());
    }
    if let Some(endpoint) = endpoint {
        let bucket = (!options.path_style).then_some(options.bucket.as_str());
        let address = endpoint.of_bucket(bucket);
        builder =
            builder.with_endpoint(address.map_err(|source| object_store::Error::Generic {
                store: "S3",
                source: source.into(),
            })?);
    }
    Ok(builder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_goes_to_this_machine_only() {
        for (text, expected) in [
            ("https://s3.example.org", Ok("https://s3.example.org")),
            (
                "https://s3.example.org:9000/",
                Ok("https://s3.example.org:9000"),
            ),
            ("http://127.0.0.1:9000", Ok("http://127.0.0.1:9000")),
            ("http://[::1]:9000", Ok("http://[::1]:9000")),
            ("http://localhost", Ok("http://localhost")),
            ("http://localhost.example.org", Err(EndpointError::Plain)),
            ("http://10.0.0.1", Err(EndpointError::Plain)),
            (
                "https://a:b@s3.example.org",
                Err(EndpointError::Credentials),
            ),
            ("https://s3.example.org/bucket", Err(EndpointError::Path)),
            ("https://s3.example.org?x=1", Err(EndpointError::Path)),
            ("s3.example.org", Err(EndpointError::Form)),
            ("ftp://s3.example.org", Err(EndpointError::Form)),
        ] {
            let read = Endpoint::parse(text).map(|endpoint| endpoint.to_string());
            assert_eq!(read, expected.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn what_fits_into_no_header_is_refused_by_name() {
        let options = |region: &str, id: &str, key: &str, token: &str| S3Options {
            bucket: "vault".to_owned(),
            prefix: String::new(),
            endpoint: Some(Endpoint::parse("http://127.0.0.1:1").unwrap()),
            region: Some(region.to_owned()),
            path_style: true,
            credentials: S3Credentials {
                access_key_id: id.to_owned().into(),
                secret_access_key: key.to_owned().into(),
                session_token: Some(token.to_owned().into()),
            },
            read_back: true,
            limits: Limits::default(),
        };
        assert!(Store::s3(&options("eu-central-1", "AKID", "a/b+c=", "t")).is_ok());
        for (options, named) in [
            (options("eu\ngeheim", "AKID", "key", "t"), "the region is"),
            (options("", "AKID", "key", "t"), "the region is"),
            (options("eu", "geheim\r", "key", "t"), "access key id is"),
            (
                options("eu", "AKID", "geheim ", "t"),
                "secret access key is",
            ),
            (
                options("eu", "AKID", "key", "gehe\u{1}im"),
                "session token is",
            ),
            (
                options("eu", "AKID", "key", "gehe\u{fc}im"),
                "session token is",
            ),
        ] {
            let error = Store::s3(&options).unwrap_err();
            let text = backup_model::Failure::from_error(error.code(), &error);
            let text = format!("{} {:?}", text.message, text.causes);
            assert!(text.contains(named) && !text.contains("gehe"), "{text}");
        }
    }

    #[test]
    fn a_bucket_in_the_host_stands_before_it() {
        let endpoint = Endpoint::parse("https://s3.example.org:9000").unwrap();
        let address = endpoint.of_bucket(Some("vault")).unwrap();
        assert_eq!(address, "https://vault.s3.example.org:9000");
        assert_eq!(endpoint.of_bucket(None).unwrap(), endpoint.to_string());
    }
}
