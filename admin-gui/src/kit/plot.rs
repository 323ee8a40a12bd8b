//! An amount over time, with axes: from zero at the foot, in units that people read.
//!
//! It is as wide as there is room, and neither zooms nor moves: a page is scrolled across it. What
//! is missing is a gap in the line with a mark at the foot, never a zero.

mod ticks;

use egui::{Pos2, Response, Role, Sense, Stroke, Ui, WidgetInfo, emath::Rangef, pos2};
use egui_plot::{AxisHints, GridMark, HLine, Line, LineStyle, PlotBounds, PlotTransform, Points};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use self::ticks::{Tick, amounts, seconds, times};
use super::{
    shapes::Mark,
    tokens::{Tokens, line},
    typography::Text,
    words,
};

/// What an amount is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Bytes a second.
    Rate,
    /// Seconds.
    Span,
}

impl Unit {
    /// An amount in words: `1.94 GiB`, `12 MiB/s`, `4 min 06 s`.
    pub fn words(self, amount: f64) -> String {
        match self {
            Self::Bytes => words::bytes(amount as u64),
            Self::Rate => format!("{}/s", words::bytes(amount as u64)),
            Self::Span => {
                let span = SignedDuration::try_from_secs_f64(amount);
                words::took(span.unwrap_or(SignedDuration::MAX))
            }
        }
    }
}

/// What there is at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// So much, not below zero.
    Amount(f64),
    /// Nothing, and why.
    Missing(Mark, &'static str),
}

/// A time, and what there is then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When.
    pub at: Timestamp,
    /// What.
    pub value: Value,
}

/// What a plot draws.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// The points, the oldest first.
    pub points: Vec<Point>,
    /// Whether each amount is of its point alone, and nothing is between two of them.
    pub apart: bool,
    /// Where it leads from the last point, as far as that is shown.
    pub forecast: Option<(Timestamp, f64)>,
    /// What it cannot exceed.
    pub limit: Option<f64>,
}

impl Curve {
    /// The amounts with their times.
    fn amounts(&self) -> impl Iterator<Item = (Timestamp, f64)> {
        self.points.iter().filter_map(|point| match point.value {
            Value::Amount(amount) => Some((point.at, amount)),
            Value::Missing(..) => None,
        })
    }

    /// The greatest of what is drawn.
    fn most(&self) -> f64 {
        let others = self.forecast.map(|(_, amount)| amount);
        let others = others.into_iter().chain(self.limit);
        let all = self.amounts().map(|(_, amount)| amount).chain(others);
        all.fold(0.0, f64::max)
    }

    /// From when to when, never nothing.
    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let (first, last) = (self.points.first()?.at, self.points.last()?.at);
        let last = self.forecast.map_or(last, |(at, _)| at).max(last);
        if first < last {
            return Some((first, last));
        }
        let around = SignedDuration::from_mins(30);
        Some((first - around, first + around))
    }

    /// The amounts as lines, one for each run without a gap.
    fn pieces(&self) -> Vec<Vec<[f64; 2]>> {
        let pieces = self
            .points
            .split(|point| matches!(point.value, Value::Missing(..)));
        let pieces = pieces.map(|piece| {
            let amounts = piece.iter().filter_map(|point| match point.value {
                Value::Amount(amount) => Some([seconds(point.at), amount]),
                Value::Missing(..) => None,
            });
            amounts.collect::<Vec<_>>()
        });
        pieces.filter(|piece| !piece.is_empty()).collect()
    }

    /// The point whose time is the nearest.
    fn nearest(&self, time: f64) -> Option<&Point> {
        let away = |point: &&Point| (seconds(point.at) - time).abs();
        let points = self.points.iter();
        points.min_by(|one, other| away(one).total_cmp(&away(other)))
    }
}

/// A plot.
#[derive(Clone, Copy, Debug)]
pub struct Plot<'a> {
    /// What is drawn: `Run durations`. No other plot of a screen has the same.
    pub name: &'a str,
    /// The same in words: `mostly 48 s, at most 72 s`.
    pub says: &'a str,
    /// Of what the amounts are.
    pub unit: Unit,
    /// What is drawn.
    pub curve: &'a Curve,
    /// Without a colour: what was so when the daemon was last heard.
    pub quiet: bool,
}

/// More points are too near each other to be drawn as such.
const DOTS: usize = 60;
const DOT: f32 = 2.5;
const MARK: f32 = 12.0;
/// The words of the upright axis have so much room.
const AXIS: f32 = 60.0;
/// One time on the axis in so much width.
const TIME: f32 = 84.0;
/// Free at both ends, as a part of the time that is shown.
const EDGE: f64 = 0.015;
/// Every line and word of the axes in its full colour.
const FULL: Rangef = Rangef { min: 0.0, max: 1.0 };

/// Draws it with its axes, by the clocks of a zone.
pub fn plot(ui: &mut Ui, height: f32, zone: &TimeZone, shown: &Plot<'_>) -> Option<Response> {
    let tokens = Tokens::of(ui);
    let (from, to) = shown.curve.span()?;
    let (upright, top) = amounts(shown.unit, shown.curve.most());
    let room = (ui.available_width() - AXIS) / TIME;
    let along = times(from, to, zone, room.max(2.0) as usize);
    let edge = (seconds(to) - seconds(from)) * EDGE;
    let bounds = PlotBounds::from_min_max([seconds(from) - edge, 0.0], [seconds(to) + edge, top]);
    let axis = |hints: AxisHints<'static>, ticks: &[Tick]| {
        let ticks = ticks.to_vec();
        hints
            .formatter(move |mark, _| words_at(&ticks, mark.value))
            .tick_label_font(Text::Axis.font())
            .tick_label_color(tokens.muted)
            .label_spacing(FULL)
    };
    let drawn = egui_plot::Plot::new(shown.name)
        .height(height)
        .custom_x_axes(vec![axis(AxisHints::new_x(), &along)])
        .custom_y_axes(vec![axis(AxisHints::new_y().min_thickness(AXIS), &upright)])
        .x_grid_spacer(|_| marks(&along))
        .y_grid_spacer(|_| marks(&upright))
        .grid_spacing(FULL)
        .grid_color(tokens.border)
        .show_grid([false, true])
        .show_background(false)
        .show_crosshair(false)
        .label_formatter(|_| None)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_drag(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
        .allow_axis_zoom_drag(false)
        .sense(Sense::hover())
        .show(ui, |plot| {
            plot.set_plot_bounds(bounds);
            items(plot, tokens, shown);
        });
    let said = format!("{}: {}", shown.name, shown.says);
    let response = drawn.response;
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &said));
    let (frame, foot) = (
        *drawn.transform.frame(),
        Stroke::new(line::BORDER, tokens.control),
    );
    ui.painter().hline(frame.x_range(), frame.bottom(), foot);
    missing(ui, tokens, shown, &drawn.transform);
    Some(hover(ui, tokens, zone, shown, &drawn.transform, response))
}

fn words_at(ticks: &[Tick], value: f64) -> String {
    let tick = ticks.iter().find(|tick| tick.at.total_cmp(&value).is_eq());
    tick.map_or_else(String::new, |tick| tick.words.clone())
}

fn marks(ticks: &[Tick]) -> Vec<GridMark> {
    let marks = ticks.iter().map(|tick| GridMark {
        value: tick.at,
        step_size: tick.step,
    });
    marks.collect()
}

fn items(plot: &mut egui_plot::PlotUi<'_>, tokens: &Tokens, shown: &Plot<'_>) {
    let curve = shown.curve;
    let colour = colour(tokens, shown);
    let many = curve.points.len() > DOTS;
    for piece in curve.pieces() {
        let lone = piece.len() == 1;
        if !many || lone || curve.apart {
            let points = Points::new("", piece.clone()).radius(DOT).color(colour);
            let points = points.allow_hover(false);
            plot.points(if curve.apart {
                points.stems(0.0)
            } else {
                points
            });
        }
        if !curve.apart {
            let drawn = Line::new("", piece).width(line::ICON).color(colour);
            plot.line(drawn.allow_hover(false));
        }
    }
    if let (Some((at, amount)), Some((last, known))) = (curve.forecast, curve.amounts().last()) {
        let ends = vec![[seconds(last), known], [seconds(at), amount]];
        let drawn = Line::new("", ends).width(line::ICON).color(tokens.muted);
        plot.line(drawn.style(LineStyle::dashed_dense()).allow_hover(false));
    }
    if let Some(limit) = curve.limit {
        let drawn = HLine::new("", limit)
            .width(line::BORDER)
            .color(tokens.muted);
        plot.hline(drawn.style(LineStyle::dotted_dense()).allow_hover(false));
    }
}

const fn colour(tokens: &Tokens, shown: &Plot<'_>) -> egui::Color32 {
    if shown.quiet {
        tokens.muted
    } else {
        tokens.accent
    }
}

/// The marks of the gaps, at the foot.
fn missing(ui: &Ui, tokens: &Tokens, shown: &Plot<'_>, at: &PlotTransform) {
    for point in &shown.curve.points {
        if let Value::Missing(mark, _) = point.value {
            let x = at.position_from_point_x(seconds(point.at));
            let centre = pos2(x, at.frame().bottom() - MARK / 2.0 - line::FOCUS);
            let colour = if shown.quiet {
                tokens.muted
            } else {
                mark.colour(tokens)
            };
            mark.paint(ui.painter(), centre, MARK, colour, tokens.panel);
        }
    }
}

/// Says what there is at the time that is pointed at.
fn hover(
    ui: &Ui,
    tokens: &Tokens,
    zone: &TimeZone,
    shown: &Plot<'_>,
    at: &PlotTransform,
    response: Response,
) -> Response {
    let pointed = response.hover_pos().and_then(|pointer: Pos2| {
        let time = at.value_from_position(pointer).x;
        shown.curve.nearest(time)
    });
    let Some(point) = pointed else {
        return response;
    };
    let x = at.position_from_point_x(seconds(point.at));
    let stroke = Stroke::new(line::BORDER, tokens.control);
    ui.painter().vline(x, at.frame().y_range(), stroke);
    let what = match point.value {
        Value::Amount(amount) => {
            let centre = pos2(x, at.position_from_point_y(amount));
            let painter = ui.painter();
            painter.circle_filled(centre, DOT + line::FOCUS, colour(tokens, shown));
            shown.unit.words(amount)
        }
        Value::Missing(_, why) => why.to_owned(),
    };
    let when = words::local(point.at, zone);
    response.on_hover_text_at_pointer(format!("{what}\n{when}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(secs).unwrap()
    }

    fn curve(values: &[Option<f64>]) -> Curve {
        let point = |(secs, value): (i64, &Option<f64>)| Point {
            at: at(secs),
            value: value.map_or(Value::Missing(Mark::Failed, "Failed"), Value::Amount),
        };
        Curve {
            points: (0..).zip(values).map(point).collect(),
            ..Curve::default()
        }
    }

    #[test]
    fn a_gap_ends_a_line() {
        let found = curve(&[Some(1.0), Some(5.0), None, None, Some(9.0)]).pieces();
        assert_eq!(found, [vec![[0.0, 1.0], [1.0, 5.0]], vec![[4.0, 9.0]]]);
        assert!(curve(&[None]).pieces().is_empty());
    }

    #[test]
    fn everything_that_is_drawn_has_room() {
        let mut shown = curve(&[Some(1.0), Some(5.0)]);
        shown.forecast = Some((at(9), 7.0));
        assert_eq!(shown.span(), Some((at(0), at(9))));
        assert!((shown.most() - 7.0).abs() < f64::EPSILON);
        shown.limit = Some(8.0);
        assert!((shown.most() - 8.0).abs() < f64::EPSILON);
        let one = curve(&[Some(1.0)]);
        assert_eq!(one.span(), Some((at(-1_800), at(1_800))));
        assert_eq!(Curve::default().span(), None);
    }

    #[test]
    fn what_is_pointed_at_is_the_nearest_in_time() {
        let shown = curve(&[Some(1.0), None, Some(9.0)]);
        let found = shown.nearest(1.2).map(|point| point.value);
        assert_eq!(found, Some(Value::Missing(Mark::Failed, "Failed")));
        assert_eq!(shown.nearest(70.0).map(|point| point.at), Some(at(2)));
    }
}
