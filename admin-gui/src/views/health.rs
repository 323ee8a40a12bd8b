//! The house around the jobs: what was looked at, the worst first, with the evidence and what to do
//! about it; and the channels by which people are told, to be tried from here.

mod detail;
mod diagnostics;
mod fix;
mod item;
mod list;
mod stored;

use backup_model::HealthState;
use egui::Ui;

use super::{
    Sight,
    next_step::next_step,
    page::{self, age, head, page, trouble},
    trouble::card,
};
use crate::{
    kit::{
        Badge, Button, Empty, Icon, Mark, Text, Tokens,
        card::frame,
        empty,
        finding::{Finding, finding},
        skeleton,
        tokens::{height, space},
    },
    state::{Act, Deed},
};
use item::{Key, Shown};

/// What the screen remembers.
#[derive(Debug, Default)]
pub struct Own {
    filter: String,
    open: Open,
    stored: stored::Own,
}

/// Which row is open.
#[derive(Debug, Default, PartialEq, Eq)]
enum Open {
    /// The worst, if anything is wrong.
    #[default]
    Worst,
    /// This one.
    This(Key),
    /// None: somebody has closed it.
    Closed,
}

/// Draws it.
pub fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own) {
    page(ui, |ui| {
        let view = sight.state.health();
        let items = item::shown(sight);
        let counted = counts(sight, &items);
        head(
            ui,
            "Health",
            |ui| badges(ui, &counted),
            |ui| buttons(ui, sight),
        );
        if view.is_first() && items.is_empty() {
            frame(ui).show(ui, |ui| skeleton::rows(ui, 5, height::ROW));
            return;
        }
        refused(ui, sight);
        if let Some(failure) = view.failure {
            if items.is_empty() {
                card(ui, sight, "What was looked at could not be read", failure);
                return;
            }
            trouble(ui, "Not asked anew", failure);
        }
        if items.is_empty() {
            let nothing = Empty {
                icon: Icon::Health,
                head: "Nothing was looked at",
                sentence: "A repository or a database in the configuration is looked at every \
                           minute",
                action: "",
            };
            empty(ui, &nothing);
            return;
        }
        filter(ui, sight, own);
        list::show(ui, sight, own, &items);
    });
}

/// How many stand how, the worst first.
fn counts(sight: &Sight<'_>, items: &[Shown<'_>]) -> Vec<(HealthState, usize)> {
    let count = |state| {
        let items = items.iter();
        (
            state,
            items.filter(|item| item.state(sight) == state).count(),
        )
    };
    let counted = HealthState::ALL.into_iter().map(count);
    counted.filter(|(_, count)| *count > 0).collect()
}

fn badges(ui: &mut Ui, counted: &[(HealthState, usize)]) {
    for (state, count) in counted {
        let words = format!("{count} {}", item::word(*state));
        ui.add(Badge::new(item::mark(*state), &words));
    }
}

/// From right to left.
fn buttons(ui: &mut Ui, sight: &mut Sight<'_>) {
    let off = sight.off();
    let check = Button::outline("Check all now").icon(Icon::Refresh);
    if ui.add(check.off_if(off)).clicked() {
        sight.ask(Act::Refresh);
    }
    let copy = Button::outline("Copy diagnostics").icon(Icon::Copy);
    if ui.add(copy).clicked() {
        ui.ctx().copy_text(diagnostics::text(sight));
    }
}

/// A test message that did not arrive.
fn refused(ui: &mut Ui, sight: &Sight<'_>) {
    let Some((deed @ Deed::TestChannel(_), failure)) = sight.state.refused() else {
        return;
    };
    let (title, sentence) = (deed.title(), failure.to_string());
    let told = Finding {
        mark: Mark::Failed,
        name: "Not delivered",
        sentence: &format!("{title}: {sentence}"),
        fix: next_step(failure.code).unwrap_or("Mend what it says, then send another one"),
        code: failure.code.as_str(),
        action: "",
    };
    frame(ui).show(ui, |ui| finding(ui, &told, true));
    ui.add_space(space::M);
}

fn filter(ui: &mut Ui, sight: &Sight<'_>, own: &mut Own) {
    let muted = Tokens::of(ui).muted;
    ui.horizontal(|ui| {
        page::filter(ui, "Filter checks", "Filter checks", &mut own.filter);
        let view = sight.state.health();
        if let (Some(report), Some(_)) = (view.value, view.at) {
            let age = age(sight, report.at, view.asked);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.label(Text::Caption.rich(age, muted));
            });
        }
    });
    ui.add_space(space::M);
}
