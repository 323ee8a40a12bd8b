//! The rail: the screens, with a mark where something is to be mended.

use backup_model::{HealthReport, HealthState};
use egui::{Align, Frame, Layout, Margin, Panel, Ui, vec2};

use super::rail_width;
use crate::{
    kit::{Mark, Tokens, rail::rail_item, tokens::line},
    state::{Act, Screen},
    views::{Sight, verification},
};

/// The screens.
pub(in crate::views) fn rail(ui: &mut Ui, sight: &mut Sight<'_>) {
    let tokens = Tokens::of(ui);
    let margin = Margin::symmetric(8, 12);
    Panel::left("rail")
        .exact_size(rail_width(ui))
        .resizable(false)
        .frame(Frame::new().fill(tokens.bg).inner_margin(margin))
        .show_separator_line(false)
        .show(ui, |ui| {
            let whole = ui.max_rect().expand2(vec2(8.0, 12.0));
            let edge = whole.with_min_x(whole.right() - line::BORDER);
            ui.painter().rect_filled(edge, 0, tokens.border);
            ui.spacing_mut().item_spacing.y = 2.0;
            for screen in Screen::RAIL {
                item(ui, sight, screen);
            }
            ui.with_layout(Layout::bottom_up(Align::Min), |ui| {
                item(ui, sight, Screen::Settings);
            });
        });
}

fn item(ui: &mut Ui, sight: &mut Sight<'_>, screen: Screen) {
    let shown = sight.state.place().screen() == screen;
    let worst = match screen {
        // What was wrong when that was last known may be mended by now.
        _ if !sight.is_live() => None,
        Screen::Health => sight.state.health().value.and_then(unhealthy),
        Screen::Verification => verification::worst(sight),
        _ => None,
    };
    let mark = worst.map(|mark| match mark {
        Mark::Failed => (mark, "something is broken"),
        _ => (mark, "something is to be looked at"),
    });
    if rail_item(ui, screen.icon(), screen.name(), shown, mark).clicked() {
        sight.ask(Act::Go(screen.place()));
    }
}

fn unhealthy(report: &HealthReport) -> Option<Mark> {
    match report.worst() {
        HealthState::Breached => Some(Mark::Failed),
        HealthState::AtRisk | HealthState::Unknown => Some(Mark::Warn),
        HealthState::Ok => None,
    }
}
