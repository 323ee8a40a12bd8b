//! The steps of something long, on a rail at its left, and the way on at its foot.

use std::cmp::Ordering;

use egui::{
    Align, Align2, Color32, CursorIcon, Frame, Layout, Margin, Panel, Rect, Response, Role, Sense,
    Stroke, Ui, Vec2, WidgetInfo, pos2,
};

use super::{
    card,
    icons::Icon,
    shapes::Mark,
    tokens::{Tokens, line, radius, space},
    typography::Text,
};

/// How far a step has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Done; somebody may go back to it.
    Done,
    /// The one that is shown.
    Now,
    /// Yet to come.
    Ahead,
    /// The end, and what came of it.
    Result(Mark),
}

/// A step.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Its name.
    pub name: &'a str,
    /// What was chosen in it.
    pub note: &'a str,
    /// How far it has come.
    pub stage: Stage,
}

impl Stage {
    /// How far a step has come that stands so to the one that is shown.
    pub const fn of(to_shown: Ordering) -> Self {
        match to_shown {
            Ordering::Less => Self::Done,
            Ordering::Equal => Self::Now,
            Ordering::Greater => Self::Ahead,
        }
    }
}

const STEP: f32 = 54.0;
const CIRCLE: f32 = 20.0;
const RAIL: f32 = 216.0;
const FOOT: f32 = 56.0;

/// Draws the rail as the left side of a page; returns the done step that somebody clicked.
pub fn steps_rail(ui: &mut Ui, title: &str, all: &[Step<'_>]) -> Option<usize> {
    let border = Tokens::of(ui).border;
    Panel::left("steps")
        .exact_size(RAIL)
        .resizable(false)
        .frame(Frame::new().inner_margin(Margin::symmetric(24, 20)))
        .show_separator_line(false)
        .show(ui, |ui| {
            let whole = ui.max_rect().expand2(Vec2::new(24.0, 20.0));
            let edge = whole.with_min_x(whole.right() - line::BORDER);
            ui.painter().rect_filled(edge, 0, border);
            card::section_head(ui, title, "");
            ui.add_space(space::L);
            steps(ui, all)
        })
        .inner
}

/// Draws the foot of a page of steps: its buttons, from the right.
pub fn steps_foot(ui: &mut Ui, buttons: impl FnOnce(&mut Ui)) {
    let border = Tokens::of(ui).border;
    Panel::bottom("way on")
        .exact_size(FOOT)
        .frame(Frame::new().inner_margin(Margin::symmetric(24, 0)))
        .show_separator_line(false)
        .show(ui, |ui| {
            let whole = ui.max_rect().expand2(Vec2::new(24.0, 0.0));
            let edge = whole.with_max_y(whole.top() + line::BORDER);
            ui.painter().rect_filled(edge, 0, border);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = space::M;
                buttons(ui);
            });
        });
}

/// Draws the rail; returns the done step that somebody clicked.
pub fn steps(ui: &mut Ui, steps: &[Step<'_>]) -> Option<usize> {
    let mut clicked = None;
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing = Vec2::ZERO;
        for (at, step) in steps.iter().enumerate() {
            let last = at + 1 == steps.len();
            if one(ui, at, step, last).clicked() {
                clicked = Some(at);
            }
        }
    });
    clicked
}

fn one(ui: &mut Ui, at: usize, step: &Step<'_>, last: bool) -> Response {
    let tokens = Tokens::of(ui);
    let high = if last { CIRCLE + 16.0 } else { STEP };
    let size = Vec2::new(ui.available_width(), high);
    let done = step.stage == Stage::Done;
    let sense = if done { Sense::click() } else { Sense::hover() };
    let (rect, mut response) = ui.allocate_exact_size(size, sense);
    let role = if done { Role::Button } else { Role::ListItem };
    response.widget_info(|| {
        let state = match step.stage {
            Stage::Done => "done",
            Stage::Now => "now",
            Stage::Ahead => "to come",
            Stage::Result(_) => "result",
        };
        let name = format!("{}, {}, {state} {}", at + 1, step.name, step.note);
        WidgetInfo::labeled(role, true, name.trim_end())
    });
    let centre = rect.left_top() + Vec2::splat(CIRCLE / 2.0);
    circle(ui, centre, at, step.stage);
    if !last {
        let passed = matches!(step.stage, Stage::Done);
        let colour = if passed { tokens.accent } else { tokens.border };
        let below = centre.y + CIRCLE / 2.0 + 4.0..=rect.bottom() - 4.0;
        ui.painter()
            .vline(centre.x, below, Stroke::new(line::ICON, colour));
    }
    let (text, colour) = match step.stage {
        Stage::Ahead => (Text::Body, tokens.muted),
        Stage::Now | Stage::Result(_) => (Text::Strong, tokens.text),
        Stage::Done => (Text::Name, tokens.text),
    };
    let at = centre + Vec2::new(CIRCLE / 2.0 + 12.0, 0.0);
    let room = rect.right() - at.x;
    let name = text.write_within(ui, at, Align2::LEFT_CENTER, step.name, colour, room);
    let below = pos2(at.x, name.bottom() + 9.0);
    Text::Caption.write_within(
        ui,
        below,
        Align2::LEFT_CENTER,
        step.note,
        tokens.muted,
        room,
    );
    if done {
        if response.hovered() {
            let under = Stroke::new(line::BORDER, colour);
            ui.painter()
                .hline(name.x_range(), name.bottom() - 0.5, under);
        }
        if response.has_focus() {
            let ring = Stroke::new(line::FOCUS, tokens.accent);
            let around = Rect::from_min_max(rect.min, pos2(rect.right(), rect.top() + 40.0));
            ui.painter()
                .rect_stroke(around, radius::CONTROL, ring, egui::StrokeKind::Outside);
        }
        response = response.on_hover_cursor(CursorIcon::PointingHand);
    }
    response
}

fn circle(ui: &Ui, centre: egui::Pos2, at: usize, stage: Stage) {
    let tokens = Tokens::of(ui);
    let painter = ui.painter();
    let round = |fill: Color32, outline: Color32| {
        let stroke = Stroke::new(line::ICON, outline);
        // The outline is drawn outside.
        painter.circle(centre, CIRCLE / 2.0 - line::ICON, fill, stroke);
    };
    let number = |colour: Color32| {
        let words = (at + 1).to_string();
        Text::Axis.write(ui, centre, Align2::CENTER_CENTER, &words, colour);
    };
    match stage {
        Stage::Done => {
            round(Color32::TRANSPARENT, tokens.accent);
            Icon::Tick.paint(painter, centre, 11.0, tokens.accent);
        }
        Stage::Now => {
            round(tokens.accent, tokens.accent);
            number(tokens.on_accent);
        }
        Stage::Ahead => {
            round(Color32::TRANSPARENT, tokens.border);
            number(tokens.muted);
        }
        Stage::Result(mark) => {
            mark.paint(painter, centre, CIRCLE, mark.colour(tokens), tokens.bg);
        }
    }
}
