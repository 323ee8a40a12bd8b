//! Lines of a menu, high enough to be hit.

use egui::{Align2, Color32, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo};

use super::{
    icons::Icon,
    tokens::{Tokens, height, line, radius, space},
    typography::Text,
};

const LEAST_WIDTH: f32 = 168.0;
const EDGE: f32 = 10.0;

/// A line of a menu; a click closes the menu.
pub fn item(ui: &mut Ui, icon: Icon, word: &str) -> Response {
    let colour = Tokens::of(ui).text;
    line(ui, icon, word, colour)
}

/// A line that destroys or stops something.
pub fn danger_item(ui: &mut Ui, icon: Icon, word: &str) -> Response {
    let colour = Tokens::of(ui).failed;
    line(ui, icon, word, colour)
}

fn line(ui: &mut Ui, icon: Icon, word: &str, colour: Color32) -> Response {
    let tokens = Tokens::of(ui);
    let before = EDGE + Icon::SIZE + space::S;
    let words = Text::Body.line_of(ui, word, colour, f32::INFINITY);
    let wide = (before + words.size().x + EDGE)
        .max(LEAST_WIDTH)
        .max(ui.min_rect().width());
    let size = Vec2::new(wide, height::CONTROL);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::MenuItem, ui.is_enabled(), word));
    let painter = ui.painter();
    if response.hovered() || response.has_focus() {
        painter.rect_filled(rect, radius::SMALL, tokens.row_alt);
    }
    if response.has_focus() {
        let ring = Stroke::new(line::FOCUS, tokens.accent);
        painter.rect_stroke(rect, radius::SMALL, ring, StrokeKind::Inside);
    }
    let centre = rect.left_center() + Vec2::new(EDGE + Icon::SIZE / 2.0, 0.0);
    let shade = if colour == tokens.text {
        tokens.muted
    } else {
        colour
    };
    icon.paint(painter, centre, Icon::SIZE, shade);
    let at = rect.left_center() + Vec2::new(before, 0.0);
    Text::Body.write(ui, at, Align2::LEFT_CENTER, word, colour);
    if response.clicked() {
        ui.close();
    }
    response
}
