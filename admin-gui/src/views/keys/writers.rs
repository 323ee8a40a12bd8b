//! Who may sign what is stored.

use backup_model::{KeysReport, WriterInfo};
use egui::Ui;

use super::{Own, ROWS, Sight, nobody, public_key};
use crate::kit::{
    Badge, Emphasis, Icon, Text, Tokens,
    card::section_head,
    table::{Column, DataTable, Rows, Width, lines, words as cell},
    tokens::{height, space},
    words,
};

const COLUMNS: [Column<'_>; 5] = [
    Column::new("", Width::Fixed(16.0)),
    Column::new("Writer", Width::Rest(108.0)),
    Column::new("Public key", Width::Fixed(public_key::WIDTH + 32.0)),
    Column::new("Since", Width::Fixed(72.0)),
    Column::new("May", Width::Fixed(148.0)),
];

pub(super) fn show(ui: &mut Ui, sight: &Sight<'_>, own: &mut Own, keys: &KeysReport) {
    let trust = format!("trust version {}", words::count(keys.trust));
    section_head(ui, "Who can write", &trust);
    ui.add_space(space::S);
    if keys.writers.is_empty() {
        nobody(ui, "Nobody");
        return;
    }
    let mut rows = Writers {
        writers: &keys.writers,
        sight,
    };
    DataTable::new("Writers", &COLUMNS)
        .row_height(height::ROW_TALL)
        .max_height(ROWS * height::ROW_TALL)
        .show(ui, &mut rows, &mut own.writers);
}

struct Writers<'a> {
    writers: &'a [WriterInfo],
    sight: &'a Sight<'a>,
}

impl Writers<'_> {
    fn day(&self, at: jiff::Timestamp) -> String {
        words::day(at, self.sight.now, self.sight.zone)
    }

    /// Whether what it signs now counts.
    fn counts(&self, writer: &WriterInfo) -> bool {
        writer.removed.is_none() && writer.until.is_none_or(|until| until > self.sight.now)
    }

    /// For which jobs, and that it counts no more.
    fn below(&self, writer: &WriterInfo) -> String {
        let jobs = match &writer.jobs {
            None => "for all jobs".to_owned(),
            Some(jobs) => format!("for {}", words::one_line(&jobs.join(", "))),
        };
        match (writer.removed, writer.until) {
            (Some(at), _) => format!("removed {}", self.day(at)),
            (None, Some(until)) if until <= self.sight.now => {
                format!("ended {}", self.day(until))
            }
            (None, Some(until)) => format!("{jobs}, until {}", self.day(until)),
            (None, None) => jobs,
        }
    }
}

impl Rows for Writers<'_> {
    /// A name comes again when its host has a new key.
    type Key = String;

    fn count(&self) -> usize {
        self.writers.len()
    }

    fn key(&self, row: usize) -> String {
        self.writers[row].key.clone()
    }

    fn name(&self, row: usize) -> String {
        let may = self.text(row, 4);
        let below = self.below(&self.writers[row]);
        format!("{}, {below}, may {may}", self.text(row, 1))
    }

    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize) {
        let tokens = Tokens::of(ui);
        let writer = &self.writers[row];
        let current = self.sight.is_live() && self.counts(writer);
        let text = if current { tokens.text } else { tokens.muted };
        let said = self.text(row, column);
        match column {
            0 => {
                Icon::Server.ui(ui, tokens.muted);
            }
            1 => {
                let below = self.below(writer);
                lines(ui, (Text::Name, &said, text), (&below, tokens.muted));
            }
            2 => public_key::cell(ui, &writer.key, &self.text(row, 1), current),
            4 => {
                ui.spacing_mut().item_spacing.x = space::XS;
                for role in &writer.roles {
                    ui.add(Badge::tag(Emphasis::Plain, role));
                }
            }
            _ => {
                cell(ui, Text::Body, &said, text);
            }
        }
    }

    fn text(&self, row: usize, column: usize) -> String {
        let writer = &self.writers[row];
        match column {
            1 => words::one_line(&writer.name),
            2 => writer.key.clone(),
            3 => self.day(writer.from),
            4 => writer.roles.join(", "),
            _ => String::new(),
        }
    }
}
