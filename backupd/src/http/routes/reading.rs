//! Routes that read: jobs, repositories, snapshots, plans.

use axum::response::Response;
use backup_model::{AuditQuery, Code, JobName, Selection, Seq, SnapshotName};
use backupd_api::{EpochKeys, Newest, Outcome, Page, RestoreOrder, Task, Trial};
use serde::Deserialize;

use super::{confined::confined, table::Call};
use crate::http::error::{Refused, json};

type Answer = Result<Response, Refused>;

/// A part of a long list.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(super) struct SnapshotsQuery {
    select: Option<String>,
    from: usize,
    limit: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(super) struct SelectQuery {
    select: Option<String>,
}

/// A short question's task: nobody listens, and it ends with the daemon.
fn unheard(call: &Call) -> Task {
    Task::unheard(call.api.0.closing.child_token())
}

fn selection(select: Option<String>) -> Result<Selection, Refused> {
    select.map_or(Ok(Selection::All), |text| {
        text.parse()
            .map_err(|error: backup_model::InvalidId| Refused::new(Code::Usage, error.to_string()))
    })
}

/// The snapshot in a path.
pub(super) fn named(call: &Call) -> Result<SnapshotName, Refused> {
    Ok(SnapshotName {
        job: call.param("job")?,
        seq: call.param::<Seq>("seq")?,
    })
}

/// One page of a list.
pub(super) fn page<T>(all: Vec<T>, from: usize, limit: Option<usize>) -> Result<Page<T>, Refused> {
    let limit = limit.unwrap_or(Page::MOST);
    if !(1..=Page::MOST).contains(&limit) {
        let text = format!("a page has 1 to {} items", Page::MOST);
        return Err(Refused::new(Code::Usage, text));
    }
    let end = from.saturating_add(limit);
    let next = (end < all.len()).then_some(end);
    let items = all.into_iter().skip(from).take(limit).collect();
    Ok(Page { items, next })
}

pub(super) async fn health(call: Call) -> Answer {
    Ok(json(&call.api.service().health().await?))
}

pub(super) async fn jobs(call: Call) -> Answer {
    Ok(json(&call.api.service().jobs().await?))
}

pub(super) async fn repositories(call: Call) -> Answer {
    Ok(json(&call.api.service().repositories().await?))
}

pub(super) async fn keys(call: Call) -> Answer {
    let name: String = call.param("repository")?;
    Ok(json(&call.api.service().keys(&name).await?))
}

pub(super) async fn configuration(call: Call) -> Answer {
    Ok(json(&call.api.service().configuration().await?))
}

pub(super) async fn newest(call: Call) -> Answer {
    let job: JobName = call.param("job")?;
    let snapshot = call.api.service().newest(&job).await?;
    Ok(json(&Newest { snapshot }))
}

pub(super) async fn retention(mut call: Call) -> Answer {
    let job: JobName = call.param("job")?;
    let trial: Trial = call.body().await?;
    Ok(json(&call.api.service().retention(&job, &trial).await?))
}

pub(super) async fn check(call: Call) -> Answer {
    let name: String = call.param("repository")?;
    Ok(json(
        &call.api.service().check(&name, &unheard(&call)).await?,
    ))
}

pub(super) async fn stats(call: Call) -> Answer {
    let name: String = call.param("repository")?;
    Ok(json(
        &call.api.service().stats(&name, &unheard(&call)).await?,
    ))
}

pub(super) async fn prune_plan(call: Call) -> Answer {
    let name: String = call.param("repository")?;
    Ok(json(
        &call
            .api
            .service()
            .plan_prune(&name, &unheard(&call))
            .await?,
    ))
}

pub(super) async fn snapshots(call: Call) -> Answer {
    let query: SnapshotsQuery = call.query()?;
    let runs = call
        .api
        .service()
        .snapshots(&selection(query.select)?)
        .await?;
    let runs = runs.into_iter().map(Outcome::from).collect();
    Ok(json(&page(runs, query.from, query.limit)?))
}

pub(super) async fn snapshot(call: Call) -> Answer {
    let name = named(&call)?;
    Ok(json(&call.api.service().snapshot(&name, None).await?))
}

pub(super) async fn streams(mut call: Call) -> Answer {
    let name = named(&call)?;
    let keys: EpochKeys = call.body().await?;
    Ok(json(
        &call.api.service().snapshot(&name, Some(&keys)).await?,
    ))
}

pub(super) async fn key_files(call: Call) -> Answer {
    let query: SelectQuery = call.query()?;
    let selection = selection(query.select)?;
    Ok(json(&call.api.service().key_files(&selection).await?))
}

pub(super) async fn restore_plan(mut call: Call) -> Answer {
    let mut order: RestoreOrder = call.body().await?;
    confined(&call.api, &call.caller, &mut order).await?;
    Ok(json(&call.api.service().plan_restore(&order).await?))
}

pub(super) async fn audit(call: Call) -> Answer {
    let query: AuditQuery = call.query()?;
    Ok(json(&call.api.service().audit(&query).await?))
}

pub(super) async fn check_audit(call: Call) -> Answer {
    Ok(json(&call.api.service().check_audit().await?))
}

pub(super) async fn channels(call: Call) -> Answer {
    Ok(json(&call.api.service().channels().await?))
}
