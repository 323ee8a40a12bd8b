//! What most cells hold: one line, two lines, an id.

use egui::{Align, Color32, Response, Role, Sense, Ui, Vec2, WidgetInfo};

use crate::kit::typography::Text;

/// One line, cut with … if the column is too narrow.
pub fn words(ui: &mut Ui, text: Text, words: &str, colour: Color32) -> Response {
    let width = ui.available_width();
    let galley = text.line_of(ui, words, colour, width);
    let cut = galley.elided;
    let (rect, response) = ui.allocate_exact_size(galley.size(), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
    ui.painter().galley(rect.min, galley, colour);
    if cut {
        return response.on_hover_text(words);
    }
    response
}

/// An id, a path, a name of a table.
pub fn mono(ui: &mut Ui, id: &str, colour: Color32) -> Response {
    words(ui, Text::Mono, id, colour)
}

/// Two lines, the first 16 high and the second 14, with their colours.
pub fn lines(ui: &mut Ui, first: (Text, &str, Color32), second: (&str, Color32)) -> Response {
    let width = ui.available_width();
    let above = first.0.line_of(ui, first.1, first.2, width);
    let below = Text::Caption.line_of(ui, second.0, second.1, width);
    let wide = above.size().x.max(below.size().x);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(wide, 32.0), Sense::hover());
    let both = format!("{}, {}", first.1, second.0);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &both));
    let cut = above.elided || below.elided;
    // Whoever stands at the right ends there with both lines.
    let right = ui.layout().main_dir() == egui::Direction::RightToLeft;
    let align = if right { Align::Max } else { Align::Min };
    for (galley, centre, colour) in [(above, 9.0, first.2), (below, 24.0, second.1)] {
        let left = align
            .align_size_within_range(galley.size().x, rect.x_range())
            .min;
        let top = rect.top() + centre - galley.size().y / 2.0;
        ui.painter().galley(egui::pos2(left, top), galley, colour);
    }
    if cut {
        return response.on_hover_text(both);
    }
    response
}
