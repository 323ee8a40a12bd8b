//! Routes of long work: begin, look, follow, cancel.
//!
//! What a task says is sent as JSON, one line each: readable by every tool that reads lines, and
//! by `curl`. Server-sent events would serve web pages, which are refused here, and would wrap
//! each line in a second format.

use std::time::Duration;

use axum::{body::Body, response::Response};
use backup_model::{Code, Failure};
use backupd_api::TaskRequest;
use bytes::Bytes;
use futures::stream;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{reading::page, table::Call};
use crate::{
    clock,
    http::{
        body,
        error::{Refused, json},
        tasks::{Begun, Reader},
    },
};

type Answer = Result<Response, Refused>;

/// How long nothing is said before an empty line shows that both ends are there.
const QUIET: Duration = Duration::from_secs(15);

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ListQuery {
    from: usize,
    limit: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct EventsQuery {
    from: u64,
}

pub(super) async fn begin(mut call: Call) -> Answer {
    let raw = call.raw().await?;
    let request: TaskRequest = body::parse(&raw)?;
    call.may(request.kind())?;
    let key = idempotency_key(&call)?;
    let begun = Begun {
        actor: call.caller.actor.clone(),
        key: key.map(|key| (key, Sha256::digest(&*raw).into())),
        request,
        now: clock::now(),
    };
    let info = call.api.0.tasks.begin(begun, call.api.service())?;
    let mut response = json(&info);
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

fn idempotency_key(call: &Call) -> Result<Option<String>, Refused> {
    let mut keys = call.headers.get_all("idempotency-key").iter();
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    let key = key.to_str().ok().filter(|_| keys.next().is_none());
    key.filter(|key| (1..=128).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()))
        .map(|key| Some(key.to_owned()))
        .ok_or_else(|| {
            let text = "an idempotency key has 1 to 128 printable characters";
            Refused(Failure::new(Code::Usage, text))
        })
}

pub(super) async fn list(call: Call) -> Answer {
    let query: ListQuery = call.query()?;
    let tasks = call.api.0.tasks.list();
    Ok(json(&page(tasks, query.from, query.limit)?))
}

pub(super) async fn show(call: Call) -> Answer {
    let id: String = call.param("id")?;
    Ok(json(&call.api.0.tasks.get(&id)?))
}

pub(super) async fn cancel(call: Call) -> Answer {
    let id: String = call.param("id")?;
    call.may(call.api.0.tasks.get(&id)?.kind)?;
    Ok(json(&call.api.0.tasks.cancel(&id)?))
}

pub(super) async fn events(call: Call) -> Answer {
    let id: String = call.param("id")?;
    call.may(call.api.0.tasks.get(&id)?.kind)?;
    let query: EventsQuery = call.query()?;
    let reader = Reader::new(call.api.0.tasks.log(&id)?, query.from);
    let lines = stream::unfold(reader, async |mut reader| {
        match tokio::time::timeout(QUIET, reader.next()).await {
            Ok(line) => line.map(|line| (Ok::<_, std::convert::Infallible>(line), reader)),
            Err(_) => Some((Ok(Bytes::from_static(b"\n")), reader)),
        }
    });
    let mut response = Response::new(Body::from_stream(lines));
    let kind = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}
