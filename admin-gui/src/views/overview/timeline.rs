//! The next run of each job within a day.

use backup_model::{JobStatus, StatusReport};
use egui::{Align2, Rect, Role, Sense, Ui, Vec2, WidgetInfo, pos2};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{super::Sight, side};
use crate::kit::{
    Text, Tokens,
    tokens::{line, space},
    words,
};

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Half an hour each.
const SLOTS: usize = 48;
/// Between two words at the foot.
const WORDS: i64 = 6;
/// So many are named.
const NAMED: usize = 3;
/// A bar, and how much higher it is for each further run.
const BAR: f32 = 2.0;
const HIGH: f32 = 22.0;
const STEP: f32 = 6.0;

/// The jobs that run within a day, the first one first. A pause is over when it ends.
fn runs<'a>(report: &'a StatusReport, from: Timestamp) -> Vec<(Timestamp, &'a JobStatus)> {
    let next = |job: &'a JobStatus| {
        let pause = job.protection.paused.as_ref();
        let next = match pause.filter(|pause| pause.holds(from)) {
            Some(pause) => job.next?.max(pause.until?),
            None => job.next?,
        };
        let within = from <= next && next < from.checked_add(DAY).ok()?;
        within.then_some((next, job))
    };
    let mut runs: Vec<_> = report.jobs.iter().filter_map(next).collect();
    // Stable: at the same time the worse one comes first.
    runs.sort_by_key(|(next, _)| *next);
    runs
}

/// How many begin in each half hour.
fn slots(times: impl Iterator<Item = Timestamp>, from: Timestamp) -> [u8; SLOTS] {
    let mut slots = [0_u8; SLOTS];
    for time in times {
        let share = time.duration_since(from).as_secs_f32() / DAY.as_secs_f32();
        let slot = (share * SLOTS as f32) as usize;
        if let Some(count) = slots.get_mut(slot) {
            *count = count.saturating_add(1);
        }
    }
    slots
}

/// The full hours at the foot: how far along each is, and what it is called. The day is named where
/// it begins.
fn hours(from: Timestamp, zone: &TimeZone) -> Vec<(f32, String)> {
    let today = zone.to_datetime(from).date();
    let mut named = today;
    let hour = |count: i64| {
        let then = from
            .checked_add(SignedDuration::from_hours(count * WORDS))
            .ok()?;
        let full = zone.to_datetime(then);
        let past = SignedDuration::from_mins(full.minute().into());
        let share = then.duration_since(from) - past;
        let form = if full.date() == named { "%H" } else { "%a %H" };
        named = full.date();
        Some((
            share.as_secs_f32() / DAY.as_secs_f32(),
            full.strftime(form).to_string(),
        ))
    };
    (1..=3).filter_map(hour).collect()
}

/// Draws the card.
pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, (report, at): (&StatusReport, Timestamp)) {
    let live = sight.is_live();
    let from = if live { sight.now } else { at };
    let runs = runs(report, from);
    side::card(ui, "Next 24 hours", "next of each job", |ui| {
        if runs.is_empty() {
            side::quiet(ui, "No job runs by a schedule within a day");
            return;
        }
        line(ui, &runs, (from, sight.zone), live);
        // Nobody knows whether these will be the next while nobody answers.
        if !live {
            return;
        }
        ui.add_space(2.0);
        for (next, job) in runs.iter().take(NAMED) {
            let time = words::moment(*next, sight.now, sight.zone);
            side::pair(ui, Text::Caption, job.protection.job.as_str(), &time);
        }
    });
}

fn line(
    ui: &mut Ui,
    runs: &[(Timestamp, &JobStatus)],
    (from, zone): (Timestamp, &TimeZone),
    live: bool,
) {
    let tokens = Tokens::of(ui);
    let size = Vec2::new(ui.available_width(), HIGH + space::XS + Text::Axis.line());
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let name = match runs.len() {
        1 => "1 job runs within a day".to_owned(),
        more => format!("{more} jobs run within a day"),
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
    let foot = rect.top() + HIGH;
    let colour = if live { tokens.accent } else { tokens.muted };
    let painter = ui.painter();
    let base = Rect::from_x_y_ranges(rect.x_range(), foot..=foot + line::BORDER);
    painter.rect_filled(base, 0, tokens.border);
    let slots = slots(runs.iter().map(|(next, _)| *next), from);
    for (slot, count) in slots
        .into_iter()
        .enumerate()
        .filter(|(_, count)| *count > 0)
    {
        let left = (rect.left() + rect.width() * slot as f32 / SLOTS as f32).round();
        let high = (6.0 + STEP * f32::from(count)).min(HIGH);
        let bar = Rect::from_x_y_ranges(left..=left + BAR, foot - high..=foot);
        painter.rect_filled(bar, 0, colour);
    }
    let y = foot + space::XS + Text::Axis.line() / 2.0;
    let first = if live {
        "Now".to_owned()
    } else {
        zone.to_datetime(from).strftime("%H:%M").to_string()
    };
    let at = pos2(rect.left(), y);
    Text::Axis.write(ui, at, Align2::LEFT_CENTER, &first, tokens.muted);
    for (share, word) in hours(from, zone) {
        let at = pos2(rect.left() + rect.width() * share, y);
        Text::Axis.write(ui, at, Align2::CENTER_CENTER, &word, tokens.muted);
    }
    let last = zone.to_datetime(from).strftime("%H").to_string();
    let at = pos2(rect.right(), y);
    Text::Axis.write(ui, at, Align2::RIGHT_CENTER, &last, tokens.muted);
}

#[cfg(test)]
mod tests;
