//! One of several, in a list that opens.

use egui::{ComboBox, Response, Stroke, Ui};

use super::{
    icons::Icon,
    tokens::{Tokens, line},
    typography::Text,
};

/// A field that opens a list; returns whether another one was chosen.
pub fn select(
    ui: &mut Ui,
    label: &str,
    width: f32,
    chosen: &mut usize,
    choices: &[&str],
) -> Response {
    let tokens = Tokens::of(ui);
    ui.scope(|ui| {
        let widgets = &mut ui.visuals_mut().widgets;
        for look in [&mut widgets.inactive, &mut widgets.open] {
            look.bg_stroke = Stroke::new(line::BORDER, tokens.control);
            look.weak_bg_fill = tokens.panel;
        }
        let current = choices.get(*chosen).copied().unwrap_or_default();
        let before = *chosen;
        let mut response = ComboBox::from_id_salt(label)
            .width(width)
            .selected_text(Text::Body.rich(current, tokens.text))
            .icon(|ui, rect, look, _| {
                Icon::ChevronDown.paint(ui.painter(), rect.center(), 14.0, look.fg_stroke.color);
            })
            .show_ui(ui, |ui| {
                for (at, choice) in choices.iter().enumerate() {
                    ui.selectable_value(chosen, at, Text::Body.rich(*choice, tokens.text));
                }
            })
            .response
            .accessible_name(label);
        if *chosen != before {
            response.mark_changed();
        }
        response
    })
    .inner
}
