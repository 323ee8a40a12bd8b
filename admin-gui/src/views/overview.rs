//! Whether all is protected: one sentence, what needs somebody, every job, and what stands behind
//! them. What it says is computed apart from how it is drawn.

mod attention;
mod cards;
mod cause;
mod doors;
mod first_run;
mod hero;
mod jobs;
mod readiness;
mod side;
mod storage;
mod strip;
mod timeline;

use backup_model::{JobName, StatusReport};
use egui::{Frame, Margin, ScrollArea, Ui};
use jiff::Timestamp;

use super::Sight;
use crate::{
    kit::{card, skeleton, table::Selection, tokens::height, tokens::space, words},
    state::Connection,
};

/// The content is never wider than this.
const WIDEST: f32 = 1280.0;
/// The right column.
const SIDE: f32 = 248.0;
/// With less than this for the main column, what stands beside it goes below.
const MAIN: f32 = 740.0;
/// From a section to the head of the next, and from there to what it is about.
const BETWEEN: f32 = 20.0;
const UNDER_HEAD: f32 = space::S;
/// So much of the window at least is left to what is not the table.
const BESIDE_TABLE: f32 = 88.0;
const LEAST_ROWS: f32 = 5.0;

/// What the screen remembers.
#[derive(Debug, Default)]
pub struct Own {
    selection: Selection<JobName>,
}

/// Draws it.
pub fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own) {
    let room = ui.available_height();
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let margin = Margin::symmetric(24, 20);
        Frame::new().inner_margin(margin).show(ui, |ui| {
            ui.set_width(ui.available_width().min(WIDEST));
            match sight.state.status() {
                None => unheard(ui, sight),
                Some(_) if sight.state.server().repository().is_some() => alone(ui),
                Some((report, _)) if first_run::is_on(sight, report) => {
                    first_run::show(ui, sight, report);
                }
                Some((report, at)) => told(ui, sight, own, (report, at), room),
            }
        });
    });
}

/// A repository that was opened by itself: nothing looks after it here.
fn alone(ui: &mut Ui) {
    let said = hero::Said {
        head: "A repository alone".to_owned(),
        sentence: "No job and no schedule looks after it here: what it holds is in Snapshots, and \
                   comes back by a restore"
            .to_owned(),
    };
    hero::show(ui, &said, &[]);
}

/// Nothing was ever heard: where everything will be, unless nobody answers at all.
fn unheard(ui: &mut Ui, sight: &mut Sight<'_>) {
    let address = &sight.state.server().address;
    let said = match sight.state.connection() {
        Connection::Lost { .. } => hero::Said {
            head: "State unknown".to_owned(),
            sentence: format!("{address} has not answered since this window was opened"),
        },
        Connection::Connecting | Connection::Live => hero::Said {
            head: "Connecting".to_owned(),
            sentence: format!("Asking {address} how everything stands"),
        },
    };
    hero::show(ui, &said, &[]);
    if matches!(sight.state.connection(), Connection::Lost { .. }) {
        doors::show(ui, sight);
        return;
    }
    ui.add_space(BETWEEN);
    card::padded_card(ui, "Jobs", Margin::ZERO, |ui| {
        skeleton::rows(ui, 5, height::ROW_TALL);
    });
}

fn told(
    ui: &mut Ui,
    sight: &mut Sight<'_>,
    own: &mut Own,
    (report, at): (&StatusReport, Timestamp),
    room: f32,
) {
    let said = hero::said(report, at, sight);
    hero::show(ui, &said, &hero::counts(&sight.state.jobs()));
    ui.add_space(space::L);
    refused(ui, sight);
    let whole = ui.available_width();
    let main = whole - SIDE - space::XL;
    if main < MAIN {
        attention(ui, sight, (report, at));
        jobs(ui, sight, own, at, room);
        ui.add_space(BETWEEN);
        let each = (whole - 2.0 * space::L) / 3.0;
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = space::L;
            column(ui, each, |ui| storage::show(ui, sight, report));
            column(ui, each, |ui| readiness::show(ui, sight, report));
            column(ui, each, |ui| timeline::show(ui, sight, (report, at)));
        });
        return;
    }
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = space::XL;
        column(ui, main, |ui| {
            attention(ui, sight, (report, at));
            jobs(ui, sight, own, at, room);
        });
        column(ui, SIDE, |ui| {
            // Level with what stands under the first head of the main column.
            ui.add_space(crate::kit::Text::Section.line() + UNDER_HEAD);
            storage::show(ui, sight, report);
            ui.add_space(space::M);
            readiness::show(ui, sight, report);
            ui.add_space(space::M);
            timeline::show(ui, sight, (report, at));
        });
    });
}

fn column(ui: &mut Ui, width: f32, content: impl FnOnce(&mut Ui)) {
    ui.vertical(|ui| {
        ui.set_width(width);
        ui.spacing_mut().item_spacing = egui::vec2(space::S, 0.0);
        content(ui);
    });
}

/// What was asked for here and did not begin, until it does.
fn refused(ui: &mut Ui, sight: &mut Sight<'_>) {
    // Nothing can be tried again while nobody answers.
    if let Some((deed, failure)) = sight.state.refused().filter(|_| sight.is_live()) {
        side::refused(ui, sight, deed, failure);
        ui.add_space(space::L);
    }
}

fn attention(ui: &mut Ui, sight: &mut Sight<'_>, (report, at): (&StatusReport, Timestamp)) {
    let (chosen, all) = attention::chosen(report);
    if chosen.is_empty() {
        return;
    }
    let caption = if all > chosen.len() {
        format!("the worst {} of {all}", chosen.len())
    } else {
        String::new()
    };
    if sight.is_live() {
        card::section_head(ui, "Needs attention", &caption);
        ui.add_space(UNDER_HEAD);
        cards::show(ui, sight, &chosen);
    } else {
        let at = words::moment(at, sight.now, sight.zone);
        card::section_head(ui, &format!("Needed attention at {at}"), &caption);
        ui.add_space(UNDER_HEAD);
        cards::past(ui, sight, &chosen);
    }
    ui.add_space(BETWEEN);
}

fn jobs(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, at: Timestamp, room: f32) {
    let caption = if sight.is_live() {
        "worst state first".to_owned()
    } else {
        format!("as of {}", words::moment(at, sight.now, sight.zone))
    };
    card::section_head(ui, "Jobs", &caption);
    ui.add_space(UNDER_HEAD);
    let high = (room - BESIDE_TABLE).max(LEAST_ROWS * height::ROW_TALL);
    jobs::show(ui, sight, &mut own.selection, at, high);
}
