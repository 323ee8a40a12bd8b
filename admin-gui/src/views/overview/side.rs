//! What the cards of the right column share, and what is said where something could not be.

use backup_model::Failure;
use egui::{Align, Align2, Layout, Role, Sense, Ui, UiBuilder, Vec2, WidgetInfo, pos2};

use super::super::{Sight, next_step::next_step};
use crate::{
    kit::{
        Button, ErrorAnswer, ErrorCard, Mark, Text, Tokens, card,
        tokens::{height, space},
        words,
    },
    state::{Act, Deed, View},
};

/// A card with its head.
pub(super) fn card(ui: &mut Ui, name: &str, caption: &str, content: impl FnOnce(&mut Ui)) {
    card::card(ui, name, |ui| {
        ui.spacing_mut().item_spacing = Vec2::ZERO;
        card::section_head(ui, name, caption);
        ui.add_space(space::S);
        content(ui);
    });
}

/// From when an answer is, where it could not be had anew.
pub(super) fn age<T>(sight: &Sight<'_>, view: &View<'_, T>) -> Option<String> {
    let at = view.at.filter(|_| view.failure.is_some())?;
    let at = words::moment(at, sight.now, sight.zone);
    Some(format!("as of {at}"))
}

/// A line of a card in muted words.
pub(super) fn quiet(ui: &mut Ui, words: &str) {
    let muted = Tokens::of(ui).muted;
    let label = ui.add(egui::Label::new(Text::Caption.rich(words, muted)).wrap());
    label.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
}

/// A name at the left and a caption at the right, 20 high.
pub(super) fn pair(ui: &mut Ui, text: Text, name: &str, side: &str) {
    let tokens = Tokens::of(ui);
    let size = Vec2::new(ui.available_width(), 20.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{name}, {side}")));
    let at = rect.right_center();
    let side = Text::Caption.write(ui, at, Align2::RIGHT_CENTER, side, tokens.muted);
    let room = side.left() - space::S - rect.left();
    let at = rect.left_center();
    text.write_within(ui, at, Align2::LEFT_CENTER, name, tokens.text, room);
    response.on_hover_text(name);
}

/// What a card could not be told, and why.
pub(super) fn untold(ui: &mut Ui, sight: &mut Sight<'_>, what: &str, failure: &Failure) {
    let tokens = Tokens::of(ui);
    let size = Vec2::new(ui.available_width(), height::BADGE);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Alert, true, format!("{what}: {failure}")));
    let at = rect.left_center() + Vec2::new(7.0, 0.0);
    let colour = Mark::Unknown.colour(tokens);
    Mark::Unknown.paint(ui.painter(), at, 14.0, colour, tokens.panel);
    let at = pos2(rect.left() + 22.0, rect.center().y);
    let room = rect.right() - at.x;
    Text::Body.write_within(ui, at, Align2::LEFT_CENTER, what, tokens.text, room);
    response.on_hover_text(failure.to_string());

    let size = Vec2::new(ui.available_width(), height::CONTROL);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let at = pos2(rect.left() + 22.0, rect.center().y);
    let code = failure.code.as_str();
    Text::Code.write(ui, at, Align2::LEFT_CENTER, code, tokens.muted);
    let layout = Layout::right_to_left(Align::Center);
    let mut right = ui.new_child(UiBuilder::new().max_rect(rect).layout(layout));
    if right
        .add(Button::link("Retry").off_if(sight.off()))
        .clicked()
    {
        sight.ask(Act::Refresh);
    }
}

/// What was asked for and did not begin.
pub(super) fn refused(ui: &mut Ui, sight: &mut Sight<'_>, deed: &Deed, failure: &Failure) {
    let sentence = format!("{} did not begin", deed.title());
    let cause = failure.in_full();
    let card = ErrorCard {
        sentence: &sentence,
        cause: &cause,
        next: next_step(failure.code).unwrap_or("Try again; the daemon's log has more"),
        code: failure.code.as_str(),
        details: false,
    };
    if card.show(ui) == Some(ErrorAnswer::Retry) {
        sight.ask(deed.clone());
    }
}
