//! Each job with when it was last found good at each level, and why it is overdue or worse.

use std::cmp::Reverse;

use backup_model::{JobName, Level, Selection};
use egui::Ui;

use super::{Own, Sight, standing::Standing};
use crate::{
    kit::{
        Badge, Button, Mark, Text, Tokens,
        table::{Column, DataTable, Rows, Width, words as cell},
        tokens::height,
    },
    state::{Act, Deed, Place, ShownJob},
};

/// More rows than this scroll.
const ROWS: f32 = 8.0;
const COLUMNS: [Column<'_>; 6] = [
    Column::new("State", Width::Fixed(104.0)),
    Column::new("Job", Width::From(148.0)),
    Column::number("Storage", Width::Fixed(88.0)),
    Column::number("Data", Width::Fixed(88.0)),
    Column::new("Why", Width::Rest(160.0)),
    Column::new("", Width::Fixed(60.0)),
];

pub(super) fn show(
    ui: &mut Ui,
    sight: &mut Sight<'_>,
    own: &mut Own,
    jobs: &[ShownJob<'_>],
    standings: &[Standing],
) {
    let mut all: Vec<_> = jobs.iter().zip(standings).collect();
    // Stable: the daemon's own order is kept among equals.
    all.sort_by_key(|(_, standing)| Reverse(standing.mark));
    let mut rows = Jobs {
        all,
        sight,
        verify: None,
    };
    let output = DataTable::new("Verified jobs", &COLUMNS)
        .max_height(ROWS * height::ROW_COMPACT)
        .show(ui, &mut rows, &mut own.jobs);
    if let Some(job) = rows.verify {
        sight.ask(Deed::Verify(Selection::Job(job)));
    }
    if let Some(job) = output.opened {
        sight.ask(Act::Go(Place::Job(job, None)));
    }
}

struct Jobs<'a, 'b> {
    all: Vec<(&'b ShownJob<'a>, &'b Standing)>,
    sight: &'b Sight<'a>,
    /// Whose button was clicked.
    verify: Option<JobName>,
}

impl Jobs<'_, '_> {
    fn proof(&self, row: usize, level: Level) -> String {
        let at = self.all[row].1.proof(level);
        at.map_or_else(|| "never".to_owned(), |at| self.sight.when(at))
    }

    fn why(&self, row: usize) -> String {
        let standing = self.all[row].1;
        if self.sight.is_live() {
            return standing.why.clone();
        }
        let was = standing.word.to_lowercase();
        match standing.why.as_str() {
            "" => format!("was {was}"),
            why => format!("was {was}: {why}"),
        }
    }

    fn button(&mut self, ui: &mut Ui, row: usize) {
        let job = &self.all[row].0.job.protection.job;
        let deed = Deed::Verify(Selection::Job(job.clone()));
        let under_way = self.sight.state.doing().contains(&deed);
        let word = if under_way { "Starting…" } else { "Verify" };
        let off = self.sight.off();
        let off = off.or(under_way.then_some("It is being begun"));
        if ui.add(Button::link(word).off_if(off)).clicked() {
            self.verify = Some(job.clone());
        }
    }
}

impl Rows for Jobs<'_, '_> {
    type Key = JobName;

    fn count(&self) -> usize {
        self.all.len()
    }

    fn key(&self, row: usize) -> JobName {
        self.all[row].0.job.protection.job.clone()
    }

    fn name(&self, row: usize) -> String {
        let [job, state, storage, data, why] = [1, 0, 2, 3, 4].map(|at| self.text(row, at));
        let name = format!("{job}, {state}, storage {storage}, data {data}");
        match why.as_str() {
            "" => name,
            why => format!("{name}, {why}"),
        }
    }

    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize) {
        let tokens = Tokens::of(ui);
        let standing = self.all[row].1;
        let live = self.sight.is_live();
        let known = if live { tokens.text } else { tokens.muted };
        let said = self.text(row, column);
        match column {
            0 => {
                let mark = if live { standing.mark } else { Mark::Unknown };
                ui.add(Badge::new(mark, &said));
            }
            1 => {
                cell(ui, Text::Name, &said, known);
            }
            2 | 3 => {
                cell(ui, Text::Body, &said, known);
            }
            4 => {
                let bad = live && matches!(standing.mark, Mark::Failed | Mark::Warn);
                let colour = if bad { tokens.text } else { tokens.muted };
                cell(ui, Text::Body, &said, colour);
            }
            _ => self.button(ui, row),
        }
    }

    fn text(&self, row: usize, column: usize) -> String {
        match column {
            0 if !self.sight.is_live() => "Unknown".to_owned(),
            0 => self.all[row].1.word.to_owned(),
            1 => self.all[row].0.job.protection.job.to_string(),
            2 => self.proof(row, Level::Storage),
            3 => self.proof(row, Level::Data),
            4 => self.why(row),
            _ => String::new(),
        }
    }
}
