//! What is configured for a job. The server's configuration says it; here it is read only.

use egui::{ScrollArea, Ui};

use super::Sight;
use crate::{
    kit::{
        Text, Tokens, card, facts, skeleton,
        tokens::{height, space},
    },
    state::ShownJob,
    views::trouble,
};

const KEYS: f32 = 150.0;

pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, shown: &ShownJob<'_>) {
    let told = sight.state.configuration();
    if trouble::instead(ui, sight, &told, "The configuration cannot be shown") {
        return;
    }
    let Some(configuration) = told.value else {
        skeleton::rows(ui, 4, height::ROW_COMPACT);
        return;
    };
    let name = &shown.job.protection.job;
    let Some(job) = configuration.jobs.iter().find(|job| job.name == *name) else {
        return;
    };
    ScrollArea::vertical().show(ui, |ui| {
        card::section_head(ui, "Contents", "");
        ui.add_space(space::S);
        for source in &job.sources {
            facts(ui, KEYS, |facts| {
                facts.row(&source.name, &source.kind);
                for read in &source.reads {
                    facts.mono("", read);
                }
            });
            ui.add_space(space::S);
        }
        ui.add_space(space::M);
        card::section_head(ui, "Stored", "");
        ui.add_space(space::S);
        facts(ui, KEYS, |facts| {
            facts.row("Repository", &job.repository);
            if let Some(limit) = job.limit_secs {
                facts.row("A run may take", &span(limit));
            }
        });
        ui.add_space(space::L);
        let muted = Tokens::of(ui).muted;
        let words = "The server's configuration says so; change it there";
        ui.label(Text::Caption.rich(words, muted));
    });
}

/// Seconds as people say them.
pub(super) fn span(secs: u64) -> String {
    let secs = i64::try_from(secs).unwrap_or(i64::MAX);
    backup_model::Span(jiff::SignedDuration::from_secs(secs)).to_string()
}
