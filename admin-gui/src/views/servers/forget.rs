//! Whether to forget a server.

use egui::Ui;

use super::{Own, Sight};
use crate::{
    kit::{Answer, Dialog, Text, Tokens},
    state::ServerAct,
};

pub(super) fn dialog(ui: &Ui, sight: &mut Sight<'_>, own: &mut Own, name: &str) {
    let title = format!("Forget {name}?");
    let dialog = Dialog::new(&title, "Keep it", "Forget").danger();
    let answer = dialog.show(ui.ctx(), |ui| {
        let words = "Its address, its pin and the token on this machine are deleted. Nothing \
                     changes on the server: the token counts there until somebody revokes it with \
                     backupctl token revoke";
        ui.label(Text::Body.rich(words, Tokens::of(ui).text));
    });
    if answer == Some(Answer::Act) {
        sight.ask(ServerAct::Forget(name.to_owned()));
    }
    if answer.is_some() {
        own.close();
    }
}
