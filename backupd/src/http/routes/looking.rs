//! Routes that look into snapshots, and answer while they look: what a folder holds, what differs,
//! what matches.

use std::{sync::Arc, time::Duration};

use axum::response::Response;
use backup_model::{Code, Difference, EntryInfo, Failure, Found, Silent};
use backupd_api::{DiffRequest, FindRequest, LsRequest, Outcome, Scope, Service, Task};
use futures::{StreamExt as _, stream};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::timeout,
};

use super::{
    actions,
    lines::ndjson,
    table::{Call, permit},
};
use crate::http::{
    api::Api,
    error::Refused,
    guard::Caller,
    listing::{Findings, Listing, Said, last, way},
};

type Answer = Result<Response, Refused>;

/// What allows to look.
pub(super) const LOOKS: &[Scope] = &[Scope::Restore];

/// What fails sooner than this, with nothing found, is refused as any other question is. Later the
/// answer begins all the same, so that whoever waits for something rare sees that it goes on.
const SOON: Duration = Duration::from_secs(10);

pub(super) async fn ls(mut call: Call) -> Answer {
    let request: LsRequest = call.body().await?;
    let object = request.snapshot.to_string();
    let work = move |service: Arc<dyn Service>, found: Findings, task: Task| async move {
        let mut report = |entry: EntryInfo| found.add(entry);
        service.ls(&request, &mut report, &task).await?;
        Ok(found.count())
    };
    listing(call, "ls", object, work).await
}

pub(super) async fn diff(mut call: Call) -> Answer {
    let request: DiffRequest = call.body().await?;
    let object = format!("{} {}", request.before, request.after);
    let work = move |service: Arc<dyn Service>, found: Findings, task: Task| async move {
        let mut report = |difference: Difference| found.add(difference);
        service.diff(&request, &mut report, &task).await?;
        Ok(found.count())
    };
    listing(call, "diff", object, work).await
}

pub(super) async fn find(mut call: Call) -> Answer {
    let request: FindRequest = call.body().await?;
    let object = request.selection.to_string();
    let work = move |service: Arc<dyn Service>, found: Findings, task: Task| async move {
        let mut report = |one: Result<Found, Failure>| found.add(Outcome::from(one));
        service.find(&request, &mut report, &task).await
    };
    listing(call, "find", object, work).await
}

/// Begins a listing, on record from its beginning to its end, and answers with what it finds.
async fn listing<F>(
    call: Call,
    action: &str,
    object: String,
    work: impl FnOnce(Arc<dyn Service>, Findings, Task) -> F,
) -> Answer
where
    F: Future<Output = Result<u64, Failure>> + Send + 'static,
{
    let (api, caller) = (call.api, call.caller);
    let act = actions::by(&caller, action, object);
    let room = match admit(&api, &caller) {
        Ok(room) => room,
        Err(refused) => {
            actions::refused(&api, &act, &refused).await;
            return Err(refused);
        }
    };
    let task = Task {
        progress: Arc::new(Silent),
        cancel: api.0.closing.child_token(),
        asked_by: Some(caller.actor),
    };
    let cancel = task.cancel.clone();
    let found = Findings::default();
    let listing = Listing::new(work(api.service(), found.clone(), task), found);
    let (to, end, said) = way();
    let audit = api.0.settings.audit.clone();
    api.0.listings.spawn(async move {
        // What still reads when this is over, for somebody who went away, reads no further.
        let _over = cancel.clone().drop_guard();
        let giving = listing.give(&to, &cancel);
        let ended = match audit {
            Some(audit) => audit.around(act, giving).await,
            None => giving.await,
        };
        drop(room);
        if let Some(end) = end {
            end.send(Said::End(ended));
        }
    });
    answer(said).await
}

fn admit(api: &Api, caller: &Caller) -> Result<OwnedSemaphorePermit, Refused> {
    permit(caller, LOOKS)?;
    Arc::clone(&api.0.listings_room)
        .try_acquire_owned()
        .map_err(|_| {
            let text = "as many listings as there may be are being given";
            Refused::new(Code::Overloaded, text)
        })
}

async fn answer(mut said: mpsc::Receiver<Said>) -> Answer {
    let first = match timeout(SOON, said.recv()).await {
        Ok(Some(Said::End(Err(failure)))) => return Err(failure.into()),
        Ok(first) => first,
        Err(_) => None,
    };
    let rest = stream::unfold(said, async |mut said| Some((said.recv().await?, said)));
    let lines = stream::iter(first).chain(rest).map(|said| match said {
        Said::Lines(lines) => lines,
        Said::End(ended) => last(ended),
    });
    Ok(ndjson(lines.boxed()))
}
