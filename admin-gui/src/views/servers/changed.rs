//! A server that shows another key than the one that was pinned: instead of everything else, so
//! that nobody takes an old state, or a stranger's, for how it is.

use backup_model::{Code, Failure};
use backupd_api::{Fingerprint, shown_key};
use egui::{CentralPanel, Frame, Margin, Ui};

use super::{Asked, Own, Sight};
use crate::{
    kit::{
        Answer, Button, Dialog, Field, Mark, Text, Tokens, card::padded_card, facts, tokens::space,
    },
    state::{Connection, ServerAct},
    views::page,
};

const WIDEST: f32 = 760.0;

/// The key that was pinned, and why the one that is shown now does not do.
pub(in crate::views) fn changed<'a>(sight: &Sight<'a>) -> Option<(Fingerprint, &'a Failure)> {
    let Connection::Lost { failure, .. } = sight.state.connection() else {
        return None;
    };
    let about = failure.code == Code::DaemonIdentity;
    Some((sight.state.server().pin?, failure)).filter(|_| about)
}

/// The card, in the place of every screen.
pub(in crate::views) fn instead(
    ui: &mut Ui,
    sight: &mut Sight<'_>,
    (pin, failure): (Fingerprint, &Failure),
) {
    let tokens = Tokens::of(ui);
    let plain = Frame::new().fill(tokens.bg);
    let shown = shown_key(failure);
    CentralPanel::default().frame(plain).show(ui, |ui| {
        page::page(ui, |ui| {
            ui.set_max_width(ui.available_width().min(WIDEST));
            let head = "This is not the server that was pinned";
            padded_card(ui, head, Margin::symmetric(20, 18), |ui| {
                ui.horizontal(|ui| {
                    Mark::Failed.ui(ui, 18.0, tokens.panel);
                    ui.label(Text::Section.rich(head, tokens.text));
                });
                ui.add_space(space::M);
                facts(ui, 120.0, |facts| {
                    facts.mono("Address", &sight.state.server().address);
                    facts.mono("Pinned", &pin.to_string());
                    let shown = shown.map(|key| key.to_string());
                    facts.mono("Shown now", shown.as_deref().unwrap_or("no readable key"));
                });
                ui.add_space(space::M);
                for words in [
                    "Somebody may have put another machine, or themselves, between this window \
                     and the server. Or the server has a new key: it was installed anew, or its \
                     key was replaced",
                    "No token was sent to it. Compare the key on the server itself, with \
                     journalctl -u backupd, before you trust it",
                ] {
                    ui.label(Text::Body.rich(words, tokens.text));
                    ui.add_space(space::XS);
                }
                ui.label(Text::Code.rich(failure.code.as_str(), tokens.muted));
                ui.add_space(space::M);
                trust(ui, sight, shown);
            });
        });
    });
}

fn trust(ui: &mut Ui, sight: &mut Sight<'_>, shown: Option<Fingerprint>) {
    let listed = sight.state.server().name().is_some();
    let off = match () {
        () if shown.is_none() => Some("It shows no key that could be trusted"),
        () if !listed => Some("Start the window with another --pin"),
        () => None,
    };
    if ui
        .add(Button::danger("Trust the new one…").off_if(off))
        .clicked()
    {
        sight.want_server(Asked::Trust);
    }
}

/// Asks once more, by the server's name.
pub(super) fn dialog(ui: &Ui, sight: &mut Sight<'_>, own: &mut Own) {
    let shown = changed(sight).and_then(|(_, failure)| shown_key(failure));
    let name = sight.state.server().name().map(str::to_owned);
    let Some((name, key)) = name.zip(shown) else {
        // It is the right one again, or gone.
        own.close();
        return;
    };
    let typed = own.name.trim() == name;
    let dialog = Dialog::new("Trust another key?", "Leave it", "Trust it")
        .danger()
        .off_if((!typed).then_some("Type the server's name first"))
        .width(520.0);
    let answer = dialog.show(ui.ctx(), |ui| {
        let tokens = Tokens::of(ui);
        let words = format!("From now on {name} is whoever has this key:");
        ui.label(Text::Body.rich(words, tokens.text));
        ui.label(Text::Mono.rich(key.to_string(), tokens.text));
        let label = format!("Type {name} to say that you have compared it");
        ui.add(Field::new(&label, &mut own.name));
    });
    if answer == Some(Answer::Act) {
        sight.ask(ServerAct::Trust(name, key));
    }
    if answer.is_some() {
        own.close();
    }
}
