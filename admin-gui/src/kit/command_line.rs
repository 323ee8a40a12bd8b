//! The command that does the same in a terminal, ready to be copied.

use egui::{
    Align2, Rect, Response, Role, Sense, Ui, UiBuilder, Vec2, WidgetInfo, emath::GuiRounding as _,
    pos2,
};

use super::{
    icons::Icon,
    tokens::{Tokens, height, line, radius, space},
    typography::Text,
};

/// The strip at the foot of a screen: always what is shown there, or what is about to happen.
/// Returns the response of Copy; the command is in the clipboard by then.
pub fn command_line(ui: &mut Ui, command: &str) -> Response {
    let tokens = Tokens::of(ui);
    let size = Vec2::new(ui.available_width(), height::COMMAND);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let name = format!("Same in a terminal {command}");
    response.widget_info(|| WidgetInfo::labeled(Role::Code, true, &name));
    let painter = ui.painter();
    painter.rect_filled(rect, 0, tokens.bg);
    let head = rect.with_max_y(rect.top() + line::BORDER);
    painter.rect_filled(head, 0, tokens.border);

    let (left, middle) = (rect.left() + space::XL, rect.center().y + 0.5);
    Icon::Terminal.paint(painter, pos2(left + 7.0, middle), 14.0, tokens.muted);
    let at = pos2(left + 22.0, middle);
    let words = Text::Caption.write(
        ui,
        at,
        Align2::LEFT_CENTER,
        "Same in a terminal",
        tokens.muted,
    );
    let copy = Rect::from_min_max(
        pos2(rect.right() - space::L - 62.0, rect.top() + 2.0),
        pos2(rect.right() - space::L, rect.bottom()),
    );
    let at = pos2(words.right() + space::L, middle);
    let room = copy.left() - space::M - at.x;
    Text::Mono.write_within(ui, at, Align2::LEFT_CENTER, command, tokens.text, room);
    copy_button(ui, copy, command)
}

/// A command in its own box, between steps that somebody follows. One that is too long for a line
/// goes on in the next.
pub fn command_box(ui: &mut Ui, command: &str) -> Response {
    let tokens = Tokens::of(ui);
    let room = ui.available_width() - 9.0 - 34.0;
    let words = Text::Mono.block_of(ui, command, tokens.text, room, 4);
    let high = (words.size().y + 12.0).max(height::CONTROL);
    let size = Vec2::new(ui.available_width(), high);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Code, true, command));
    let outline = egui::Stroke::new(line::BORDER, tokens.border);
    ui.painter().rect(
        rect,
        radius::CONTROL,
        tokens.bg,
        outline,
        egui::StrokeKind::Inside,
    );
    let left = rect.left_center() + Vec2::new(9.0, 0.0);
    let at = Align2::LEFT_CENTER
        .anchor_size(left, words.size())
        .round_to_pixels(ui.pixels_per_point());
    ui.painter().galley(at.min, words, tokens.text);
    let place = rect.with_min_x(rect.right() - 30.0);
    let copy = ui.interact(place, ui.scope_id().with(("copy", command)), Sense::click());
    copy.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Copy"));
    paint_copy(ui, &copy, place.center());
    copied(ui, &copy, command);
    copy.on_hover_text("Copy")
}

fn copy_button(ui: &mut Ui, place: Rect, command: &str) -> Response {
    let mut ui = ui.new_child(UiBuilder::new().max_rect(place));
    let tokens = Tokens::of(&ui);
    let copy = ui.allocate_rect(place, Sense::click());
    copy.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Copy"));
    let colour = if copy.hovered() || copy.has_focus() {
        tokens.text
    } else {
        tokens.muted
    };
    let icon = place.left_center() + Vec2::new(14.0, 0.0);
    paint_copy(&ui, &copy, icon);
    let at = icon + Vec2::new(12.0, 0.0);
    Text::Caption.write(&ui, at, Align2::LEFT_CENTER, "Copy", colour);
    if copy.has_focus() {
        let ring = egui::Stroke::new(line::FOCUS, tokens.accent);
        let around = place.shrink2(Vec2::new(0.0, 2.0));
        ui.painter()
            .rect_stroke(around, radius::CONTROL, ring, egui::StrokeKind::Inside);
    }
    copied(&ui, &copy, command);
    copy
}

fn paint_copy(ui: &Ui, copy: &Response, centre: egui::Pos2) {
    let tokens = Tokens::of(ui);
    let colour = if copy.hovered() || copy.has_focus() {
        tokens.text
    } else {
        tokens.muted
    };
    Icon::Copy.paint(ui.painter(), centre, 14.0, colour);
}

fn copied(ui: &Ui, copy: &Response, command: &str) {
    if copy.clicked() {
        ui.copy_text(command.to_owned());
    }
}
