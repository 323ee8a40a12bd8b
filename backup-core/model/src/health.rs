//! How the house stands in which the jobs live: what was measured of each thing, and what to do
//! about what is not as it should be. The same for command line, API, windows and metrics.
//!
//! What could not be measured is [`HealthState::Unknown`] and nothing else: a check whose target
//! is gone must never look like one that passed. How things are measured is not known here.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How a thing stands. Ordered: what is worse is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum HealthState {
    /// It was measured, and is as it should be.
    Ok,
    /// Somebody should do something before it is too late.
    AtRisk,
    /// It could not be measured.
    Unknown,
    /// It is not as it must be.
    Breached,
}

impl HealthState {
    /// Every one, the worst first.
    pub const ALL: [Self; 4] = [Self::Breached, Self::Unknown, Self::AtRisk, Self::Ok];

    /// The word for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::AtRisk => "At risk",
            Self::Unknown => "Unknown",
            Self::Breached => "Breached",
        }
    }
}

impl fmt::Display for HealthState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HealthItem {
    /// What was looked at: a stable word such as `repository-space`.
    pub id: String,
    /// Of which repository, job, server, file: `repository main`.
    pub object: String,
    /// How it stands.
    pub state: HealthState,
    /// What was measured, in one line.
    pub evidence: String,
    /// What to do next, in one line; none where nothing is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// What was measured, for programs: names end in their unit, as in `free_bytes`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub numbers: BTreeMap<String, i64>,
}

impl HealthItem {
    fn new(
        id: &str,
        object: &str,
        state: HealthState,
        evidence: impl Into<String>,
        fix: Option<String>,
    ) -> Self {
        Self {
            id: id.to_owned(),
            object: object.to_owned(),
            state,
            evidence: one_line(&evidence.into()),
            fix,
            numbers: BTreeMap::new(),
        }
    }

    /// It is as it should be.
    pub fn ok(id: &str, object: &str, evidence: impl Into<String>) -> Self {
        Self::new(id, object, HealthState::Ok, evidence, None)
    }

    /// Somebody should do something.
    pub fn at_risk(
        id: &str,
        object: &str,
        evidence: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        let fix = Some(fix.into());
        Self::new(id, object, HealthState::AtRisk, evidence, fix)
    }

    /// It is not as it must be.
    pub fn breached(
        id: &str,
        object: &str,
        evidence: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        let fix = Some(fix.into());
        Self::new(id, object, HealthState::Breached, evidence, fix)
    }

    /// It could not be measured, since.
    pub fn unknown(id: &str, object: &str, why: impl fmt::Display, fix: impl Into<String>) -> Self {
        let evidence = format!("could not be measured: {why}");
        let fix = Some(fix.into());
        Self::new(id, object, HealthState::Unknown, evidence, fix)
    }

    /// The same, with a number for programs.
    #[must_use]
    pub fn with(mut self, name: &str, number: impl TryInto<i64>) -> Self {
        let number = number.try_into().unwrap_or(i64::MAX);
        self.numbers.insert(name.to_owned(), number);
        self
    }
}

/// What others say may have many lines, and steer terminals.
fn one_line(text: &str) -> String {
    let words = text.split(|letter: char| letter.is_control() || letter == ' ');
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Everything that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HealthReport {
    /// When.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub at: Timestamp,
    /// The items, those of one object together; the worst object and the worst item first.
    pub items: Vec<HealthItem>,
}

impl HealthReport {
    /// A report of these.
    pub fn new(at: Timestamp, mut items: Vec<HealthItem>) -> Self {
        let mut worst: BTreeMap<String, HealthState> = BTreeMap::new();
        for item in &items {
            let state = worst.entry(item.object.clone()).or_insert(item.state);
            *state = (*state).max(item.state);
        }
        let place = |item: &HealthItem| {
            let of_object = worst.get(&item.object).copied();
            (std::cmp::Reverse(of_object), item.object.clone())
        };
        // Stable: among equals the order is that in which things were looked at.
        items.sort_by_key(|item| (place(item), std::cmp::Reverse(item.state)));
        Self { at, items }
    }

    /// The worst of all states. Of nothing at all nothing is known.
    pub fn worst(&self) -> HealthState {
        let states = self.items.iter().map(|item| item.state);
        states.max().unwrap_or(HealthState::Unknown)
    }

    /// How many items are in a state.
    pub fn count(&self, state: HealthState) -> usize {
        let items = self.items.iter();
        items.filter(|item| item.state == state).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(items: Vec<HealthItem>) -> HealthReport {
        HealthReport::new(Timestamp::UNIX_EPOCH, items)
    }

    #[test]
    fn the_worst_comes_first_and_decides() {
        let items = vec![
            HealthItem::ok("clock", "host", "fine"),
            HealthItem::ok("kit", "repository b", "fine"),
            HealthItem::at_risk("space", "repository a", "little", "Make room."),
            HealthItem::unknown("reachable", "repository b", "gone", "Look."),
            HealthItem::breached("reachable", "database", "refused", "Start it."),
        ];
        let report = report(items);
        let order: Vec<_> = report
            .items
            .iter()
            .map(|item| item.object.as_str())
            .collect();
        let b = "repository b";
        assert_eq!(order, ["database", b, b, "repository a", "host"]);
        assert_eq!(report.items[1].id, "reachable");
        assert_eq!(report.worst(), HealthState::Breached);
        assert_eq!(report.count(HealthState::Ok), 2);
    }

    #[test]
    fn nothing_measured_is_never_fine() {
        assert_eq!(report(Vec::new()).worst(), HealthState::Unknown);
        let item = HealthItem::unknown("clock", "host", "no timedatectl", "Look.");
        assert_eq!(item.evidence, "could not be measured: no timedatectl");
        assert_eq!(report(vec![item]).worst(), HealthState::Unknown);
        let states = HealthState::ALL;
        assert!(states.is_sorted_by(|worse, better| worse > better));
    }

    #[test]
    fn words_of_others_are_one_line_and_numbers_survive_json() {
        let item = HealthItem::ok("space", "x", "a\nb\u{1b}[31m  c").with("free_bytes", u64::MAX);
        assert_eq!(item.evidence, "a b [31m c");
        let json = serde_json::to_string(&item).unwrap();
        assert!(json.contains(r#""state":"ok""#), "{json}");
        assert!(
            json.contains(r#""free_bytes":9223372036854775807"#),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<HealthItem>(&json).unwrap(), item);
    }
}
