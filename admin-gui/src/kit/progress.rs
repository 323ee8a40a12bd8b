//! How much is done: one bar, a bar of phases, and a bar between two captions.

use egui::{Align2, Color32, Rect, Response, Role, Sense, Ui, Vec2, WidgetInfo, pos2};

use super::{shapes::Mark, tokens::Tokens, typography::Text, words};

const BAR: f32 = 6.0;
const SEGMENTED: f32 = 10.0;
const GAP: f32 = 3.0;

fn paint(ui: &Ui, rect: Rect, share: f32, colour: Color32) {
    let tokens = Tokens::of(ui);
    let radius = (rect.height() / 2.0).min(3.0);
    ui.painter().rect_filled(rect, radius, tokens.track);
    if share > 0.0 {
        let filled = (rect.width() * share.min(1.0)).max(rect.height().min(rect.width()));
        let fill = rect.with_max_x(rect.left() + filled);
        ui.painter().rect_filled(fill, radius, colour);
    }
}

fn named(response: &Response, name: &str, share: f32) {
    response.widget_info(|| {
        let words = format!("{name} {}", words::percent(share));
        let mut info = WidgetInfo::labeled(Role::ProgressIndicator, true, words);
        info.value = Some(f64::from(share) * 100.0);
        info
    });
}

/// A bar of what runs, 6 high.
pub fn bar(ui: &mut Ui, name: &str, width: f32, share: f32) -> Response {
    let colour = Tokens::of(ui).running;
    let (rect, response) = ui.allocate_exact_size(Vec2::new(width, BAR), Sense::hover());
    named(&response, name, share);
    paint(ui, rect, share, colour);
    response
}

/// A phase of something long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// How long it takes, against the others.
    pub weight: f32,
    /// How much of it is done.
    pub done: f32,
}

/// A bar of phases, each as wide as the time it is expected to take.
pub fn segmented_bar(ui: &mut Ui, name: &str, segments: &[Segment]) -> Response {
    let colour = Tokens::of(ui).running;
    let size = Vec2::new(ui.available_width(), SEGMENTED);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let whole: f32 = segments.iter().map(|segment| segment.weight).sum();
    let done: f32 = segments.iter().map(|one| one.weight * one.done).sum();
    named(&response, name, done / whole.max(f32::EPSILON));
    let room = rect.width() - GAP * segments.len().saturating_sub(1) as f32;
    let mut left = rect.left();
    for segment in segments {
        // The shortest phase can still be seen.
        let wide = (room * segment.weight / whole.max(f32::EPSILON)).max(3.0);
        let right = (left + wide).min(rect.right());
        let place = Rect::from_x_y_ranges(left..=right, rect.y_range());
        paint(ui, place, segment.done, colour);
        left = right + GAP;
    }
    response
}

/// What is reached and what is wanted, with a bar below, as wide as there is room.
#[derive(Clone, Copy, Debug)]
pub struct Meter<'a> {
    /// What is reached.
    pub reached: &'a str,
    /// What is wanted.
    pub wanted: &'a str,
    /// Their ratio.
    pub share: f32,
    /// Whether that is good.
    pub mark: Mark,
}

/// Draws a meter.
pub fn meter(ui: &mut Ui, meter: Meter<'_>) -> Response {
    let tokens = Tokens::of(ui);
    let size = Vec2::new(ui.available_width(), 28.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    named(
        &response,
        &format!("{}, {},", meter.reached, meter.wanted),
        meter.share,
    );
    let colour = meter.mark.colour(tokens);
    let reached = if meter.mark == Mark::Ok {
        tokens.text
    } else {
        colour
    };
    let y = rect.top() + 8.0;
    let at = pos2(rect.left(), y);
    Text::Caption.write(ui, at, Align2::LEFT_CENTER, meter.reached, reached);
    let at = pos2(rect.right(), y);
    Text::Caption.write(ui, at, Align2::RIGHT_CENTER, meter.wanted, tokens.muted);
    let track = rect.with_min_y(rect.bottom() - BAR);
    paint(ui, track, meter.share, colour);
    response
}
