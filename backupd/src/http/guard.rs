//! What every request passes before its route: whether there is room, whether it was meant for
//! this daemon and no web page sent it, and who asks. Every answer gets its headers here.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    time::Instant,
};

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
    source::{self, Peer},
};
use crate::clock;

/// Who asks, and what they may do.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// As lists and logs call them.
    pub(super) actor: String,
    pub(super) scopes: Scopes,
    /// From which address; none from this machine's socket.
    pub(super) source: Option<String>,
    /// The program, as it calls itself.
    pub(super) client: Option<String>,
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
    let peer = request.extensions().get::<Peer>().copied();
    let Some(peer) = peer else {
        return Err(refuse(Code::Bug, "a request without a peer"));
    };
    plain(&request).map_err(|text| {
        let mut response = refuse(Code::Usage, text);
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
        response
    })?;
    origin(api, request.headers()).map_err(|text| refuse(Code::NotPermitted, text))?;
    let caller = caller(api, peer, request.headers())?;
    // Only now, so that those who may do nothing take nobody's room.
    let Ok(room) = std::sync::Arc::clone(&api.0.room).try_acquire_owned() else {
        let text = "as many requests as there may be are being answered";
        return Err(refuse(Code::Overloaded, text));
    };
    request.extensions_mut().insert(caller);
    Ok((request, room))
}

/// Whether everybody on the way here has read the same request: one whose length is its body's,
/// and whose host stands in one place.
fn plain(request: &Request<Body>) -> Result<(), &'static str> {
    let headers = request.headers();
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return Err("a body must say its length");
    }
    if headers.contains_key(header::UPGRADE) {
        return Err("there is no other protocol here");
    }
    if request.uri().authority().is_some() {
        return Err("the address of a request is a path");
    }
    Ok(())
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
    let names = api.0.settings.hosts.iter().map(String::as_str);
    let mut names = names.chain(["localhost"]);
    if !names.any(|known| known.eq_ignore_ascii_case(name)) && !is_address(name) {
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

/// An address may always stand in `Host`: what makes a browser ask a stranger's server is a name
/// whose address changes.
fn is_address(host: &str) -> bool {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    match bare {
        Some(inner) => inner.parse::<Ipv6Addr>().is_ok(),
        None => host.parse::<Ipv4Addr>().is_ok(),
    }
}

fn caller(api: &Api, peer: Peer, headers: &HeaderMap) -> Result<Caller, Response> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let Some(first) = given.next() else {
        return without_token(api, peer, headers);
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
            source: network(api, peer, headers),
            client: client(headers),
        }),
        (token, _) => {
            let source = network(api, peer, headers);
            let failure = AuthFailure {
                source: source.unwrap_or_else(|| peer.to_string()),
                id: token.map(|token| token.id),
            };
            Err(failed(api, &failure))
        }
    }
}

/// What a process of this machine may do for being one. Nobody on a network may do anything, and
/// neither may whoever comes through a proxy that speaks to the socket.
fn without_token(api: &Api, peer: Peer, headers: &HeaderMap) -> Result<Caller, Response> {
    let refused = || {
        let text = "a token is needed";
        Err(Refused::new(Code::SignIn, text).into_response())
    };
    let Peer::Local { uid } = peer else {
        return refused();
    };
    let own = rustix::process::geteuid().as_raw();
    let scopes = if uid == 0 || uid == own {
        Scopes(vec![Scope::Admin])
    } else {
        api.0.settings.group_scopes.clone()
    };
    if scopes.0.is_empty() || source::is_forwarded(headers) {
        return refused();
    }
    let actor = format!("uid {uid}");
    Ok(Caller {
        actor,
        scopes,
        source: None,
        client: client(headers),
    })
}

/// From which address of a network a request comes.
fn network(api: &Api, peer: Peer, headers: &HeaderMap) -> Option<String> {
    let Peer::Network { address } = peer else {
        return None;
    };
    let trusted = &api.0.settings.trusted_proxies;
    Some(source::address(address, trusted, headers).to_string())
}

fn client(headers: &HeaderMap) -> Option<String> {
    let name = headers.get(header::USER_AGENT)?;
    Some(name.to_str().ok()?.to_owned())
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
