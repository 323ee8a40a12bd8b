//! The frame around every screen: which daemon, which screen, how it all stands, how new it is.

use backup_model::{HealthReport, HealthState, ProtectionState};
use egui::{
    Align, Align2, Frame, Layout, Margin, Panel, Popup, Rect, ScrollArea, Ui, UiBuilder, pos2, vec2,
};

use super::Sight;
use crate::{
    kit::{
        Badge, Icon, IconButton, Mark, Text, Tokens,
        rail::rail_item,
        tokens::{height, line, space},
        words,
    },
    state::{Act, Connection, Screen},
};

const RAIL: f32 = 208.0;
const NARROW_RAIL: f32 = 56.0;
/// A window narrower than this has the narrow rail.
const NARROW: f32 = 1000.0;

/// What the frame remembers.
#[derive(Debug, Default)]
pub(super) struct Own;

fn rail_width(ui: &Ui) -> f32 {
    if ui.ctx().content_rect().width() < NARROW {
        NARROW_RAIL
    } else {
        RAIL
    }
}

/// The bar at the top.
pub(super) fn top_bar(ui: &mut Ui, sight: &mut Sight<'_>, _own: &mut Own) {
    let tokens = Tokens::of(ui);
    let rail = rail_width(ui);
    Panel::top("top bar")
        .exact_size(height::TOP_BAR)
        .frame(Frame::new().fill(tokens.bg))
        .show_separator_line(false)
        .show(ui, |ui| {
            let whole = ui.max_rect();
            foot_line(ui, whole);
            let painter = ui.painter();
            let edge = Rect::from_min_max(
                pos2(whole.left() + rail - line::BORDER, whole.top()),
                pos2(whole.left() + rail, whole.bottom()),
            );
            painter.rect_filled(edge, 0, tokens.border);
            server(ui, sight, whole.with_max_x(whole.left() + rail));
            let right = whole
                .with_min_x(whole.left() + rail)
                .shrink2(vec2(space::L, 0.0));
            let layout = Layout::right_to_left(Align::Center);
            ui.scope_builder(UiBuilder::new().max_rect(right).layout(layout), |ui| {
                ui.spacing_mut().item_spacing.x = space::S;
                bell(ui, sight);
                running(ui, sight);
                worst(ui, sight);
            });
        });
}

fn foot_line(ui: &Ui, whole: Rect) {
    let foot = whole.with_min_y(whole.bottom() - line::BORDER);
    ui.painter().rect_filled(foot, 0, Tokens::of(ui).border);
}

fn server(ui: &Ui, sight: &Sight<'_>, place: Rect) {
    let tokens = Tokens::of(ui);
    let painter = ui.painter();
    let middle = place.center().y;
    let icon = pos2(place.left() + 26.0, middle);
    Icon::Server.paint(painter, icon, Icon::SIZE, tokens.muted);
    if place.width() < RAIL {
        return;
    }
    let server = sight.state.server();
    let report = sight.state.status();
    let name = report.and_then(|(report, _)| report.daemon.as_ref());
    let name = name.map_or("Not reached yet", |daemon| &daemon.name);
    let left = place.left() + 44.0;
    let room = place.right() - space::M - left;
    let at = pos2(left, middle - 8.0);
    Text::Name.write_within(ui, at, Align2::LEFT_CENTER, name, tokens.text, room);
    let (mut x, y) = (left, middle + 8.0);
    if server.is_secure {
        let at = pos2(x + 6.0, y);
        Icon::Lock.paint(painter, at, 12.0, tokens.ok);
        x += 16.0;
    }
    let room = place.right() - space::M - x;
    let at = pos2(x, y);
    let address = server.address.as_str();
    Text::Caption.write_within(ui, at, Align2::LEFT_CENTER, address, tokens.muted, room);
}

fn bell(ui: &mut Ui, sight: &mut Sight<'_>) {
    let unseen = sight.state.notices().unseen();
    let name = match unseen {
        0 => "Notices".to_owned(),
        unseen => format!("Notices, {unseen} new"),
    };
    if unseen > 0 {
        let muted = Tokens::of(ui).muted;
        ui.label(Text::Caption.rich(words::count(unseen), muted));
    }
    let button = ui.add(IconButton::new(Icon::Bell, &name));
    Popup::menu(&button).width(380.0).show(|ui| {
        sight.ask(Act::SeeNotices);
        notices(ui, sight);
    });
}

fn notices(ui: &mut Ui, sight: &Sight<'_>) {
    let tokens = Tokens::of(ui);
    let all = sight.state.notices().all();
    if all.len() == 0 {
        ui.label(Text::Caption.rich("Nothing has happened in this window yet", tokens.muted));
        return;
    }
    ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
        for notice in all {
            Frame::new()
                .inner_margin(Margin::symmetric(4, 4))
                .show(ui, |ui| {
                    ui.horizontal_top(|ui| {
                        notice.mark.ui(ui, 14.0, tokens.panel);
                        ui.vertical(|ui| {
                            ui.label(Text::Body.rich(notice.text.as_str(), tokens.text));
                            let when = sight.when(notice.at);
                            ui.label(Text::Caption.rich(when, tokens.muted));
                        });
                    });
                });
        }
    });
}

fn running(ui: &mut Ui, sight: &mut Sight<'_>) {
    if !sight.is_live() {
        return;
    }
    let running = sight.state.jobs();
    let running = running
        .iter()
        .filter(|shown| shown.job.protection.running.is_some());
    let count = running.count();
    if count == 0 {
        return;
    }
    let words = format!("{count} running");
    let chip = Badge::running(None, &words).chip().clickable();
    if ui.add(chip).clicked() {
        sight.ask(Act::Go(Screen::Jobs.place()));
    }
}

fn worst(ui: &mut Ui, sight: &mut Sight<'_>) {
    let Some((report, _)) = sight.state.status() else {
        return;
    };
    let mut worst = sight.state.worst();
    let words = if !sight.is_live() {
        "Unknown".to_owned()
    } else if report.jobs.is_empty() && report.faults.is_empty() {
        // Nothing is wrong, and nothing is protected either.
        worst = ProtectionState::Unknown;
        "No job yet".to_owned()
    } else if worst == ProtectionState::Protected {
        "All protected".to_owned()
    } else {
        let jobs = report.jobs.iter();
        match jobs.filter(|job| job.protection.state == worst).count() {
            0 => worst.to_string(),
            count => format!("{count} {}", worst.as_str().to_lowercase()),
        }
    };
    let chip = Badge::new(Mark::from(worst), &words).chip().clickable();
    if ui.add(chip).clicked() {
        sight.ask(Act::Go(Screen::Overview.place()));
    }
}

/// The screens.
pub(super) fn rail(ui: &mut Ui, sight: &mut Sight<'_>) {
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
        Screen::Health if sight.is_live() => {
            let health = sight.state.health().value;
            health.map(HealthReport::worst)
        }
        _ => None,
    };
    let mark = worst.and_then(|worst| match worst {
        HealthState::Breached => Some((Mark::Failed, "something is broken")),
        HealthState::AtRisk | HealthState::Unknown => {
            Some((Mark::Warn, "something is to be looked at"))
        }
        HealthState::Ok => None,
    });
    if rail_item(ui, screen.icon(), screen.name(), shown, mark).clicked() {
        sight.ask(Act::Go(screen.place()));
    }
}

/// The bar at the bottom: how new all of it is.
pub(super) fn status_bar(ui: &mut Ui, sight: &Sight<'_>) {
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
            });
        });
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
