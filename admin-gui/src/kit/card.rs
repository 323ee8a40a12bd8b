//! Cards and the heads of sections. Cards never nest: inside one, a line divides.

use egui::{
    Align, Align2, Frame, InnerResponse, Layout, Margin, Response, Role, Sense, Stroke, Ui,
    UiBuilder, Vec2, WidgetInfo,
};

use super::{
    tokens::{Tokens, line, radius, space},
    typography::Text,
};

/// The frame of a card or a table.
pub fn frame(ui: &Ui) -> Frame {
    let tokens = Tokens::of(ui);
    Frame::new()
        .fill(tokens.panel)
        .stroke(Stroke::new(line::BORDER, tokens.border))
        .corner_radius(radius::CARD)
}

/// A card as wide as there is room. Its name is for those who do not see where it begins.
pub fn card<R>(ui: &mut Ui, name: &str, content: impl FnOnce(&mut Ui) -> R) -> InnerResponse<R> {
    padded_card(ui, name, Margin::symmetric(14, 12), content)
}

/// A card with other distances inside.
pub fn padded_card<R>(
    ui: &mut Ui,
    name: &str,
    margin: Margin,
    content: impl FnOnce(&mut Ui) -> R,
) -> InnerResponse<R> {
    let frame = frame(ui).inner_margin(margin);
    let region = UiBuilder::new()
        .accessibility_role(Role::Group)
        .accessibility_label(name);
    ui.scope_builder(region, |ui| {
        frame
            .show(ui, |ui| {
                ui.set_min_width(ui.available_width());
                content(ui)
            })
            .inner
    })
}

/// A line between parts of a card.
pub fn divider(ui: &mut Ui) {
    let tokens = Tokens::of(ui);
    let size = Vec2::new(ui.available_width(), line::BORDER);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    ui.painter().rect_filled(rect, 0, tokens.border);
}

/// The head of a section: its name, and at the right what it is about in a caption.
pub fn section_head(ui: &mut Ui, name: &str, caption: &str) -> Response {
    head(ui, Text::Section, name, caption)
}

/// The head of a screen.
pub fn title(ui: &mut Ui, name: &str, caption: &str) -> Response {
    head(ui, Text::Title, name, caption)
}

fn head(ui: &mut Ui, text: Text, name: &str, caption: &str) -> Response {
    let tokens = Tokens::of(ui);
    let size = Vec2::new(ui.available_width(), text.line());
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Heading, true, name));
    let written = text.write(
        ui,
        rect.left_center(),
        Align2::LEFT_CENTER,
        name,
        tokens.text,
    );
    let room = rect.right() - written.right() - space::M;
    // One baseline for both sizes.
    let at = egui::pos2(rect.right(), written.center().y + 0.5);
    Text::Caption.write_within(ui, at, Align2::RIGHT_CENTER, caption, tokens.muted, room);
    response
}

/// The head of a section with things of its own at the right: badges, a button.
pub fn section_head_with<R>(
    ui: &mut Ui,
    name: &str,
    right: impl FnOnce(&mut Ui) -> R,
) -> InnerResponse<R> {
    let tokens = Tokens::of(ui);
    ui.horizontal(|ui| {
        let head = ui.label(Text::Section.rich(name, tokens.text));
        head.widget_info(|| WidgetInfo::labeled(Role::Heading, true, name));
        ui.with_layout(Layout::right_to_left(Align::Center), right)
            .inner
    })
}
