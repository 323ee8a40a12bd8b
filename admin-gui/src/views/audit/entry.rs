//! All fields of the entry that is chosen.

use backup_model::AuditEntry;
use egui::{ScrollArea, Ui};

use super::Sight;
use crate::kit::{card::card, facts, tokens::space, words};

/// How high it is where there is room. What needs more scrolls.
const HIGH: f32 = 200.0;
const KEYS: f32 = 92.0;
/// The edges of a card.
const AROUND: f32 = 26.0;

/// How high it is where so much is left for the table and it.
pub(super) fn high(left: f32) -> f32 {
    HIGH.min((left * 0.45).round())
}

/// Draws them in two columns.
pub(super) fn show(ui: &mut Ui, sight: &Sight<'_>, entry: &AuditEntry, high: f32) {
    card(ui, "Chosen entry", |ui| {
        ScrollArea::vertical()
            .max_height(high - AROUND)
            .min_scrolled_height(high - AROUND)
            .auto_shrink([false, false])
            .show(ui, |ui| {
                ui.spacing_mut().item_spacing.x = space::XL;
                ui.columns_const(|[left, right]| {
                    facts(left, KEYS, |facts| {
                        facts.row("Entry", &words::count(entry.seq));
                        facts.row("Time", &words::both(entry.time, sight.zone));
                        facts.row("Actor", &words::one_line(&entry.actor));
                        facts.row("Action", &entry.action);
                        facts.row("Object", &words::one_line(&entry.object));
                    });
                    let given = |value: &Option<String>| match value {
                        Some(value) => words::one_line(value),
                        None => "none".to_owned(),
                    };
                    facts(right, KEYS, |facts| {
                        facts.row("Outcome", entry.outcome.as_str());
                        facts.row("Details", &given(&entry.details));
                        facts.mono("Source", &given(&entry.source));
                        facts.row("Client", &given(&entry.client));
                        facts.mono("Session", &given(&entry.session));
                        facts.mono("Before it", &entry.prev.to_string());
                    });
                });
            });
    });
}
