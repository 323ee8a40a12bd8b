//! How this window looks. egui keeps it, for as long as the window is there.

use egui::{Align, Layout, ThemePreference, Ui};

use super::Own;
use crate::kit::{
    Icon, IconButton, Text, Tokens,
    card::{card, section_head},
    check::{check, radio},
    theme,
    tokens::{height, space},
    words,
};

/// What can be chosen with the buttons; other factors come by the keys.
const ZOOM: std::ops::RangeInclusive<f32> = 0.5..=2.0;
const STEP: f32 = 0.1;
const KEYS: f32 = 92.0;

pub(super) fn show(ui: &mut Ui, own: &mut Own) {
    section_head(ui, "This window", "");
    ui.add_space(space::S);
    card(ui, "This window", |ui| {
        ui.spacing_mut().item_spacing = egui::vec2(space::L, 0.0);
        ui.set_min_height(super::connected::HIGH);
        row(ui, "Theme", theme_choice);
        row(ui, "Zoom", zoom);
        row(ui, "Motion", motion);
        row(ui, "Times", |ui| times(ui, own));
    });
}

/// A setting by its name.
fn row(ui: &mut Ui, key: &str, content: impl FnOnce(&mut Ui)) {
    let muted = Tokens::of(ui).muted;
    let size = egui::vec2(ui.available_width(), height::ROW);
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        let size = egui::vec2(KEYS - ui.spacing().item_spacing.x, height::CONTROL);
        let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
        let left = egui::Align2::LEFT_CENTER;
        Text::Caption.write(ui, rect.left_center(), left, key, muted);
        content(ui);
    });
}

fn theme_choice(ui: &mut Ui) {
    let shown = ui.ctx().options(|options| options.theme_preference);
    for (theme, word) in [
        (ThemePreference::System, "As the system"),
        (ThemePreference::Light, "Light"),
        (ThemePreference::Dark, "Dark"),
    ] {
        if radio(ui, shown == theme, word).clicked() {
            ui.ctx().set_theme(theme);
        }
    }
}

fn zoom(ui: &mut Ui) {
    let text = Tokens::of(ui).text;
    let factor = ui.ctx().zoom_factor();
    ui.spacing_mut().item_spacing.x = space::S;
    let mut to = factor;
    if ui
        .add(IconButton::new(Icon::Minus, "Smaller").framed())
        .clicked()
    {
        to -= STEP;
    }
    // As many tenths as there are, whatever a tenth is in binary.
    let percent = (factor * 100.0).round() as u64;
    ui.label(Text::Body.rich(format!("{} %", words::count(percent)), text));
    if ui
        .add(IconButton::new(Icon::Plus, "Larger").framed())
        .clicked()
    {
        to += STEP;
    }
    let to = ((to * 10.0).round() / 10.0).clamp(*ZOOM.start(), *ZOOM.end());
    if (to - factor).abs() > STEP / 2.0 {
        ui.ctx().set_zoom_factor(to);
    }
}

fn motion(ui: &mut Ui) {
    let mut reduced = ui.style().animation_time == 0.0;
    if check(ui, &mut reduced, "Reduce motion").changed() {
        theme::set_reduced_motion(ui.ctx(), reduced);
    }
}

fn times(ui: &mut Ui, own: &mut Own) {
    if radio(ui, !own.utc, "Of this machine").clicked() {
        own.utc = false;
    }
    if radio(ui, own.utc, "UTC").clicked() {
        own.utc = true;
    }
}
