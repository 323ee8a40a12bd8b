//! Checks of the tables `[metrics]` and `[notify.…]`: where metrics are read, and who is told what.

use std::{collections::BTreeSet, net::SocketAddr};

use backup_model::{ChannelKind, EventKind, JobName};
use jiff::civil::Time;
use lettre::message::Mailbox;

use super::config::Check;
use crate::{
    config::{
        ChannelConfig, MailConfig,
        problem::Located,
        raw::{RawChannel, RawFile},
        table::suggestion,
    },
    schedule::Schedule,
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
        if kind == Some(ChannelKind::Healthchecks) {
            self.tells_runs_only(raw);
        }
        let mail = kind.and_then(|kind| self.mail(kind, raw));
        let digest = raw.digest.as_ref().and_then(|raw| self.digest(raw));
        let events = raw.events.as_ref().map(|raw| self.events(&raw.value));
        let jobs = raw.jobs.as_ref().map(|raw| self.told_jobs(&raw.value));
        let config = kind.zip(url).map(|(kind, url)| ChannelConfig {
            kind,
            url,
            token,
            events: events.unwrap_or_else(|| EventKind::ALL.iter().copied().collect()),
            jobs,
            digest,
            mail,
        });
        self.channels.add(&raw.name, config, &mut self.findings);
    }

    fn tells_runs_only(&mut self, raw: &RawChannel) {
        let events = raw.events.as_ref().map(|events| ("events", &events.at));
        let digest = raw.digest.as_ref().map(|digest| ("digest", &digest.at));
        for (key, at) in events.into_iter().chain(digest) {
            let message = format!("`{key}` means nothing for `healthchecks`");
            let help = "Remove it: each backup is told there, its beginning and its end.";
            self.findings.at(at, message, help);
        }
    }

    /// The time of day, by the clocks of the defaults' zone.
    fn digest(&mut self, raw: &Located<String>) -> Option<Schedule> {
        let parts = raw.value.split_once(':');
        let time = parts.and_then(|(hour, minute)| {
            let is_two = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            let number = |part: &str| is_two(part).then(|| part.parse::<i8>().ok()).flatten();
            Time::new(number(hour)?, number(minute)?, 0, 0).ok()
        });
        let Some(time) = time else {
            let message = format!("`digest`: `{}` is not a time of day", raw.value);
            let help = "Write hours and minutes: `digest = \"08:00\"`.";
            self.findings.at(&raw.at, message, help);
            return None;
        };
        let daily = format!("{} {} * * *", time.minute(), time.hour());
        let at = raw.at.clone();
        let value = &daily;
        self.schedule("digest", &Located { value, at })
    }

    /// From whom and to whom: mail needs both, and nothing else has them.
    fn mail(&mut self, kind: ChannelKind, raw: &RawChannel) -> Option<MailConfig> {
        if kind != ChannelKind::Smtp {
            let from = raw.from.as_ref().map(|from| ("from", &from.at));
            let to = raw.to.as_ref().map(|to| ("to", &to.at));
            for (key, at) in from.into_iter().chain(to) {
                let message = format!("`{key}` means nothing for `{kind}`");
                let help = "Remove it; `kind = \"smtp\"` has it.";
                self.findings.at(at, message, help);
            }
            return None;
        }
        let from = raw.from.as_ref().and_then(|from| self.mailbox(from));
        let to = raw.to.iter().flat_map(|to| &to.value);
        let to: Vec<_> = to.filter_map(|one| self.mailbox(one)).collect();
        if let Some(named) = raw.to.as_ref().filter(|to| to.value.is_empty()) {
            let help = "Write who gets it: `to = [\"ops@example.net\"]`.";
            self.findings.at(&named.at, "`to` names nobody", help);
        }
        from.map(|from| MailConfig { from, to })
    }

    fn mailbox(&mut self, raw: &Located<String>) -> Option<Mailbox> {
        let mailbox = raw.value.parse::<Mailbox>();
        if mailbox.is_err() {
            let message = format!("`{}` is not a mail address", raw.value);
            let help = "Write `ops@example.net` or `Operators <ops@example.net>`.";
            self.findings.at(&raw.at, message, help);
        }
        mailbox.ok()
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
