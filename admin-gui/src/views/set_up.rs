//! This machine, set up step by step: where backups go, what is backed up and when, and a look at all
//! of it before anything is made.

mod form;
mod job;
mod look;
mod store;

use egui::{Align, CentralPanel, Frame, Layout, Margin, Panel, ScrollArea, Ui};

use super::{Sight, trouble};
use crate::{
    kit::{
        Button, Stage, Step as Shown, Text, Tokens, card, steps,
        tokens::{line, space},
    },
    state::{Act, Home, Place, ServerAct, Way},
};
use form::{Form, Step};

const RAIL: f32 = 216.0;
const FOOTER: f32 = 56.0;
/// Of a field, and of a paragraph.
const WIDE: f32 = 520.0;

/// What the page remembers.
#[derive(Debug, Default)]
pub(super) struct Own {
    form: Form,
    /// It was tried since the form was changed: what failed is about this try.
    tried: bool,
}

impl Own {
    /// The command that begins the same.
    pub(super) fn command(&self) -> String {
        self.form.command()
    }
}

/// Draws it.
pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own) {
    let Some(home) = sight.state.home().cloned() else {
        ui.add_space(space::XL);
        let words = "Nothing says where this user's files are: HOME is not set";
        ui.label(Text::Body.rich(words, Tokens::of(ui).muted));
        return;
    };
    own.form.begin(&home);
    rail(ui, &mut own.form);
    footer(ui, sight, own, &home);
    let padding = Frame::new().inner_margin(Margin::symmetric(24, 20));
    CentralPanel::default().frame(padding).show(ui, |ui| {
        ui.spacing_mut().item_spacing = egui::vec2(space::S, 0.0);
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            if let (Way::Refused(failure), true) = (sight.state.way(), own.tried) {
                trouble::told(ui, "It did not work", failure);
                ui.add_space(space::L);
            }
            match own.form.step {
                Step::Store => store::show(ui, &mut own.form),
                Step::Job => job::show(ui, &mut own.form),
                Step::Look => look::show(ui, &own.form, &home),
            }
        });
    });
}

fn rail(ui: &mut Ui, form: &mut Form) {
    let tokens = Tokens::of(ui);
    Panel::left("steps of the set-up")
        .exact_size(RAIL)
        .resizable(false)
        .frame(Frame::new().inner_margin(Margin::symmetric(24, 20)))
        .show_separator_line(false)
        .show(ui, |ui| {
            let whole = ui.max_rect().expand2(egui::vec2(24.0, 20.0));
            let edge = whole.with_min_x(whole.right() - line::BORDER);
            ui.painter().rect_filled(edge, 0, tokens.border);
            card::section_head(ui, "Set up this machine", "");
            ui.add_space(space::L);
            let notes = Step::ALL.map(|step| form.note(step));
            let mut all: Vec<Shown<'_>> = Step::ALL
                .iter()
                .zip(&notes)
                .map(|(step, note)| Shown {
                    name: step.name(),
                    note,
                    stage: match step.cmp(&form.step) {
                        std::cmp::Ordering::Less => Stage::Done,
                        std::cmp::Ordering::Equal => Stage::Now,
                        std::cmp::Ordering::Greater => Stage::Ahead,
                    },
                })
                .collect();
            for name in ["Recovery kit", "First backup", "Test restore"] {
                all.push(Shown {
                    name,
                    note: "",
                    stage: Stage::Ahead,
                });
            }
            if let Some(back) = steps(ui, &all).and_then(|at| Step::ALL.get(at)) {
                form.step = *back;
            }
        });
}

fn footer(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, home: &Home) {
    let tokens = Tokens::of(ui);
    Panel::bottom("way on of the set-up")
        .exact_size(FOOTER)
        .frame(Frame::new().inner_margin(Margin::symmetric(24, 0)))
        .show_separator_line(false)
        .show(ui, |ui| {
            let whole = ui.max_rect().expand2(egui::vec2(24.0, 0.0));
            let edge = whole.with_max_y(whole.top() + line::BORDER);
            ui.painter().rect_filled(edge, 0, tokens.border);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = space::M;
                let off = blocked(sight, own, home);
                on(ui, sight, own, off);
                let back = own.form.step.before();
                let word = if back.is_some() { "Back" } else { "Give up" };
                if ui.add(Button::outline(word)).clicked() {
                    match back {
                        Some(back) => own.form.step = back,
                        None => sight.ask(Act::Go(Place::Overview)),
                    }
                }
                if let Some(off) = off {
                    ui.label(Text::Caption.rich(off, tokens.muted));
                }
            });
        });
}

fn on(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, off: Option<&str>) {
    if let Some(next) = own.form.step.next() {
        if ui.add(Button::filled("Continue").off_if(off)).clicked() {
            own.form.step = next;
            own.tried = false;
        }
        return;
    }
    // It was made and is only not running.
    if sight.state.home().is_some_and(|home| home.is_set_up) {
        if ui.add(Button::filled("Start it").off_if(off)).clicked() {
            own.tried = true;
            sight.ask(ServerAct::Start);
        }
        return;
    }
    let pressed = ui.add(Button::filled("Set up").off_if(off)).clicked();
    if let Some(order) = own.form.order().filter(|_| pressed) {
        own.tried = true;
        sight.ask(ServerAct::SetUp(Box::new(order)));
    }
}

/// Why the step that is shown cannot be left.
fn blocked(sight: &Sight<'_>, own: &Own, home: &Home) -> Option<&'static str> {
    let trying = *sight.state.way() == Way::Trying;
    let missing = own.form.missing(own.form.step);
    let early = home.is_set_up && own.form.step != Step::Look;
    missing
        .or(trying.then_some("It is being set up"))
        .or(early.then_some("There is a configuration already"))
}
