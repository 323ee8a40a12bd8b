//! The bar at the bottom: how new all of it is, and by which clock.

use egui::{Align, Frame, Layout, Panel, Ui, UiBuilder, vec2};

use crate::{
    kit::{
        Button, Icon, Text, Tokens,
        tokens::{height, line, space},
        words,
    },
    state::{Command, Connection},
    views::Sight,
};

/// The bar at the bottom: how new all of it is.
pub(in crate::views) fn status_bar(ui: &mut Ui, sight: &mut Sight<'_>) {
    let tokens = Tokens::of(ui);
    Panel::bottom("status bar")
        .exact_size(height::STATUS_BAR)
        .frame(Frame::new().fill(tokens.panel))
        .show_separator_line(false)
        .show(ui, |ui| {
            let whole = ui.max_rect();
            let head = whole.with_max_y(whole.top() + line::BORDER);
            ui.painter().rect_filled(head, 0, tokens.border);
            let inside = whole.shrink2(vec2(space::L, 0.0));
            let (colour, word, rest) = liveness(tokens, sight);
            let left = Layout::left_to_right(Align::Center);
            ui.scope_builder(UiBuilder::new().max_rect(inside).layout(left), |ui| {
                ui.spacing_mut().item_spacing.x = 6.0;
                let (dot, _) = ui.allocate_exact_size(vec2(8.0, 8.0), egui::Sense::hover());
                ui.painter().circle_filled(dot.center(), 4.0, colour);
                ui.label(Text::Caption.rich(word, tokens.text));
                ui.label(Text::Caption.rich(rest, tokens.muted));
            });
            let right = Layout::right_to_left(Align::Center);
            ui.scope_builder(UiBuilder::new().max_rect(inside).layout(right), |ui| {
                ui.spacing_mut().item_spacing.x = space::L;
                let report = sight.state.status().map(|(report, _)| report);
                if let Some(daemon) = report.and_then(|report| report.daemon.as_ref()) {
                    let version = format!("backupd {}", daemon.version);
                    ui.label(Text::Caption.rich(version, tokens.muted));
                }
                let clock = sight.zone.to_datetime(sight.now);
                let zone = sight.zone.iana_name().unwrap_or("local time");
                let clock = format!("Times in {zone} · {}", clock.strftime("%H:%M:%S"));
                ui.label(Text::Caption.rich(clock, tokens.muted));
                open_key(ui, sight);
            });
        });
}

/// A key that is open can be seen, and closed, wherever somebody is.
fn open_key(ui: &mut Ui, sight: &mut Sight<'_>) {
    let Some(key) = sight.state.key().open() else {
        return;
    };
    let tokens = Tokens::of(ui);
    let words = format!("{} is open", key.shown);
    ui.spacing_mut().item_spacing.x = space::S;
    if ui.add(Button::link("Close")).clicked() {
        sight.ask(Command::CloseKey);
    }
    ui.label(Text::Caption.rich(words, tokens.text));
    Icon::Keys.ui(ui, tokens.accent);
}

fn liveness(tokens: &Tokens, sight: &Sight<'_>) -> (egui::Color32, &'static str, String) {
    let heard = sight.state.status().map(|(_, at)| at);
    match (sight.state.connection(), heard) {
        (Connection::Live, Some(heard)) => {
            let age = words::ago(heard, sight.now);
            (tokens.ok, "Live", format!("· updated {age}"))
        }
        (Connection::Live | Connection::Connecting, _) => {
            (tokens.unknown, "Connecting", String::new())
        }
        (Connection::Lost { .. }, Some(heard)) => {
            let heard = words::moment(heard, sight.now, sight.zone);
            (
                tokens.unknown,
                "Reconnecting",
                format!("· showing data from {heard}"),
            )
        }
        (Connection::Lost { .. }, None) => (tokens.unknown, "Reconnecting", String::new()),
    }
}
