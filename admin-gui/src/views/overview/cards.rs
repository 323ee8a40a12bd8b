//! Draws what needs somebody: a card for each while something can be done about it, and a line for
//! each while nobody answers.

use egui::{Align, Align2, Layout, Rect, Role, Sense, Ui, UiBuilder, Vec2, WidgetInfo, pos2};

use super::{
    super::Sight,
    attention::{Card, Subject, card},
};
use crate::{
    kit::{
        Badge, Button, Mark, Text, Tokens, card as frames,
        tokens::{height, space},
    },
    state::{Act, Command},
};

/// So many stand beside each other.
const ABREAST: usize = 2;
/// A line that is left while nobody answers.
const LINE: f32 = 36.0;

/// Draws the cards.
pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, subjects: &[Subject<'_>]) {
    let wide = (ui.available_width() - space::L) / ABREAST as f32;
    for (row, subjects) in subjects.chunks(ABREAST).enumerate() {
        if row > 0 {
            ui.add_space(space::L);
        }
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = space::L;
            for (place, subject) in subjects.iter().enumerate() {
                let card = card(*subject, sight.now, sight.zone);
                let worst = row == 0 && place == 0;
                ui.vertical(|ui| {
                    ui.set_width(wide);
                    one(ui, sight, &card, worst);
                });
            }
        });
    }
}

fn one(ui: &mut Ui, sight: &mut Sight<'_>, card: &Card, worst: bool) {
    let name = format!("{}, {}", card.name, card.state.to_lowercase());
    frames::card(ui, &name, |ui| {
        ui.spacing_mut().item_spacing = Vec2::ZERO;
        head(ui, card);
        ui.add_space(9.0);
        sentence(ui, card);
        ui.add_space(3.0);
        let size = Vec2::new(ui.available_width(), Text::Caption.line());
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &card.since));
        let (at, muted) = (rect.left_center(), Tokens::of(ui).muted);
        let room = rect.width();
        Text::Caption.write_within(ui, at, Align2::LEFT_CENTER, &card.since, muted, room);
        ui.add_space(space::M);
        buttons(ui, sight, card, worst);
    });
}

fn head(ui: &mut Ui, card: &Card) {
    let tokens = Tokens::of(ui);
    let size = Vec2::new(ui.available_width(), height::BADGE);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let mut left = ui.new_child(UiBuilder::new().max_rect(rect));
    let badge = left.add(Badge::new(card.mark, card.state)).rect;
    let at = rect.right_center();
    let code = Text::Code.write(ui, at, Align2::RIGHT_CENTER, card.code, tokens.muted);
    let at = pos2(badge.right() + space::S, rect.center().y);
    let room = code.left() - space::M - at.x;
    Text::Name.write_within(ui, at, Align2::LEFT_CENTER, &card.name, tokens.text, room);
}

/// Why, on two lines; all of it on the tip.
fn sentence(ui: &mut Ui, card: &Card) {
    let tokens = Tokens::of(ui);
    let size = Vec2::new(ui.available_width(), 2.0 * Text::Body.line());
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &card.sentence));
    let galley = Text::Body.block_of(ui, &card.sentence, tokens.text, rect.width(), 2);
    ui.painter().galley(rect.min, galley, tokens.text);
    response.on_hover_text(&card.all);
}

fn buttons(ui: &mut Ui, sight: &mut Sight<'_>, card: &Card, worst: bool) {
    let off = match &card.action.command {
        Command::Act(_) | Command::OpenKey(_) | Command::CloseKey | Command::Server(_) => None,
        Command::Do(deed) if sight.state.doing().contains(deed) => Some("It is being begun"),
        Command::Do(deed) => sight.off_for(deed.scope()),
    };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 14.0;
        let button = if worst {
            Button::filled(card.action.word)
        } else {
            Button::outline(card.action.word)
        };
        if ui.add(button.off_if(off)).clicked() {
            sight.ask(card.action.command.clone());
        }
        for (word, place) in &card.links {
            if ui.add(Button::link(word)).clicked() {
                sight.ask(Act::Go(place.clone()));
            }
        }
        if let Some(command) = &card.terminal {
            let copy = ui.add(Button::link("Copy command")).on_hover_text(command);
            if copy.clicked() {
                ui.copy_text(command.clone());
            }
        }
    });
}

/// Draws what needed somebody when that was last known.
pub(super) fn past(ui: &mut Ui, sight: &Sight<'_>, subjects: &[Subject<'_>]) {
    frames::padded_card(
        ui,
        "Needed attention",
        egui::Margin::symmetric(14, 0),
        |ui| {
            ui.spacing_mut().item_spacing = Vec2::ZERO;
            for (place, subject) in subjects.iter().enumerate() {
                if place > 0 {
                    frames::divider(ui);
                }
                let card = card(*subject, sight.now, sight.zone);
                let state = card.state.to_lowercase();
                let was = format!("was {state}. {}", card.sentence);
                past_line(ui, &card, &was);
            }
        },
    );
}

fn past_line(ui: &mut Ui, card: &Card, was: &str) {
    let tokens = Tokens::of(ui);
    let size = Vec2::new(ui.available_width(), LINE);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response
        .widget_info(|| WidgetInfo::labeled(Role::ListItem, true, format!("{} {was}", card.name)));
    let builder = UiBuilder::new()
        .max_rect(rect)
        .layout(Layout::left_to_right(Align::Center));
    let mut left = ui.new_child(builder);
    let badge = left.add(Badge::new(Mark::Unknown, "Unknown")).rect;
    let at = pos2(badge.right() + 10.0, rect.center().y);
    let room = Rect::from_min_max(at, rect.right_bottom()).width();
    let name = Text::Name.write_within(
        ui,
        at,
        Align2::LEFT_CENTER,
        &card.name,
        tokens.text,
        room / 2.0,
    );
    let at = pos2(name.right() + 10.0, rect.center().y);
    let room = rect.right() - at.x;
    Text::Body.write_within(ui, at, Align2::LEFT_CENTER, was, tokens.muted, room);
    response.on_hover_text(&card.all);
}
