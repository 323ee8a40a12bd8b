//! What was looked at, as it is shown: items and channels together, the worst first.

use std::{cmp::Reverse, collections::BTreeMap};

use backup_model::{ChannelState, HealthItem, HealthState, JobName};

use super::Sight;
use crate::kit::{Mark, words};

/// What a row is, however it stands: what was looked at, of which object, and which one of those
/// with the same words.
pub(super) type Key = (String, String, usize);

/// How the daemon calls what it says of channels.
const CHANNEL: &str = "notification";

/// An item as it is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'a> {
    pub(super) item: &'a HealthItem,
    /// The channel that it is about.
    pub(super) channel: Option<&'a ChannelState>,
    /// So many with the same words stand before it.
    before: usize,
}

/// All items, the worst first.
pub(super) fn shown<'a>(sight: &Sight<'a>) -> Vec<Shown<'a>> {
    let channels = sight.state.channels().value;
    let report = sight.state.health().value;
    let items = report.into_iter().flat_map(|report| &report.items);
    let mut met: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut shown: Vec<_> = items
        .map(|item| {
            let of = |channel: &&ChannelState| item.id == CHANNEL && channel.name == item.object;
            let met = met.entry((&item.id, &item.object)).or_default();
            *met += 1;
            Shown {
                item,
                before: *met - 1,
                channel: channels.and_then(|channels| channels.iter().find(of)),
            }
        })
        .collect();
    // Stable: the daemon's own order is kept among equals.
    shown.sort_by_key(|shown| Reverse(shown.item.state));
    shown
}

impl Shown<'_> {
    pub(super) fn key(&self) -> Key {
        (self.item.id.clone(), self.item.object.clone(), self.before)
    }

    /// How it stands, as far as that is known now.
    pub(super) fn state(&self, sight: &Sight<'_>) -> HealthState {
        if sight.is_live() {
            self.item.state
        } else {
            HealthState::Unknown
        }
    }

    /// Whether it takes a row of its full height.
    pub(super) fn is_bad(&self) -> bool {
        self.item.state != HealthState::Ok
    }

    /// What was looked at, in words.
    pub(super) fn what(&self) -> String {
        what(&self.item.id)
    }

    /// Of what, in one line.
    pub(super) fn object(&self) -> String {
        words::one_line(&self.item.object)
    }

    /// What was seen, in one line.
    pub(super) fn evidence(&self, sight: &Sight<'_>) -> String {
        let seen = match self.channel {
            // What the item says of it is an age, and grows old.
            Some(channel) if !self.is_bad() => delivered(channel, sight),
            _ => self.item.evidence.clone(),
        };
        if sight.is_live() {
            seen
        } else {
            format!("was {}: {seen}", word(self.item.state))
        }
    }

    /// The job that it is about.
    pub(super) fn job(&self) -> Option<JobName> {
        let name = self.item.object.strip_prefix("job ")?;
        name.parse().ok()
    }

    /// Whether somebody who types this means it.
    pub(super) fn matches(&self, sight: &Sight<'_>, filter: &str) -> bool {
        let filter = filter.trim().to_lowercase();
        let texts = [
            self.what(),
            self.item.id.clone(),
            self.item.object.clone(),
            self.evidence(sight),
            word(self.state(sight)).to_owned(),
        ];
        texts
            .iter()
            .any(|text| text.to_lowercase().contains(&filter))
    }
}

fn delivered(channel: &ChannelState, sight: &Sight<'_>) -> String {
    let last = channel.last_delivered.map_or_else(
        || "nothing delivered yet".to_owned(),
        |at| format!("last delivered {}", sight.when(at)),
    );
    format!("{last}, by {}", channel.kind)
}

/// The word for a state, in the middle of a sentence.
pub(super) const fn word(state: HealthState) -> &'static str {
    match state {
        HealthState::Ok => "fine",
        HealthState::AtRisk => "at risk",
        HealthState::Unknown => "unknown",
        HealthState::Breached => "breached",
    }
}

pub(super) const fn mark(state: HealthState) -> Mark {
    match state {
        HealthState::Ok => Mark::Ok,
        HealthState::AtRisk => Mark::Warn,
        HealthState::Unknown => Mark::Unknown,
        HealthState::Breached => Mark::Failed,
    }
}

/// A stable word such as `server-tls` as people write it: `Server TLS`.
pub(super) fn what(id: &str) -> String {
    let spell = |word: &str| match word {
        "tls" | "scram" | "api" => word.to_uppercase(),
        _ => word.to_owned(),
    };
    let words: Vec<String> = id.split('-').map(spell).collect();
    let mut letters = words.join(" ");
    if let Some(first) = letters.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    letters
}

/// A number that was measured, with its name, as its unit wants it.
pub(super) fn number(name: &str, number: i64) -> (String, String) {
    let whole = u64::try_from(number).ok();
    match (name.rsplit_once('_'), whole) {
        (Some((name, "bytes")), Some(bytes)) => (what_of(name), words::bytes(bytes)),
        (Some((name, "secs")), _) => {
            let span = jiff::SignedDuration::from_secs(number);
            (what_of(name), words::took(span))
        }
        (Some((name, "ms")), _) => (what_of(name), format!("{number} ms")),
        (Some((name, "us")), _) => (what_of(name), format!("{:.1} ms", number as f64 / 1000.0)),
        (Some((name, "days")), Some(days)) => (what_of(name), format!("{} d", words::count(days))),
        (_, Some(whole)) => (what_of(name), words::count(whole)),
        (_, None) => (what_of(name), number.to_string()),
    }
}

fn what_of(name: &str) -> String {
    what(&name.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stable_words_are_spelled_for_people() {
        assert_eq!(what("server-tls"), "Server TLS");
        assert_eq!(what("repository-space"), "Repository space");
        assert_eq!(what(""), "");
        assert_eq!(what("äh"), "äh");
    }

    #[test]
    fn numbers_have_the_unit_that_their_name_ends_in() {
        let said = |name, value| {
            let (name, value) = number(name, value);
            format!("{name} {value}")
        };
        assert_eq!(said("free_bytes", 1 << 30), "Free 1 GiB");
        assert_eq!(said("age_secs", 65), "Age 1 min 05 s");
        assert_eq!(said("latency_ms", 84), "Latency 84 ms");
        assert_eq!(said("p95_us", 84_260), "P95 84.3 ms");
        assert_eq!(said("left_days", 19), "Left 19 d");
        assert_eq!(said("unreadable", 3), "Unreadable 3");
        assert_eq!(said("off_bytes", -1), "Off bytes -1");
    }
}
