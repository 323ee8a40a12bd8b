//! The rows. What is wrong stands taller than what is fine, and one row is open below its line: a
//! table of one height cannot show that, so these rows are laid out here.

use egui::{
    Align2, CursorIcon, Rect, Response, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, UiBuilder,
    WidgetInfo, pos2, vec2,
};

use super::{
    Open, Own, Sight, detail, fix,
    item::{Shown, mark, word},
};
use crate::{
    kit::{
        Button, Text, Tokens,
        card::{divider, frame},
        tokens::{height, line, space},
    },
    state::{Act, Deed},
};

pub(super) const EDGE: f32 = 14.0;
const SHAPE: f32 = 15.0;
/// Where the words of a row begin, and how wide each column is.
pub(super) const WHAT: f32 = EDGE + 22.0 + space::M;
const WHAT_WIDE: f32 = 172.0;
const EVIDENCE: f32 = WHAT + WHAT_WIDE + space::M;
const OBJECT_WIDE: f32 = 164.0;
const ACTION_WIDE: f32 = 96.0;

/// The columns at the right, from the right edge of a row.
struct Right {
    object: f32,
    action: f32,
}

impl Right {
    const fn of(rect: Rect) -> Self {
        let action = rect.max.x - EDGE - ACTION_WIDE;
        Self {
            action,
            object: action - space::M - OBJECT_WIDE,
        }
    }
}

/// How much room there is for what was seen.
pub(super) const fn evidence_room(row: Rect) -> f32 {
    Right::of(row).object - space::M - EVIDENCE - row.min.x
}

/// Draws those that are meant.
pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, items: &[Shown<'_>]) {
    let meant: Vec<&Shown<'_>> = items
        .iter()
        .filter(|item| item.matches(sight, &own.filter))
        .collect();
    let region = UiBuilder::new()
        .accessibility_role(Role::Table)
        .accessibility_label("Checks");
    ui.scope_builder(region, |ui| {
        frame(ui).show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 0.0;
            heads(ui);
            ScrollArea::vertical()
                .auto_shrink([false, true])
                .show(ui, |ui| {
                    if meant.is_empty() {
                        nothing(ui);
                    }
                    for (at, item) in meant.iter().enumerate() {
                        row(ui, sight, own, item, (at, meant.len()));
                    }
                });
        });
    });
}

fn heads(ui: &mut Ui) {
    let tokens = Tokens::of(ui);
    let size = vec2(ui.available_width(), height::ROW_COMPACT);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let y = rect.center().y;
    let heads = [
        (rect.left() + WHAT, "Check"),
        (rect.left() + EVIDENCE, "Evidence"),
        (Right::of(rect).object, "Object"),
    ];
    for (x, word) in heads {
        Text::Caption.write(ui, pos2(x, y), Align2::LEFT_CENTER, word, tokens.muted);
    }
    let foot = rect.with_min_y(rect.bottom() - line::BORDER);
    ui.painter().rect_filled(foot, 0, tokens.border);
}

fn nothing(ui: &mut Ui) {
    let tokens = Tokens::of(ui);
    let size = vec2(ui.available_width(), height::ROW_TALL);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let words = "No check has these words in it";
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
    let at = rect.left_center() + vec2(WHAT, 0.0);
    Text::Body.write(ui, at, Align2::LEFT_CENTER, words, tokens.muted);
}

fn row(
    ui: &mut Ui,
    sight: &mut Sight<'_>,
    own: &mut Own,
    item: &Shown<'_>,
    (at, count): (usize, usize),
) {
    let open = match &own.open {
        Open::Worst => at == 0 && item.is_bad() && own.filter.is_empty(),
        Open::This(key) => *key == item.key(),
        Open::Closed => false,
    };
    let high = if item.is_bad() || open {
        height::ROW
    } else {
        height::ROW_COMPACT
    };
    let last = at + 1 == count;
    // The line below a row is part of its height.
    let below = if last || open { 0.0 } else { line::BORDER };
    let size = vec2(ui.available_width(), high - below);
    // By what it is: where it stands changes with every report, and with what is in sight.
    let (_, rect) = ui.allocate_space(size);
    let id = ui.make_persistent_id(item.key());
    let response = ui.interact(rect, id, Sense::click());
    response.widget_info(|| {
        let (what, object, evidence) = (item.what(), item.object(), item.evidence(sight));
        let (state, row) = (word(item.state(sight)), at + 1);
        let name = format!("{what}, {object}, {state}, {evidence}, row {row} of {count}");
        WidgetInfo::labeled(Role::Row, true, name)
    });
    if ui.is_rect_visible(rect) {
        line_of(ui, sight, item, &response);
        action(ui, sight, item, rect, open);
    }
    if response.gained_focus() {
        response.scroll_to_me(None);
    }
    if open {
        detail::show(ui, sight, &mut own.stored, item);
    }
    if response.clicked() {
        own.open = if open {
            Open::Closed
        } else {
            Open::This(item.key())
        };
    }
    if !last {
        divider(ui);
    }
}

/// The line of a row: how it stands, what it is, what was seen.
fn line_of(ui: &Ui, sight: &Sight<'_>, item: &Shown<'_>, response: &Response) {
    let (tokens, rect) = (Tokens::of(ui), response.rect);
    let (what, object) = (item.what(), item.object());
    let (state, evidence) = (item.state(sight), item.evidence(sight));
    if response.hovered() {
        ui.painter().rect_filled(rect, 0, tokens.row_alt);
    }
    if response.has_focus() {
        let ring = Stroke::new(line::FOCUS, tokens.accent);
        ui.painter().rect_stroke(rect, 0, ring, StrokeKind::Inside);
    }
    let y = rect.center().y;
    let centre = pos2(rect.left() + EDGE + SHAPE / 2.0, y);
    let mark = mark(state);
    let colour = mark.colour(tokens);
    mark.paint(ui.painter(), centre, SHAPE, colour, tokens.panel);
    let strong = item.is_bad() && sight.is_live();
    let (name, words) = if strong {
        (Text::Strong, tokens.text)
    } else {
        (Text::Body, tokens.muted)
    };
    let known = if sight.is_live() {
        tokens.text
    } else {
        tokens.muted
    };
    let right = Right::of(rect);
    let left = Align2::LEFT_CENTER;
    let at = pos2(rect.left() + WHAT, y);
    name.write_within(ui, at, left, &what, known, WHAT_WIDE);
    let at = pos2(rect.left() + EVIDENCE, y);
    let room = evidence_room(rect);
    Text::Body.write_within(ui, at, left, &evidence, words, room);
    let at = pos2(right.object, y);
    Text::Caption.write_within(ui, at, left, &object, tokens.muted, OBJECT_WIDE);
    response.clone().on_hover_cursor(CursorIcon::PointingHand);
}

/// What can be done about it from its row.
fn action(ui: &mut Ui, sight: &mut Sight<'_>, item: &Shown<'_>, rect: Rect, open: bool) {
    let left = Right::of(rect).action;
    let place = Rect::from_x_y_ranges(left..=rect.right() - EDGE, rect.y_range());
    let layout = egui::Layout::right_to_left(egui::Align::Center);
    let builder = UiBuilder::new()
        .max_rect(place)
        .layout(layout)
        .id_salt(item.key());
    let ui = &mut ui.new_child(builder);
    if let Some(channel) = item.channel {
        let deed = Deed::TestChannel(channel.name.clone());
        let under_way = sight.state.doing().contains(&deed);
        let word = if under_way { "Sending…" } else { "Send test" };
        let off = sight.off_for(deed.scope());
        let off = off.or(under_way.then_some("It is being sent"));
        if ui.add(Button::link(word).off_if(off)).clicked() {
            sight.ask(deed);
        }
    } else if let Some(job) = item.job() {
        if ui.add(Button::link("Open job")).clicked() {
            sight.ask(Act::Go(crate::state::Place::Job(job, None)));
        }
    } else if let Some(fix) = item.item.fix.as_ref().filter(|_| !open) {
        // An open row has each command in a box of its own.
        let commands = fix::steps(fix).commands;
        if let [command] = commands.as_slice() {
            let link = ui.add(Button::link("Copy fix"));
            if link.clicked() {
                ui.copy_text((*command).to_owned());
            }
            link.on_hover_text(*command);
        }
    }
}
