//! Whether everything could be got back: kits, keys, and what was verified.

use backup_model::{
    HealthItem, HealthReport, HealthState, JobStatus, ProtectionReason, StatusReport,
};
use egui::{Align2, Role, Sense, Ui, Vec2, WidgetInfo, pos2};
use jiff::Timestamp;

use super::{
    super::{Sight, growth::repository_of},
    side,
};
use crate::kit::{Mark, Text, Tokens, skeleton, tokens::space};

const KIT: &str = "recovery-kit";
const KEYS: &str = "administrators";
/// A fact: its name 18 high, its caption 16; and the air between two.
const FACT: f32 = 34.0;

/// One thing that a recovery needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    mark: Mark,
    name: &'static str,
    side: String,
    note: String,
}

/// What is known of them; `when` says a time as it is shown.
pub(super) fn facts(
    report: &StatusReport,
    health: &HealthReport,
    when: impl Fn(Timestamp) -> String,
) -> Vec<Fact> {
    let mut facts = vec![
        verified(&report.jobs, when),
        of_items(health, KIT, "Recovery kits"),
    ];
    // Older daemons do not tell of them.
    if health.items.iter().any(|item| item.id == KEYS) {
        facts.push(of_items(health, KEYS, "Administrators"));
    }
    facts.retain(|fact| !(fact.name == VERIFIED && report.jobs.is_empty()));
    facts
}

const VERIFIED: &str = "Verified";

fn of_items(health: &HealthReport, id: &str, name: &'static str) -> Fact {
    let items: Vec<&HealthItem> = health.items.iter().filter(|item| item.id == id).collect();
    let worst = items.iter().max_by_key(|item| item.state);
    let good = items.iter().filter(|item| item.state == HealthState::Ok);
    let (mark, note) = match worst {
        None => (Mark::Unknown, "nothing was told of any".to_owned()),
        Some(item) => {
            let mark = match item.state {
                HealthState::Ok => Mark::Ok,
                HealthState::AtRisk => Mark::Warn,
                HealthState::Unknown => Mark::Unknown,
                HealthState::Breached => Mark::Failed,
            };
            let note = match items.len() {
                1 => item.evidence.clone(),
                _ => format!("{}: {}", repository_of(item), item.evidence),
            };
            (mark, note)
        }
    };
    let side = format!("{} of {}", good.count(), items.len());
    Fact {
        mark,
        name,
        side: if items.is_empty() {
            String::new()
        } else {
            side
        },
        note,
    }
}

fn verified(jobs: &[JobStatus], when: impl Fn(Timestamp) -> String) -> Fact {
    let overdue = |job: &&JobStatus| {
        let reasons = &job.protection.reasons;
        reasons.iter().any(|one| {
            matches!(
                one,
                ProtectionReason::VerificationOverdue { .. } | ProtectionReason::Damaged { .. }
            )
        })
    };
    let never = jobs.iter().filter(|job| job.proven.is_none());
    let never: Vec<&JobStatus> = never.collect();
    let longest = jobs
        .iter()
        .filter_map(|job| Some((job.proven?, job)))
        .min_by_key(|(proven, _)| proven.at);
    let note = match (never.as_slice(), longest) {
        ([job], _) => format!("{} never was", job.protection.job),
        ([job, others @ ..], _) => {
            format!(
                "{} and {} more never were",
                job.protection.job,
                others.len()
            )
        }
        ([], Some((proven, job))) => {
            format!("oldest {}, {}", job.protection.job, when(proven.at))
        }
        ([], None) => String::new(),
    };
    let mark = if jobs.iter().any(|job| overdue(&job)) {
        Mark::Warn
    } else if never.is_empty() {
        Mark::Ok
    } else {
        Mark::Unknown
    };
    Fact {
        mark,
        name: VERIFIED,
        side: format!("{} of {} jobs", jobs.len() - never.len(), jobs.len()),
        note,
    }
}

/// Draws the card.
pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, report: &StatusReport) {
    let health = sight.state.health();
    let caption = side::age(sight, &health).unwrap_or_default();
    side::card(ui, "Recovery readiness", &caption, |ui| {
        let Some(known) = health.value else {
            match health.failure {
                Some(failure) => side::untold(ui, sight, "Health cannot be told", failure),
                None => skeleton::rows(ui, 2, FACT + space::S),
            }
            return;
        };
        let facts = facts(report, known, |at| sight.when(at));
        for (at, fact) in facts.iter().enumerate() {
            if at > 0 {
                ui.add_space(space::S);
            }
            draw(ui, fact, sight.is_live());
        }
    });
}

fn draw(ui: &mut Ui, fact: &Fact, live: bool) {
    let tokens = Tokens::of(ui);
    let size = Vec2::new(ui.available_width(), FACT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let words = format!("{} {}, {}", fact.name, fact.side, fact.note);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &words));
    let mark = if live { fact.mark } else { Mark::Unknown };
    let y = rect.top() + 9.0;
    let at = pos2(rect.left() + 7.0, y);
    mark.paint(ui.painter(), at, 14.0, mark.colour(tokens), tokens.panel);
    let at = pos2(rect.right(), y);
    let side = Text::Caption.write(ui, at, Align2::RIGHT_CENTER, &fact.side, tokens.muted);
    let at = pos2(rect.left() + 22.0, y);
    let colour = if live { tokens.text } else { tokens.muted };
    let room = side.left() - 8.0 - at.x;
    Text::Body.write_within(ui, at, Align2::LEFT_CENTER, fact.name, colour, room);
    let at = pos2(at.x, y + 17.0);
    let room = rect.right() - at.x;
    Text::Caption.write_within(ui, at, Align2::LEFT_CENTER, &fact.note, tokens.muted, room);
    response.on_hover_text(&fact.note);
}

#[cfg(test)]
mod tests;
