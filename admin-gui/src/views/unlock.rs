//! Opening an administrator's key: where it is, and what unlocks it. It is read by the link and
//! stays there; what is typed here is wiped as soon as it was handed over.

use std::path::PathBuf;

use egui::Ui;

use super::{Sight, trouble};
use crate::{
    kit::{
        Dialog, Field, SecretField, SecretText, Text, Tokens, check::radio, dialog::Answer,
        tokens::space,
    },
    state::{Command, KeySource, KeyState, Secret},
};

/// What somebody has filled in. The place of the file is kept for the next time.
#[derive(Debug, Default)]
pub(super) struct Own {
    is_open: bool,
    /// The key is a passphrase and nothing else.
    is_passphrase: bool,
    path: String,
    plugin: String,
    secret: SecretText,
    /// It was tried since it opened: what failed is about this try.
    tried: bool,
}

impl Own {
    /// Opens the dialog; `usual` is where the file is as a rule.
    pub(super) fn open(&mut self, usual: Option<String>) {
        self.is_open = true;
        self.tried = false;
        if self.path.is_empty() {
            self.path = usual.unwrap_or_default();
        }
    }

    fn close(&mut self) {
        self.is_open = false;
        self.secret = SecretText::default();
    }

    /// Why it cannot be tried yet.
    fn missing(&self) -> Option<&'static str> {
        match () {
            () if self.is_passphrase && self.secret.is_empty() => Some("Type the passphrase first"),
            () if !self.is_passphrase && self.path.trim().is_empty() => {
                Some("Say where the file is first")
            }
            () => None,
        }
    }

    fn source(&mut self) -> KeySource {
        let secret = Some(&mut self.secret).filter(|secret| !secret.is_empty());
        let secret = secret.map(|secret| Secret::new(secret.take_secret()));
        match secret {
            Some(secret) if self.is_passphrase => KeySource::Passphrase(secret),
            passphrase => KeySource::File {
                path: PathBuf::from(self.path.trim()),
                passphrase,
                plugin: Some(self.plugin.trim())
                    .filter(|plugin| !plugin.is_empty())
                    .map(PathBuf::from),
            },
        }
    }
}

/// The dialog, while it is wanted.
pub(super) fn dialog(ui: &Ui, sight: &mut Sight<'_>, own: &mut Own) {
    if !own.is_open {
        return;
    }
    if own.tried && sight.state.key().open().is_some() {
        own.close();
        return;
    }
    let opening = *sight.state.key() == KeyState::Opening;
    let off = own.missing().or(opening.then_some("It is being opened"));
    let act = if opening { "Opening…" } else { "Open" };
    let dialog = Dialog::new("Open an administrator's key", "Cancel", act)
        .off_if(off)
        .width(480.0);
    let answer = dialog.show(ui.ctx(), |ui| form(ui, sight, own));
    match answer {
        None => {}
        Some(Answer::Safe) => own.close(),
        Some(Answer::Act) => {
            own.tried = true;
            sight.ask(Command::OpenKey(own.source()));
        }
    }
}

fn form(ui: &mut Ui, sight: &Sight<'_>, own: &mut Own) {
    let tokens = Tokens::of(ui);
    let words = "It stays in this window until you close it. The server is given only what opens \
                 the snapshots that you ask for";
    ui.label(Text::Body.rich(words, tokens.muted));
    ui.add_space(space::S);
    if let KeyState::Refused(failure) = sight.state.key()
        && own.tried
    {
        trouble::told(ui, "It does not open", failure);
    }
    ui.horizontal(|ui| {
        for (is_passphrase, word) in [(false, "A file"), (true, "A passphrase and nothing else")] {
            if radio(ui, own.is_passphrase == is_passphrase, word).clicked() {
                own.is_passphrase = is_passphrase;
            }
        }
    });
    ui.add_space(space::S);
    if own.is_passphrase {
        ui.add(SecretField::new("Passphrase", &mut own.secret));
        return;
    }
    let path = Field::new(
        "Identity file or recovery kit, on this machine",
        &mut own.path,
    );
    ui.add(path.mono().hint("/home/anna/keys/admin.key"));
    ui.add_space(space::S);
    let label = "Passphrase of the file, or PIN of its plugin, if it has one";
    ui.add(SecretField::new(label, &mut own.secret));
    ui.add_space(space::S);
    let plugin = Field::new(
        "Plugin's program, if the key is in hardware",
        &mut own.plugin,
    );
    ui.add(plugin.mono().hint("/usr/bin/age-plugin-yubikey"));
}
