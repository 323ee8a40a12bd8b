//! The runs of a job, and the one that is open.

use backup_model::{JobName, RunId, RunInfo};
use egui::Ui;

use super::{
    Own, Sight,
    list::{outcome, outcome_mark},
    run,
};
use crate::{
    kit::{
        Text, Tokens,
        shapes::running,
        table::{Column, DataTable, Rows, Width, mono, words as cell},
        tokens::{height, space},
        words,
    },
    state::{Act, Place},
    views::trouble,
};

const COLUMNS: [Column<'_>; 9] = [
    Column::new("Outcome", Width::Fixed(112.0)),
    Column::new("Kind", Width::Fixed(60.0)),
    Column::new("Started", Width::Rest(84.0)),
    Column::number("Took", Width::Fixed(82.0)),
    Column::number("Read", Width::Fixed(66.0)),
    Column::number("New", Width::Fixed(66.0)),
    Column::number("Stored", Width::Fixed(66.0)),
    Column::number("Warnings", Width::Fixed(58.0)),
    Column::new("Run", Width::Fixed(54.0)),
];

pub(super) fn show(
    ui: &mut Ui,
    sight: &mut Sight<'_>,
    own: &mut Own,
    job: &JobName,
    open: Option<RunId>,
) {
    let told = sight.state.runs(Some(job));
    if trouble::instead(ui, sight, &told, "The runs cannot be shown") {
        return;
    }
    let runs = told.value.map_or(&[][..], |page| &page.runs);
    if told.value.is_some() && runs.is_empty() {
        let muted = Tokens::of(ui).muted;
        ui.label(Text::Body.rich("It has not run yet", muted));
        return;
    }
    // What is open is chosen, also when somebody comes by a link.
    if let Some(run) = open.filter(|run| !own.runs.contains(run)) {
        own.runs.choose(run);
    }
    let whole = ui.available_height();
    let height = if open.is_some() { whole * 0.42 } else { whole };
    let mut rows = Runs { runs, sight };
    let output = DataTable::new("Runs", &COLUMNS)
        .loading(told.is_first())
        .max_height(height - height::ROW_COMPACT - 4.0)
        .show(ui, &mut rows, &mut own.runs);
    let chosen = own.runs.cursor().copied();
    let chosen = chosen.filter(|_| output.chosen).or(output.opened);
    if let Some(run) = chosen.filter(|run| Some(*run) != open) {
        sight.ask(Act::Go(Place::Job(job.clone(), Some(run))));
    }
    if let Some(run) = open {
        ui.add_space(space::L);
        run::show(ui, sight, own, run);
    }
}

struct Runs<'a, 'b> {
    runs: &'a [RunInfo],
    sight: &'b Sight<'a>,
}

impl Rows for Runs<'_, '_> {
    type Key = RunId;

    fn count(&self) -> usize {
        self.runs.len()
    }

    fn key(&self, row: usize) -> RunId {
        self.runs[row].run
    }

    fn name(&self, row: usize) -> String {
        let run = &self.runs[row];
        let when = self.sight.when(run.begun);
        format!(
            "{}, {}, started {when}",
            run.run.short(),
            outcome(run.outcome)
        )
    }

    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize) {
        let run = &self.runs[row];
        let tokens = Tokens::of(ui);
        match column {
            0 => {
                if run.outcome == backup_model::RunOutcome::Running {
                    let (place, _) =
                        ui.allocate_exact_size(egui::vec2(14.0, 14.0), egui::Sense::hover());
                    let share = run
                        .bytes
                        .percent()
                        .map(|percent| f32::from(percent) / 100.0);
                    running(ui, place.center(), 12.0, share);
                } else {
                    outcome_mark(run.outcome).ui(ui, 14.0, tokens.panel);
                }
                cell(ui, Text::Body, outcome(run.outcome), tokens.text);
            }
            8 => {
                mono(ui, &run.run.short(), tokens.muted);
            }
            _ => {
                cell(ui, Text::Body, &self.text(row, column), tokens.text);
            }
        }
    }

    fn text(&self, row: usize, column: usize) -> String {
        let run = &self.runs[row];
        let amount = |bytes: u64| {
            if bytes == 0 {
                "–".to_owned()
            } else {
                words::bytes(bytes)
            }
        };
        match column {
            0 => outcome(run.outcome).to_owned(),
            1 => words::capital(run.kind.as_str()),
            2 => words::moment(run.begun, self.sight.now, self.sight.zone),
            3 => {
                let end = run.ended.unwrap_or(self.sight.now);
                words::took(end.duration_since(run.begun))
            }
            4 => amount(run.bytes.read_bytes),
            5 => amount(run.bytes.new_bytes),
            6 => amount(run.bytes.stored_bytes),
            7 if run.warnings == 0 => "–".to_owned(),
            7 => words::count(run.warnings),
            _ => run.run.short(),
        }
    }
}
