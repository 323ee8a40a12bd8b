//! Facts about one thing: what it is called, and what it is.

use egui::{Align2, Response, Role, Sense, Ui, Vec2, WidgetInfo};

use super::{
    tokens::{Tokens, space},
    typography::Text,
};

/// From one fact to the next.
const LINE: f32 = 26.0;

/// A list of facts whose values stand under each other.
#[expect(missing_debug_implementations, reason = "it lives while it is drawn")]
pub struct Facts<'a> {
    ui: &'a mut Ui,
    key_width: f32,
}

/// Draws a list of facts whose keys have this much room.
pub fn facts(ui: &mut Ui, key_width: f32, fill: impl FnOnce(&mut Facts<'_>)) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        fill(&mut Facts { ui, key_width });
    });
}

impl Facts<'_> {
    /// A fact in words or numbers.
    pub fn row(&mut self, key: &str, value: &str) -> Response {
        self.set(key, value, Text::Body)
    }

    /// A fact that is an id or a path.
    pub fn mono(&mut self, key: &str, value: &str) -> Response {
        self.set(key, value, Text::Mono)
    }

    fn set(&mut self, key: &str, value: &str, text: Text) -> Response {
        let ui = &mut *self.ui;
        let tokens = Tokens::of(ui);
        let room = (ui.available_width() - self.key_width).max(space::XL);
        let galley = text.block_of(ui, value, tokens.text, room, 4);
        // A value of several lines pushes the next fact down and keeps its own distance.
        let high = (galley.size().y + LINE - text.line()).max(LINE);
        let size = Vec2::new(ui.available_width(), high);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let name = format!("{key} {value}");
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &name));
        let middle = rect.left_top() + Vec2::new(0.0, LINE / 2.0);
        let keys = self.key_width - space::S;
        Text::Caption.write_within(ui, middle, Align2::LEFT_CENTER, key, tokens.muted, keys);
        let at = middle + Vec2::new(self.key_width, -text.line() / 2.0);
        ui.painter().galley(at, galley, tokens.text);
        response.context_menu(|ui| {
            if ui.button("Copy").clicked() {
                ui.copy_text(value.to_owned());
            }
        });
        response
    }
}
