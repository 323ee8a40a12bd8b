//! One run: its phases with their times, the first error, and everything it said.

use backup_model::{
    LogLevel, Phase as Step, RunDetail, RunId, RunInfo, RunLog, RunLogLine, RunOutcome,
};
use egui::{Margin, Rect, ScrollArea, Ui, UiBuilder, vec2};

use super::{Own, Sight};
use crate::{
    kit::{
        Mark, Phase, Progress, Text, Tokens, card, phase, skeleton,
        table::{Column, DataTable, Rows, Width, mono, words as cell},
        tokens::{height, space},
        words,
    },
    views::trouble,
};

const PHASES: f32 = 300.0;
/// Phases and log are never lower than this; where there is less room, they scroll as one.
const LEAST: f32 = 190.0;

pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, run: RunId) {
    let told = sight.state.run(run);
    if trouble::instead(ui, sight, &told, "The run cannot be shown") {
        return;
    }
    let Some(detail) = told.value else {
        skeleton::rows(ui, 3, height::ROW);
        return;
    };
    let room = ui.available_height();
    ScrollArea::vertical().id_salt("run").show(ui, |ui| {
        let top = ui.cursor().top();
        if let Some(failure) = &detail.info.failure {
            trouble::told(ui, &ended(&detail.info), failure);
            ui.add_space(space::M);
        }
        let high = room - (ui.cursor().top() - top);
        story(ui, sight, own, detail, high.max(LEAST));
    });
}

/// Its phases beside its log, so high.
fn story(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, detail: &RunDetail, high: f32) {
    let size = vec2(ui.available_width(), high);
    let whole = Rect::from_min_size(ui.cursor().min, size);
    let left = whole.with_max_x(whole.left() + PHASES);
    let right = whole.with_min_x(left.right() + space::L);
    phases(
        &mut ui.new_child(UiBuilder::new().max_rect(left)),
        sight,
        detail,
    );
    log(
        &mut ui.new_child(UiBuilder::new().max_rect(right)),
        sight,
        own,
        detail.info.run,
    );
    ui.advance_cursor_after_rect(whole);
}

/// How a run that did not succeed came to its end.
fn ended(info: &RunInfo) -> String {
    let how = match info.outcome {
        RunOutcome::Cancelled => "was cancelled",
        RunOutcome::Interrupted => "was interrupted",
        _ => "failed",
    };
    format!("This {} {how}", info.kind)
}

fn phases(ui: &mut Ui, sight: &Sight<'_>, detail: &RunDetail) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let name = format!("Run {}", detail.info.run.short());
    card::section_head(ui, "Phases", &name);
    ui.add_space(space::S);
    if detail.phases.is_empty() && detail.info.ended.is_some() {
        let muted = Tokens::of(ui).muted;
        ui.label(Text::Body.rich("It ended before the first", muted));
        return;
    }
    card::padded_card(ui, "Phases", Margin::ZERO, |ui| {
        let count = detail.phases.len();
        for (at, step) in detail.phases.iter().enumerate() {
            let end = step.ended.or(detail.info.ended);
            let time = words::took(end.unwrap_or(sight.now).duration_since(step.begun));
            let title = match &*step.object {
                "" => step_name(step.phase).to_owned(),
                object => format!("{} {object}", step_name(step.phase)),
            };
            let progress = match (step.ended, end) {
                (Some(_), _) => Progress::Done,
                (None, Some(_)) => Progress::Ended(Mark::Failed),
                (None, None) => Progress::Running(None),
            };
            let shown = Phase {
                name: &title,
                progress,
                amount: "",
                time: &time,
            };
            phase(ui, &shown, at + 1 == count);
        }
    });
}

const fn step_name(step: Step) -> &'static str {
    match step {
        Step::Prepare => "Prepare",
        Step::Store => "Store",
        Step::Verify => "Verify",
        Step::Restore => "Restore",
        Step::Delete => "Delete",
        Step::Finish => "Finish",
        _ => "Work",
    }
}

const COLUMNS: [Column<'_>; 3] = [
    Column::new("Time", Width::Fixed(64.0)),
    Column::new("Level", Width::Fixed(44.0)),
    Column::new("Message", Width::Rest(200.0)),
];

fn log(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, run: RunId) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let told = sight.state.run_log(run);
    if trouble::instead(ui, sight, &told, "The log cannot be shown") {
        return;
    }
    let lines = told.value.map_or(&[][..], |log| &log.lines);
    let caption = told.value.map_or(String::new(), caption);
    card::section_head(ui, "Log", &caption);
    ui.add_space(space::S);
    let room = ui.available_height() - height::ROW_COMPACT - 4.0;
    let mut rows = Lines { lines, sight };
    DataTable::new("Log", &COLUMNS)
        .multi()
        .loading(told.is_first())
        .max_height(room)
        .show(ui, &mut rows, &mut own.lines);
}

fn caption(log: &RunLog) -> String {
    let lines = match log.lines.len() {
        1 => "1 line".to_owned(),
        count => format!("{} lines", words::count(count as u64)),
    };
    match log.dropped {
        0 => lines,
        dropped => format!("{lines}, {} dropped", words::count(dropped)),
    }
}

struct Lines<'a, 'b> {
    lines: &'a [RunLogLine],
    sight: &'b Sight<'a>,
}

impl Rows for Lines<'_, '_> {
    type Key = u64;

    fn count(&self) -> usize {
        self.lines.len()
    }

    fn key(&self, row: usize) -> u64 {
        self.lines[row].number
    }

    fn name(&self, row: usize) -> String {
        let line = &self.lines[row];
        format!("{}, {}", line.level, line.text)
    }

    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize) {
        let tokens = Tokens::of(ui);
        let line = &self.lines[row];
        let colour = match line.level {
            LogLevel::Error => tokens.failed,
            LogLevel::Warn => tokens.warn,
            _ => tokens.muted,
        };
        let words = self.text(row, column);
        match column {
            0 => mono(ui, &words, tokens.muted),
            1 => cell(ui, Text::Caption, &words, colour),
            _ => mono(ui, &words, tokens.text),
        };
    }

    fn text(&self, row: usize, column: usize) -> String {
        let line = &self.lines[row];
        match column {
            0 => {
                let at = line.at.to_zoned_datetime(self.sight.zone.clone());
                at.strftime("%H:%M:%S").to_string()
            }
            1 => line.level.to_string(),
            // A line of a log is one line, whatever was put into it.
            _ => line.text.replace(|letter: char| letter.is_control(), " "),
        }
    }
}
