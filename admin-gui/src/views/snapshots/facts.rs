//! What is known of one snapshot without a key, and what can be done with it.

use backup_model::{End, Selection, SnapshotInfo};
use backupd_api::Scope;
use egui::{ScrollArea, Ui};

use super::{Own, Sight, hold, list::end};
use crate::{
    kit::{Badge, Button, Text, Tokens, card, facts, table::words as cell, tokens::space, words},
    state::{Act, Deed, Draft, Place, Step},
    views::trouble,
};

const KEYS: f32 = 82.0;

pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, info: &SnapshotInfo) {
    let tokens = Tokens::of(ui);
    let made = words::moment(info.created, sight.now, sight.zone);
    cell(ui, Text::Section, &made, tokens.text);
    ui.add_space(space::XS);
    let both = words::both(info.created, sight.zone);
    cell(ui, Text::Caption, &both, tokens.muted);
    ui.add_space(space::M);
    ScrollArea::vertical().show(ui, |ui| {
        let (mark, word) = end(info.end);
        ui.add(Badge::new(mark, word));
        ui.add_space(space::M);
        facts(ui, KEYS, |facts| {
            facts.mono("Snapshot", &info.snapshot.to_string());
            facts.row("Content", &info.kinds.join(", "));
            facts.row("Age", &sight.when(info.created));
            facts.row("Added", &words::bytes(info.added_bytes));
            let packs = words::count(info.packs);
            let stored = format!("{}, {packs} packs", words::bytes(info.stored_bytes));
            facts.row("To restore", &stored);
            facts.row("Hold", info.held.as_deref().unwrap_or("none"));
            if let Some(reason) = &info.reason {
                facts.row("Why", reason);
            }
        });
        let is_snapshot = matches!(info.end, End::Complete | End::Partial);
        if is_snapshot {
            card::divider(ui);
            ui.add_space(space::M);
            buttons(ui, sight, own, info);
        }
        trouble::refused(ui, sight);
    });
}

fn buttons(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, info: &SnapshotInfo) {
    let off = sight.off_for(Scope::Retention);
    let restore = Button::filled("Restore…").off_if(sight.off_for(Scope::Restore));
    let browse = Button::outline("Browse").off_if(sight.off_for(Scope::Restore));
    if ui.add(browse).clicked() {
        sight.ask(Act::Go(Place::Contents(info.snapshot.clone(), None)));
    }
    ui.add_space(space::S);
    if ui.add(restore).clicked() {
        let mut draft = Draft::begin(sight.now);
        draft.choose_snapshot(info.snapshot.clone(), info.kinds.clone());
        draft.step = Step::Target;
        sight.ask(Act::Draft(Some(draft)));
        sight.ask(Act::Go(Place::Draft));
    }
    ui.add_space(space::M);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        if ui
            .add(Button::outline("Verify").off_if(sight.off_for(Scope::Verify)))
            .clicked()
        {
            sight.ask(Deed::Verify(Selection::One(info.snapshot.clone())));
        }
        if info.held.is_some() {
            if ui.add(Button::outline("Release").off_if(off)).clicked() {
                sight.ask(Deed::Release(info.snapshot.clone()));
            }
        } else if ui.add(Button::outline("Hold…").off_if(off)).clicked() {
            own.hold = Some(hold::Draft::of(info.snapshot.clone()));
        }
    });
    ui.add_space(space::L);
}
