//! What is sent: the request that a message becomes for each kind of channel.

use std::sync::Arc;

use backup_model::{ChannelKind, RunId, StatusReport};
use jiff::Timestamp;
use reqwest::{Client, RequestBuilder, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{
    About, Event,
    words::{self, Weight},
};

/// What healthchecks.io takes at most.
const LONGEST_BODY: usize = 100_000;

/// How a run goes, for whoever waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ping {
    /// It has begun.
    Begun,
    /// It did what it should.
    Succeeded,
    /// It did not.
    Failed,
}

/// One message.
#[derive(Clone, Debug)]
pub enum Message {
    /// What has changed, and when.
    Events(Timestamp, Vec<Event>),
    /// How everything stands.
    Digest(Arc<StatusReport>),
    /// Nothing has happened: somebody wants to see whether it arrives.
    Test(Timestamp),
    /// A run.
    Run(RunId, Ping, String),
}

/// Who sends, and where to.
pub(super) struct Target<'a> {
    pub(super) kind: ChannelKind,
    /// What the daemon is called.
    pub(super) server: &'a str,
    pub(super) url: &'a SecretString,
    pub(super) token: Option<&'a SecretString>,
}

/// Why there is no request. No address is in it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum Unusable {
    #[error("the address is not a URL")]
    NoUrl,
    #[error("the address must begin with https://, except at a loopback address")]
    InClear,
    #[error("the address does not begin with smtps:// or smtp:// and the name of a server")]
    NoServer,
    #[error("the channel does not carry such messages")]
    NotCarried,
}

/// The request.
pub(super) fn request(
    client: &Client,
    target: &Target<'_>,
    message: &Message,
) -> Result<RequestBuilder, Unusable> {
    let mut url = address(target.url.expose_secret())?;
    let request = match (target.kind, message) {
        (_, Message::Run(..)) if target.kind != ChannelKind::Healthchecks => {
            return Err(Unusable::NotCarried);
        }
        (ChannelKind::Webhook, _) => client
            .post(url)
            .header("Content-Type", "application/json")
            .body(document(target.server, message).to_string()),
        (ChannelKind::Ntfy, _) => client
            .post(url)
            .header("Title", plain(&words::title(target.server, message)))
            .header("Priority", priority(message))
            .header("Tags", tag(message))
            .body(words::text(message)),
        (ChannelKind::Healthchecks, Message::Test(_)) => {
            // A line in the check's log, which changes nothing of how it stands.
            url.set_path(&format!("{}/log", url.path().trim_end_matches('/')));
            client.post(url).body(words::text(message))
        }
        (ChannelKind::Healthchecks, Message::Run(run, ping, text)) => {
            let path = url.path().trim_end_matches('/');
            let path = match ping {
                Ping::Begun => format!("{path}/start"),
                Ping::Succeeded => path.to_owned(),
                Ping::Failed => format!("{path}/fail"),
            };
            url.set_path(&path);
            url.query_pairs_mut().append_pair("rid", &run.as_uuid());
            let cut = text.floor_char_boundary(LONGEST_BODY.min(text.len()));
            client.post(url).body(text[..cut].to_owned())
        }
        _ => return Err(Unusable::NotCarried),
    };
    Ok(match target.token {
        Some(token) => request.bearer_auth(token.expose_secret()),
        None => request,
    })
}

/// Whether it leads to this machine, which is reached through no proxy.
pub(super) fn is_local(url: &SecretString) -> bool {
    address(url.expose_secret()).is_ok_and(|url| names_loopback(&url))
}

pub(super) fn names_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let ip = host.parse::<std::net::IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

fn address(text: &str) -> Result<Url, Unusable> {
    let url: Url = text.trim().parse().map_err(|_| Unusable::NoUrl)?;
    url.host_str().ok_or(Unusable::NoUrl)?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if names_loopback(&url) => Ok(url),
        "http" => Err(Unusable::InClear),
        _ => Err(Unusable::NoUrl),
    }
}

fn document(server: &str, message: &Message) -> serde_json::Value {
    let (at, events, digest) = match message {
        Message::Events(at, events) => (Some(*at), &**events, None),
        Message::Digest(report) => (Some(report.at), &[][..], Some(&**report)),
        Message::Test(at) => (Some(*at), &[][..], None),
        Message::Run(..) => (None, &[][..], None),
    };
    let all = events.iter().map(|event| {
        let (job, repository) = match &event.about {
            About::Daemon => (None, None),
            About::Job(job) => (Some(job.as_str()), None),
            About::Repository(name) => (None, Some(name.as_str())),
        };
        json!({
            "event": event.kind,
            "over": event.over,
            "job": job,
            "repository": repository,
            "text": event.text,
        })
    });
    json!({
        "version": 1,
        "server": server,
        "at": at,
        "title": words::title(server, message),
        "events": all.collect::<Vec<_>>(),
        "digest": digest,
    })
}

fn priority(message: &Message) -> &'static str {
    match words::weight(message) {
        Weight::Severe => "high",
        Weight::Warning | Weight::Good => "default",
    }
}

fn tag(message: &Message) -> &'static str {
    match words::weight(message) {
        Weight::Severe => "rotating_light",
        Weight::Warning => "warning",
        Weight::Good => "white_check_mark",
    }
}

/// Text as a header can carry it.
fn plain(text: &str) -> String {
    let plain = |c: char| if (' '..='~').contains(&c) { c } else { '?' };
    text.chars().map(plain).collect()
}
