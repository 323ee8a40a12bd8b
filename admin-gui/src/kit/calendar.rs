//! Months of small days, each with what becomes of its snapshots.

use egui::{
    Align2, Color32, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, pos2,
};
use jiff::civil::{Date, Weekday};

use super::{
    tokens::{Tokens, line, radius},
    typography::Text,
};

/// What becomes of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// It has no snapshot.
    Nothing,
    /// It is yet to come.
    Future,
    /// Its snapshot stays.
    Stays,
    /// Its snapshot goes.
    Goes,
    /// Its snapshot stays because somebody holds it, or because it is proven.
    Held,
}

/// From one day to the next, and the side of its square.
const STEP: f32 = 23.0;
const SIDE: f32 = 22.0;
const HEAD: f32 = 42.0;

impl Cell {
    const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "no snapshot",
            Self::Future => "to come",
            Self::Stays => "stays",
            Self::Goes => "goes",
            Self::Held => "stays, held or proven",
        }
    }
}

/// Draws the month of a date; `cell` says what becomes of each day. Returns the day that was clicked.
pub fn month(ui: &mut Ui, month: Date, cell: impl Fn(Date) -> Cell) -> Option<Date> {
    let tokens = Tokens::of(ui);
    let first = month.first_of_month();
    let size = Vec2::new(7.0 * STEP, HEAD + 6.0 * STEP);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let name = first.strftime("%b %Y").to_string();
    response.widget_info(|| WidgetInfo::labeled(Role::Grid, true, &name));
    let at = rect.left_top() + Vec2::new(0.0, 9.0);
    Text::Strong.write(ui, at, Align2::LEFT_CENTER, &name, tokens.text);
    for (column, letter) in ["M", "T", "W", "T", "F", "S", "S"].iter().enumerate() {
        let at = rect.left_top() + Vec2::new(column as f32 * STEP + SIDE / 2.0, 30.0);
        Text::Axis.write(ui, at, Align2::CENTER_CENTER, letter, tokens.muted);
    }
    let lead = usize::try_from(first.weekday().since(Weekday::Monday)).unwrap_or_default();
    let (mut clicked, mut held) = (None, Vec::new());
    for (at, day) in days(first).enumerate() {
        let place = lead + at;
        let (row, column) = (place / 7, place % 7);
        let corner = pos2(
            rect.left() + column as f32 * STEP,
            rect.top() + HEAD + row as f32 * STEP,
        );
        let square = Rect::from_min_size(corner, Vec2::splat(SIDE));
        let what = cell(day);
        if one(ui, square, day, what).clicked() {
            clicked = Some(day);
        }
        if what == Cell::Held {
            held.push(square.right_top() + Vec2::new(-2.0, 2.0));
        }
    }
    // Last, because they reach over the squares beside theirs.
    for dot in held {
        ui.painter().circle_filled(dot, 4.5, tokens.panel);
        ui.painter().circle_filled(dot, 3.5, tokens.text);
    }
    clicked
}

fn days(first: Date) -> impl Iterator<Item = Date> {
    let last = first.last_of_month();
    std::iter::successors(Some(first), move |day| {
        day.tomorrow().ok().filter(|next| *next <= last)
    })
}

fn one(ui: &Ui, square: Rect, day: Date, cell: Cell) -> Response {
    let tokens = Tokens::of(ui);
    let some = matches!(cell, Cell::Stays | Cell::Goes | Cell::Held);
    let sense = if some { Sense::click() } else { Sense::hover() };
    let id = ui.scope_id().with(("day", day.to_string()));
    let response = ui.interact(square, id, sense);
    response.widget_info(|| {
        let name = format!("{}, {}", day.strftime("%-d %b"), cell.word());
        WidgetInfo::labeled(if some { Role::Button } else { Role::Cell }, true, name)
    });
    let painter = ui.painter();
    let kept = matches!(cell, Cell::Stays | Cell::Held);
    let colour = match cell {
        Cell::Stays | Cell::Held => tokens.on_accent,
        Cell::Goes => tokens.text,
        Cell::Nothing => tokens.muted,
        Cell::Future => tokens.border,
    };
    if some {
        let fill = if kept {
            tokens.accent
        } else {
            Color32::TRANSPARENT
        };
        let edge = if kept { tokens.accent } else { tokens.muted };
        let outline = Stroke::new(line::BORDER, edge);
        painter.rect(square, radius::SMALL, fill, outline, StrokeKind::Inside);
    }
    let number = day.day().to_string();
    let text = if kept { Text::Label } else { Text::Axis };
    let written = text.write(ui, square.center(), Align2::CENTER_CENTER, &number, colour);
    if cell == Cell::Goes {
        let across = written.x_range().expand(2.0);
        painter.hline(
            across,
            square.center().y + 0.5,
            Stroke::new(line::BORDER, colour),
        );
    }
    if response.has_focus() {
        let ring = Stroke::new(line::FOCUS, tokens.accent);
        painter.rect_stroke(
            square.expand(2.0),
            radius::CONTROL,
            ring,
            StrokeKind::Inside,
        );
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_has_all_its_days() {
        let november = Date::constant(2026, 11, 1);
        assert_eq!(days(november).count(), 30);
        assert_eq!(days(Date::constant(2024, 2, 1)).count(), 29);
        assert_eq!(november.weekday(), Weekday::Sunday);
        assert_eq!(november.weekday().since(Weekday::Monday), 6);
    }
}
