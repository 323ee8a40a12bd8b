//! Parts of one thing, one of them shown.

use egui::{
    Align2, CursorIcon, EventFilter, Key, Response, Role, Sense, Stroke, Ui, UiBuilder, Vec2,
    WidgetInfo, pos2,
};

use super::{
    button::Button,
    icons::Icon,
    tokens::{Tokens, height, line, radius, space},
    typography::Text,
};

/// Draws tabs; returns whether another one was chosen. Arrows go through them.
pub fn tabs(ui: &mut Ui, names: &[&str], shown: &mut usize) -> bool {
    let tokens = Tokens::of(ui);
    let before = *shown;
    let whole = ui.available_width();
    let list = UiBuilder::new().accessibility_role(Role::TabList);
    let row = ui.scope_builder(list, |ui| {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = space::XL;
            let mut responses = Vec::new();
            for (at, name) in names.iter().enumerate() {
                let response = tab(ui, name, at == *shown);
                if response.clicked() {
                    *shown = at;
                }
                responses.push(response);
            }
            arrows(ui, &responses, shown);
        });
    });
    let rect = row.response.rect;
    let foot = rect.bottom() - line::BORDER / 2.0;
    let across = rect.left()..=rect.left() + whole;
    // Below the accent, which stands on this line.
    ui.painter()
        .hline(across, foot + 0.5, Stroke::new(line::BORDER, tokens.border));
    *shown != before
}

fn tab(ui: &mut Ui, name: &str, shown: bool) -> Response {
    let tokens = Tokens::of(ui);
    let text = if shown { Text::Strong } else { Text::Name };
    let galley = text.line_of(ui, name, tokens.text, f32::INFINITY);
    let size = Vec2::new(galley.size().x.ceil() + 4.0, height::ROW);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Tab, true, shown, name));
    let colour = if shown || response.hovered() {
        tokens.text
    } else {
        tokens.muted
    };
    text.write(ui, rect.center(), Align2::CENTER_CENTER, name, colour);
    if shown {
        let foot = rect.with_min_y(rect.bottom() - line::FOCUS);
        ui.painter().rect_filled(foot, 0, tokens.accent);
    }
    if response.has_focus() {
        let ring = Stroke::new(line::FOCUS, tokens.accent);
        let around = rect.expand2(Vec2::new(4.0, -4.0));
        ui.painter()
            .rect_stroke(around, radius::SMALL, ring, egui::StrokeKind::Inside);
    }
    response.on_hover_cursor(CursorIcon::PointingHand)
}

/// The tab beside the one that has the focus is shown, and gets it.
fn arrows(ui: &Ui, tabs: &[Response], shown: &mut usize) {
    let Some(at) = tabs.iter().position(Response::has_focus) else {
        return;
    };
    let filter = EventFilter {
        horizontal_arrows: true,
        ..EventFilter::default()
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(tabs[at].id, filter));
    let (left, right) = ui.input(|input| {
        (
            input.key_pressed(Key::ArrowLeft),
            input.key_pressed(Key::ArrowRight),
        )
    });
    let to = match (left, right) {
        (true, false) => at.saturating_sub(1),
        (false, true) => (at + 1).min(tabs.len() - 1),
        _ => return,
    };
    tabs[to].request_focus();
    *shown = to;
}

/// The way to what is shown: `Jobs › webui-db`. Returns the step that was clicked.
pub fn breadcrumb(ui: &mut Ui, steps: &[&str]) -> Option<usize> {
    let tokens = Tokens::of(ui);
    let mut clicked = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        for (at, step) in steps.iter().enumerate() {
            if at + 1 == steps.len() {
                ui.label(Text::Strong.rich(*step, tokens.text));
                break;
            }
            if ui.add(Button::link(step)).clicked() {
                clicked = Some(at);
            }
            let (rect, _) = ui.allocate_exact_size(Vec2::new(12.0, 28.0), Sense::hover());
            let centre = pos2(rect.center().x, rect.center().y + 0.5);
            Icon::ChevronRight.paint(ui.painter(), centre, 12.0, tokens.muted);
        }
    });
    clicked
}
