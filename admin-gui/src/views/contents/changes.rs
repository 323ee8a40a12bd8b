//! What differs between two snapshots of a job, in a table.

use std::sync::Arc;

use backup_model::{Aspect, Change, Difference, EntryInfo, SnapshotName, StreamInfo};
use egui::Ui;

use super::{Own, Sight};
use crate::{
    kit::{
        Text, Tokens, skeleton,
        table::{Column, DataTable, Rows, Width, mono, words as cell},
        tokens::{height, space},
        words,
    },
    views::trouble,
};

const COLUMNS: [Column<'_>; 4] = [
    Column::new("Change", Width::Fixed(84.0)),
    Column::new("What", Width::Rest(220.0)),
    Column::new("Of it", Width::Fixed(160.0)),
    Column::number("Size", Width::Fixed(150.0)),
];

/// How many there are of each, counted once and not in each frame.
#[derive(Debug, Default)]
pub(super) struct Shown {
    of: Option<Arc<Vec<Difference>>>,
    note: String,
}

impl Shown {
    fn update(&mut self, all: &Arc<Vec<Difference>>) {
        if self
            .of
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, all))
        {
            return;
        }
        let count = |wanted: Change| {
            let same = all.iter().filter(|one| change(one) == Some(wanted));
            words::count(same.count() as u64)
        };
        self.note = format!(
            "{} added, {} changed, {} removed",
            count(Change::Added),
            count(Change::Changed),
            count(Change::Removed)
        );
        self.of = Some(Arc::clone(all));
    }
}

pub(super) fn show(
    ui: &mut Ui,
    sight: &mut Sight<'_>,
    own: &mut Own,
    before: &SnapshotName,
    after: &SnapshotName,
) {
    let told = sight.state.differences(before, after);
    if trouble::instead(ui, sight, &told, "The snapshots cannot be compared") {
        return;
    }
    let Some(all) = told.value else {
        skeleton::rows(ui, 8, height::ROW_COMPACT);
        return;
    };
    own.shown_changes.update(all);
    let muted = Tokens::of(ui).muted;
    if all.is_empty() {
        ui.label(Text::Body.rich("Nothing differs", muted));
        return;
    }
    ui.label(Text::Caption.rich(&own.shown_changes.note, muted));
    ui.add_space(space::S);
    let room = ui.available_height() - height::ROW_COMPACT - 4.0;
    let mut rows = Changes { all };
    DataTable::new("Changes", &COLUMNS)
        .multi()
        .max_height(room)
        .show(ui, &mut rows, &mut own.changes);
}

const fn change(difference: &Difference) -> Option<Change> {
    match difference {
        Difference::Stream { change, .. } | Difference::Entry { change, .. } => Some(*change),
        _ => None,
    }
}

struct Changes<'b> {
    all: &'b [Difference],
}

const fn word(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Kind => "kind",
        Aspect::Size => "size",
        Aspect::Content | Aspect::Digest => "content",
        Aspect::Modified => "time",
        Aspect::Mode => "mode",
        Aspect::Owner => "owner",
        Aspect::Target => "target",
        Aspect::Facts => "facts",
        _ => "something",
    }
}

fn sizes(before: Option<u64>, after: Option<u64>) -> String {
    match (before, after) {
        (Some(before), Some(after)) if before == after => words::bytes(after),
        (Some(before), Some(after)) => {
            format!("{} → {}", words::bytes(before), words::bytes(after))
        }
        (one, other) => one.or(other).map_or_else(String::new, words::bytes),
    }
}

impl Rows for Changes<'_> {
    type Key = usize;

    fn count(&self) -> usize {
        self.all.len()
    }

    fn key(&self, row: usize) -> usize {
        row
    }

    fn name(&self, row: usize) -> String {
        let [change, what, of, _] = [0, 1, 2, 3].map(|column| self.text(row, column));
        format!("{what}, {} {of}", change.to_lowercase())
    }

    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize) {
        let tokens = Tokens::of(ui);
        let words = self.text(row, column);
        match column {
            0 => cell(ui, Text::Name, &words, tokens.text),
            1 => mono(ui, &words, tokens.text),
            _ => cell(ui, Text::Body, &words, tokens.muted),
        };
    }

    fn text(&self, row: usize, column: usize) -> String {
        let one = &self.all[row];
        let (name, aspects, size) = match one {
            Difference::Stream {
                name,
                aspects,
                before,
                after,
                ..
            } => {
                let length = |stream: &StreamInfo| stream.length_bytes;
                let size = sizes(before.as_deref().map(length), after.as_deref().map(length));
                (
                    format!("{} as a whole", words::one_line(name)),
                    aspects,
                    size,
                )
            }
            Difference::Entry {
                aspects,
                before,
                after,
                ..
            } => {
                let size = |entry: &EntryInfo| entry.size_bytes;
                let shown = before.as_deref().or(after.as_deref());
                let name = shown.map_or_else(String::new, |entry| words::one_line(&entry.path));
                let size = sizes(before.as_deref().map(size), after.as_deref().map(size));
                (name, aspects, size)
            }
            _ => return "Something that this window does not know".to_owned(),
        };
        match column {
            0 => match change(one) {
                Some(Change::Added) => "Added",
                Some(Change::Removed) => "Removed",
                Some(Change::Changed) => "Changed",
                _ => "Differs",
            }
            .to_owned(),
            1 => name,
            2 => {
                let aspects = aspects.iter().map(|aspect| word(*aspect));
                aspects.collect::<Vec<_>>().join(", ")
            }
            _ => size,
        }
    }
}
