//! The files: a folder as a table with the way to it above, or what a search found in all of them.

use backup_model::{EntryKind, SnapshotDetail};
use backupd_api::Scope;
use egui::{Align, Layout, Ui};

use super::{Own, Sight, bar, pick, start};
use crate::{
    kit::{
        Icon, Text, Tokens, breadcrumb,
        table::{Column, DataTable, Rows, Width, mono, words as cell},
        tokens::{height, space},
        words,
    },
    state::{Tree, TreePlace},
    views::page::filter,
};

/// A row: folders before files, then as the tree has them.
pub(super) type Key = (bool, usize, TreePlace);

/// The table's head, the bar below, and what is between.
const AROUND: f32 = height::ROW_COMPACT + height::CONTROL + space::M + 8.0;

const COLUMNS: [Column<'_>; 4] = [
    Column::new("Name", Width::Rest(220.0)),
    Column::number("Size", Width::Fixed(84.0)),
    Column::new("Changed", Width::Fixed(120.0)),
    Column::new("Mode", Width::Fixed(64.0)),
];

pub(super) fn show(
    ui: &mut Ui,
    sight: &mut Sight<'_>,
    own: &mut Own,
    detail: &SnapshotDetail,
    tree: &Tree,
) {
    let folder = own.folder.unwrap_or_else(|| start(tree));
    ui.horizontal(|ui| {
        ui.set_min_height(height::CONTROL);
        way(ui, own, tree, folder);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            filter(ui, "Search", "Search this snapshot", &mut own.query);
        });
    });
    ui.add_space(space::M);
    let query = own.query.trim().to_lowercase();
    let searching = !query.is_empty();
    let rows: &[TreePlace] = if searching {
        if own.search.step(tree, &query) {
            // The rest is looked through in the next frames.
            ui.ctx().request_repaint();
        }
        own.search.found()
    } else {
        tree.children(folder)
    };
    note(ui, own, tree, folder, searching);
    let mut shown = Files {
        tree,
        rows,
        sight,
        whole_paths: searching,
    };
    let room = ui.available_height() - AROUND;
    let output = DataTable::new("Files", &COLUMNS)
        .multi()
        .max_height(room)
        .show(ui, &mut shown, &mut own.files);
    if let Some((_, _, opened)) = output.opened {
        let is_folder = tree.shown(opened).is_folder;
        let to = if is_folder {
            tree.unfold(opened)
        } else {
            tree.parent(opened)
        };
        own.folder = Some(to);
        own.query.clear();
        own.files.clear();
    }
    chosen(ui, sight, own, detail, tree);
}

/// The folders above, each of which can be gone to.
fn way(ui: &mut Ui, own: &mut Own, tree: &Tree, folder: TreePlace) {
    let line = tree.line(folder);
    let names = line.iter().map(|at| words::one_line(tree.shown(*at).name));
    let names: Vec<String> = std::iter::once("/".to_owned()).chain(names).collect();
    // A deep folder shows where it begins and its last steps.
    let skipped = names.len().saturating_sub(6);
    let mut steps: Vec<&str> = names.iter().map(String::as_str).collect();
    if skipped > 0 {
        steps.splice(1..=skipped, ["…"]);
    }
    let Some(step) = breadcrumb(ui, &steps) else {
        return;
    };
    let to = match step {
        0 => Some(Tree::ROOT),
        1 if skipped > 0 => line.get(skipped - 1).copied(),
        step if skipped > 0 => line.get(step + skipped - 2).copied(),
        step => line.get(step - 1).copied(),
    };
    own.folder = to.or(own.folder);
    own.files.clear();
}

/// How much there is, here or of what was found.
fn note(ui: &mut Ui, own: &Own, tree: &Tree, folder: TreePlace, searching: bool) {
    let muted = Tokens::of(ui).muted;
    let words = if searching {
        let found = words::count(own.search.found().len() as u64);
        match own.search.left(tree) {
            0 => format!(
                "{found} found in {} entries",
                words::count(tree.count() as u64)
            ),
            left => format!(
                "{found} found so far, {} to look through",
                words::count(left as u64)
            ),
        }
    } else {
        let here = tree.shown(folder);
        format!(
            "{} here, {} in all, {}",
            words::count(tree.children(folder).len() as u64),
            words::count(u64::from(here.beneath)),
            words::bytes(here.bytes)
        )
    };
    ui.label(Text::Caption.rich(words, muted));
    ui.add_space(space::S);
}

fn chosen(ui: &mut Ui, sight: &mut Sight<'_>, own: &Own, detail: &SnapshotDetail, tree: &Tree) {
    let places: Vec<TreePlace> = own.files.chosen().map(|(_, _, place)| *place).collect();
    if places.is_empty() {
        return;
    }
    let bytes: u64 = places.iter().map(|at| tree.shown(*at).bytes).sum();
    let count = words::count(places.len() as u64);
    let words = format!("{count} selected, {}", words::bytes(bytes));
    let button = format!("Restore {count}…");
    if bar(ui, &words, &button, sight.off_for(Scope::Restore)) {
        let paths = places.iter().map(|at| tree.raw_path(*at)).collect();
        pick::paths(sight, detail, paths);
    }
}

struct Files<'a, 'b> {
    tree: &'b Tree,
    rows: &'b [TreePlace],
    sight: &'b Sight<'a>,
    /// Of what was found anywhere, the whole path is shown.
    whole_paths: bool,
}

impl Rows for Files<'_, '_> {
    type Key = Key;

    fn count(&self) -> usize {
        self.rows.len()
    }

    fn key(&self, row: usize) -> Key {
        let place = self.rows[row];
        (!self.tree.shown(place).is_folder, row, place)
    }

    fn name(&self, row: usize) -> String {
        let what = match self.tree.shown(self.rows[row]).kind {
            None | Some(EntryKind::Directory) => "folder",
            Some(EntryKind::Symlink | EntryKind::Hardlink) => "link",
            _ => "file",
        };
        format!("{}, {what}, {}", self.text(row, 0), self.text(row, 1))
    }

    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize) {
        let tokens = Tokens::of(ui);
        let words = self.text(row, column);
        let shown = self.tree.shown(self.rows[row]);
        match column {
            0 => {
                let icon = if shown.is_folder {
                    Icon::Folder
                } else {
                    Icon::File
                };
                icon.ui(ui, tokens.muted);
                mono(ui, &words, tokens.text);
            }
            3 => {
                mono(ui, &words, tokens.muted);
            }
            _ => {
                cell(ui, Text::Body, &words, tokens.muted);
            }
        }
    }

    fn text(&self, row: usize, column: usize) -> String {
        let place = self.rows[row];
        let shown = self.tree.shown(place);
        match column {
            0 => {
                let name = if self.whole_paths {
                    words::one_line(&self.tree.path(place))
                } else {
                    words::one_line(shown.name)
                };
                match shown.target {
                    Some(target) => format!("{name} → {}", words::one_line(target)),
                    None => name,
                }
            }
            1 => words::bytes(shown.bytes),
            2 => shown.modified.map_or_else(String::new, |at| {
                words::moment(at, self.sight.now, self.sight.zone)
            }),
            _ if shown.kind.is_none() => String::new(),
            _ => format!("{:04o}", shown.mode & 0o7777),
        }
    }
}
