//! Routes of long work: begin, look, follow, cancel.

use axum::response::Response;
use backup_model::{Code, Failure, JobName};
use backupd_api::TaskRequest;
use backupd_audit::Act;
use futures::{StreamExt as _, stream};
use http::StatusCode;
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
    if let Err(refused) = allowed(&call.api, &call.caller, &mut request).await {
        actions::refused(&call.api, &act, &refused).await;
        return Err(refused);
    }
    let key = idempotency_key(&call)?;
    let busy = match &request {
        TaskRequest::Backup { job } => busy(&call.api, job).await?,
        _ => None,
    };
    let begun = Begun {
        record: call.api.0.settings.audit.clone().map(|audit| (audit, act)),
        actor: call.caller.actor.clone(),
        busy,
        key: key.map(|key| (key, Sha256::digest(&*raw).into())),
        request,
        now: clock::now(),
    };
    let info = call.api.0.tasks.begin(begun, call.api.service())?;
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
    let TaskRequest::Restore(order) = request else {
        return None;
    };
    let folder = order.folder.as_ref();
    let folder = folder.map(|folder| format!("to the folder {}", folder.display()));
    let database = order.database.as_ref().map(|database| {
        let name = database.name.as_deref().unwrap_or("a new one");
        format!("to the database {name}")
    });
    let places: Vec<String> = folder.into_iter().chain(database).collect();
    Some(places.join(", "))
}

/// Why a job cannot begin: what the schedule has begun is no task, and runs all the same.
async fn busy(api: &Api, job: &JobName) -> Result<Option<Failure>, Refused> {
    let status = api.service().status().await?;
    Ok(status.running(job).map(|run| {
        let text = format!("the job `{job}` runs already, as run {}", run.short());
        Failure::new(Code::Busy, text)
    }))
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
        Some((reader.next().await?, reader))
    });
    Ok(ndjson(lines.boxed()))
}
