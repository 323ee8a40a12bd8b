//! What every request passes before its route: whether there is room, whether it was meant for
//! this daemon and no web page sent it, and who asks. Every answer gets its headers here.

use std::time::Instant;

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use backup_model::Code;
use backupd_api::{Scope, Scopes, TokenText};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{
    access::{AuthFailure, Verdict},
    api::Api,
    error::Refused,
};
use crate::clock;

/// The other end of a connection.
#[derive(Clone, Debug)]
pub(super) enum Peer {
    /// A process of this machine, as the kernel tells it.
    Local {
        /// Its user.
        uid: u32,
    },
}

/// Who asks, and what they may do.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// As lists and logs call them.
    pub(super) actor: String,
    pub(super) scopes: Scopes,
}

const HEADERS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// Lets a request through, or not.
pub(super) async fn guard(State(api): State<Api>, request: Request, next: Next) -> Response {
    let mut response = match admit(&api, request) {
        Ok((request, room)) => {
            let response = next.run(request).await;
            drop(room);
            response
        }
        Err(response) => response,
    };
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

fn admit(
    api: &Api,
    mut request: Request<Body>,
) -> Result<(Request<Body>, tokio::sync::OwnedSemaphorePermit), Response> {
    let refuse = |code, text: &str| Refused::new(code, text).into_response();
    let Ok(room) = std::sync::Arc::clone(&api.0.room).try_acquire_owned() else {
        let text = "as many requests as there may be are being answered";
        return Err(refuse(Code::Overloaded, text));
    };
    let peer = request.extensions().get::<Peer>().cloned();
    let Some(peer) = peer else {
        return Err(refuse(Code::Bug, "a request without a peer"));
    };
    origin(api, request.headers()).map_err(|text| refuse(Code::NotPermitted, text))?;
    if request.headers().contains_key(header::UPGRADE) {
        return Err(refuse(Code::Usage, "there is no other protocol here"));
    }
    let caller = caller(api, &peer, request.headers())?;
    request.extensions_mut().insert(caller);
    Ok((request, room))
}

/// Whether it was meant for this daemon, and sent by a program. A browser says where its page
/// comes from; none has business here.
fn origin(api: &Api, headers: &HeaderMap) -> Result<(), &'static str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    let host = host.filter(|_| hosts.next().is_none());
    let host = host.ok_or("a request names one host")?;
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let allowed = api.0.settings.hosts.iter().map(String::as_str);
    if !allowed
        .chain(["localhost"])
        .any(|allowed| allowed.eq_ignore_ascii_case(name))
    {
        return Err("this daemon has another name");
    }
    let browser = [header::ORIGIN, header::COOKIE, header::REFERER];
    let fetches = headers
        .keys()
        .any(|name| name.as_str().starts_with("sec-fetch-"));
    if fetches || browser.iter().any(|name| headers.contains_key(name)) {
        return Err("web pages may not ask this daemon");
    }
    Ok(())
}

fn caller(api: &Api, peer: &Peer, headers: &HeaderMap) -> Result<Caller, Response> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let Peer::Local { uid } = peer;
    let Some(first) = given.next() else {
        let own = rustix::process::geteuid().as_raw();
        let scopes = if *uid == 0 || *uid == own {
            Scopes(vec![Scope::Admin])
        } else {
            api.0.settings.group_scopes.clone()
        };
        if scopes.0.is_empty() {
            let text = "a token is needed";
            return Err(Refused::new(Code::SignIn, text).into_response());
        }
        let actor = format!("uid {uid}");
        return Ok(Caller { actor, scopes });
    };
    let token = first.to_str().ok().filter(|_| given.next().is_none());
    let token = token.and_then(|text| text.strip_prefix("Bearer "));
    let token: Option<TokenText> = token.and_then(|text| text.parse().ok());
    let scopes = token
        .as_ref()
        .and_then(|token| api.0.tokens.scopes(token, clock::now()));
    match (token, scopes) {
        (Some(token), Some(scopes)) => Ok(Caller {
            actor: format!("token {}", token.id),
            scopes,
        }),
        (token, _) => {
            let failure = AuthFailure {
                source: format!("uid:{uid}"),
                id: token.map(|token| token.id),
            };
            Err(failed(api, &failure))
        }
    }
}

fn failed(api: &Api, failure: &AuthFailure) -> Response {
    match api.0.failures.count(failure, Instant::now()) {
        Verdict::Refuse => {
            (api.0.settings.auth_failed)(failure);
            let text = "the token does not count: unknown, expired or revoked";
            Refused::new(Code::SignIn, text).into_response()
        }
        Verdict::Wait(secs) => {
            let text = format!("too many wrong tokens: wait {secs} s");
            let mut response = Refused::new(Code::SlowDown, text).into_response();
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, secs.into());
            response
        }
    }
}
