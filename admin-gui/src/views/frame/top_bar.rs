//! The bar at the top: which daemon, the palette, and at the right how all of it stands.

use backup_model::{ProtectionState, SnapshotName};
use egui::{
    Align, Align2, Frame, Layout, Panel, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui,
    UiBuilder, WidgetInfo, pos2, vec2,
};

use super::{RAIL, bell::bell, rail_width, tasks::tasks};
use crate::{
    kit::{
        Badge, Icon, Mark, Text, Tokens,
        tokens::{height, line, radius, space},
    },
    state::{Act, Origin, Screen},
    views::{
        Sight,
        palette::{self, Terminal},
        servers,
    },
};

const CHEVRON: f32 = 14.0;

/// Draws it; gives the snapshot that somebody wants to see.
pub(in crate::views) fn top_bar(
    ui: &mut Ui,
    sight: &mut Sight<'_>,
    palette: &mut palette::Own,
    terminal: &Terminal<'_>,
) -> Option<SnapshotName> {
    let tokens = Tokens::of(ui);
    let rail = rail_width(ui);
    let bar = Panel::top("top bar")
        .exact_size(height::TOP_BAR)
        .frame(Frame::new().fill(tokens.bg))
        .show_separator_line(false);
    let shown = bar.show(ui, |ui| {
        let whole = ui.max_rect();
        lines(ui, whole, rail);
        let place = whole.with_max_x(whole.left() + rail);
        let button = server(ui, sight, place);
        servers::menu(&button, sight);
        let middle = whole.center().y;
        let left = pos2(whole.left() + rail + space::XL, middle);
        let size = vec2(palette::FIELD, height::CONTROL);
        let place = Align2::LEFT_CENTER.anchor_size(left, size);
        let opened = palette::show(ui, place, sight, palette, terminal);
        let right = whole.with_min_x(place.right()).shrink2(vec2(space::L, 0.0));
        let layout = Layout::right_to_left(Align::Center);
        ui.scope_builder(UiBuilder::new().max_rect(right).layout(layout), |ui| {
            ui.spacing_mut().item_spacing.x = space::S;
            bell(ui, sight);
            tasks(ui, sight);
            worst(ui, sight);
        });
        opened
    });
    shown.inner
}

fn lines(ui: &Ui, whole: Rect, rail: f32) {
    let border = Tokens::of(ui).border;
    let foot = whole.with_min_y(whole.bottom() - line::BORDER);
    ui.painter().rect_filled(foot, 0, border);
    let end = whole.left() + rail;
    let edge = Rect::from_x_y_ranges(end - line::BORDER..=end, whole.y_range());
    ui.painter().rect_filled(edge, 0, border);
}

/// Which daemon: its name, and where it is reached; a button for the list of others. A narrow rail
/// has room for its icon only.
fn server(ui: &Ui, sight: &Sight<'_>, place: Rect) -> Response {
    let tokens = Tokens::of(ui);
    let painter = ui.painter();
    let middle = place.center().y;
    let icon = pos2(place.left() + 26.0, middle);
    Icon::Server.paint(painter, icon, Icon::SIZE, tokens.muted);
    let server = sight.state.server();
    let (name, address) = (name(sight), server.repository().unwrap_or(&server.address));
    let whole = ui.interact(place, ui.scope_id().with("server"), Sense::click());
    let words = format!("{name}, {address}");
    whole.widget_info(|| WidgetInfo::labeled(Role::Button, true, &words));
    if whole.has_focus() {
        let ring = Stroke::new(line::FOCUS, tokens.accent);
        let ring_at = place.shrink(line::FOCUS + 2.0);
        painter.rect_stroke(ring_at, radius::CONTROL, ring, StrokeKind::Inside);
    }
    let whole = whole.on_hover_text(words);
    if place.width() < RAIL {
        return whole;
    }
    let left = place.left() + 44.0;
    let end = place.right() - space::M - CHEVRON;
    let shade = if whole.hovered() {
        tokens.text
    } else {
        tokens.muted
    };
    let at = pos2(end + CHEVRON / 2.0, middle);
    Icon::ChevronDown.paint(painter, at, CHEVRON, shade);
    let room = end - left;
    let at = pos2(left, middle - 8.0);
    Text::Name.write_within(ui, at, Align2::LEFT_CENTER, name, tokens.text, room);
    let (mut x, y) = (left, middle + 8.0);
    let mut short = address;
    // Who has not said anything yet has not shown who it is, either.
    let has_shown = sight.state.status().is_some() && servers::changed(sight).is_none();
    if server.is_secure && has_shown {
        let at = pos2(x + 6.0, y);
        Icon::Lock.paint(painter, at, 12.0, tokens.ok);
        x += 16.0;
        // The lock says it.
        short = address.strip_prefix("https://").unwrap_or(address);
    }
    let at = pos2(x, y);
    Text::Caption.write_within(ui, at, Align2::LEFT_CENTER, short, tokens.muted, end - x);
    whole
}

/// What somebody calls it, or else what it calls itself.
fn name<'a>(sight: &Sight<'a>) -> &'a str {
    let report = sight.state.status();
    let own = report.and_then(|(report, _)| report.daemon.as_ref());
    match &sight.state.server().origin {
        Origin::Listed(name) => name,
        Origin::Private(_) => "Private",
        Origin::Start => own.map_or("Not reached yet", |daemon| &daemon.name),
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
