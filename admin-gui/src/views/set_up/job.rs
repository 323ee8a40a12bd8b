//! What the first job backs up, and when.

use egui::Ui;

use super::{
    WIDE,
    form::{Form, SCHEDULES},
};
use crate::kit::{
    Field, SecretField, Text, Tokens, card,
    check::{check, radio},
    tokens::space,
};

pub(super) fn show(ui: &mut Ui, form: &mut Form) {
    let tokens = Tokens::of(ui);
    card::title(ui, "What is backed up first?", "");
    ui.add_space(space::XS);
    let words = "A database, folders, or both: one job takes them together. More jobs come later, \
                 in the configuration";
    ui.label(Text::Body.rich(words, tokens.muted));
    ui.add_space(space::XL);
    let name = Field::new("Name of the job", &mut form.job);
    ui.add(name.mono().hint("webui").width(WIDE));
    ui.add_space(space::XL);
    check(ui, &mut form.has_database, "A PostgreSQL database");
    if form.has_database {
        ui.add_space(space::S);
        database(ui, form);
    }
    ui.add_space(space::XL);
    card::section_head(ui, "Folders and files", "");
    ui.add_space(space::S);
    folders(ui, form);
    ui.add_space(space::XL);
    card::section_head(ui, "When", "");
    ui.add_space(space::S);
    when(ui, form);
}

fn database(ui: &mut Ui, form: &mut Form) {
    let wide = WIDE.min(ui.available_width());
    let (half, port) = ((wide - space::S) / 2.0, 100.0);
    ui.horizontal_top(|ui| {
        let host = Field::new("Server", &mut form.host);
        ui.add(host.mono().width(wide - space::S - port));
        ui.add(Field::new("Port", &mut form.port).mono().width(port));
    });
    ui.add_space(space::M);
    let database = Field::new("Database", &mut form.database);
    ui.add(database.mono().hint("webui").width(wide));
    ui.add_space(space::M);
    ui.horizontal_top(|ui| {
        let user = Field::new("User who reads it", &mut form.user);
        ui.add(user.mono().hint("backup").width(half));
        let password = SecretField::new("Password, if it takes one", &mut form.password);
        ui.add(password.width(half));
    });
}

fn folders(ui: &mut Ui, form: &mut Form) {
    for (at, path) in form.paths.iter_mut().enumerate() {
        let label = format!("Path {}", at + 1);
        let field = Field::new(&label, path).unlabelled().mono();
        ui.add(field.hint("/srv/webui").width(WIDE));
        ui.add_space(space::XS);
    }
    if form.paths.last().is_none_or(|last| !last.is_empty()) {
        form.paths.push(String::new());
    }
    ui.add_space(space::XS);
    let word = "They are Open WebUI's: leave out what it can download or compute again";
    check(ui, &mut form.open_webui, word);
}

fn when(ui: &mut Ui, form: &mut Form) {
    ui.horizontal(|ui| {
        for (word, schedule) in SCHEDULES {
            if radio(ui, form.schedule == schedule, word).clicked() {
                schedule.clone_into(&mut form.schedule);
            }
        }
    });
    ui.add_space(space::S);
    let cron = Field::new("Schedule, in cron's words", &mut form.schedule);
    ui.add(cron.mono().width(WIDE));
}
