//! Opening a repository that no server looks after: by its recovery kit, or by hand. A daemon of
//! the window's own is started on it.

use std::path::PathBuf;

use egui::Ui;

use super::{Own, Sight, give_up, off, refusal};
use crate::{
    kit::{
        Answer, Dialog, Field, SecretField, SecretText, Text, Tokens,
        check::{check, radio},
        tokens::space,
    },
    state::{RecoverFrom, Recovery, Secret, ServerAct, StorageAccess, Way},
};

const WIDE: f32 = 520.0;

/// What somebody has typed.
#[derive(Debug, Default)]
pub(super) struct Typed {
    /// There is no kit.
    by_hand: bool,
    kit: String,
    location: String,
    root: String,
    /// The kit does not say how its bucket is reached.
    bucket: bool,
    endpoint: String,
    region: String,
    key_id: String,
    secret_key: SecretText,
}

impl Typed {
    fn has_bucket(&self) -> bool {
        if self.by_hand {
            self.location.trim().starts_with("s3://")
        } else {
            self.bucket
        }
    }

    pub(super) fn forget_secret(&mut self) {
        self.secret_key = SecretText::default();
    }

    /// Why it cannot be tried yet.
    fn missing(&self) -> Option<&'static str> {
        let empty = |text: &str| text.trim().is_empty();
        let half = empty(&self.key_id) != self.secret_key.is_empty();
        match () {
            () if !self.by_hand && empty(&self.kit) => Some("Say where the kit is first"),
            () if self.by_hand && empty(&self.location) => Some("Say where it is first"),
            () if self.by_hand && empty(&self.root) => Some("Say which root key it has first"),
            () if self.has_bucket() && half => Some("An access key has an id and a secret"),
            () => None,
        }
    }

    fn recovery(&self) -> Recovery {
        let from = if self.by_hand {
            RecoverFrom::Hand {
                location: self.location.trim().to_owned(),
                root: self.root.trim().to_owned(),
            }
        } else {
            RecoverFrom::Kit(PathBuf::from(self.kit.trim()))
        };
        let storage = if self.has_bucket() {
            self.storage()
        } else {
            StorageAccess::default()
        };
        Recovery { from, storage }
    }

    fn storage(&self) -> StorageAccess {
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let secret = Some(&self.secret_key).filter(|secret| !secret.is_empty());
        StorageAccess {
            endpoint: some(&self.endpoint),
            region: some(&self.region),
            key_id: some(&self.key_id),
            secret_key: secret.map(|secret| Secret::new(secret.secret())),
        }
    }
}

pub(super) fn dialog(ui: &Ui, sight: &mut Sight<'_>, own: &mut Own) {
    let trying = *sight.state.way() == Way::Trying;
    let act = if trying { "Opening…" } else { "Open" };
    let dialog = Dialog::new("Open a repository", "Cancel", act)
        .off_if(off(sight, own.recover.missing()))
        .width(WIDE);
    let tried = own.tried;
    let answer = dialog.show(ui.ctx(), |ui| {
        let words = "For when its server is gone. This window reads it by itself; nothing is \
                     backed up or changed there unless you ask for it";
        ui.label(Text::Body.rich(words, Tokens::of(ui).muted));
        refusal(ui, sight, tried);
        form(ui, &mut own.recover);
    });
    match answer {
        None => {}
        Some(Answer::Safe) => give_up(sight, own),
        Some(Answer::Act) => {
            own.tried = true;
            sight.ask(ServerAct::Recover(own.recover.recovery()));
        }
    }
}

fn form(ui: &mut Ui, typed: &mut Typed) {
    ui.horizontal(|ui| {
        for (by_hand, word) in [(false, "By its recovery kit"), (true, "By hand")] {
            if radio(ui, typed.by_hand == by_hand, word).clicked() {
                typed.by_hand = by_hand;
            }
        }
    });
    if typed.by_hand {
        let location = Field::new("Address", &mut typed.location).mono();
        ui.add(location.hint("s3://bucket/prefix or /mnt/backup"));
        let root = Field::new(
            "Root public key, which it must be signed by",
            &mut typed.root,
        );
        ui.add(root.mono().hint("RW…"));
    } else {
        let kit = Field::new("Recovery kit, a file on this machine", &mut typed.kit);
        ui.add(kit.mono().hint("/media/usb/kit.txt"));
        let word = "Say here how its bucket is reached, as the kit does not";
        check(ui, &mut typed.bucket, word);
    }
    if typed.has_bucket() {
        bucket(ui, typed);
    }
}

fn bucket(ui: &mut Ui, typed: &mut Typed) {
    let half = (ui.available_width() - space::S) / 2.0;
    ui.horizontal_top(|ui| {
        let endpoint = Field::new("Endpoint, if not Amazon's", &mut typed.endpoint);
        ui.add(endpoint.mono().hint("https://host:port").width(half));
        let region = Field::new("Region, if its server cares", &mut typed.region);
        ui.add(region.mono().hint("eu-central-1").width(half));
    });
    ui.horizontal_top(|ui| {
        let key = Field::new("Access key id", &mut typed.key_id);
        ui.add(key.mono().width(half));
        let secret = SecretField::new("Secret access key", &mut typed.secret_key);
        ui.add(secret.width(half));
    });
    let words = "Without an access key, the one of this program's environment is used. It is kept \
                 in memory only";
    ui.label(Text::Caption.rich(words, Tokens::of(ui).muted));
}
