//! The last word before a restore begins.

use backup_model::{RestoreStep, RestoreTarget};
use backupd_api::Scope;
use egui::Ui;

use super::{Sight, wizard};
use crate::{
    kit::{Button, Field, Text, Tokens, card, command_box, facts, tokens::space, words},
    state::{Deed, Draft, Order},
    views::trouble,
};

const KEYS: f32 = 110.0;
const WIDE: f32 = 520.0;

pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, draft: &mut Draft) {
    let Some(order) = wizard::order(draft) else {
        return;
    };
    let tokens = Tokens::of(ui);
    card::title(ui, "Start it?", "");
    ui.add_space(space::XS);
    let words = if draft.in_place {
        "What is there now is replaced, and kept beside it under another name. If anything does not \
         agree with the backup, everything stays as it is"
    } else {
        "It goes to new places. What exists stays as it is, and if anything does not agree with the \
         backup, nothing appears there"
    };
    ui.label(Text::Body.rich(words, tokens.muted));
    ui.add_space(space::L);
    facts(ui, KEYS, |facts| {
        facts.mono("Snapshot", &order.snapshot.to_string());
        if let Some(made) = wizard::made(sight, draft) {
            facts.row("Made", &words::both(made, sight.zone));
        }
        if let Some(database) = &order.database {
            let name = database
                .name
                .as_deref()
                .unwrap_or("named after the old one");
            facts.row("New database", name);
        }
        if let Some(folder) = &order.folder {
            facts.mono("New folder", &words::one_line(&folder.to_string_lossy()));
        }
        if !order.paths.is_empty() {
            let paths = order.paths.len() as u64;
            facts.row("Of it", &words::number(paths, "path", "paths"));
        }
        if let Some(key) = sight.state.key().open() {
            facts.row("Opened by", &key.shown);
        }
    });
    ui.add_space(space::L);
    if draft.in_place {
        in_place(ui, sight, draft, &order);
    }
    let order = said(draft, order);
    command_box(ui, &order.command());
    ui.add_space(space::L);
    trouble::refused(ui, sight);
}

/// What is replaced, and the name that says yes to it.
fn in_place(ui: &mut Ui, sight: &Sight<'_>, draft: &mut Draft, order: &Order) {
    let told = sight.state.plan(order);
    let Some(plan) = told.value else {
        return;
    };
    let tokens = Tokens::of(ui);
    for step in &plan.steps {
        if let Some(kept) = &step.kept_as {
            let words = format!("{} is kept as {kept}", target(step));
            ui.label(Text::Body.rich(words, tokens.failed));
        }
    }
    let words = if order.safety_backup {
        "Before that the job is backed up once more"
    } else {
        "Nothing is backed up before that"
    };
    ui.label(Text::Body.rich(words, tokens.muted));
    ui.add_space(space::M);
    if let Some(name) = &plan.confirm {
        let label = format!("Type {name} to say that it may be replaced");
        ui.add(Field::new(&label, &mut draft.confirm).mono().width(WIDE));
        ui.add_space(space::L);
    }
}

fn target(step: &RestoreStep) -> String {
    match &step.target {
        RestoreTarget::Database { database, .. } => format!("The database {database}"),
        RestoreTarget::Folder { path } => words::one_line(&path.to_string_lossy()),
        _ => step.stream.name.clone(),
    }
}

/// The order with what was typed to say yes.
fn said(draft: &Draft, order: Order) -> Order {
    let typed = Some(draft.confirm.clone()).filter(|_| draft.in_place);
    Order {
        confirm: typed.filter(|typed| !typed.is_empty()),
        ..order
    }
}

/// Why it may not begin although nothing speaks against it: it takes a name that is not typed.
fn unsaid(sight: &Sight<'_>, draft: &Draft, order: &Order) -> Option<String> {
    let plan = sight.state.plan(order).value?;
    let name = plan.confirm.as_ref().filter(|_| draft.in_place)?;
    (draft.confirm != *name).then(|| format!("Type {name} first"))
}

/// The button that begins it.
pub(super) fn button(ui: &mut Ui, sight: &mut Sight<'_>, draft: &Draft, off: Option<&str>) {
    let Some(order) = wizard::order(draft) else {
        return;
    };
    let unsaid = unsaid(sight, draft, &order);
    let deed = Deed::Restore(Box::new(said(draft, order)));
    let begun = sight.state.doing().contains(&deed);
    let (scope, word, button): (_, _, fn(_) -> _) = if draft.in_place {
        (Scope::Admin, "Replace", Button::danger)
    } else {
        (Scope::Restore, "Restore", Button::filled)
    };
    let word = if begun { "Starting…" } else { word };
    let off = sight
        .off_for(scope)
        .or(off)
        .or(unsaid.as_deref())
        .or(begun.then_some("It is being begun"));
    if ui.add(button(word).off_if(off)).clicked() {
        sight.ask(deed);
    }
}
