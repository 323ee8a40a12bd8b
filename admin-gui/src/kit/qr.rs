//! A QR code. White in both themes, because cameras expect dark on light.

use egui::{Color32, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo};

use super::tokens::{LIGHT, Tokens, line, radius};

/// The side of a module, and the quiet zone around the code.
const MODULE: f32 = 3.0;
const QUIET: f32 = 12.0;

/// Draws a square of modules, row by row, true for dark; `name` says what it holds. What is shown on
/// a screen is public: a secret is only printed, or shown while a button is held.
pub fn qr(ui: &mut Ui, name: &str, modules: &[bool], side: usize) -> Response {
    let size = side as f32 * MODULE + 2.0 * QUIET;
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(size), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    let outline = Stroke::new(line::BORDER, Tokens::of(ui).border);
    ui.painter().rect(
        rect,
        radius::CONTROL,
        Color32::WHITE,
        outline,
        StrokeKind::Inside,
    );
    let corner = rect.min + Vec2::splat(QUIET);
    for (row, line) in modules.chunks(side.max(1)).enumerate() {
        let mut at = 0;
        // Neighbours are one rectangle: no seam of a lighter grey between them.
        while at < line.len() {
            let run = line[at..].iter().take_while(|dark| **dark).count();
            if run > 0 {
                let from = corner + Vec2::new(at as f32, row as f32) * MODULE;
                let bar = Rect::from_min_size(from, Vec2::new(run as f32, 1.0) * MODULE);
                ui.painter().rect_filled(bar, 0, LIGHT.text);
            }
            at += run.max(1);
        }
    }
    response
}
