//! The steps of something long, on a rail at its left.

use egui::{
    Align2, Color32, CursorIcon, Rect, Response, Role, Sense, Stroke, Ui, Vec2, WidgetInfo, pos2,
};

use super::{
    icons::Icon,
    shapes::Mark,
    tokens::{Tokens, line, radius},
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

const STEP: f32 = 54.0;
const CIRCLE: f32 = 20.0;

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
