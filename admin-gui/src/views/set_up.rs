//! This machine, set up step by step: where backups go, what is backed up and when, and a look at all
//! of it before anything is made.

mod form;
mod job;
mod look;
mod store;

use egui::{CentralPanel, Frame, Margin, ScrollArea, Ui};

use super::{Sight, trouble};
use crate::{
    kit::{Button, Stage, Step as Shown, Text, Tokens, steps_foot, steps_rail, tokens::space},
    state::{Act, Home, Place, ServerAct, Way},
};
use form::{Form, Step};

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
    foot(ui, sight, own, &home);
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
    let notes = Step::ALL.map(|step| form.note(step));
    let typed = Step::ALL.iter().zip(&notes).map(|(step, note)| Shown {
        name: step.name(),
        note,
        stage: Stage::of(step.cmp(&form.step)),
    });
    let later = ["Recovery kit", "First backup", "Test restore"].map(|name| Shown {
        name,
        note: "",
        stage: Stage::Ahead,
    });
    let all: Vec<Shown<'_>> = typed.chain(later).collect();
    let chosen = steps_rail(ui, "Set up this machine", &all);
    if let Some(back) = chosen.and_then(|at| Step::ALL.get(at)) {
        form.step = *back;
    }
}

fn foot(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, home: &Home) {
    let muted = Tokens::of(ui).muted;
    steps_foot(ui, |ui| {
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
            ui.label(Text::Caption.rich(off, muted));
        }
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
