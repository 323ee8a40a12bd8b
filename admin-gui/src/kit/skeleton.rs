//! Where rows will be, while nothing is known yet. Only on first load: later the old rows stay.

use egui::{Rect, Role, Sense, Ui, Vec2, WidgetInfo};

use super::tokens::Tokens;

/// Grey bars in place of so many rows.
pub fn rows(ui: &mut Ui, count: usize, row_height: f32) {
    let tokens = Tokens::of(ui);
    let size = Vec2::new(ui.available_width(), count as f32 * row_height);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Status, true, "Loading"));
    for row in 0..count {
        let middle = rect.top() + (row as f32 + 0.5) * row_height;
        // Different lengths, so that they look like words and not like a broken border.
        for (from, to) in [
            (0.0, 0.12),
            (0.16, [0.42, 0.36, 0.48][row % 3]),
            (0.8, 0.94),
        ] {
            let wide = rect.width() - 28.0;
            let left = rect.left() + 14.0;
            let bar = Rect::from_x_y_ranges(
                left + from * wide..=left + to * wide,
                middle - 5.0..=middle + 5.0,
            );
            ui.painter().rect_filled(bar, 4, tokens.row_alt);
        }
    }
}
