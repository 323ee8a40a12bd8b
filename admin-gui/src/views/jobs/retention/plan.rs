//! What would stay of a job's snapshots: in numbers, as a calendar, and one by one with the reason.

use backup_model::{
    GoReason, JobName, KeepReason, PauseReason, RetentionDecision, RetentionPlan, RetentionVerdict,
    SnapshotName,
};
use egui::{Margin, Rect, ScrollArea, Sense, Stroke, StrokeKind, Ui, vec2};

use super::{
    super::{Own, Sight},
    days::{Days, OfPlan, cell as fate},
};
use crate::{
    kit::{
        Mark, Text, Tokens, calendar,
        calendar::Cell,
        card, skeleton,
        table::{Column, DataTable, Rows, Width, mono, words as cell},
        tokens::{height, line, radius, space},
        words,
    },
    views::trouble,
};

/// The width of a month, and what is between two.
const MONTH: f32 = 161.0;
const BETWEEN: f32 = 11.0;
const MOST_MONTHS: usize = 4;
const SWATCH: f32 = 12.0;
/// So many rows are always there; where there is less room, calendar and table scroll as one.
const LEAST: f32 = 6.0;

const COLUMNS: [Column<'_>; 4] = [
    Column::new("", Width::Fixed(60.0)),
    Column::new("Snapshot", Width::Fixed(112.0)),
    Column::new("Number", Width::Fixed(64.0)),
    Column::new("Why", Width::Rest(120.0)),
];

pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, job: &JobName) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let told = sight.state.retention(job);
    if trouble::instead(ui, sight, &told, "What would stay cannot be shown") {
        return;
    }
    let muted = Tokens::of(ui).muted;
    let Some(plan) = told.value else {
        card::section_head(ui, "What would stay", "");
        ui.add_space(space::S);
        skeleton::rows(ui, 4, height::ROW_COMPACT);
        return;
    };
    let Some(plan) = plan else {
        card::section_head(ui, "What would stay", "");
        ui.add_space(space::S);
        let words = "All of it: this job has no policy. Type counts to see what one would do";
        ui.label(Text::Body.rich(words, muted));
        return;
    };
    let room = ui.available_height();
    ScrollArea::vertical().id_salt("plan").show(ui, |ui| {
        let days = own
            .days
            .get(OfPlan::new(job, told.at, plan), || Days::of(plan));
        let top = ui.cursor().top();
        summary(ui, plan, days);
        let used = ui.cursor().top() - top;
        let room = (room - used).max(LEAST * height::ROW_COMPACT);
        let mut rows = Verdicts { plan, days, sight };
        DataTable::new("Snapshots by the policy", &COLUMNS)
            .max_height(room - height::ROW_COMPACT - 4.0)
            .show(ui, &mut rows, &mut own.verdicts);
    });
}

/// How many stay, and which days have them.
fn summary(ui: &mut Ui, plan: &RetentionPlan, days: &Days) {
    let counts = format!("{} stay, {} go", days.stay, days.go);
    let by = format!("by the calendar of {}", plan.policy.time_zone);
    card::section_head(ui, &format!("What would stay: {counts}"), &by);
    ui.add_space(space::S);
    if let Some(paused) = &plan.paused {
        paused_line(ui, paused);
    }
    months(ui, days);
    ui.add_space(space::M);
}

/// Why nothing goes for now.
fn paused_line(ui: &mut Ui, paused: &PauseReason) {
    let tokens = Tokens::of(ui);
    let why = match paused {
        PauseReason::RecentFailures { runs: 1 } => "the last run failed".to_owned(),
        PauseReason::RecentFailures { runs } => format!("the last {runs} runs failed"),
        PauseReason::Shrunk {
            snapshot,
            stored_bytes,
            usual_bytes,
        } => {
            let [stored, usual] = [stored_bytes, usual_bytes].map(|bytes| words::bytes(*bytes));
            format!("{snapshot} has {stored}, and {usual} is usual")
        }
        _ => "the daemon says so".to_owned(),
    };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        Mark::Paused.ui(ui, 14.0, tokens.bg);
        let words = format!("Nothing goes for now: {why}");
        cell(ui, Text::Body, &words, tokens.text);
    });
    ui.add_space(space::S);
}

/// The last months, as many as there is room for, and what their squares say.
fn months(ui: &mut Ui, days: &Days) {
    card::padded_card(ui, "Calendar", Margin::symmetric(14, 12), |ui| {
        let room = ((ui.available_width() + BETWEEN) / (MONTH + BETWEEN)).floor();
        let months = days.months((room.max(1.0) as usize).min(MOST_MONTHS));
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = BETWEEN;
            for month in months {
                calendar::month(ui, month, |day| days.cell(day));
            }
        });
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = space::S;
            for (cell, words) in [
                (Cell::Stays, "stays"),
                (Cell::Goes, "goes"),
                (Cell::Held, "held or proven"),
            ] {
                legend(ui, cell, words);
                ui.add_space(space::S);
            }
        });
    });
}

fn legend(ui: &mut Ui, cell: Cell, words: &str) {
    let tokens = Tokens::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(SWATCH, SWATCH), Sense::hover());
    swatch(ui, rect.center(), cell);
    ui.label(Text::Caption.rich(words, tokens.muted));
}

/// The square of a day, without its number.
fn swatch(ui: &Ui, centre: egui::Pos2, cell: Cell) {
    let tokens = Tokens::of(ui);
    let square = Rect::from_center_size(centre, vec2(SWATCH, SWATCH));
    match cell {
        Cell::Goes => {
            let outline = Stroke::new(line::BORDER, tokens.muted);
            let painter = ui.painter();
            painter.rect_stroke(square, radius::SMALL, outline, StrokeKind::Inside);
            let across = square.shrink(3.0).x_range();
            painter.hline(across, centre.y, Stroke::new(line::BORDER, tokens.text));
        }
        Cell::Held => {
            ui.painter()
                .rect_filled(square, radius::SMALL, tokens.accent);
            ui.painter()
                .circle_filled(square.right_top(), 3.0, tokens.text);
        }
        _ => {
            ui.painter()
                .rect_filled(square, radius::SMALL, tokens.accent);
        }
    }
}

struct Verdicts<'a, 'b> {
    plan: &'a RetentionPlan,
    days: &'b Days,
    sight: &'b Sight<'a>,
}

impl Verdicts<'_, '_> {
    fn verdict(&self, row: usize) -> &RetentionVerdict {
        &self.plan.verdicts[self.days.snapshots[row]]
    }
}

impl Rows for Verdicts<'_, '_> {
    type Key = SnapshotName;

    fn count(&self) -> usize {
        self.days.snapshots.len()
    }

    fn key(&self, row: usize) -> SnapshotName {
        self.verdict(row).snapshot.clone()
    }

    fn name(&self, row: usize) -> String {
        let verdict = self.verdict(row);
        format!("{}, {}", verdict.snapshot, why(&verdict.decision))
    }

    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize) {
        let tokens = Tokens::of(ui);
        let verdict = self.verdict(row);
        let words = self.text(row, column);
        match column {
            0 => {
                let (rect, _) = ui.allocate_exact_size(vec2(SWATCH, SWATCH), Sense::hover());
                swatch(ui, rect.center(), fate(&verdict.decision));
                let colour = if verdict.goes() {
                    tokens.text
                } else {
                    tokens.muted
                };
                cell(ui, Text::Caption, &words, colour);
            }
            2 => {
                mono(ui, &words, tokens.muted);
            }
            _ => {
                cell(ui, Text::Body, &words, tokens.text);
            }
        }
    }

    fn text(&self, row: usize, column: usize) -> String {
        let verdict = self.verdict(row);
        match column {
            0 if verdict.goes() => "goes".to_owned(),
            0 => "stays".to_owned(),
            1 => words::moment(verdict.created, self.sight.now, &self.days.zone),
            2 => verdict.snapshot.seq.to_string(),
            _ => why(&verdict.decision),
        }
    }
}

/// Why it stays or goes.
fn why(decision: &RetentionDecision) -> String {
    match decision {
        RetentionDecision::Go { reason } => words::capital(&goes(reason)),
        RetentionDecision::Keep { reasons } => {
            let all: Vec<String> = reasons.iter().map(stays).collect();
            words::capital(&all.join(", "))
        }
    }
}

fn stays(reason: &KeepReason) -> String {
    match reason {
        KeepReason::Rule { rule, period } => match period {
            Some(period) => format!("newest of {period} ({})", rule.as_str()),
            None => format!("among the newest ({})", rule.as_str()),
        },
        KeepReason::MinKeep => "one of the newest that always stay (min_keep)".to_owned(),
        KeepReason::Held => "held".to_owned(),
        KeepReason::Proven => "the newest whose restore was proven".to_owned(),
        KeepReason::Future => "dated in the future".to_owned(),
        KeepReason::NothingBetter => "partial, but nothing newer is complete".to_owned(),
        KeepReason::Paused { otherwise } => {
            format!("for now; else it would go: {}", goes(otherwise))
        }
        _ => "for a reason that this window does not know".to_owned(),
    }
}

fn goes(reason: &GoReason) -> String {
    match reason {
        GoReason::NoRule => "no rule wants it".to_owned(),
        GoReason::Completed { by } => format!("partial, and {by} is complete"),
        GoReason::NewerPartial => "partial, and there are newer ones like it".to_owned(),
        _ => "for a reason that this window does not know".to_owned(),
    }
}
