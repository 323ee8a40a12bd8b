//! What stands in the cells of a job.

use backup_model::{JobStatus, ProtectionReason, Proven, Span};
use egui::{Align, Align2, Layout, Role, Sense, Ui, Vec2, WidgetInfo};

use super::{
    super::strip::{Limit, days},
    JobRows,
    next::next,
};
use crate::kit::{
    Badge, Day, DayStrip, Mark, RpoBar, Sparkline, Text, Tokens,
    badge::running_line,
    sparkline,
    table::{lines, words as one_line},
    words,
};

/// So many of the last snapshots make the line of what they added.
const LAST: usize = 20;

impl JobRows<'_, '_> {
    pub(super) fn job(&self, row: usize) -> &JobStatus {
        self.jobs[row].job
    }

    pub(super) fn state(&self, ui: &mut Ui, row: usize) {
        let shown = &self.jobs[row];
        let protection = &shown.job.protection;
        let badge = Badge::new(Mark::from(shown.state), shown.state.as_str());
        let running = protection.running.filter(|_| self.sight.is_live());
        let paused = protection.paused.as_ref();
        let paused = paused.is_some_and(|pause| pause.holds(self.sight.now));
        if running.is_none() && shown.was.is_none() && !paused {
            ui.add(badge);
            return;
        }
        ui.with_layout(Layout::top_down(Align::Min), |ui| {
            ui.add_space(4.0);
            ui.spacing_mut().item_spacing.y = 1.0;
            ui.add(badge);
            if let Some(running) = running {
                let words = running_words(running.percent);
                let done = running.percent.map(|percent| f32::from(percent) / 100.0);
                running_line(ui, done, &words);
            } else if let Some(was) = shown.was {
                let was = format!("was {}", was.as_str().to_lowercase());
                one_line(ui, Text::Caption, &was, Tokens::of(ui).muted);
            } else {
                paused_line(ui);
            }
        });
    }

    pub(super) fn good(&self, ui: &mut Ui, row: usize) {
        let tokens = Tokens::of(ui);
        let protection = &self.job(row).protection;
        let Some(good) = &protection.last_good else {
            one_line(ui, Text::Caption, "no snapshot yet", tokens.muted);
            return;
        };
        let age = self.sight.when(good.created);
        let Some(limit) = protection.rpo else {
            lines(
                ui,
                (Text::Body, &age, tokens.text),
                ("no limit", tokens.muted),
            );
            return;
        };
        let live = self.sight.is_live();
        let known = if live { self.sight.now } else { self.at };
        let used = known.duration_since(good.created).as_secs_f32() / limit.as_secs_f32().max(1.0);
        let limit = Span(limit).to_string();
        ui.add(RpoBar::new(used, &age, &limit).stale(!live))
            .on_hover_text(words::both(good.created, self.sight.zone));
    }

    pub(super) fn next(&self, ui: &mut Ui, row: usize) {
        let tokens = Tokens::of(ui);
        let (first, second) = next(self.job(row), self.sight.now, self.sight.zone);
        let colour = self.colour(tokens);
        let cell = lines(ui, (Text::Body, &first, colour), (&second, tokens.muted));
        if let Some(pause) = &self.job(row).protection.paused {
            let since = words::both(pause.at, self.sight.zone);
            cell.on_hover_text(format!("Paused by {} at {since}", pause.who));
        } else if let Some(next) = self.job(row).next {
            cell.on_hover_text(words::both(next, self.sight.zone));
        }
    }

    pub(super) fn days(&self, ui: &mut Ui, row: usize) {
        let protection = &self.job(row).protection;
        let dues = self.sight.state.dues(&protection.job);
        let limit = Limit {
            rpo: protection.rpo,
            good: protection.last_good.as_ref().map(|good| good.created),
        };
        let failed = dues.failure.is_some();
        match (dues.value, dues.failure) {
            (Some(dues), _) => {
                let known = if self.sight.is_live() {
                    self.sight.now
                } else {
                    self.at
                };
                let days = days(dues, limit, known, self.sight.zone);
                ui.add(DayStrip::new(&days).stale(!self.sight.is_live() || failed));
            }
            (None, Some(failure)) => {
                let days = DayStrip::new(&[Day::NoData; 30]);
                ui.add(days).on_hover_text(failure.to_string());
            }
            (None, None) => {
                one_line(ui, Text::Caption, "…", Tokens::of(ui).muted);
            }
        }
    }

    pub(super) fn verified(&self, ui: &mut Ui, row: usize) {
        let tokens = Tokens::of(ui);
        let job = self.job(row);
        let Some(proven) = job.proven else {
            one_line(ui, Text::Body, "never", tokens.muted);
            return;
        };
        let (level, age) = self.proof(proven);
        let overdue = self.sight.is_live() && is_overdue(job);
        let second = if overdue { tokens.warn } else { tokens.muted };
        lines(ui, (Text::Body, level, self.colour(tokens)), (&age, second))
            .on_hover_text(words::both(proven.at, self.sight.zone));
    }

    pub(super) fn proof(&self, proven: Proven) -> (&'static str, String) {
        let level = match proven.level {
            backup_model::Level::Storage => "Storage",
            backup_model::Level::Data => "Data",
            other => other.as_str(),
        };
        let age = if self.sight.is_live() {
            self.sight.when(proven.at)
        } else {
            let day = self.sight.zone.to_datetime(proven.at);
            day.strftime("%-d %b").to_string()
        };
        (level, age)
    }

    pub(super) fn added(&self, ui: &mut Ui, row: usize) {
        let tokens = Tokens::of(ui);
        let Some((last, values)) = self.last_added(row) else {
            let listed = self.sight.state.snapshots();
            let words = match (listed.value, listed.failure) {
                (Some(_), _) => "none",
                (None, Some(_)) => "unknown",
                (None, None) => "…",
            };
            one_line(ui, Text::Caption, words, tokens.muted);
            return;
        };
        let colour = self.colour(tokens);
        ui.with_layout(Layout::top_down(Align::Max), |ui| {
            ui.add_space(6.0);
            ui.spacing_mut().item_spacing.y = 2.0;
            one_line(ui, Text::Caption, &last, colour);
            let spark = Sparkline {
                name: &format!(
                    "the last {} snapshots, the newest added {last}",
                    values.len()
                ),
                values: &values,
                limit: None,
                quiet: true,
            };
            sparkline(ui, Vec2::new(54.0, 12.0), &spark);
        });
    }

    /// What the last snapshot added, and each of those before it.
    pub(super) fn last_added(&self, row: usize) -> Option<(String, Vec<Option<f32>>)> {
        let all = self.snapshots.get(&self.job(row).protection.job)?;
        let last = &all[all.len().saturating_sub(LAST)..];
        let values = last.iter().map(|info| Some(info.added_bytes as f32));
        Some((words::bytes(last.last()?.added_bytes), values.collect()))
    }

    pub(super) fn colour(&self, tokens: &Tokens) -> egui::Color32 {
        if self.sight.is_live() {
            tokens.text
        } else {
            tokens.muted
        }
    }
}

fn running_words(percent: Option<u8>) -> String {
    match percent {
        Some(percent) => format!("Running {percent} %"),
        None => "Running".to_owned(),
    }
}

fn is_overdue(job: &JobStatus) -> bool {
    let overdue =
        |one: &ProtectionReason| matches!(one, ProtectionReason::VerificationOverdue { .. });
    job.protection.reasons.iter().any(overdue)
}

/// That it is paused, on the line under a badge: as what runs, with another mark.
fn paused_line(ui: &mut Ui) {
    let tokens = Tokens::of(ui);
    let size = Vec2::new(ui.available_width(), Text::Caption.line());
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, "Paused"));
    let at = rect.left_center() + Vec2::new(11.0, 0.0);
    Mark::Paused.paint(ui.painter(), at, 10.0, tokens.muted, tokens.panel);
    let at = rect.left_center() + Vec2::new(22.0, 0.0);
    Text::Caption.write(ui, at, Align2::LEFT_CENTER, "Paused", tokens.muted);
}
