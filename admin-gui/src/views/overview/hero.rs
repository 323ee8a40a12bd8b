//! The one sentence that says how everything stands, and how many jobs stand how.

use backup_model::{JobStatus, ProtectionState, Span, StatusReport};
use egui::{Align, Align2, Layout, Rect, Role, Sense, Ui, UiBuilder, Vec2, WidgetInfo};
use jiff::Timestamp;

use super::super::Sight;
use crate::{
    kit::{Badge, Mark, Text, Tokens, tokens::space, words},
    state::{Connection, ShownJob},
};

/// What is said: in large letters, and what explains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) head: String,
    pub(super) sentence: String,
}

/// What is to be said of a report that came at a time.
pub(super) fn said(report: &StatusReport, at: Timestamp, sight: &Sight<'_>) -> Said {
    match sight.state.connection() {
        Connection::Lost { since, .. } => {
            let heard = words::moment(at, sight.now, sight.zone);
            unknown(report, &heard, Span(sight.now.duration_since(*since)))
        }
        Connection::Connecting | Connection::Live => known(report, sight.now),
    }
}

fn unknown(report: &StatusReport, heard: &str, silent: Span) -> Said {
    let past = match (needy(report), report.jobs.len()) {
        (0, 1) => "the only job was protected".to_owned(),
        (0, all) => format!("all {all} jobs were protected"),
        (1, all) => format!("1 of {all} jobs needed attention"),
        (some, all) => format!("{some} of {all} jobs needed attention"),
    };
    let sentence = format!(
        "At {heard}, {past}. Jobs run on the server, so planned backups may well be going on"
    );
    Said {
        head: format!("State unknown for {silent}"),
        sentence,
    }
}

fn known(report: &StatusReport, now: Timestamp) -> Said {
    let all = report.jobs.len();
    let (head, sentence) = match (needy(report), all) {
        (0, _) if !report.faults.is_empty() => {
            let jobs = match all {
                1 => "Its only job is protected".to_owned(),
                _ => format!("All {all} jobs are protected"),
            };
            ("The daemon needs attention".to_owned(), jobs)
        }
        (0, 1) => (
            "The only job is protected".to_owned(),
            freshness(report, now),
        ),
        (0, _) => (
            format!("All {all} jobs are protected"),
            freshness(report, now),
        ),
        (1, 1) => ("The only job needs attention".to_owned(), risk(report, now)),
        (1, _) => (
            format!("1 of {all} jobs needs attention"),
            risk(report, now),
        ),
        (some, _) => (
            format!("{some} of {all} jobs need attention"),
            risk(report, now),
        ),
    };
    Said { head, sentence }
}

fn needy(report: &StatusReport) -> usize {
    let states = report.jobs.iter().map(|job| job.protection.state);
    states
        .filter(|state| *state > ProtectionState::Protected)
        .count()
}

/// How new every job's newest good snapshot is.
fn freshness(report: &StatusReport, now: Timestamp) -> String {
    let good = report
        .jobs
        .iter()
        .map(|job| job.protection.last_good.as_ref());
    let times: Option<Vec<Timestamp>> = good.map(|good| Some(good?.created)).collect();
    let oldest = times.and_then(|times| times.into_iter().min());
    match (oldest, report.jobs.len()) {
        (None, _) => String::new(),
        (Some(oldest), 1) => {
            format!(
                "Its newest good snapshot is {} old",
                Span(now.duration_since(oldest))
            )
        }
        (Some(oldest), _) => {
            let age = Span(now.duration_since(oldest));
            format!("Every one has a good snapshot from the last {age}")
        }
    }
}

/// How much work could be lost: of the job that is furthest beyond its limit.
fn risk(report: &StatusReport, now: Timestamp) -> String {
    let age = |job: &JobStatus| {
        let good = job.protection.last_good.as_ref()?;
        Some(now.duration_since(good.created))
    };
    let without = report.jobs.iter().filter(|job| age(job).is_none());
    let without: Vec<&JobStatus> = without.collect();
    let late = report.jobs.iter().filter_map(|job| {
        let (age, limit) = (age(job)?, job.protection.rpo?);
        (age > limit).then_some((job, age, limit))
    });
    let late: Vec<_> = late.collect();
    // The first one among equals.
    let furthest = late
        .iter()
        .rev()
        .max_by_key(|(_, age, limit)| *age - *limit);
    let name = |job: &JobStatus| job.protection.job.to_string();
    match (furthest, without.as_slice()) {
        (Some((job, age, limit)), none) => {
            let first = format!(
                "{} could lose {} of work, its limit is {}",
                name(job),
                Span(*age),
                Span(*limit)
            );
            match (late.len() - 1, none.len(), report.jobs.len()) {
                (0, 0, 1) => first,
                (0, 0, _) => format!("{first}. All other jobs are inside their limits"),
                (0, 1, _) => format!("{first}. {} has no snapshot", name(none[0])),
                (0, some, _) => format!("{first}. {some} others have no snapshot"),
                (1, ..) => format!("{first}. 1 other job is beyond its limit"),
                (some, ..) => format!("{first}. {some} other jobs are beyond their limits"),
            }
        }
        (None, [job]) => format!("{} has no snapshot", name(job)),
        (None, [job, others @ ..]) if !others.is_empty() => {
            format!(
                "{} and {} other jobs have no snapshot",
                name(job),
                others.len()
            )
        }
        (None, _) => "Every job has a good snapshot inside its limit".to_owned(),
    }
}

/// How many jobs stand how, the worst first.
pub(super) fn counts(jobs: &[ShownJob<'_>]) -> Vec<(ProtectionState, usize)> {
    use ProtectionState as P;
    let states = [P::Breached, P::Unknown, P::AtRisk, P::Protected];
    let count = |state| jobs.iter().filter(|job| job.state == state).count();
    let counts = states.map(|state| (state, count(state)));
    counts.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// Draws it.
pub(super) fn show(ui: &mut Ui, said: &Said, counts: &[(ProtectionState, usize)]) {
    let tokens = Tokens::of(ui);
    let wide = ui.available_width();
    let high = Text::Hero.line();
    let (rect, response) = ui.allocate_exact_size(Vec2::new(wide, high), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Heading, true, &said.head));
    let left = badges(ui, rect, counts);
    let room = left - space::XL - rect.left();
    let at = rect.left_center();
    Text::Hero.write_within(ui, at, Align2::LEFT_CENTER, &said.head, tokens.text, room);

    // The hero's line has air below its letters; the two lines and the air make 56.
    ui.add_space(2.0);
    let size = Vec2::new(wide, Text::Body.line());
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &said.sentence));
    let galley = Text::Body.line_of(ui, &said.sentence, tokens.muted, wide);
    let cut = galley.elided;
    ui.painter().galley(rect.min, galley, tokens.muted);
    if cut {
        response.on_hover_text(&said.sentence);
    }
}

/// Draws how many stand how, at the right; gives where they begin.
fn badges(ui: &mut Ui, place: Rect, counts: &[(ProtectionState, usize)]) -> f32 {
    let layout = Layout::right_to_left(Align::Center);
    let mut right = ui.new_child(UiBuilder::new().max_rect(place).layout(layout));
    right.spacing_mut().item_spacing.x = 6.0;
    for (state, count) in counts.iter().rev() {
        let word = format!("{count} {}", state.as_str().to_lowercase());
        right.add(Badge::new(Mark::from(*state), &word));
    }
    if counts.is_empty() {
        place.right()
    } else {
        right.min_rect().left()
    }
}

#[cfg(test)]
mod tests;
