//! Answers that go on: JSON, one line each, readable by every tool that reads lines, and by `curl`.
//! Server-sent events would serve web pages, which are refused here, and would wrap each line in
//! a second format.

use std::{convert::Infallible, time::Duration};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use http::{HeaderValue, header};

/// How long nothing is said before an empty line shows that both ends are there.
const QUIET: Duration = Duration::from_secs(15);

/// An answer of these lines, each of which has its end already.
pub(super) fn ndjson(lines: BoxStream<'static, Bytes>) -> Response {
    let lines = stream::unfold(lines, async |mut lines| {
        match tokio::time::timeout(QUIET, lines.next()).await {
            Ok(line) => line.map(|line| (Ok::<_, Infallible>(line), lines)),
            Err(_) => Some((Ok(Bytes::from_static(b"\n")), lines)),
        }
    });
    let mut response = Response::new(Body::from_stream(lines));
    let kind = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
