//! The screens, in the rail at the left of the window.

use egui::{
    Align2, CursorIcon, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, pos2,
};

use super::{
    icons::Icon,
    shapes::Mark,
    tokens::{Tokens, line, radius},
    typography::Text,
};

const HIGH: f32 = 32.0;
const EDGE: f32 = 10.0;
/// Narrower than this there is room for the icon only.
const NARROW: f32 = 72.0;

/// A screen: its icon, its name, and a mark if something is to be fixed there. In a narrow rail the
/// name is its tip.
pub fn rail_item(
    ui: &mut Ui,
    icon: Icon,
    name: &str,
    shown: bool,
    mark: Option<(Mark, &str)>,
) -> Response {
    let tokens = Tokens::of(ui);
    let size = Vec2::new(ui.available_width(), HIGH);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| {
        let words = match mark {
            Some((_, word)) => format!("{name}, {word}"),
            None => name.to_owned(),
        };
        WidgetInfo::selected(Role::Tab, ui.is_enabled(), shown, words)
    });
    let painter = ui.painter();
    if shown || response.hovered() {
        painter.rect_filled(rect, radius::CONTROL, tokens.row_alt);
    }
    if response.has_focus() {
        let ring = Stroke::new(line::FOCUS, tokens.accent);
        painter.rect_stroke(rect, radius::CONTROL, ring, StrokeKind::Inside);
    }
    let behind = if shown { tokens.row_alt } else { tokens.bg };
    let y = rect.center().y;
    let (picture, words) = if shown {
        (tokens.accent, tokens.text)
    } else {
        (tokens.muted, tokens.muted)
    };
    let narrow = rect.width() < NARROW;
    let x = if narrow {
        rect.center().x
    } else {
        rect.left() + EDGE + Icon::SIZE / 2.0
    };
    icon.paint(painter, pos2(x, y), Icon::SIZE, picture);
    if let Some((mark, _)) = mark {
        let at = if narrow {
            pos2(x + 10.0, y - 8.0)
        } else {
            pos2(rect.right() - EDGE - 6.0, y)
        };
        mark.paint(painter, at, 12.0, mark.colour(tokens), behind);
    }
    let response = response.on_hover_cursor(CursorIcon::PointingHand);
    if narrow {
        return response.on_hover_text(name);
    }
    let at = pos2(rect.left() + EDGE + Icon::SIZE + EDGE, y);
    let room = rect.right() - EDGE - 20.0 - at.x;
    Text::Name.write_within(ui, at, Align2::LEFT_CENTER, name, words, room);
    response
}
