//! Where it goes: a new folder, a new database; or back to where it was, which takes a choice of its
//! own.

use backupd_api::Scope;
use egui::{Frame, Margin, Stroke, Ui};

use super::Sight;
use crate::{
    kit::{
        Field, Text, Tokens, card,
        check::radio,
        tokens::{line, radius, space},
    },
    state::{Draft, Origin},
};

const WIDE: f32 = 520.0;

/// The new place, and the other choice, which is outlined as what it is.
fn choice(ui: &mut Ui, sight: &Sight<'_>, draft: &mut Draft) {
    let tokens = Tokens::of(ui);
    if radio(ui, !draft.in_place, "To a new place").clicked() {
        draft.in_place = false;
    }
    ui.add_space(space::M);
    let off = (!draft.fits_in_place())
        .then_some("Only the whole of a snapshot goes back in place: see the first step")
        .or_else(|| sight.off_for(Scope::Admin));
    let outline = Stroke::new(line::BORDER, tokens.failed);
    let frame = Frame::new().inner_margin(Margin::symmetric(14, 10));
    frame.stroke(outline).corner_radius(radius::CARD).show(ui, |ui| {
        ui.set_width(WIDE - 28.0);
        ui.spacing_mut().item_spacing.y = space::XS;
        let word = "In place, instead of what is there now";
        if radio(ui, draft.in_place, word).clicked() && off.is_none() {
            draft.in_place = true;
        }
        let words = "Databases and folders go back to where they were. What is there is kept beside \
                     them under another name. Applications must be stopped";
        ui.label(Text::Caption.rich(off.unwrap_or(words), tokens.muted));
    });
}

pub(super) fn show(ui: &mut Ui, sight: &Sight<'_>, draft: &mut Draft) {
    let tokens = Tokens::of(ui);
    card::title(ui, "Where to?", "");
    ui.add_space(space::XS);
    let words = "To a new place on the server. Nothing that exists there is written into";
    ui.label(Text::Body.rich(words, tokens.muted));
    ui.add_space(space::L);
    choice(ui, sight, draft);
    ui.add_space(space::XL);
    if draft.in_place {
        return;
    }
    if draft.has_databases() {
        card::section_head(ui, "Database", "");
        ui.add_space(space::S);
        let hint = format!(
            "made of the old name and the time: …_restored_{}",
            draft.stamp
        );
        let name = Field::new("Name of the new database", &mut draft.database);
        ui.add(name.mono().hint(&hint).width(WIDE));
        ui.add_space(space::M);
        let server = Field::new("Server, if not the job's own", &mut draft.server);
        ui.add(
            server
                .mono()
                .hint("postgres://user@host:5432/postgres")
                .width(WIDE),
        );
        ui.add_space(space::XS);
        let words = "Without a password: the server's configuration has that. Another server than \
                     the job's own takes the scope `admin`";
        ui.label(Text::Caption.rich(words, tokens.muted));
        ui.add_space(space::XL);
    }
    if draft.has_files() {
        card::section_head(ui, "Folder", "");
        ui.add_space(space::S);
        let host = sight
            .state
            .status()
            .and_then(|(report, _)| report.daemon.as_ref());
        let label = match host {
            // The window's own daemon is where the window is.
            _ if matches!(sight.state.server().origin, Origin::Private(_)) => {
                "New folder on this machine".to_owned()
            }
            Some(daemon) => format!("New folder on {}", daemon.name),
            None => "New folder on the server".to_owned(),
        };
        let error = (!draft.folder.starts_with('/')).then_some("A whole path begins with /");
        let folder = Field::new(&label, &mut draft.folder);
        ui.add(folder.mono().error(error).width(WIDE));
        ui.add_space(space::XS);
        let words = "It must not exist, and the folder that it will be in must";
        ui.label(Text::Caption.rich(words, tokens.muted));
    }
    if !draft.has_databases() && !draft.has_files() {
        let words = "This snapshot holds nothing of what was chosen in the first step";
        ui.label(Text::Body.rich(words, tokens.text));
    }
}
