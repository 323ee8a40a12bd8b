//! Checks of the tables `[metrics]` and `[notify.…]`: where metrics are read, and who is told what.

use std::{collections::BTreeSet, net::SocketAddr};

use backup_model::{ChannelKind, EventKind, JobName};

use super::config::Check;
use crate::config::{
    ChannelConfig,
    problem::Located,
    raw::{RawChannel, RawFile},
    table::suggestion,
};

impl Check {
    /// The table `[metrics]`, from whichever file has it.
    pub(super) fn metrics(&mut self, files: &[RawFile]) -> Option<SocketAddr> {
        let tables = files.iter().filter_map(|file| file.metrics.as_ref());
        let fields: Vec<_> = tables.map(|raw| &raw.listen).collect();
        let raw = self.once("listen", &fields).got()?;
        let (message, help) = match raw.value.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => return Some(address),
            Ok(_) => (
                format!("`listen`: `{}` is not a loopback address", raw.value),
                "Metrics are read without a token and in clear, so on this machine only: \
                 `127.0.0.1:9898`. Let an agent or a proxy there take them further.",
            ),
            Err(_) => (
                format!("`listen`: `{}` is not an address with a port", raw.value),
                "Write it as `listen = \"127.0.0.1:9898\"`.",
            ),
        };
        self.findings.at(&raw.at, message, help);
        None
    }

    /// A table `[notify.…]`.
    pub(super) fn channel(&mut self, raw: &RawChannel) {
        let kind = raw.kind.as_ref().and_then(|raw| self.channel_kind(raw));
        let url = raw.url.as_ref().and_then(|raw| self.secret(raw));
        let token = raw.token.as_ref().and_then(|raw| self.secret(raw));
        if let (Some(ChannelKind::Healthchecks), Some(events)) = (kind, &raw.events) {
            let message = "`events` means nothing for `healthchecks`";
            let help = "Remove it: each backup is told there, its beginning and its end.";
            self.findings.at(&events.at, message, help);
        }
        let events = raw.events.as_ref().map(|raw| self.events(&raw.value));
        let jobs = raw.jobs.as_ref().map(|raw| self.told_jobs(&raw.value));
        let config = kind.zip(url).map(|(kind, url)| ChannelConfig {
            kind,
            url,
            token,
            events: events.unwrap_or_else(|| EventKind::ALL.iter().copied().collect()),
            jobs,
        });
        self.channels.add(&raw.name, config, &mut self.findings);
    }

    fn channel_kind(&mut self, raw: &Located<String>) -> Option<ChannelKind> {
        let kind = raw.value.parse::<ChannelKind>();
        if kind.is_err() {
            let known: Vec<_> = ChannelKind::ALL.iter().map(|kind| kind.as_str()).collect();
            let message = format!("unknown kind of channel `{}`", raw.value);
            let help = suggestion(&raw.value, &known);
            self.findings.at(&raw.at, message, help);
        }
        kind.ok()
    }

    fn events(&mut self, raw: &[Located<String>]) -> BTreeSet<EventKind> {
        let mut events = BTreeSet::new();
        for one in raw {
            if let Ok(event) = one.value.parse::<EventKind>() {
                events.insert(event);
            } else {
                let known: Vec<_> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
                let message = format!("unknown event `{}`", one.value);
                let help = suggestion(&one.value, &known);
                self.findings.at(&one.at, message, help);
            }
        }
        events
    }

    fn told_jobs(&mut self, raw: &[Located<String>]) -> BTreeSet<JobName> {
        let mut jobs = BTreeSet::new();
        for one in raw {
            let known = one.value.parse::<JobName>().ok();
            let there = |name: &JobName| !self.complete || self.jobs.by_name.contains_key(name);
            if let Some(name) = known.filter(there) {
                jobs.insert(name);
            } else {
                let known: Vec<_> = self.jobs.by_name.keys().map(JobName::as_str).collect();
                let message = format!("there is no job `{}`", one.value);
                let help = suggestion(&one.value, &known);
                self.findings.at(&one.at, message, help);
            }
        }
        jobs
    }
}
