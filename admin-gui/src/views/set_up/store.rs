//! Where backups go, and where the keys that open them are made.

use egui::Ui;

use super::{WIDE, form::Form};
use crate::kit::{Field, SecretField, Text, Tokens, card, tokens::space};

pub(super) fn show(ui: &mut Ui, form: &mut Form) {
    let tokens = Tokens::of(ui);
    card::title(ui, "Where do backups go?", "");
    ui.add_space(space::XS);
    let words = "On another disk or machine than what they are backups of, else both are lost \
                 together";
    ui.label(Text::Body.rich(words, tokens.muted));
    ui.add_space(space::XL);
    let location = Field::new("Folder on this machine, or bucket", &mut form.location);
    let hint = "/mnt/backups/repository or s3://bucket/prefix";
    ui.add(location.mono().hint(hint).width(WIDE));
    ui.add_space(space::XS);
    let words = "A new or empty folder, or a bucket that exists. Everything there is encrypted \
                 and signed";
    ui.label(Text::Caption.rich(words, tokens.muted));
    if form.is_bucket() {
        ui.add_space(space::M);
        bucket(ui, form);
    }
    ui.add_space(space::XL);
    card::section_head(ui, "Keys", "");
    ui.add_space(space::S);
    let keys = Field::new("Folder for the administrator's keys", &mut form.keys);
    ui.add(keys.mono().hint("/home/anna/backupd-keys").width(WIDE));
    ui.add_space(space::XS);
    let words = "Two files are made there. Without them nobody can restore, with them anybody \
                 can: copy them to a safe place soon, and remove them here";
    ui.scope(|ui| {
        ui.set_max_width(WIDE);
        ui.label(Text::Caption.rich(words, tokens.muted));
    });
}

fn bucket(ui: &mut Ui, form: &mut Form) {
    let half = (WIDE.min(ui.available_width()) - space::S) / 2.0;
    ui.horizontal_top(|ui| {
        let endpoint = Field::new("Endpoint, if not Amazon's", &mut form.endpoint);
        ui.add(endpoint.mono().hint("https://host:port").width(half));
        let region = Field::new("Region, if its server cares", &mut form.region);
        ui.add(region.mono().hint("eu-central-1").width(half));
    });
    ui.add_space(space::M);
    ui.horizontal_top(|ui| {
        let key = Field::new("Access key id", &mut form.key_id);
        ui.add(key.mono().width(half));
        let secret = SecretField::new("Secret access key", &mut form.secret_key);
        ui.add(secret.width(half));
    });
    ui.add_space(space::XS);
    let words = "Kept in private files beside the configuration";
    ui.label(Text::Caption.rich(words, Tokens::of(ui).muted));
}
