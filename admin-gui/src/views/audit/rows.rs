//! The entries as rows of a table.

use backup_model::{AuditEntry, AuditOutcome};
use egui::{Color32, Ui};
use jiff::{Timestamp, tz::TimeZone};

use super::Sight;
use crate::kit::{
    Mark, Text, Tokens,
    table::{Column, Rows, Width, words},
    tokens::space,
    words as say,
};

const COLUMNS: usize = 7;
/// The least that the table needs with all that is between its columns.
const LEAST: f32 = 790.0;

/// Seven columns in so much room. What is left over goes where names are.
pub(super) fn columns(width: f32) -> [Column<'static>; COLUMNS] {
    let spare = (width - LEAST).max(0.0) / 6.0;
    let wide = |least: f32| Width::Fixed(least + spare.round());
    [
        Column::new("Time", Width::Fixed(106.0)),
        Column::new("Actor", wide(108.0)),
        Column::new("Action", wide(100.0)),
        Column::new("Object", wide(112.0)),
        Column::new("Outcome", Width::Fixed(78.0)),
        Column::new("Source", Width::Fixed(116.0)),
        Column::new("Details", Width::Rest(68.0)),
    ]
}

/// Those entries that are meant.
pub(super) struct Entries<'a> {
    meant: Vec<&'a AuditEntry>,
    now: Timestamp,
    zone: &'a TimeZone,
    live: bool,
    /// The lowest row that was drawn.
    pub(super) lowest: usize,
}

impl<'a> Entries<'a> {
    pub(super) fn new(sight: &Sight<'a>, filter: &str) -> Self {
        let filter = filter.trim().to_lowercase();
        let all = sight.state.trail().entries().iter();
        let (now, zone) = (sight.now, sight.zone);
        let meant = all.filter(|entry| {
            filter.is_empty()
                || (0..COLUMNS).any(|column| {
                    text(entry, column, now, zone)
                        .to_lowercase()
                        .contains(&filter)
                })
        });
        Self {
            meant: meant.collect(),
            now,
            zone,
            live: sight.is_live(),
            lowest: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.meant.len()
    }

    /// Whether this entry is among them.
    pub(super) fn has(&self, seq: u64) -> bool {
        // The newest first.
        self.meant
            .binary_search_by(|entry| seq.cmp(&entry.seq))
            .is_ok()
    }
}

impl Rows for Entries<'_> {
    type Key = u64;

    fn count(&self) -> usize {
        self.meant.len()
    }

    fn key(&self, row: usize) -> u64 {
        self.meant[row].seq
    }

    fn name(&self, row: usize) -> String {
        let parts = (0..COLUMNS).map(|column| self.text(row, column));
        let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
        parts.join(", ")
    }

    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize) {
        self.lowest = self.lowest.max(row);
        let tokens = Tokens::of(ui);
        let entry = self.meant[row];
        let said = self.text(row, column);
        let bad = self.live && is_bad(entry.outcome);
        let plain = if self.live { tokens.text } else { tokens.muted };
        let (text, colour) = match column {
            0 => {
                let time = words(ui, Text::Caption, &said, tokens.muted);
                time.on_hover_text(say::both(entry.time, self.zone));
                return;
            }
            4 => return outcome(ui, entry.outcome, self.live, plain),
            1..=3 => (Text::Body, plain),
            6 if bad => (Text::Caption, plain),
            _ => (Text::Caption, tokens.muted),
        };
        words(ui, text, &said, colour);
    }

    fn text(&self, row: usize, column: usize) -> String {
        text(self.meant[row], column, self.now, self.zone)
    }
}

/// A cell in words.
fn text(entry: &AuditEntry, column: usize, now: Timestamp, zone: &TimeZone) -> String {
    match column {
        0 => time(entry.time, now, zone),
        1 => say::one_line(&entry.actor),
        2 => say::one_line(&entry.action),
        3 => say::one_line(&entry.object),
        4 => entry.outcome.to_string(),
        5 => say::one_line(entry.source.as_deref().unwrap_or_default()),
        _ => say::one_line(entry.details.as_deref().unwrap_or_default()),
    }
}

/// To the second: entries of one minute are told apart.
fn time(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (at, today) = (zone.to_datetime(at), zone.to_datetime(now));
    let form = if at.year() == today.year() {
        "%-d %b %H:%M:%S"
    } else {
        "%Y-%m-%d %H:%M"
    };
    at.strftime(form).to_string()
}

pub(super) const fn is_bad(outcome: AuditOutcome) -> bool {
    matches!(outcome, AuditOutcome::Failed | AuditOutcome::Refused)
}

/// Only what went wrong has a shape: most of a log is fine.
fn outcome(ui: &mut Ui, outcome: AuditOutcome, live: bool, plain: Color32) {
    let tokens = Tokens::of(ui);
    ui.spacing_mut().item_spacing.x = space::XS;
    let mark = match outcome {
        AuditOutcome::Failed => Some(Mark::Failed),
        AuditOutcome::Refused => Some(Mark::Warn),
        AuditOutcome::Began | AuditOutcome::Done => None,
    };
    if let Some(mark) = mark {
        let centre = ui.allocate_exact_size(egui::Vec2::splat(14.0), egui::Sense::hover());
        let colour = if live {
            mark.colour(tokens)
        } else {
            tokens.unknown
        };
        mark.paint(ui.painter(), centre.0.center(), 14.0, colour, tokens.panel);
    }
    let colour = if mark.is_some() { plain } else { tokens.muted };
    words(ui, Text::Body, outcome.as_str(), colour);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_another_year_says_which() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-01-02T10:00:00Z");
        let said = |text| time(at(text), now, &TimeZone::UTC);
        assert_eq!(said("2026-01-01T09:08:07Z"), "1 Jan 09:08:07");
        assert_eq!(said("2025-12-31T09:08:07Z"), "2025-12-31 09:08");
    }
}
