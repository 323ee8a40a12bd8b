//! The table of routes, and the way from a request to the one that it is for.

use std::{fmt::Display, pin::Pin, str::FromStr};

use axum::{
    Router,
    body::Body,
    extract::{Query, RawPathParams, Request, State},
    middleware,
    response::{IntoResponse as _, Response},
    routing::{MethodFilter, on},
};
use backup_model::Code;
#[cfg(feature = "schema")]
use backup_model::{
    AuditCheck, AuditPage, AuditQuery, ChannelState, CheckReport, ConfigurationReport, Difference,
    DueTime, EntryInfo, EpochFiles, Found, HealthReport, HoldInfo, JobName, KeysReport, KitInfo,
    KitProof, Pause, PrunePlan, RepositoryStats, RestorePlan, RetentionPlan, RunDetail, RunLog,
    RunPage, RunQuery, SnapshotDetail, SnapshotInfo, StatusReport, TrustChange,
};
#[cfg(feature = "schema")]
use backupd_api::{
    CallerInfo, DiffRequest, EpochKeys, FindRequest, HoldReason, ListingLine, LsRequest, NewToken,
    Newest, Numbered, Outcome, Page, PauseRequest, Released, RestoreOrder, Resumed, Rotation,
    TaskInfo, TaskRequest, TokenInfo, Trial, TrustEdit, TrustMaterial,
};
use backupd_api::{Kind, Scope};
use http::{HeaderMap, Uri};
#[cfg(feature = "schema")]
use schemars::SchemaGenerator;
use serde::de::DeserializeOwned;
#[cfg(feature = "schema")]
use serde_json::Value;

#[cfg(feature = "schema")]
use super::described::{Form, Shape};
use super::{actions, changing, described, looking, reading, runs, tasks, tokens, trusting};
#[cfg(feature = "schema")]
use super::{
    reading::{SelectQuery, SnapshotsQuery},
    runs::LogQuery,
    tasks::{EventsQuery, ListQuery},
};
use crate::http::{
    api::Api,
    body::{self, Raw},
    error::Refused,
    guard::{Caller, guard},
};

/// Who may ask for a route.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) enum Needs {
    /// Whoever has one of these.
    One(&'static [Scope]),
    /// The same, looked at when the body has said what it is about, so that a refusal is on record
    /// with that, and before anything is done.
    ByBody(
        #[cfg_attr(
            not(feature = "schema"),
            expect(dead_code, reason = "only the description of the API reads it")
        )]
        &'static [Scope],
    ),
    /// Whoever has what the kind of the task or run needs; looked at as soon as the kind is known,
    /// and before anything is done.
    OfTask,
}

type Answer = Result<Response, Refused>;
pub(super) type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// One route.
pub(in crate::http) struct Route {
    pub(in crate::http) method: MethodFilter,
    /// The method by name.
    pub(in crate::http) verb: &'static str,
    pub(in crate::http) path: &'static str,
    pub(in crate::http) needs: Needs,
    /// Whether it takes a query.
    query: bool,
    /// What it takes and gives, for the description of the API.
    #[cfg(feature = "schema")]
    pub(in crate::http) shape: Shape,
    answer: fn(Call) -> Answering,
}

/// A request on its way through its route.
pub(super) struct Call {
    pub(super) api: Api,
    pub(super) caller: Caller,
    pub(super) headers: HeaderMap,
    uri: Uri,
    params: Vec<(String, String)>,
    body: Body,
}

impl Call {
    /// A part of the path.
    pub(super) fn param<T: FromStr<Err: Display>>(&self, name: &str) -> Result<T, Refused> {
        let found = self.params.iter().find(|(known, _)| known == name);
        let text = found.map_or("", |(_, text)| text.as_str());
        text.parse::<T>()
            .map_err(|error| Refused::new(Code::Usage, error.to_string()))
    }

    /// The query, every part of which must be known.
    pub(super) fn query<T: DeserializeOwned>(&self) -> Result<T, Refused> {
        let query = Query::<T>::try_from_uri(&self.uri);
        // Not its text, which may repeat a secret that was put there by mistake.
        query
            .map(|Query(query)| query)
            .map_err(|_| Refused::new(Code::Usage, "the query is not what belongs here"))
    }

    /// The body as it came.
    pub(super) async fn raw(&mut self) -> Result<Raw, Refused> {
        let patience = self.api.0.settings.limits.body;
        body::read(&self.headers, std::mem::take(&mut self.body), patience).await
    }

    /// The body.
    pub(super) async fn body<T: DeserializeOwned>(&mut self) -> Result<T, Refused> {
        body::parse(&self.raw().await?)
    }

    /// Refuses whoever may not do this to a task.
    pub(super) fn may(&self, kind: Kind) -> Result<(), Refused> {
        permit(&self.caller, &[kind.scope()])
    }
}

/// `method path needs, who answers: query, body => form type of the answer`; `_` is for none.
macro_rules! routes {
    ($($method:ident $path:literal $needs:expr, $module:ident::$answer:ident:
       $query:tt, $body:tt => $form:ident $type:ty;)*) => {
        &[$(Route {
            method: MethodFilter::$method,
            verb: stringify!($method),
            path: $path,
            needs: $needs,
            query: routes!(@is $query),
            #[cfg(feature = "schema")]
            shape: Shape {
                method: stringify!($method),
                name: concat!(stringify!($module), ".", stringify!($answer)),
                query: routes!(@schema $query),
                body: routes!(@schema $body),
                form: Form::$form,
                answer: SchemaGenerator::subschema_for::<$type>,
            },
            answer: |call| Box::pin($module::$answer(call)),
        },)*]
    };
    (@is _) => { false };
    (@is $type:ident) => { true };
    (@schema _) => { None };
    (@schema $type:ident) => { Some(SchemaGenerator::subschema_for::<$type>) };
}

/// Whoever is let in at all.
const ANY: Needs = Needs::One(&Scope::ALL);
const STATUS: Needs = Needs::One(&[Scope::Status]);
const RUN: Needs = Needs::One(&[Scope::Run]);
const RESTORE: Needs = Needs::One(&[Scope::Restore]);
const LOOKS: Needs = Needs::ByBody(looking::LOOKS);
const RETENTION: Needs = Needs::One(&[Scope::Retention]);
const ADMIN: Needs = Needs::One(&[Scope::Admin]);
/// Whoever opens data takes its identities out of the key files.
const KEYS: Needs = Needs::One(&[Scope::Restore, Scope::Verify]);

/// Every route.
pub(in crate::http) const ROUTES: &[Route] = routes! {
    GET "/v1/openapi.json" STATUS, described::openapi: _, _ => Json Value;
    GET "/v1/caller" ANY, tokens::caller: _, _ => Json CallerInfo;
    GET "/v1/status" STATUS, runs::status: _, _ => Json StatusReport;
    GET "/v1/status/events" STATUS, runs::status_events: _, _ => Lines StatusReport;
    GET "/v1/health" STATUS, reading::health: _, _ => Json HealthReport;
    GET "/v1/runs" STATUS, runs::list: RunQuery, _ => Json RunPage;
    GET "/v1/runs/{run}" STATUS, runs::show: _, _ => Json RunDetail;
    GET "/v1/runs/{run}/log" Needs::OfTask, runs::log: LogQuery, _ => Json RunLog;
    DELETE "/v1/runs/{run}" Needs::OfTask, runs::cancel: _, _ => Json RunDetail;
    PUT "/v1/jobs/{job}/pause" RUN, runs::pause: _, PauseRequest => Json Pause;
    DELETE "/v1/jobs/{job}/pause" RUN, runs::resume: _, _ => Json Resumed;
    GET "/v1/jobs" STATUS, reading::jobs: _, _ => Json Vec<JobName>;
    GET "/v1/jobs/{job}/dues" STATUS, runs::dues: _, _ => Json Vec<DueTime>;
    GET "/v1/jobs/{job}/newest" STATUS, reading::newest: _, _ => Json Newest;
    POST "/v1/jobs/{job}/retention" STATUS, reading::retention: _, Trial => Json Option<RetentionPlan>;
    GET "/v1/repositories" STATUS, reading::repositories: _, _ => Json Vec<String>;
    GET "/v1/configuration" STATUS, reading::configuration: _, _ => Json ConfigurationReport;
    GET "/v1/repositories/{repository}/keys" STATUS, reading::keys: _, _ => Json KeysReport;
    GET "/v1/repositories/{repository}/trust" ADMIN, trusting::show: _, _ => Json TrustMaterial;
    POST "/v1/repositories/{repository}/trust" ADMIN, trusting::change: _, TrustEdit => Json TrustChange;
    PUT "/v1/repositories/{repository}/kit-proof" ADMIN, trusting::confirm_kit: _, KitProof => Json KitInfo;
    GET "/v1/repositories/{repository}/check" STATUS, reading::check: _, _ => Json CheckReport;
    GET "/v1/repositories/{repository}/stats" STATUS, reading::stats: _, _ => Json RepositoryStats;
    GET "/v1/repositories/{repository}/prune-plan" STATUS, reading::prune_plan: _, _ => Json PrunePlan;
    GET "/v1/snapshots" STATUS, reading::snapshots: SnapshotsQuery, _ => Json Page<Outcome<SnapshotInfo>>;
    GET "/v1/snapshots/{job}/{seq}" STATUS, reading::snapshot: _, _ => Json SnapshotDetail;
    POST "/v1/snapshots/{job}/{seq}/streams" RESTORE, reading::streams: _, EpochKeys => Json SnapshotDetail;
    PUT "/v1/snapshots/{job}/{seq}/hold" RETENTION, changing::hold: _, HoldReason => Json HoldInfo;
    DELETE "/v1/snapshots/{job}/{seq}/hold" RETENTION, changing::release: _, _ => Json Released;
    GET "/v1/key-files" KEYS, reading::key_files: SelectQuery, _ => Json Vec<EpochFiles>;
    POST "/v1/ls" LOOKS, looking::ls: _, LsRequest => Lines ListingLine<EntryInfo>;
    POST "/v1/diff" LOOKS, looking::diff: _, DiffRequest => Lines ListingLine<Difference>;
    POST "/v1/find" LOOKS, looking::find: _, FindRequest => Lines ListingLine<Outcome<Found>>;
    POST "/v1/restore-plan" RESTORE, reading::restore_plan: _, RestoreOrder => Json RestorePlan;
    POST "/v1/tasks" Needs::OfTask, tasks::begin: _, TaskRequest => Begun TaskInfo;
    GET "/v1/tasks" STATUS, tasks::list: ListQuery, _ => Json Page<TaskInfo>;
    GET "/v1/tasks/{id}" STATUS, tasks::show: _, _ => Json TaskInfo;
    GET "/v1/tasks/{id}/events" Needs::OfTask, tasks::events: EventsQuery, _ => Lines Numbered;
    DELETE "/v1/tasks/{id}" Needs::OfTask, tasks::cancel: _, _ => Json TaskInfo;
    GET "/v1/channels" STATUS, reading::channels: _, _ => Json Vec<ChannelState>;
    POST "/v1/channels/{channel}/test" ADMIN, changing::test_channel: _, _ => Json ChannelState;
    GET "/v1/audit" ADMIN, reading::audit: AuditQuery, _ => Json AuditPage;
    GET "/v1/audit/check" ADMIN, reading::check_audit: _, _ => Json AuditCheck;
    GET "/v1/tokens" ADMIN, tokens::list: _, _ => Json Vec<TokenInfo>;
    POST "/v1/tokens" ADMIN, tokens::add: _, NewToken => Json TokenInfo;
    POST "/v1/tokens/{id}/rotate" ADMIN, tokens::rotate: _, Rotation => Json TokenInfo;
    DELETE "/v1/tokens/{id}" ADMIN, tokens::revoke: _, _ => Json TokenInfo;
};

/// Everything, behind the guard.
pub(in crate::http) fn router(api: &Api) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let answer = move |State(api): State<Api>, params: RawPathParams, request: Request| {
            answer(route, api, params, request)
        };
        router = router.route(route.path, on(route.method, answer));
    }
    router
        .method_not_allowed_fallback(async || {
            Refused::new(Code::Method, "this address has no such method")
        })
        .fallback(async || Refused::new(Code::NoRoute, "there is nothing at this address"))
        .layer(middleware::from_fn_with_state(api.clone(), guard))
        .with_state(api.clone())
}

async fn answer(
    route: &'static Route,
    api: Api,
    params: RawPathParams,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Some(caller) = parts.extensions.get::<Caller>().cloned() else {
        return Refused::new(Code::SignIn, "nobody asks").into_response();
    };
    let params = params.iter();
    let params: Vec<_> = params
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect();
    let act = actions::act(route, &caller, &params);
    if let Needs::One(scopes) = route.needs
        && let Err(refused) = permit(&caller, scopes)
    {
        if let Some(act) = &act {
            actions::refused(&api, act, &refused).await;
        }
        return refused.into_response();
    }
    if !route.query && parts.uri.query().is_some() {
        return Refused::new(Code::Usage, "there is no query here").into_response();
    }
    let call = Call {
        api: api.clone(),
        caller,
        headers: parts.headers,
        uri: parts.uri,
        params,
        body,
    };
    let answering = (route.answer)(call);
    match act {
        Some(act) => actions::around(api, act, answering).await,
        None => answering.await.into_response(),
    }
}

/// Refuses whoever has none of these.
pub(super) fn permit(caller: &Caller, scopes: &[Scope]) -> Result<(), Refused> {
    if scopes.iter().any(|scope| caller.scopes.allow(*scope)) {
        return Ok(());
    }
    let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let text = format!("the scope `{}` is needed", words.join("` or `"));
    Err(Refused::new(Code::NotPermitted, text))
}
