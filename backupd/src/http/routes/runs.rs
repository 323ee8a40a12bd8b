//! Routes of how everything stands and of what was done: status, runs, pauses.

use axum::response::Response;
use backup_model::{Code, JobName, Pause, RunKind, RunQuery};
use backupd_api::{Kind, PauseRequest, Resumed};
use bytes::Bytes;
use futures::StreamExt as _;
use serde::Deserialize;

use super::{lines::ndjson, table::Call};
use crate::{
    clock,
    http::{
        api::Api,
        error::{Refused, json},
    },
    ledger::PAGE_MAX,
};

type Answer = Result<Response, Refused>;

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(super) struct LogQuery {
    from: u64,
}

pub(super) async fn status(call: Call) -> Answer {
    Ok(json(&call.api.service().status().await?))
}

pub(super) async fn status_events(call: Call) -> Answer {
    let statuses = call.api.service().follow_status().await?;
    let lines = statuses.filter_map(async |status| {
        let mut line = serde_json::to_vec(&status.ok()?).ok()?;
        line.push(b'\n');
        Some(Bytes::from(line))
    });
    Ok(ndjson(lines.boxed()))
}

pub(super) async fn dues(call: Call) -> Answer {
    let job: JobName = call.param("job")?;
    Ok(json(&call.api.service().dues(&job).await?))
}

pub(super) async fn list(call: Call) -> Answer {
    let query: RunQuery = call.query()?;
    if query
        .limit
        .is_some_and(|limit| !(1..=PAGE_MAX).contains(&limit))
    {
        let text = format!("a page has 1 to {PAGE_MAX} runs");
        return Err(Refused::new(Code::Usage, text));
    }
    Ok(json(&call.api.service().runs(&query).await?))
}

pub(super) async fn show(call: Call) -> Answer {
    let run: String = call.param("run")?;
    let mut shown = call.api.service().run(&run).await?;
    // They may name what is in a backup, as its log may.
    if call.may(kind(shown.info.kind)).is_err() {
        shown.first_warnings.clear();
    }
    Ok(json(&shown))
}

/// What allows to hear what a run said, and to stop it: the same as for the work by hand.
const fn kind(run: RunKind) -> Kind {
    match run {
        RunKind::Verify => Kind::Verify,
        RunKind::Restore => Kind::Restore,
        RunKind::Retention => Kind::Forget,
        RunKind::Prune => Kind::Prune,
        _ => Kind::Backup,
    }
}

/// What allows it for this run.
async fn needs(api: &Api, run: &str) -> Result<Kind, Refused> {
    let shown = api.service().run(run).await?;
    Ok(kind(shown.info.kind))
}

pub(super) async fn log(call: Call) -> Answer {
    let run: String = call.param("run")?;
    let query: LogQuery = call.query()?;
    let kind = needs(&call.api, &run).await?;
    call.may(kind)?;
    Ok(json(&call.api.service().run_log(&run, query.from).await?))
}

pub(super) async fn cancel(call: Call) -> Answer {
    let run: String = call.param("run")?;
    let kind = needs(&call.api, &run).await?;
    call.may(kind)?;
    Ok(json(&call.api.service().cancel_run(&run).await?))
}

pub(super) async fn pause(mut call: Call) -> Answer {
    let job: JobName = call.param("job")?;
    let PauseRequest { until, why } = call.body().await?;
    let pause = Pause {
        who: call.caller.actor.clone(),
        at: clock::now(),
        until,
        why,
    };
    call.api.service().pause(&job, &pause).await?;
    Ok(json(&pause))
}

pub(super) async fn resume(call: Call) -> Answer {
    let job: JobName = call.param("job")?;
    let was_paused = call.api.service().resume(&job).await?;
    Ok(json(&Resumed { was_paused }))
}
