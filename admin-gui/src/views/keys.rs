//! Who can read a repository's backups, what they are encrypted to, who may write them, and whether
//! somebody could restore with nothing but the recovery kit.
//!
//! What is shown is the public side. What changes keys takes secret ones, which are opened in this
//! program and go nowhere.

mod administrators;
mod change;
mod commands;
mod epochs;
mod findings;
mod kit;
mod public_key;
mod writers;

use backup_model::{ConfiguredRepository, KeysReport};
use egui::{ScrollArea, Ui};

use super::{
    Sight,
    page::{BELOW_HEAD, age, head, page, trouble},
    trouble::{card, refused},
};
use crate::kit::{
    Badge, Empty, Icon, Mark, Text, Tokens,
    card::frame,
    empty,
    finding::{Finding, finding},
    select, skeleton,
    table::Selection,
    tokens::{height, space},
};
use findings::Found;

/// The card of the kit, and what is beside it.
const SIDE: f32 = 364.0;
/// With less than this for the tables, the card goes below them.
const MAIN: f32 = 560.0;
const SELECT: f32 = 260.0;
/// More rows than this scroll.
const ROWS: f32 = 8.0;

/// What the screen remembers.
#[derive(Debug, Default)]
pub struct Own {
    /// Which repository, by its name.
    repository: Option<String>,
    administrators: Selection<String>,
    writers: Selection<String>,
    epochs: Selection<u64>,
    /// What somebody is about to change.
    change: Option<change::Draft>,
    /// What the code shows, made once.
    code: kit::Code,
}

impl Own {
    /// Where the repository that is shown stands in the list: the chosen one, if it is still there.
    fn shown(&self, repositories: &[ConfiguredRepository]) -> usize {
        let mut names = repositories.iter().map(|repository| &repository.name);
        let chosen = self.repository.as_ref();
        chosen
            .and_then(|chosen| names.position(|name| name == chosen))
            .unwrap_or(0)
    }

    /// The command that shows the same.
    pub(super) fn command(&self, sight: &Sight<'_>) -> String {
        let told = sight.state.configuration().value;
        let repositories = told.map_or(&[][..], |told| &told.repositories);
        match repositories.get(self.shown(repositories)) {
            Some(repository) => format!("backupctl key list --of {}", repository.name),
            None => "backupctl key list".to_owned(),
        }
    }
}

/// Draws it.
pub fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own) {
    page(ui, |ui| {
        let view = sight.state.configuration();
        let repositories = view.value.map_or(&[][..], |told| &told.repositories);
        head(
            ui,
            "Keys",
            |ui| badge(ui, sight, repositories),
            |ui| choose(ui, sight, own, repositories),
        );
        if let (Some(failure), None) = (view.failure, view.value) {
            card(
                ui,
                sight,
                "Which repositories there are could not be read",
                failure,
            );
            return;
        }
        if view.is_first() {
            waiting(ui, sight);
            return;
        }
        let Some(repository) = repositories.get(own.shown(repositories)).cloned() else {
            let nothing = Empty {
                icon: Icon::Keys,
                head: "No repository yet",
                sentence: "Its keys are made with it, in a terminal: backupctl init",
                action: "",
            };
            empty(ui, &nothing);
            return;
        };
        told(ui, sight, own, &repository);
    });
    change::dialog(ui, sight, &mut own.change);
}

fn waiting(ui: &mut Ui, sight: &Sight<'_>) {
    if sight.is_live() {
        frame(ui).show(ui, |ui| skeleton::rows(ui, 5, height::ROW_TALL));
    }
}

/// How much there is to be done in all repositories, as far as they were told.
fn badge(ui: &mut Ui, sight: &Sight<'_>, repositories: &[ConfiguredRepository]) {
    let keys = |repository: &ConfiguredRepository| sight.state.keys(&repository.name).value;
    let known = repositories.iter().filter_map(keys);
    let found: Vec<Found> = known.flat_map(findings::of).collect();
    let Some(worst) = found.iter().map(|found| found.mark).max() else {
        return;
    };
    let words = format!("{} to mend", found.len());
    if sight.is_live() {
        ui.add(Badge::new(worst, &words));
    } else {
        ui.add(Badge::new(Mark::Unknown, &format!("was {words}")));
    }
}

/// Leads to another repository, where there are several.
fn choose(ui: &mut Ui, sight: &Sight<'_>, own: &mut Own, repositories: &[ConfiguredRepository]) {
    if repositories.len() < 2 {
        return;
    }
    let named = |repository: &ConfiguredRepository| {
        let known = sight.state.keys(&repository.name).value;
        match known.map_or(0, |keys| findings::of(keys).len()) {
            0 => repository.name.clone(),
            count => format!("{}, {count} to mend", repository.name),
        }
    };
    let names: Vec<String> = repositories.iter().map(named).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut shown = own.shown(repositories);
    if select(ui, "Repository", SELECT, &mut shown, &names).changed() {
        *own = Own {
            repository: Some(repositories[shown].name.clone()),
            ..Own::default()
        };
    }
}

fn told(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, repository: &ConfiguredRepository) {
    let view = sight.state.keys(&repository.name);
    let Some(keys) = view.value else {
        match view.failure {
            Some(failure) => card(ui, sight, "The keys could not be read", failure),
            None => waiting(ui, sight),
        }
        return;
    };
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        // Tables are as high as their rows, whatever of them is in sight.
        ui.set_max_height(f32::INFINITY);
        if let Some(failure) = view.failure {
            trouble(ui, "Not asked anew", failure);
        }
        refused(ui, sight);
        found(ui, sight, keys);
        let whole = ui.available_width();
        let main = whole - SIDE - space::XL;
        let asked = view.at.map(|at| age(sight, at, view.asked));
        let asked = asked.unwrap_or_default();
        if main < MAIN {
            tables(ui, sight, own, keys);
            ui.add_space(space::XL);
            side(ui, sight, own, (repository, keys), &asked);
        } else {
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = space::XL;
                column(ui, main, |ui| tables(ui, sight, own, keys));
                column(ui, SIDE, |ui| {
                    side(ui, sight, own, (repository, keys), &asked);
                });
            });
        }
        ui.add_space(BELOW_HEAD);
    });
}

fn column(ui: &mut Ui, width: f32, content: impl FnOnce(&mut Ui)) {
    ui.vertical(|ui| {
        ui.set_width(width);
        ui.spacing_mut().item_spacing = egui::vec2(space::S, 0.0);
        content(ui);
    });
}

/// What is to be mended, above everything.
fn found(ui: &mut Ui, sight: &Sight<'_>, keys: &KeysReport) {
    let all = findings::of(keys);
    if all.is_empty() {
        return;
    }
    frame(ui).show(ui, |ui| {
        for (at, found) in all.iter().enumerate() {
            let mark = if sight.is_live() {
                found.mark
            } else {
                Mark::Unknown
            };
            let told = Finding {
                mark,
                name: found.name,
                sentence: &found.sentence,
                fix: found.fix,
                code: "",
                action: "",
            };
            finding(ui, &told, at + 1 == all.len());
        }
    });
    ui.add_space(space::XL);
}

fn tables(ui: &mut Ui, sight: &Sight<'_>, own: &mut Own, keys: &KeysReport) {
    administrators::show(ui, sight, own, keys);
    ui.add_space(space::XL);
    writers::show(ui, sight, own, keys);
    ui.add_space(space::XL);
    epochs::show(ui, sight, own, keys);
}

fn side(
    ui: &mut Ui,
    sight: &Sight<'_>,
    own: &mut Own,
    (repository, keys): (&ConfiguredRepository, &KeysReport),
    asked: &str,
) {
    kit::show(ui, sight, own, (repository, keys), asked);
    ui.add_space(space::XL);
    commands::show(ui, keys);
}

/// Said where rows would be.
fn nobody(ui: &mut Ui, words: &str) {
    ui.label(Text::Body.rich(words, Tokens::of(ui).muted));
}
