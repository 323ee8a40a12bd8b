//! Adding a server: where it is, who we are to it, and how it shows who it is. It is kept only when
//! it has answered and let us in.

use backupd_api::{Address, AddressError, Fingerprint, InvalidFingerprint, shown_key};
use egui::Ui;

use super::{Own, Sight, give_up, off, refusal};
use crate::{
    kit::{Answer, Button, Dialog, Field, SecretField, SecretText, Text, Tokens},
    state::{NewServer, Secret, ServerAct, Way},
};

/// What somebody has typed.
#[derive(Debug, Default)]
pub(super) struct Typed {
    name: String,
    address: String,
    token: SecretText,
    pin: String,
}

impl Typed {
    fn address(&self) -> Result<Address, AddressError> {
        self.address.trim().parse()
    }

    /// None where nothing is typed.
    fn pin(&self) -> Result<Option<Fingerprint>, InvalidFingerprint> {
        let pin = Some(self.pin.trim()).filter(|pin| !pin.is_empty());
        pin.map(str::parse).transpose()
    }

    pub(super) fn forget_secret(&mut self) {
        self.token = SecretText::default();
    }

    /// Why it cannot be tried yet.
    fn missing(&self) -> Option<&'static str> {
        match () {
            () if self.name.trim().is_empty() => Some("Give it a name first"),
            () if self.address().is_err() => Some("Say where it is first"),
            () if self.pin().is_err() => Some("Correct the pin first"),
            () => None,
        }
    }

    fn server(&self) -> Option<NewServer> {
        let token = Some(&self.token).filter(|token| !token.is_empty());
        Some(NewServer {
            name: self.name.trim().to_owned(),
            address: self.address().ok()?,
            token: token.map(|token| Secret::new(token.secret())),
            pin: self.pin().ok()?,
        })
    }
}

pub(super) fn dialog(ui: &Ui, sight: &mut Sight<'_>, own: &mut Own) {
    let trying = *sight.state.way() == Way::Trying;
    let act = if trying { "Asking it…" } else { "Add" };
    let dialog = Dialog::new("Add a server", "Cancel", act)
        .off_if(off(sight, own.add.missing()))
        .width(480.0);
    let tried = own.tried;
    let answer = dialog.show(ui.ctx(), |ui| form(ui, sight, &mut own.add, tried));
    match answer {
        None => {}
        Some(Answer::Safe) => give_up(sight, own),
        Some(Answer::Act) => {
            if let Some(new) = own.add.server() {
                own.tried = true;
                sight.ask(ServerAct::Add(new));
            }
        }
    }
}

fn form(ui: &mut Ui, sight: &Sight<'_>, typed: &mut Typed, tried: bool) {
    refusal(ui, sight, tried);
    if tried {
        shown(ui, sight, typed);
    }
    ui.add(Field::new("Name, for you", &mut typed.name).hint("vault01"));
    let wrong = typed.address().err();
    let wrong = wrong.filter(|_| !typed.address.is_empty());
    let wrong = wrong.map(AddressError::help);
    let address = Field::new("Address", &mut typed.address).mono();
    ui.add(address.hint("https://vault01:8443").error(wrong));
    let label = "Token, which backupctl token create makes there";
    ui.add(SecretField::new(label, &mut typed.token));
    let wrong = typed.pin().is_err();
    let wrong = wrong.then_some("A pin is sha256// and 44 characters of base64");
    let label = "Pin: the key that it must have, unless an authority vouches for it";
    let pin = Field::new(label, &mut typed.pin).mono();
    ui.add(pin.hint("sha256//…").error(wrong));
    let words = "The token is kept in a file of its own that only you can read";
    ui.label(Text::Caption.rich(words, Tokens::of(ui).muted));
}

/// The key that it has shown, where nobody vouches for it or another one was expected.
fn shown(ui: &mut Ui, sight: &Sight<'_>, typed: &mut Typed) {
    let Way::Refused(failure) = sight.state.way() else {
        return;
    };
    let Some(key) = shown_key(failure).map(|key| key.to_string()) else {
        return;
    };
    if typed.pin.trim() == key {
        return;
    }
    let tokens = Tokens::of(ui);
    ui.horizontal(|ui| {
        if ui.add(Button::outline("Use this key as the pin")).clicked() {
            typed.pin = key;
        }
        let words = "only if the server's own log says the same";
        ui.label(Text::Caption.rich(words, tokens.muted));
    });
}
