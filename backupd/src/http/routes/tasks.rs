//! Routes of long work: begin, look, follow, cancel.

use axum::response::Response;
use backup_model::{Code, Failure, JobName};
use backupd_api::TaskRequest;
use backupd_audit::Act;
use futures::{StreamExt as _, stream};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{
    actions,
    confined::confined,
    lines::ndjson,
    reading::page,
    table::{Call, permit},
};
use crate::{
    clock,
    http::{
        api::Api,
        body,
        error::{Refused, json},
        guard::Caller,
        tasks::{Begun, Reader},
    },
};

type Answer = Result<Response, Refused>;

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(super) struct ListQuery {
    from: usize,
    limit: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(super) struct EventsQuery {
    from: u64,
}

pub(super) async fn begin(mut call: Call) -> Answer {
    let raw = call.raw().await?;
    let mut request: TaskRequest = body::parse(&raw)?;
    let act = Act {
        details: target(&request),
        ..actions::by(&call.caller, request.kind().as_str(), request.object())
    };
    let (api, caller, headers) = (call.api, call.caller, call.headers);
    let asked = Asked {
        digest: Sha256::digest(&*raw).into(),
        key: idempotency_key(&headers),
        act: act.clone(),
        actor: caller.actor.clone(),
    };
    if let Err(refused) = allowed(&api, &caller, &mut request).await {
        actions::refused(&api, &act, &refused).await;
        return Err(refused);
    }
    let begun = accept(&api, asked, request).await;
    if let Err(refused) = &begun {
        actions::refused(&api, &act, refused).await;
    }
    begun
}

/// What came with a request.
struct Asked {
    digest: [u8; 32],
    key: Result<Option<String>, Refused>,
    act: Act,
    actor: String,
}

async fn accept(api: &Api, asked: Asked, request: TaskRequest) -> Answer {
    let key = asked.key?.map(|key| (key, asked.digest));
    let busy = match &request {
        TaskRequest::Backup { job } => busy(api, job).await?,
        _ => None,
    };
    let audit = api.0.settings.audit.clone();
    let begun = Begun {
        record: audit.map(|audit| (audit, asked.act)),
        actor: asked.actor,
        busy,
        key,
        request,
        now: clock::now(),
    };
    let info = api.0.tasks.begin(begun, api.service())?;
    let mut response = json(&info);
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

async fn allowed(api: &Api, caller: &Caller, request: &mut TaskRequest) -> Result<(), Refused> {
    permit(caller, &[request.kind().scope()])?;
    match request {
        TaskRequest::Restore(order) => confined(api, caller, order).await,
        _ => Ok(()),
    }
}

/// Where a restore goes, for the record.
fn target(request: &TaskRequest) -> Option<String> {
    match request {
        TaskRequest::Restore(order) => Some(order.target()),
        _ => None,
    }
}

/// Why a job cannot begin: what the schedule has begun is no task, and runs all the same.
async fn busy(api: &Api, job: &JobName) -> Result<Option<Failure>, Refused> {
    let status = api.service().status().await?;
    Ok(status.running(job).map(|run| {
        let text = format!("the job `{job}` runs already, as run {}", run.short());
        Failure::new(Code::Busy, text)
    }))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Refused> {
    let mut keys = headers.get_all("idempotency-key").iter();
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
        Some((reader.next().await?, reader))
    });
    Ok(ndjson(lines.boxed()))
}
