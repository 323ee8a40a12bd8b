//! The last thirty days of a job, a bar for each. Bad days stand taller, so that the strip reads
//! without its colours.

use egui::{
    Color32, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2, Widget, WidgetInfo,
};

use super::tokens::{Tokens, line};

/// How a day went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Day {
    /// Nothing was due.
    Idle,
    /// The limit was held.
    Held,
    /// There was trouble, and the limit was held.
    Trouble,
    /// Nothing is known of it.
    NoData,
    /// The limit was broken.
    Broken,
}

const BAR: f32 = 3.0;
const GAP: f32 = 1.0;
const HEIGHT: f32 = 16.0;

impl Day {
    const fn height(self) -> f32 {
        match self {
            Self::Idle => 1.5,
            Self::Held => 7.0,
            Self::Trouble => 11.0,
            Self::NoData => 6.0,
            Self::Broken => 16.0,
        }
    }

    const fn colour(self, tokens: &Tokens) -> Color32 {
        match self {
            Self::Idle => tokens.border,
            Self::Held => tokens.ok_soft,
            Self::Trouble => tokens.warn,
            Self::NoData => tokens.unknown,
            Self::Broken => tokens.failed,
        }
    }
}

/// The strip, the oldest day first.
#[derive(Clone, Debug)]
#[must_use = "nothing is drawn before it is added to a Ui"]
pub struct DayStrip<'a> {
    days: &'a [Day],
    stale: bool,
}

impl<'a> DayStrip<'a> {
    /// Usually thirty days.
    pub const fn new(days: &'a [Day]) -> Self {
        Self { days, stale: false }
    }

    /// What was so when the daemon was last heard: without colours.
    pub const fn stale(mut self, stale: bool) -> Self {
        self.stale = stale;
        self
    }

    /// The strip as a sentence.
    fn words(&self) -> String {
        let count = |wanted| self.days.iter().filter(|day| **day == wanted).count();
        let mut words = format!("{} days", self.days.len());
        for (day, what) in [
            (Day::Broken, "beyond the limit"),
            (Day::Trouble, "with trouble"),
            (Day::NoData, "without data"),
        ] {
            match count(day) {
                0 => {}
                some => words.push_str(&format!(", {some} {what}")),
            }
        }
        words
    }
}

impl Widget for DayStrip<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let tokens = Tokens::of(ui);
        let wide = (self.days.len() as f32 * (BAR + GAP) - GAP).max(0.0);
        let (rect, response) = ui.allocate_exact_size(Vec2::new(wide, HEIGHT), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, self.words()));
        for (at, day) in self.days.iter().enumerate() {
            let left = rect.left() + at as f32 * (BAR + GAP);
            let bar = Rect::from_x_y_ranges(
                left..=left + BAR,
                rect.bottom() - day.height()..=rect.bottom(),
            );
            let colour = match *day {
                Day::Held if self.stale => tokens.border,
                Day::Trouble | Day::Broken if self.stale => tokens.unknown,
                day => day.colour(tokens),
            };
            if *day == Day::NoData {
                let outline = Stroke::new(line::BORDER, colour);
                ui.painter()
                    .rect_stroke(bar, 0, outline, StrokeKind::Inside);
            } else {
                ui.painter().rect_filled(bar, 0, colour);
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strip_says_only_what_went_wrong() {
        let days = [Day::Held, Day::Held, Day::Trouble, Day::Idle, Day::Broken];
        assert_eq!(
            DayStrip::new(&days).words(),
            "5 days, 1 beyond the limit, 1 with trouble"
        );
        assert_eq!(DayStrip::new(&days[..2]).words(), "2 days");
    }

    #[test]
    fn worse_days_are_taller() {
        let mut heights = [Day::Held, Day::Trouble, Day::Broken].map(Day::height);
        assert!(heights.is_sorted());
        heights.reverse();
        assert!(!heights.is_sorted());
    }
}
