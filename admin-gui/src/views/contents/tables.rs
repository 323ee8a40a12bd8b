//! The tables of a database, so that somebody sees before a restore whether what he misses is in it.

use std::collections::BTreeMap;

use backup_model::{Table, TableKind, Tables};
use egui::Ui;

use crate::kit::{
    Text, Tokens,
    table::{Column, DataTable, Rows, Selection, Width, mono, words as cell},
    tokens::{height, space},
    words,
};

/// More rows than this scroll.
const ROWS: f32 = 12.0;

const COLUMNS: [Column<'_>; 3] = [
    Column::new("Table", Width::Rest(220.0)),
    Column::number("Rows (≈)", Width::Fixed(110.0)),
    Column::number("Size", Width::Fixed(84.0)),
];

/// What is remembered of all lists of tables.
#[derive(Debug, Default)]
pub(super) struct Own {
    /// What the tables are searched for, those of every database.
    pub(super) query: String,
    /// The chosen rows, by stream.
    chosen: BTreeMap<String, Selection<usize>>,
}

pub(super) fn show(ui: &mut Ui, own: &mut Own, stream: &str, tables: Option<&Tables>) {
    let muted = Tokens::of(ui).muted;
    let Some(tables) = tables else {
        let words = "Its tables are not known: an earlier version made this snapshot, or the \
             server could not tell them then";
        ui.label(Text::Caption.rich(words, muted));
        return;
    };
    let query = own.query.trim().to_lowercase();
    let is_found = |table: &Table| query.is_empty() || name(table).to_lowercase().contains(&query);
    let all = tables.list.iter().enumerate();
    let found: Vec<usize> = all
        .filter(|(_, table)| is_found(table))
        .map(|(at, _)| at)
        .collect();
    ui.label(Text::Caption.rich(note(tables, found.len(), !query.is_empty()), muted));
    if found.is_empty() {
        return;
    }
    ui.add_space(space::S);
    let mut rows = Listed {
        list: &tables.list,
        found,
    };
    let name = format!("Tables of {}", words::one_line(stream));
    let chosen = own.chosen.entry(stream.to_owned()).or_default();
    DataTable::new(&name, &COLUMNS)
        .bare()
        .max_height(ROWS * height::ROW_COMPACT)
        .show(ui, &mut rows, chosen);
}

/// How many there are, and what of them is listed or found.
fn note(tables: &Tables, found: usize, searching: bool) -> String {
    let [listed, found] = [tables.list.len(), found].map(|number| words::count(number as u64));
    let total = words::number(tables.total, "table", "tables");
    let is_cut = (tables.list.len() as u64) < tables.total;
    match (searching, is_cut) {
        (true, false) => format!("{found} found in {total}"),
        (true, true) => format!("{found} found in the first {listed} of {total}"),
        (false, true) => format!("The first {listed} of {total}"),
        (false, false) => total,
    }
}

/// As SQL names it.
fn name(table: &Table) -> String {
    words::one_line(&format!("{}.{}", table.schema, table.name))
}

struct Listed<'a> {
    list: &'a [Table],
    /// Places in the list.
    found: Vec<usize>,
}

impl Listed<'_> {
    fn table(&self, row: usize) -> &Table {
        &self.list[self.found[row]]
    }
}

impl Rows for Listed<'_> {
    type Key = usize;

    fn count(&self) -> usize {
        self.found.len()
    }

    fn key(&self, row: usize) -> usize {
        self.found[row]
    }

    fn name(&self, row: usize) -> String {
        let [table, rows, size] = [0, 1, 2].map(|column| self.text(row, column));
        format!("{table}, {rows} rows, {size}")
    }

    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize) {
        let tokens = Tokens::of(ui);
        let said = self.text(row, column);
        if column == 0 {
            mono(ui, &said, tokens.text);
        } else {
            cell(ui, Text::Body, &said, tokens.muted);
        }
    }

    fn text(&self, row: usize, column: usize) -> String {
        let table = self.table(row);
        match column {
            0 => format!("{}{}", name(table), kind(table.kind)),
            1 => table
                .rows
                .map_or_else(|| "unknown".to_owned(), words::count),
            _ => words::bytes(table.bytes),
        }
    }
}

fn kind(kind: TableKind) -> &'static str {
    match kind {
        TableKind::Partitioned => " (partitioned)",
        TableKind::MaterializedView => " (materialized view)",
        TableKind::Foreign => " (foreign)",
        _ => "",
    }
}
