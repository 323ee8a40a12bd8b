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
use backupd_api::{Kind, Scope};
use http::{HeaderMap, Uri};
use serde::de::DeserializeOwned;

use super::{changing, reading, runs, tasks, tokens};
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
    /// Whoever has what the kind of the task needs; looked at as soon as the kind is known, and
    /// before anything is done.
    OfTask,
}

type Answer = Result<Response, Refused>;
type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// One route.
pub(in crate::http) struct Route {
    pub(in crate::http) method: MethodFilter,
    pub(in crate::http) path: &'static str,
    pub(in crate::http) needs: Needs,
    /// Whether it takes a query.
    query: bool,
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

macro_rules! routes {
    ($($method:ident $path:literal $needs:expr, $query:literal, $answer:path;)*) => {
        &[$(Route {
            method: MethodFilter::$method,
            path: $path,
            needs: $needs,
            query: $query,
            answer: |call| Box::pin($answer(call)),
        },)*]
    };
}

const STATUS: Needs = Needs::One(&[Scope::Status]);
const RUN: Needs = Needs::One(&[Scope::Run]);
const RESTORE: Needs = Needs::One(&[Scope::Restore]);
const RETENTION: Needs = Needs::One(&[Scope::Retention]);
const ADMIN: Needs = Needs::One(&[Scope::Admin]);
/// Whoever opens data takes its identities out of the key files.
const KEYS: Needs = Needs::One(&[Scope::Restore, Scope::Verify]);

/// Every route.
pub(in crate::http) const ROUTES: &[Route] = routes! {
    GET "/v1/status" STATUS, false, runs::status;
    GET "/v1/status/events" STATUS, false, runs::status_events;
    GET "/v1/runs" STATUS, true, runs::list;
    GET "/v1/runs/{run}" STATUS, false, runs::show;
    GET "/v1/runs/{run}/log" STATUS, true, runs::log;
    DELETE "/v1/runs/{run}" RUN, false, runs::cancel;
    PUT "/v1/jobs/{job}/pause" RUN, false, runs::pause;
    DELETE "/v1/jobs/{job}/pause" RUN, false, runs::resume;
    GET "/v1/jobs" STATUS, false, reading::jobs;
    GET "/v1/jobs/{job}/dues" STATUS, false, runs::dues;
    GET "/v1/jobs/{job}/newest" STATUS, false, reading::newest;
    POST "/v1/jobs/{job}/retention" STATUS, false, reading::retention;
    GET "/v1/repositories" STATUS, false, reading::repositories;
    GET "/v1/configuration" STATUS, false, reading::configuration;
    GET "/v1/repositories/{repository}/keys" STATUS, false, reading::keys;
    GET "/v1/repositories/{repository}/check" STATUS, false, reading::check;
    GET "/v1/repositories/{repository}/stats" STATUS, false, reading::stats;
    GET "/v1/repositories/{repository}/prune-plan" STATUS, false, reading::prune_plan;
    GET "/v1/snapshots" STATUS, true, reading::snapshots;
    GET "/v1/snapshots/{job}/{seq}" STATUS, false, reading::snapshot;
    POST "/v1/snapshots/{job}/{seq}/streams" RESTORE, false, reading::streams;
    PUT "/v1/snapshots/{job}/{seq}/hold" RETENTION, false, changing::hold;
    DELETE "/v1/snapshots/{job}/{seq}/hold" RETENTION, false, changing::release;
    GET "/v1/key-files" KEYS, true, reading::key_files;
    POST "/v1/restore-plan" RESTORE, false, reading::restore_plan;
    POST "/v1/tasks" Needs::OfTask, false, tasks::begin;
    GET "/v1/tasks" STATUS, true, tasks::list;
    GET "/v1/tasks/{id}" STATUS, false, tasks::show;
    GET "/v1/tasks/{id}/events" Needs::OfTask, true, tasks::events;
    DELETE "/v1/tasks/{id}" Needs::OfTask, false, tasks::cancel;
    GET "/v1/tokens" ADMIN, false, tokens::list;
    POST "/v1/tokens" ADMIN, false, tokens::add;
    POST "/v1/tokens/{id}/rotate" ADMIN, false, tokens::rotate;
    DELETE "/v1/tokens/{id}" ADMIN, false, tokens::revoke;
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
    if let Needs::One(scopes) = route.needs
        && let Err(refused) = permit(&caller, scopes)
    {
        return refused.into_response();
    }
    if !route.query && parts.uri.query().is_some() {
        return Refused::new(Code::Usage, "there is no query here").into_response();
    }
    let params = params.iter();
    let call = Call {
        api,
        caller,
        headers: parts.headers,
        uri: parts.uri,
        params: params
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .collect(),
        body,
    };
    (route.answer)(call).await.into_response()
}

fn permit(caller: &Caller, scopes: &[Scope]) -> Result<(), Refused> {
    if scopes.iter().any(|scope| caller.scopes.allow(*scope)) {
        return Ok(());
    }
    let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let text = format!("the scope `{}` is needed", words.join("` or `"));
    Err(Refused::new(Code::NotPermitted, text))
}
