//! What is in a snapshot: its files in folders, its databases with their tables, and what differs
//! from an earlier one. What is chosen here can be restored alone.

mod changes;
mod databases;
mod files;
mod pick;
mod search;
mod tables;

use backup_model::{End, SnapshotDetail, SnapshotName, StreamKind};
use egui::{Align, Layout, Ui};

use super::{Sight, restore, trouble};
use crate::{
    kit::{
        Button, Text, Tokens, breadcrumb, select, skeleton,
        table::{Selection, words as cell},
        tabs,
        tokens::{height, space},
        words,
    },
    state::{Act, Place, Tree, TreePlace},
    views::page::page,
};

/// What the screen remembers.
#[derive(Debug, Default)]
pub struct Own {
    /// Of which snapshot all of this is.
    of: Option<SnapshotName>,
    tab: usize,
    /// The folder that is open; none for the first one with something in it.
    folder: Option<TreePlace>,
    query: String,
    search: search::Search,
    files: Selection<files::Key>,
    tables: tables::Own,
    changes: Selection<usize>,
    shown_changes: changes::Shown,
}

impl Own {
    /// The command that shows the same.
    pub(super) fn command(&self, name: &SnapshotName, against: Option<&SnapshotName>) -> String {
        match against {
            Some(before) => format!("backupctl snapshot diff {before} {name} --identity admin.key"),
            None if self.tab == FILES && !self.query.trim().is_empty() => {
                let query = self.query.trim();
                format!("backupctl snapshot find '*{query}*' --identity admin.key")
            }
            None if self.tab == DATABASES => {
                format!("backupctl snapshot show {name} --identity admin.key")
            }
            None => format!("backupctl snapshot ls {name} --identity admin.key"),
        }
    }

    fn is_of(&mut self, name: &SnapshotName) {
        if self.of.as_ref() != Some(name) {
            *self = Self {
                of: Some(name.clone()),
                ..Self::default()
            };
        }
    }
}

const FILES: usize = 0;
const DATABASES: usize = 1;
const TABS: [&str; 3] = ["Files", "Databases", "Changes"];

/// Draws it.
pub fn show(
    ui: &mut Ui,
    sight: &mut Sight<'_>,
    own: &mut Own,
    name: &SnapshotName,
    against: Option<&SnapshotName>,
) {
    own.is_of(name);
    page(ui, |ui| {
        head(ui, sight, name);
        if sight.state.key().open().is_none() {
            if restore::locked(ui, sight) {
                sight.want_key();
            }
            return;
        }
        let told = sight.state.contents(name);
        if trouble::instead(ui, sight, &told, "The snapshot cannot be opened") {
            return;
        }
        let Some(detail) = told.value else {
            skeleton::rows(ui, 10, height::ROW_COMPACT);
            return;
        };
        if tabs(ui, &TABS, &mut own.tab) {
            own.files.clear();
        }
        ui.add_space(space::M);
        match own.tab {
            FILES => all_files(ui, sight, own, detail),
            DATABASES => databases::show(ui, sight, own, detail),
            _ => compared(ui, sight, own, name, against),
        }
    });
}

/// Where somebody is, and back to the snapshots.
fn head(ui: &mut Ui, sight: &mut Sight<'_>, name: &SnapshotName) {
    let tokens = Tokens::of(ui);
    ui.horizontal(|ui| {
        ui.set_min_height(height::CONTROL);
        let shown = name.to_string();
        if breadcrumb(ui, &["Snapshots", &shown]) == Some(0) {
            sight.ask(Act::Go(Place::Snapshots));
        }
        let all = sight.state.snapshots().value;
        let good = all
            .into_iter()
            .flatten()
            .filter_map(|run| run.as_ref().ok());
        if let Some(info) = good.into_iter().find(|info| info.snapshot == *name) {
            let made = words::both(info.created, sight.zone);
            cell(ui, Text::Caption, &made, tokens.muted);
        }
    });
    ui.add_space(space::M);
}

fn all_files(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, detail: &SnapshotDetail) {
    let streams = detail.streams.iter().flatten();
    if !streams
        .clone()
        .any(|stream| stream.kind == StreamKind::Files)
    {
        let muted = Tokens::of(ui).muted;
        ui.label(Text::Body.rich("There are no files in this snapshot", muted));
        return;
    }
    let told = sight.state.tree(&detail.info.snapshot);
    if trouble::instead(ui, sight, &told, "The files cannot be listed") {
        return;
    }
    let Some(tree) = told.value else {
        let count: u64 = streams.filter_map(|stream| stream.entries).sum();
        let words = format!("Reading {} files, folders and links", words::count(count));
        ui.label(Text::Body.rich(words, Tokens::of(ui).muted));
        ui.add_space(space::M);
        skeleton::rows(ui, 8, height::ROW_COMPACT);
        return;
    };
    files::show(ui, sight, own, detail, tree);
}

/// What differs from an earlier snapshot of the same job, which somebody chooses.
fn compared(
    ui: &mut Ui,
    sight: &mut Sight<'_>,
    own: &mut Own,
    name: &SnapshotName,
    against: Option<&SnapshotName>,
) {
    let all = sight.state.snapshots().value;
    let good = all
        .into_iter()
        .flatten()
        .filter_map(|run| run.as_ref().ok());
    let mut others: Vec<_> = good
        .into_iter()
        .filter(|info| {
            let is_snapshot = matches!(info.end, End::Complete | End::Partial);
            is_snapshot && info.snapshot.job == name.job && info.snapshot != *name
        })
        .collect();
    others.sort_by_key(|info| std::cmp::Reverse(info.created));
    let labels: Vec<String> = others
        .iter()
        .map(|info| {
            let made = words::moment(info.created, sight.now, sight.zone);
            format!("{made}, {}", info.snapshot)
        })
        .collect();
    let mut choices = vec!["Choose a snapshot to compare with"];
    choices.extend(labels.iter().map(String::as_str));
    let at = against.and_then(|one| others.iter().position(|info| info.snapshot == *one));
    let mut at = at.map_or(0, |at| at + 1);
    if select(ui, "Compare with", 320.0, &mut at, &choices).changed() {
        let before = at.checked_sub(1).map(|at| others[at].snapshot.clone());
        sight.ask(Act::Go(Place::Contents(name.clone(), before)));
    }
    ui.add_space(space::M);
    if let Some(before) = against {
        changes::show(ui, sight, own, before, name);
    }
}

/// The bar below what is chosen.
fn bar(ui: &mut Ui, chosen: &str, button: &str, off: Option<&str>) -> bool {
    let tokens = Tokens::of(ui);
    ui.add_space(space::M);
    ui.horizontal(|ui| {
        ui.set_min_height(height::CONTROL);
        ui.label(Text::Name.rich(chosen, tokens.text));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add(Button::filled(button).off_if(off)).clicked()
        })
        .inner
    })
    .inner
}

/// Where a folder begins that is worth looking at.
fn start(tree: &Tree) -> TreePlace {
    tree.unfold(Tree::ROOT)
}
