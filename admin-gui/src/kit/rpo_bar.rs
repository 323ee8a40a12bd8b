//! How old the last good snapshot is, against how old it may be.

use egui::{
    Align2, Rect, Response, Role, Sense, Ui, Vec2, Widget, WidgetInfo, emath::GuiRounding as _,
    pos2,
};

use super::{
    tokens::{Tokens, line},
    typography::Text,
};

/// Where the limit stands on the bar, so that there is room for what lies beyond it.
const LIMIT_AT: f32 = 0.76;
const WIDTH: f32 = 104.0;
const HEIGHT: f32 = 32.0;
const TRACK: f32 = 4.0;

/// Age and limit in words, and their ratio as a bar that goes on beyond the limit.
#[derive(Clone, Debug)]
#[must_use = "nothing is drawn before it is added to a Ui"]
pub struct RpoBar<'a> {
    used: f32,
    age: &'a str,
    limit: &'a str,
    stale: bool,
}

impl<'a> RpoBar<'a> {
    /// `used` is age over limit: 1 at the limit, more beyond it.
    pub const fn new(used: f32, age: &'a str, limit: &'a str) -> Self {
        Self {
            used,
            age,
            limit,
            stale: false,
        }
    }

    /// What was so when the daemon was last heard: without a colour of its own.
    pub const fn stale(mut self, stale: bool) -> Self {
        self.stale = stale;
        self
    }
}

impl Widget for RpoBar<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let tokens = Tokens::of(ui);
        let (rect, response) = ui.allocate_exact_size(Vec2::new(WIDTH, HEIGHT), Sense::hover());
        response.widget_info(|| {
            let name = format!("last good {}, limit {}", self.age, self.limit);
            WidgetInfo::labeled(Role::Meter, true, name)
        });
        let colour = match self.used {
            _ if self.stale => tokens.unknown,
            ..=0.8 => tokens.ok,
            ..=1.0 => tokens.warn,
            _ => tokens.failed,
        };
        let age = match self.used {
            _ if self.stale => tokens.muted,
            ..=0.8 => tokens.text,
            _ => colour,
        };
        let above = rect.top() + 11.0;
        let at = pos2(rect.left(), above);
        Text::Caption.write(ui, at, Align2::LEFT_CENTER, self.age, age);
        let at = pos2(rect.right(), above);
        Text::Caption.write(ui, at, Align2::RIGHT_CENTER, self.limit, tokens.muted);

        let middle = rect.top() + 24.0;
        let track =
            Rect::from_x_y_ranges(rect.x_range(), middle - TRACK / 2.0..=middle + TRACK / 2.0);
        let painter = ui.painter();
        painter.rect_filled(track, TRACK / 2.0, tokens.track);
        // A fresh snapshot still shows as a dot.
        let filled = (track.width() * LIMIT_AT * self.used).clamp(TRACK, track.width());
        let fill = track.with_max_x(track.left() + filled);
        painter.rect_filled(fill, TRACK / 2.0, colour);
        // On a whole pixel: half of a thin line on each of two pixels is grey on both.
        let x = (track.left() + track.width() * LIMIT_AT).round_to_pixels(ui.pixels_per_point());
        let tick = Rect::from_min_size(pos2(x - 1.0, middle - 5.0), Vec2::new(line::ICON, 10.0));
        painter.rect_filled(tick, 0, tokens.text);
        response
    }
}
