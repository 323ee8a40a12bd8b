//! A place where nothing is yet, and what makes something be there.

use egui::{Role, Ui, Vec2, WidgetInfo};

use super::{
    button::Button,
    icons::Icon,
    tokens::{Tokens, space},
    typography::Text,
};

/// What an empty place says.
#[derive(Clone, Copy, Debug)]
pub struct Empty<'a> {
    /// What would be here.
    pub icon: Icon,
    /// That there is none.
    pub head: &'a str,
    /// What would bring one.
    pub sentence: &'a str,
    /// The button that does.
    pub action: &'a str,
}

/// Draws an empty place in the middle of what is left; returns whether its button was clicked.
pub fn empty(ui: &mut Ui, empty: &Empty<'_>) -> bool {
    let tokens = Tokens::of(ui);
    ui.vertical_centered(|ui| {
        ui.spacing_mut().item_spacing.y = space::XS;
        ui.add_space(space::XXL);
        let (rect, _) = ui.allocate_exact_size(Vec2::splat(32.0), egui::Sense::hover());
        empty
            .icon
            .paint(ui.painter(), rect.center(), 28.0, tokens.muted);
        ui.add_space(space::S);
        let head = ui.label(Text::Section.rich(empty.head, tokens.text));
        head.widget_info(|| WidgetInfo::labeled(Role::Heading, true, empty.head));
        ui.label(Text::Body.rich(empty.sentence, tokens.muted));
        ui.add_space(space::M);
        let clicked = !empty.action.is_empty() && ui.add(Button::outline(empty.action)).clicked();
        ui.add_space(space::XXL);
        clicked
    })
    .inner
}
