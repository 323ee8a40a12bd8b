//! What went wrong, where it belongs: across the window for the connection, in a card for what a
//! screen could not be told.

use backup_model::{Code, Failure};
use egui::{Align, Layout, Margin, Ui};

use super::{Sight, next_step::next_step};
use crate::{
    kit::{
        Banner, Button, ErrorAnswer, ErrorCard, Icon, IconButton, Mark, Text, Tokens, card,
        tokens::space, words,
    },
    state::{Act, Connection, Place, View},
};

/// Says above the content that the daemon does not answer.
pub(super) fn banner(ui: &mut Ui, sight: &mut Sight<'_>) {
    // Whoever sets this machine up knows that nobody answers yet.
    let Connection::Lost { since, failure } = sight.state.connection() else {
        return;
    };
    if *sight.state.place() == Place::SetUp {
        return;
    }
    let since = words::moment(*since, sight.now, sight.zone);
    let sentence = match sight.state.status() {
        Some((_, heard)) => {
            let heard = words::moment(heard, sight.now, sight.zone);
            format!("No connection since {since}, showing what was known at {heard}")
        }
        None => format!("No connection to {}", sight.state.server().address),
    };
    let cause = failure.to_string();
    let banner = Banner {
        mark: Mark::Unknown,
        sentence: &sentence,
        cause: &cause,
        code: failure.code.as_str(),
        next: next_step(failure.code).unwrap_or("It is tried again every few seconds"),
    };
    egui::Panel::top("trouble")
        .frame(egui::Frame::new())
        .show_separator_line(false)
        .show(ui, |ui| {
            let text = format!("{} {}", failure.code, failure.in_full());
            crate::kit::banner::banner(ui, &banner, |ui| {
                if ui.add(Button::outline("Copy details")).clicked() {
                    ui.ctx().copy_text(text);
                }
            });
        });
}

/// A card for what a screen could not be told.
pub(super) fn card(ui: &mut Ui, sight: &mut Sight<'_>, what: &str, failure: &Failure) {
    if failed(ui, what, failure) {
        sight.ask(Act::Refresh);
    }
}

/// A card where there is nothing to show, and why; says whether that is so.
pub(super) fn instead<T>(
    ui: &mut Ui,
    sight: &mut Sight<'_>,
    told: &View<'_, T>,
    what: &str,
) -> bool {
    let failure = told.failure.filter(|_| told.value.is_none());
    if let Some(failure) = failure {
        card(ui, sight, what, failure);
    }
    failure.is_some()
}

/// What was to be done from this screen, and was not; it can be tried again.
pub(super) fn refused(ui: &mut Ui, sight: &mut Sight<'_>) {
    let Some((deed, failure)) = sight.state.refused() else {
        return;
    };
    let (deed, failure) = (deed.clone(), failure.clone());
    ui.add_space(space::S);
    if failed(ui, &format!("{} did not work", deed.title()), &failure) {
        sight.ask(deed);
    }
    ui.add_space(space::S);
}

/// What did not work, to be read and copied where it happened: above what was typed in a dialog, on
/// the page of what failed.
pub(super) fn told(ui: &mut Ui, what: &str, failure: &Failure) {
    let causes = failure.causes.join(": ");
    let sentence = match (causes.as_str(), failure.code) {
        ("", _) => failure.message.clone(),
        // What does not open is named in the dialog.
        (causes, Code::WrongIdentity | Code::IdentityMissing | Code::IdentityInvalid) => {
            causes.to_owned()
        }
        _ => failure.in_full(),
    };
    let cause = words::capital(&sentence);
    let error = error(what, &cause, failure.code);
    let tokens = Tokens::of(ui);
    card::padded_card(ui, what, Margin::symmetric(14, 10), |ui| {
        ui.spacing_mut().item_spacing.y = space::XS;
        ui.horizontal(|ui| {
            Mark::Failed.ui(ui, 15.0, tokens.panel);
            ui.label(Text::Strong.rich(what, tokens.text));
            ui.label(Text::Code.rich(error.code, tokens.muted));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.add(IconButton::new(Icon::Copy, "Copy error")).clicked() {
                    ui.copy_text(error.text());
                }
            });
        });
        ui.label(Text::Body.rich(error.cause, tokens.text));
        ui.label(Text::Caption.rich(error.next, tokens.muted));
    });
}

/// Says what failed, and whether to try again.
fn failed(ui: &mut Ui, what: &str, failure: &Failure) -> bool {
    let cause = words::capital(&failure.in_full());
    error(what, &cause, failure.code).show(ui) == Some(ErrorAnswer::Retry)
}

fn error<'a>(sentence: &'a str, cause: &'a str, code: Code) -> ErrorCard<'a> {
    ErrorCard {
        sentence,
        cause,
        next: next_step(code).unwrap_or("Try again; the daemon's log has more"),
        code: code.as_str(),
        details: false,
    }
}
