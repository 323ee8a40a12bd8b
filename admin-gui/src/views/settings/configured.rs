//! What the daemon's configuration says: to be read. It is changed in its files.

use backup_model::{ConfiguredJob, ConfiguredRepository, Span};
use egui::Ui;
use jiff::SignedDuration;

use super::{Own, Sight};
use crate::{
    kit::{
        Text, Tokens,
        card::section_head,
        table::{Column, DataTable, Rows, Width, mono, words},
        tokens::{height, space},
    },
    views::{page::trouble, trouble::card},
};

/// More rows than this scroll.
const ROWS: f32 = 12.0;
const MANAGED: &str = "Managed by the server's configuration: backupctl config show";

pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own) {
    let view = sight.state.configuration();
    section_head(ui, "Repositories", MANAGED);
    ui.add_space(space::S);
    if let Some(failure) = view.failure {
        if view.value.is_none() {
            card(ui, sight, "The configuration could not be read", failure);
            return;
        }
        trouble(ui, "Not asked anew", failure);
    }
    let live = sight.is_live();
    let repositories = view.value.map_or(&[][..], |told| &told.repositories);
    let jobs = view.value.map_or(&[][..], |told| &told.jobs);
    let table = |name, columns| {
        DataTable::new(name, columns)
            .loading(view.is_first())
            .max_height(ROWS * height::ROW_COMPACT)
    };
    if !view.is_first() && repositories.is_empty() {
        nothing(ui, "No repository is configured");
    } else {
        let mut rows = Repositories { repositories, live };
        table("Repositories", &REPOSITORIES).show(ui, &mut rows, &mut own.repositories);
    }
    ui.add_space(space::XL);
    section_head(ui, "Jobs", "");
    ui.add_space(space::S);
    if !view.is_first() && jobs.is_empty() {
        nothing(ui, "No job is configured");
    } else {
        let mut rows = Jobs { jobs, live };
        table("Configured jobs", &JOBS).show(ui, &mut rows, &mut own.jobs);
    }
}

fn nothing(ui: &mut Ui, said: &str) {
    ui.label(Text::Body.rich(said, Tokens::of(ui).muted));
}

const REPOSITORIES: [Column<'static>; 3] = [
    Column::new("Repository", Width::From(148.0)),
    Column::new("Address", Width::Rest(160.0)),
    Column::new("Trusted root key", Width::From(300.0)),
];

struct Repositories<'a> {
    repositories: &'a [ConfiguredRepository],
    live: bool,
}

impl Rows for Repositories<'_> {
    type Key = String;

    fn count(&self) -> usize {
        self.repositories.len()
    }

    fn key(&self, row: usize) -> String {
        self.repositories[row].name.clone()
    }

    fn name(&self, row: usize) -> String {
        format!("{}, {}", self.text(row, 0), self.text(row, 1))
    }

    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize) {
        let tokens = Tokens::of(ui);
        let text = if self.live { tokens.text } else { tokens.muted };
        let said = self.text(row, column);
        match column {
            0 => words(ui, Text::Name, &said, text),
            1 => mono(ui, &said, text),
            _ => mono(ui, &said, tokens.muted),
        };
    }

    fn text(&self, row: usize, column: usize) -> String {
        let repository = &self.repositories[row];
        match column {
            0 => repository.name.clone(),
            1 => repository.url.clone(),
            _ => {
                let trust = repository.trust.clone();
                trust.unwrap_or_else(|| "none".to_owned())
            }
        }
    }
}

const JOBS: [Column<'static>; 5] = [
    Column::new("Job", Width::From(148.0)),
    Column::new("Repository", Width::From(116.0)),
    Column::new("Schedule", Width::From(116.0)),
    Column::new("Reads", Width::Rest(160.0)),
    Column::number("RPO", Width::Fixed(56.0)),
];

struct Jobs<'a> {
    jobs: &'a [ConfiguredJob],
    live: bool,
}

impl Rows for Jobs<'_> {
    type Key = String;

    fn count(&self) -> usize {
        self.jobs.len()
    }

    fn key(&self, row: usize) -> String {
        self.jobs[row].name.to_string()
    }

    fn name(&self, row: usize) -> String {
        let texts = (0..JOBS.len()).map(|column| self.text(row, column));
        texts.collect::<Vec<_>>().join(", ")
    }

    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize) {
        let tokens = Tokens::of(ui);
        let text = if self.live { tokens.text } else { tokens.muted };
        let said = self.text(row, column);
        match column {
            0 => words(ui, Text::Name, &said, text),
            2 => mono(ui, &said, text),
            3 => words(ui, Text::Body, &said, tokens.muted),
            _ => words(ui, Text::Body, &said, text),
        };
    }

    fn text(&self, row: usize, column: usize) -> String {
        let job = &self.jobs[row];
        match column {
            0 => job.name.to_string(),
            1 => job.repository.clone(),
            2 => {
                let schedule = job.schedule.clone();
                schedule.unwrap_or_else(|| "by hand".to_owned())
            }
            4 => job.rpo_secs.map_or_else(String::new, span),
            _ => {
                let sources = job.sources.iter();
                let sources =
                    sources.map(|source| format!("{}: {}", source.kind, source.reads.join(", ")));
                sources.collect::<Vec<_>>().join("; ")
            }
        }
    }
}

fn span(secs: u64) -> String {
    let secs = i64::try_from(secs).unwrap_or(i64::MAX);
    Span(SignedDuration::from_secs(secs)).to_string()
}
