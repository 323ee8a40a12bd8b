//! All that will be made, before anything is.

use egui::{Margin, Ui};

use super::form::Form;
use crate::{
    kit::{Text, Tokens, card, command_box, facts, tokens::space},
    state::{Home, NewRepository},
};

const KEY: f32 = 130.0;
/// What stands in the preview for what is not known yet.
const UNKNOWN: &str = "RW… (made with the repository)";

pub(super) fn show(ui: &mut Ui, form: &Form, home: &Home) {
    let Some(order) = form.order() else {
        return;
    };
    let tokens = Tokens::of(ui);
    card::title(ui, "This is what will be made", "");
    ui.add_space(space::XS);
    let words = "Nothing has been made yet. What exists is never written over";
    ui.label(Text::Body.rich(words, tokens.muted));
    ui.add_space(space::L);
    card::card(ui, "What will be made", |ui| {
        facts(ui, KEY, |facts| {
            facts.mono("Repository", &order.location);
            let keys = order.keys.display();
            facts.mono("Keys", &format!("{keys}/admin.key, {keys}/root.key"));
            facts.mono("Configuration", &home.configuration.display().to_string());
            for (path, _) in order.secrets(home) {
                facts.mono("Secret", &path.display().to_string());
            }
            facts.mono("State", &home.state.display().to_string());
            facts.row(
                "Daemon",
                "backupd is started, and goes on when this window is closed",
            );
        });
    });
    ui.add_space(space::L);
    card::section_head(ui, "Configuration", "no secret is in it");
    ui.add_space(space::S);
    let repository = NewRepository {
        url: order.location.clone(),
        trust: UNKNOWN.to_owned(),
        single_writer: false,
    };
    let text = order.configuration(home, &repository);
    card::padded_card(ui, "Configuration", Margin::symmetric(14, 10), |ui| {
        ui.label(Text::Mono.rich(&text, tokens.text));
    });
    ui.add_space(space::L);
    let words = "So that it also runs after this machine was started anew, unless systemd does \
                 that for you, once in a terminal:";
    ui.label(Text::Caption.rich(words, tokens.muted));
    ui.add_space(space::XS);
    command_box(
        ui,
        "(crontab -l 2>/dev/null; echo '@reboot backupd run') | crontab -",
    );
    ui.add_space(space::L);
}
