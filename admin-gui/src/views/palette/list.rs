//! The list below the field: each entry with what does the same in a terminal, and why it is off.

use std::ops::Range;

use backup_model::ProtectionState;
use egui::{
    Align2, Color32, CursorIcon, Id, Rect, Role, ScrollArea, Sense, Ui, UiBuilder, WidgetInfo,
    pos2, vec2,
};

use super::entries::Entry;
use crate::kit::{
    Icon, Mark, Text, Tokens,
    tokens::{height, radius, space},
};

const WIDE: f32 = 480.0;
const ROW: f32 = height::ROW_TALL;
/// So many can be seen at a time, and a part of the next, so that one sees that there are more.
pub(super) const PAGE: usize = 7;
const PART: f32 = 24.0;
const EDGE: f32 = 10.0;

/// Draws the entries that were found; gives the one that was clicked. `moved` says that the keyboard
/// has gone to another one, which is then brought into sight; `field` is where it is typed.
pub(super) fn list(
    ui: &mut Ui,
    entries: &[Entry],
    found: &[usize],
    at: usize,
    moved: bool,
    field: Id,
) -> Option<usize> {
    ui.set_width(WIDE);
    ui.spacing_mut().item_spacing.y = 0.0;
    if found.is_empty() {
        nothing(ui);
        return None;
    }
    let mut clicked = None;
    let region = UiBuilder::new()
        .accessibility_role(Role::ListBox)
        .accessibility_label("Commands");
    let area = ScrollArea::vertical().max_height(PAGE as f32 * ROW + PART);
    let rows = |ui: &mut Ui, shown: Range<usize>| {
        if moved {
            let row = at as f32 - shown.start as f32;
            let top = ui.max_rect().top() + row * ROW;
            let place = Rect::from_x_y_ranges(ui.max_rect().x_range(), top..=top + ROW);
            ui.scroll_to_rect(place, None);
        }
        for line in shown {
            let entry = &entries[found[line]];
            if one(ui, entry, line == at, field) {
                clicked = Some(found[line]);
            }
        }
    };
    ui.scope_builder(region, |ui| area.show_rows(ui, ROW, found.len(), rows));
    clicked
}

fn nothing(ui: &mut Ui) {
    let words = "Nothing is called so";
    let (place, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
    let at = place.left_center() + vec2(EDGE, 0.0);
    Text::Body.write(ui, at, Align2::LEFT_CENTER, words, Tokens::of(ui).muted);
}

fn one(ui: &mut Ui, entry: &Entry, chosen: bool, field: Id) -> bool {
    let tokens = Tokens::of(ui);
    let size = vec2(ui.available_width(), ROW);
    // The keyboard stays in the field.
    let (row, response) = ui.allocate_exact_size(size, Sense::CLICK);
    response.widget_info(|| {
        let words = match entry.off {
            Some(reason) => format!("{}, off: {reason}", entry.title),
            None => entry.title.clone(),
        };
        WidgetInfo::selected(Role::ListBoxOption, entry.off.is_none(), chosen, words)
    });
    if chosen {
        ui.ctx().accesskit_node_builder(field, |node| {
            node.set_active_descendant(response.id.accesskit_id());
        });
    }
    let painter = ui.painter();
    let behind = if chosen {
        tokens.selected()
    } else if response.hovered() {
        tokens.row_alt
    } else {
        tokens.panel
    };
    painter.rect_filled(row, radius::SMALL, behind);
    let middle = row.center().y;
    let icon = pos2(row.left() + EDGE + Icon::SIZE / 2.0, middle);
    entry.icon.paint(painter, icon, Icon::SIZE, tokens.muted);
    let left = row.left() + EDGE + Icon::SIZE + EDGE;
    let inside = row.with_max_x(row.right() - EDGE);
    let (end, colour, beside) = if let Some(reason) = entry.off {
        let at = inside.right_center() - vec2(0.0, 8.0);
        let words = Text::Caption.write(ui, at, Align2::RIGHT_CENTER, reason, tokens.muted);
        (words.left(), tokens.muted, inside.right())
    } else {
        let end = state(ui, entry.state, inside, behind);
        (end, tokens.text, end)
    };
    let at = pos2(left, middle - 8.0);
    let room = end - space::M - left;
    Text::Name.write_within(ui, at, Align2::LEFT_CENTER, &entry.title, colour, room);
    let at = pos2(left, middle + 9.0);
    let (room, muted) = (beside - space::M - left, tokens.muted);
    Text::Code.write_within(ui, at, Align2::LEFT_CENTER, &entry.command, muted, room);
    if entry.off.is_some() {
        return false;
    }
    response.on_hover_cursor(CursorIcon::PointingHand).clicked()
}

/// How the job stands that an entry opens, at the right. Gives where that begins.
fn state(ui: &Ui, state: Option<ProtectionState>, row: Rect, behind: Color32) -> f32 {
    let tokens = Tokens::of(ui);
    let Some(state) = state else {
        return row.right();
    };
    let mark = Mark::from(state);
    // What is fine stays quiet.
    let colour = match state {
        ProtectionState::Protected => tokens.muted,
        _ => mark.colour(tokens),
    };
    let (at, anchor) = (row.right_center(), Align2::RIGHT_CENTER);
    let words = Text::Caption.write(ui, at, anchor, state.as_str(), colour);
    let centre = pos2(words.left() - 5.0 - 7.0, at.y);
    mark.paint(ui.painter(), centre, 14.0, mark.colour(tokens), behind);
    centre.x - 7.0
}
