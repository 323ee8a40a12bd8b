//! Check boxes and radio buttons.

use egui::{
    Align2, Color32, Painter, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo,
};

use super::{
    icons::Icon,
    tokens::{Tokens, height, line, radius, space},
    typography::Text,
};

/// The box and the circle.
const BOX: f32 = 16.0;

#[derive(Clone, Copy)]
enum Filled {
    No,
    Some,
    Yes,
}

/// A box with a word.
pub fn check(ui: &mut Ui, on: &mut bool, word: &str) -> Response {
    let (rect, mut response) = area(ui, word);
    if response.clicked() {
        *on = !*on;
        response.mark_changed();
    }
    let value = *on;
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, ui.is_enabled(), value, word));
    let filled = if value { Filled::Yes } else { Filled::No };
    square(ui, place(rect), &response, filled);
    label(ui, rect, word);
    response
}

/// A box without a word, in the rows of a table. With `some` and not all it shows a line.
pub fn bare(ui: &mut Ui, on: &mut bool, some: bool, name: &str) -> Response {
    let (rect, mut response) = ui.allocate_exact_size(Vec2::new(BOX, BOX), Sense::click());
    if response.clicked() {
        *on = !*on;
        response.mark_changed();
    }
    let value = *on;
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, ui.is_enabled(), value, name));
    let filled = match (value, some) {
        (true, _) => Filled::Yes,
        (false, true) => Filled::Some,
        (false, false) => Filled::No,
    };
    square(ui, rect, &response, filled);
    response
}

/// One of several of which one holds.
pub fn radio(ui: &mut Ui, on: bool, word: &str) -> Response {
    let tokens = Tokens::of(ui);
    let (rect, response) = area(ui, word);
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), on, word));
    let circle = place(rect);
    let (fill, outline) = colours(tokens, &response, on);
    // The outline is drawn outside.
    let radius = (BOX - 1.0) / 2.0 - outline.width;
    ui.painter().circle(circle.center(), radius, fill, outline);
    if on {
        ui.painter()
            .circle_filled(circle.center(), 3.0, tokens.on_accent);
    }
    ring(ui.painter(), circle, (BOX / 2.0) as u8, &response, tokens);
    label(ui, rect, word);
    response
}

fn area(ui: &mut Ui, word: &str) -> (Rect, Response) {
    let words = Text::Body.line_of(ui, word, Color32::PLACEHOLDER, f32::INFINITY);
    let size = Vec2::new(BOX + space::S + words.size().x, height::CONTROL);
    ui.allocate_exact_size(size, Sense::click())
}

fn place(rect: Rect) -> Rect {
    let centre = rect.left_center() + Vec2::new(BOX / 2.0, 0.0);
    Rect::from_center_size(centre, Vec2::splat(BOX))
}

fn label(ui: &Ui, rect: Rect, word: &str) {
    let at = rect.left_center() + Vec2::new(BOX + space::S, 0.0);
    Text::Body.write(ui, at, Align2::LEFT_CENTER, word, Tokens::of(ui).text);
}

fn colours(tokens: &Tokens, response: &Response, filled: bool) -> (Color32, Stroke) {
    if filled {
        return (tokens.accent, Stroke::NONE);
    }
    let colour = if response.hovered() {
        tokens.text
    } else {
        tokens.control
    };
    (tokens.panel, Stroke::new(line::ICON, colour))
}

fn square(ui: &Ui, rect: Rect, response: &Response, filled: Filled) {
    let tokens = Tokens::of(ui);
    let any = !matches!(filled, Filled::No);
    let (fill, outline) = colours(tokens, response, any);
    let painter = ui.painter();
    painter.rect(
        rect.shrink(0.5),
        radius::SMALL,
        fill,
        outline,
        StrokeKind::Inside,
    );
    let icon = match filled {
        Filled::No => None,
        Filled::Some => Some(Icon::Minus),
        Filled::Yes => Some(Icon::Tick),
    };
    if let Some(icon) = icon {
        icon.paint(painter, rect.center(), 11.0, tokens.on_accent);
    }
    ring(painter, rect, radius::SMALL, response, tokens);
}

fn ring(painter: &Painter, rect: Rect, radius: u8, response: &Response, tokens: &Tokens) {
    if response.has_focus() {
        let ring = Stroke::new(line::FOCUS, tokens.accent);
        painter.rect_stroke(rect.expand(3.0), radius + 3, ring, StrokeKind::Inside);
    }
}
