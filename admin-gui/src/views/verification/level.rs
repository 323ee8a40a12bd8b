//! A card for each level: what it proves and what not, how far that was reached, and how it is
//! begun.

use backup_model::{JobName, Level, Selection};
use backupd_api::Scope;
use egui::{Align2, Margin, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::{
    Own, Sight,
    standing::{Ladder, Standing},
};
use crate::{
    kit::{
        Button, Mark, Text, Tokens,
        card::padded_card,
        progress::{Meter, meter},
        tokens::{height, space},
    },
    state::Deed,
};

/// With less than this for a card, its sentence needs two lines.
const WIDE: f32 = 460.0;

/// What is said of a level, always.
struct Rung {
    level: Level,
    name: &'static str,
    proves: &'static str,
    proves_not: &'static str,
}

const STORAGE: Rung = Rung {
    level: Level::Storage,
    name: "Storage",
    proves: "Every record and pack is there, whole, signed, in an unbroken chain",
    proves_not: "Needs no key. Does not prove that they decrypt",
};
const DATA: Rung = Rung {
    level: Level::Data,
    name: "Data",
    proves: "Every stream decrypts, unpacks and has its length and digest",
    proves_not: "Needs a key. Does not prove that a database starts from it",
};

pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &Own, jobs: &[Standing]) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.x = space::L;
        ui.columns_const(|[left, right]| {
            card(left, sight, &STORAGE, jobs, |ui, sight| {
                let deed = Deed::Verify(Selection::All);
                let under_way = sight.state.doing().contains(&deed);
                let off = sight.off().or(under_way.then_some("It is being begun"));
                let button = Button::filled("Verify all jobs").off_if(off);
                if ui.add(button).clicked() {
                    sight.ask(deed);
                }
            });
            card(right, sight, &DATA, jobs, |ui, sight| {
                every_byte(ui, sight, own.jobs.cursor());
            });
        });
    });
}

/// Every byte of the job that is chosen, or of all; that takes an administrator's key.
fn every_byte(ui: &mut Ui, sight: &mut Sight<'_>, job: Option<&JobName>) {
    if sight.state.key().open().is_none() {
        let off = sight.off_for(Scope::Verify);
        if ui.add(Button::outline("Open a key…").off_if(off)).clicked() {
            sight.want_key();
        }
        return;
    }
    let meant = job.map_or(Selection::All, |job| Selection::Job(job.clone()));
    let word = job.map_or_else(
        || "Verify every byte".to_owned(),
        |job| format!("Verify every byte of {job}"),
    );
    let deed = Deed::VerifyData(meant);
    let under_way = sight.state.doing().contains(&deed);
    let off = sight.off_for(Scope::Verify);
    let off = off.or(under_way.then_some("It is being begun"));
    if ui.add(Button::outline(&word).off_if(off)).clicked() {
        sight.ask(deed);
    }
}

fn card(
    ui: &mut Ui,
    sight: &mut Sight<'_>,
    rung: &Rung,
    jobs: &[Standing],
    action: impl FnOnce(&mut Ui, &mut Sight<'_>),
) {
    let ladder = &Ladder::of(rung.level, jobs);
    let wide = ui.available_width() >= WIDE;
    padded_card(ui, rung.name, Margin::symmetric(16, 12), |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        title(ui, sight, rung.name, ladder);
        ui.add_space(6.0);
        let lines = if wide { 1 } else { 2 };
        let text = Tokens::of(ui).text;
        block(ui, Text::Body, rung.proves, text, lines);
        let muted = Tokens::of(ui).muted;
        block(ui, Text::Caption, rung.proves_not, muted, 1);
        ui.add_space(space::M);
        reached(ui, sight, ladder);
        ui.add_space(space::M);
        // A command is of two lines where a sentence is.
        let high = if wide {
            height::CONTROL
        } else {
            height::ROW_TALL
        };
        let size = vec2(ui.available_width(), high);
        let layout = egui::Layout::top_down(egui::Align::Min);
        ui.allocate_ui_with_layout(size, layout, |ui| {
            ui.set_min_height(high);
            action(ui, sight);
        });
    });
}

fn title(ui: &mut Ui, sight: &Sight<'_>, name: &str, ladder: &Ladder) {
    let tokens = Tokens::of(ui);
    let size = vec2(ui.available_width(), Text::Section.line());
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let (live, mark) = (sight.is_live(), shown_mark(sight, ladder));
    let newest = ladder.newest.map_or_else(
        || "never".to_owned(),
        |newest| format!("newest {}", sight.when(newest)),
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Heading, true, name));
    let centre = pos2(rect.left() + 8.0, rect.center().y);
    let colour = mark.colour(tokens);
    mark.paint(ui.painter(), centre, 16.0, colour, tokens.panel);
    let at = pos2(rect.left() + 24.0, rect.center().y);
    let text = if live { tokens.text } else { tokens.muted };
    Text::Section.write(ui, at, Align2::LEFT_CENTER, name, text);
    let at = rect.right_center();
    Text::Caption.write(ui, at, Align2::RIGHT_CENTER, &newest, tokens.muted);
}

/// What was so is not so for sure while nobody answers.
fn shown_mark(sight: &Sight<'_>, ladder: &Ladder) -> Mark {
    if sight.is_live() {
        ladder.mark
    } else {
        Mark::Unknown
    }
}

/// So many lines, whether or not the words need them: both cards are of one height.
fn block(ui: &mut Ui, text: Text, words: &str, colour: egui::Color32, lines: usize) {
    let size = vec2(ui.available_width(), text.line() * lines as f32);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
    let galley = text.block_of(ui, words, colour, rect.width(), lines);
    ui.painter().galley(rect.min, galley, colour);
}

fn reached(ui: &mut Ui, sight: &Sight<'_>, ladder: &Ladder) {
    let (reached, all) = ladder.reached;
    let jobs = if all == 1 { "job" } else { "jobs" };
    let late = match ladder.overdue {
        0 => String::new(),
        overdue => format!(", {overdue} overdue"),
    };
    let wanted = ladder.oldest.map_or_else(String::new, |oldest| {
        format!("oldest {}", sight.when(oldest))
    });
    meter(
        ui,
        Meter {
            reached: &format!("{reached} of {all} {jobs}{late}"),
            wanted: &wanted,
            share: ladder.share(),
            mark: shown_mark(sight, ladder),
        },
    );
}
