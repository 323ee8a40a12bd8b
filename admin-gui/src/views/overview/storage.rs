//! What each repository holds, as far as its snapshots and its file system tell.

use std::collections::BTreeSet;

use backup_model::{HealthItem, HealthReport, HealthState, SnapshotInfo, Span, StatusReport};
use backupd_api::ListedRun;
use egui::{Align2, Role, Sense, Ui, Vec2, WidgetInfo, pos2};
use jiff::{SignedDuration, Timestamp};

use super::{
    super::{
        Sight,
        growth::{Growth, by_repository, counted, is_space, left, number, repository_of},
    },
    side,
};
use crate::kit::{Sparkline, Text, Tokens, skeleton, sparkline, tokens::space, words};

/// The line goes back so far at most, in so many points.
const BACK: SignedDuration = SignedDuration::from_hours(90 * 24);
const POINTS: i32 = 30;
/// More are named by their number.
const MOST: usize = 4;
/// The height of the line.
const LINE: f32 = 26.0;

/// What is known of a repository.
#[derive(Clone, Debug, PartialEq)]
struct Stored<'a> {
    name: &'a str,
    snapshots: usize,
    /// What its snapshots use for sure: packs that only forgotten ones used are not known here.
    bytes: u64,
    /// The same at the points of the line, the oldest first.
    growth: Vec<Option<f32>>,
    space: Option<&'a HealthItem>,
}

/// Where the line begins: with the first snapshot of all, or as far back as it goes.
fn begin(listed: &[ListedRun], now: Timestamp) -> Timestamp {
    let first = listed.iter().flatten().map(|info| info.created).min();
    let furthest = now.checked_sub(BACK).unwrap_or(now);
    first.unwrap_or(now).clamp(furthest, now)
}

/// The repositories of all jobs.
fn names(report: &StatusReport) -> BTreeSet<&str> {
    let jobs = report.jobs.iter();
    jobs.map(|job| job.repository.as_str()).collect()
}

fn space<'a>(health: &'a HealthReport, name: &str) -> Option<&'a HealthItem> {
    let of = |item: &&HealthItem| is_space(item) && repository_of(item) == name;
    health.items.iter().find(of)
}

fn stored<'a>(
    name: &'a str,
    infos: &[&SnapshotInfo],
    space: Option<&'a HealthItem>,
    (begin, now): (Timestamp, Timestamp),
) -> Stored<'a> {
    let growth = Growth::of(infos);
    let step = now.duration_since(begin) / (POINTS - 1);
    let point = |point: i32| {
        let time = begin.checked_add(step * point);
        let time = if point + 1 == POINTS {
            now
        } else {
            time.unwrap_or(now)
        };
        growth.at(time).map(|bytes| bytes as f32)
    };
    Stored {
        name,
        snapshots: growth.snapshots,
        bytes: growth.bytes,
        growth: (0..POINTS).map(point).collect(),
        space,
    }
}

/// Draws the card.
pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, report: &StatusReport) {
    let state = sight.state;
    let listed = state.snapshots();
    let line = listed
        .value
        .map(|known| (begin(known, sight.now), sight.now));
    let covers = line.map(|(begin, now)| format!("last {}", Span(now.duration_since(begin))));
    let caption = side::age(sight, &listed).or(covers).unwrap_or_default();
    side::card(ui, "Storage", &caption, |ui| {
        let (Some(known), Some(line)) = (listed.value, line) else {
            match listed.failure {
                Some(failure) => side::untold(ui, sight, "Snapshots cannot be listed", failure),
                None => skeleton::rows(ui, 2, 40.0),
            }
            return;
        };
        let infos = by_repository(report, known);
        let names = names(report);
        for (at, name) in names.iter().take(MOST).enumerate() {
            if at > 0 {
                ui.add_space(space::XS);
            }
            let space = state.health().value.and_then(|health| space(health, name));
            let own = infos.get(name).map_or(&[][..], Vec::as_slice);
            repository(ui, &stored(name, own, space, line), sight.is_live());
        }
        if names.len() > MOST {
            side::quiet(ui, &format!("and {} more", names.len() - MOST));
        }
    });
}

fn repository(ui: &mut Ui, stored: &Stored<'_>, live: bool) {
    let tokens = Tokens::of(ui);
    let bytes = words::bytes(stored.bytes);
    if stored.snapshots == 0 && stored.space.is_none() {
        side::pair(ui, Text::Name, stored.name, "no snapshot");
        return;
    }
    side::pair(ui, Text::Name, stored.name, &format!("at least {bytes}"));
    ui.add_space(space::XS);
    let size = Vec2::new(ui.available_width(), LINE + 2.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let counted = counted(stored.snapshots);
    let left = stored
        .space
        .map(|space| left(space).unwrap_or_else(|| "room unknown".to_owned()));
    let side = left.as_ref().unwrap_or(&counted);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{counted}, {side}")));
    let free = stored.space.and_then(|space| number(space, "free_bytes"));
    let spark = Sparkline {
        name: &format!("{}, growth to {bytes}", stored.name),
        values: &stored.growth,
        limit: free.map(|free| stored.bytes.saturating_add(free) as f32),
        quiet: !live,
    };
    let line = egui::Rect::from_min_size(rect.min, Vec2::new(rect.width() / 2.0, LINE));
    let mut place = ui.new_child(egui::UiBuilder::new().max_rect(line));
    sparkline(&mut place, line.size(), &spark);
    let colour = match stored.space.map(|space| space.state) {
        Some(HealthState::Breached) if live => tokens.failed,
        Some(HealthState::AtRisk) if live => tokens.warn,
        _ => tokens.muted,
    };
    let at = pos2(rect.right(), rect.top() + LINE / 2.0);
    Text::Caption.write(ui, at, Align2::RIGHT_CENTER, side, colour);
    if let Some(space) = stored.space {
        response.on_hover_text(format!("{counted}; {}", space.evidence));
    }
}

#[cfg(test)]
mod tests;
