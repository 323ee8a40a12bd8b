//! The steps of a restore that is being drafted: the rail at the left, the step, and the way on.

use egui::{CentralPanel, Frame, Margin, ScrollArea, Ui};

use super::{Own, Sight, choose, confirm, options, preview, target};
use crate::{
    kit::{
        Button, Empty, Icon, Stage, Step as Shown, Text, Tokens, empty, steps_foot, steps_rail,
        tokens::space, words,
    },
    state::{Act, Draft, Order, Part, Place, Step},
};

/// Draws it.
pub fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own) {
    let Some(mut draft) = sight.state.draft().cloned() else {
        let nothing = Empty {
            icon: Icon::Restore,
            head: "Nothing is being restored",
            sentence: "A restore begins with what was lost, and from when it should be",
            action: "Restore…",
        };
        if empty(ui, &nothing) {
            sight.ask(Act::Draft(Some(Draft::begin(sight.now))));
        }
        return;
    };
    let before = draft.clone();
    rail(ui, sight, &mut draft);
    foot(ui, sight, &mut draft);
    let padding = Frame::new().inner_margin(Margin::symmetric(24, 20));
    CentralPanel::default().frame(padding).show(ui, |ui| {
        ui.spacing_mut().item_spacing = egui::vec2(space::S, 0.0);
        step(ui, sight, own, &mut draft);
    });
    // Who has gone elsewhere has not changed the draft.
    if draft != before {
        sight.ask(Act::Draft(Some(draft)));
    }
}

fn step(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, draft: &mut Draft) {
    match draft.step {
        // A table of its own scrolls.
        Step::When => choose::when(ui, sight, own, draft),
        _ => {
            ScrollArea::vertical().show(ui, |ui| match draft.step {
                Step::What | Step::When => choose::what(ui, sight, draft),
                Step::Target => target::show(ui, sight, draft),
                Step::Options => options::show(ui, draft),
                Step::Preview => preview::show(ui, sight, draft),
                Step::Confirm => confirm::show(ui, sight, draft),
            });
        }
    }
}

/// Every step with what was chosen in it; the done ones lead back.
fn rail(ui: &mut Ui, sight: &Sight<'_>, draft: &mut Draft) {
    let notes = Step::ALL.map(|step| note(sight, draft, step));
    let drafted = Step::ALL.iter().zip(&notes).map(|(step, note)| Shown {
        name: step.name(),
        note,
        stage: Stage::of(step.cmp(&draft.step)),
    });
    let later = ["Progress", "Result"].map(|name| Shown {
        name,
        note: "",
        stage: Stage::Ahead,
    });
    let all: Vec<Shown<'_>> = drafted.chain(later).collect();
    if let Some(back) = steps_rail(ui, "Restore", &all).and_then(|at| Step::ALL.get(at)) {
        draft.step = *back;
    }
}

/// What was chosen in a step that is done.
fn note(sight: &Sight<'_>, draft: &Draft, step: Step) -> String {
    if step >= draft.step {
        return String::new();
    }
    let job = || {
        draft
            .job
            .as_ref()
            .map_or(String::new(), ToString::to_string)
    };
    match step {
        Step::What => match &draft.part {
            Part::All => job(),
            Part::Databases => format!("Databases of {}", job()),
            Part::Folders => format!("Folders of {}", job()),
            Part::Paths(paths) => words::number(paths.len() as u64, "path", "paths"),
        },
        Step::When => match made(sight, draft) {
            Some(made) => words::moment(made, sight.now, sight.zone),
            None => draft
                .snapshot
                .as_ref()
                .map_or(String::new(), ToString::to_string),
        },
        Step::Target if draft.in_place => "In place".to_owned(),
        Step::Target => match (draft.has_databases(), draft.has_files()) {
            (true, true) => "New database and folder".to_owned(),
            (true, false) => "New database".to_owned(),
            _ => "New folder".to_owned(),
        },
        Step::Options => {
            let kept = !draft.no_owner && !draft.numeric_owner && !draft.keep_setid;
            if kept { "As usual" } else { "Changed" }.to_owned()
        }
        Step::Preview => "Nothing against it".to_owned(),
        Step::Confirm => String::new(),
    }
}

/// When the chosen snapshot was made.
pub(super) fn made(sight: &Sight<'_>, draft: &Draft) -> Option<jiff::Timestamp> {
    let chosen = draft.snapshot.as_ref()?;
    let all = sight.state.snapshots().value?;
    let mut good = all.iter().filter_map(|run| run.as_ref().ok());
    good.find(|info| info.snapshot == *chosen)
        .map(|info| info.created)
}

fn foot(ui: &mut Ui, sight: &mut Sight<'_>, draft: &mut Draft) {
    let muted = Tokens::of(ui).muted;
    steps_foot(ui, |ui| {
        let off = blocked(sight, draft);
        if draft.step == Step::Confirm {
            confirm::button(ui, sight, draft, off.as_deref());
        } else if ui
            .add(Button::filled("Continue").off_if(off.as_deref()))
            .clicked()
        {
            draft.step = draft.step.next().unwrap_or(draft.step);
        }
        match draft.step.before() {
            Some(back) => {
                if ui.add(Button::outline("Back")).clicked() {
                    draft.step = back;
                }
            }
            None => {
                if ui.add(Button::outline("Give up")).clicked() {
                    sight.ask(Act::Draft(None));
                    sight.ask(Act::Go(Place::Restores));
                }
            }
        }
        if let Some(off) = off {
            ui.label(Text::Caption.rich(off, muted));
        }
    });
}

/// Why the step that is shown cannot be left.
fn blocked(sight: &Sight<'_>, draft: &Draft) -> Option<String> {
    if let Some(missing) = draft.missing(draft.step) {
        return Some(missing.to_owned());
    }
    if draft.step < Step::Preview {
        return None;
    }
    let order = draft.order()?;
    preview::against(sight, &order)
}

/// The order, once there is one.
pub(super) fn order(draft: &Draft) -> Option<Order> {
    draft.order()
}
