//! The runs that looked, the newest first.

use backup_model::{Code, RunId, RunInfo, RunOutcome};
use egui::{Sense, Ui, vec2};

use super::{Own, Sight};
use crate::{
    kit::{
        Button, Mark, Text, Tokens,
        card::section_head,
        shapes::running,
        table::{Column, DataTable, Rows, Width, mono, words as cell},
        tokens::{height, space},
        words,
    },
    state::{Act, Place},
    views::{page, trouble},
};

const COLUMNS: [Column<'_>; 8] = [
    Column::new("Result", Width::Fixed(112.0)),
    Column::new("Began", Width::Fixed(92.0)),
    Column::new("Job", Width::Rest(100.0)),
    Column::new("Found", Width::Rest(120.0)),
    Column::number("Read", Width::Fixed(68.0)),
    Column::number("Took", Width::Fixed(76.0)),
    Column::new("Run", Width::Fixed(52.0)),
    Column::new("", Width::Fixed(36.0)),
];
/// So many rows are always in sight; the screen scrolls for them.
const LEAST: f32 = 3.0;
const SHAPE: f32 = 14.0;

/// `room` is what the window has left.
pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, room: f32) {
    let told = sight.state.verifications();
    let runs = told.value.map_or(&[][..], |page| &page.runs);
    let caption = match (told.at, runs.is_empty()) {
        (Some(at), false) => page::age(sight, at, told.asked),
        _ => String::new(),
    };
    section_head(ui, "History", &caption);
    ui.add_space(space::S);
    if let Some(failure) = told.failure {
        if told.value.is_none() {
            trouble::card(ui, sight, "The runs cannot be shown", failure);
            return;
        }
        page::trouble(ui, "Not asked anew", failure);
    }
    if told.value.is_some() && runs.is_empty() {
        let muted = Tokens::of(ui).muted;
        ui.label(Text::Body.rich("Nothing was verified yet", muted));
        return;
    }
    if told.is_first() && !sight.is_live() {
        return;
    }
    let heads = Text::Section.line() + space::S + height::ROW_COMPACT + 4.0;
    let high = (room - heads).max(LEAST * height::ROW_COMPACT);
    let mut rows = Runs {
        all: runs,
        sight,
        open: None,
    };
    let output = DataTable::new("Verifications", &COLUMNS)
        .loading(told.is_first())
        .max_height(high)
        .show(ui, &mut rows, &mut own.runs);
    let Some(run) = rows.open.or(output.opened) else {
        return;
    };
    let meant = runs.iter().find(|info| info.run == run);
    if let Some(job) = meant.and_then(|info| info.job.clone()) {
        sight.ask(Act::Go(Place::Job(job, Some(run))));
    }
}

/// How a verification ended: damage is another thing than a store that does not answer.
fn result(run: &RunInfo) -> (Mark, &'static str) {
    let damage = run.failure.as_ref().map(|failure| failure.code) == Some(Code::Damaged);
    match run.outcome {
        RunOutcome::Running => (Mark::Unknown, "Running"),
        RunOutcome::Succeeded => (Mark::Ok, "Good"),
        RunOutcome::Warnings => (Mark::Warn, "Not all tested"),
        RunOutcome::Failed if damage => (Mark::Failed, "Damaged"),
        RunOutcome::Failed => (Mark::Warn, "Not tested"),
        RunOutcome::Cancelled => (Mark::Unknown, "Cancelled"),
        RunOutcome::Interrupted => (Mark::Unknown, "Interrupted"),
        RunOutcome::Missed => (Mark::Warn, "Missed"),
        RunOutcome::Skipped => (Mark::Paused, "Skipped"),
        _ => (Mark::Unknown, "Ended"),
    }
}

fn found(run: &RunInfo) -> String {
    match (&run.failure, run.warnings) {
        (Some(failure), _) => words::one_line(&failure.to_string()),
        (None, 1) => "1 warning".to_owned(),
        (None, 2..) => format!("{} warnings", words::count(run.warnings)),
        (None, 0) => String::new(),
    }
}

struct Runs<'a, 'b> {
    all: &'a [RunInfo],
    sight: &'b Sight<'a>,
    /// Whose link was clicked.
    open: Option<RunId>,
}

impl Rows for Runs<'_, '_> {
    type Key = RunId;

    fn count(&self) -> usize {
        self.all.len()
    }

    fn key(&self, row: usize) -> RunId {
        self.all[row].run
    }

    fn name(&self, row: usize) -> String {
        let texts = [2, 0, 1, 3].map(|column| self.text(row, column));
        let said = texts.into_iter().filter(|text| !text.is_empty());
        said.collect::<Vec<_>>().join(", ")
    }

    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize) {
        let tokens = Tokens::of(ui);
        let run = &self.all[row];
        let live = self.sight.is_live();
        let text = if live { tokens.text } else { tokens.muted };
        let said = self.text(row, column);
        match column {
            0 => {
                let under_way = run.outcome == RunOutcome::Running && live;
                if under_way {
                    let (place, _) = ui.allocate_exact_size(vec2(SHAPE, SHAPE), Sense::hover());
                    running(ui, place.center(), 12.0, None);
                } else {
                    result(run).0.ui(ui, SHAPE, tokens.panel);
                }
                cell(ui, Text::Body, &said, text);
            }
            2 => {
                let named = if run.job.is_some() {
                    Text::Name
                } else {
                    Text::Body
                };
                cell(ui, named, &said, text);
            }
            3 | 4 => {
                cell(ui, Text::Body, &said, tokens.muted);
            }
            6 => {
                mono(ui, &said, tokens.muted);
            }
            // A run over several jobs is on the page of none of them.
            7 if run.job.is_some() => {
                if ui.add(Button::link("Open")).clicked() {
                    self.open = Some(run.run);
                }
            }
            _ => {
                cell(ui, Text::Body, &said, text);
            }
        }
    }

    fn text(&self, row: usize, column: usize) -> String {
        let run = &self.all[row];
        match column {
            0 => result(run).1.to_owned(),
            1 => words::moment(run.begun, self.sight.now, self.sight.zone),
            2 => match &run.job {
                Some(job) => job.to_string(),
                None => "Several jobs".to_owned(),
            },
            3 => found(run),
            4 if run.bytes.read_bytes == 0 => "–".to_owned(),
            4 => words::bytes(run.bytes.read_bytes),
            // Nobody can say for how long it went on.
            5 if run.ended.is_none() && !self.sight.is_live() => "–".to_owned(),
            5 => {
                let end = run.ended.unwrap_or(self.sight.now);
                words::took(end.duration_since(run.begun))
            }
            6 => run.run.short(),
            _ => String::new(),
        }
    }
}
