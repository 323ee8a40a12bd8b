//! The shapes of states. Each differs from the others without any colour, and always has its word
//! beside it.

use std::time::Duration;

use backup_model::ProtectionState;
use egui::{Color32, Painter, Pos2, Response, Sense, Shape, Stroke, Ui, Vec2};

use super::{
    icons::{Part, Pen},
    tokens::Tokens,
};

/// A state, as shape and colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// A circle with a tick.
    Ok,
    /// Two bars: somebody stopped it.
    Paused,
    /// A triangle with an exclamation mark.
    Warn,
    /// A dashed ring with a question mark: nobody can say.
    Unknown,
    /// An octagon with a cross.
    Failed,
}

impl From<ProtectionState> for Mark {
    fn from(state: ProtectionState) -> Self {
        match state {
            ProtectionState::Protected => Self::Ok,
            ProtectionState::AtRisk => Self::Warn,
            ProtectionState::Unknown => Self::Unknown,
            ProtectionState::Breached => Self::Failed,
        }
    }
}

/// The circle, the octagon and the ring fill this much of the grid of 16.
const RADIUS: f32 = 7.0;

impl Mark {
    /// All of them, the best first.
    pub const ALL: [Self; 5] = [
        Self::Ok,
        Self::Paused,
        Self::Warn,
        Self::Unknown,
        Self::Failed,
    ];

    /// Its colour.
    pub const fn colour(self, tokens: &Tokens) -> Color32 {
        match self {
            Self::Ok => tokens.ok,
            Self::Warn => tokens.warn,
            Self::Failed => tokens.failed,
            Self::Unknown | Self::Paused => tokens.unknown,
        }
    }

    /// Draws it around a point. What is inside the shape is drawn in the colour behind it.
    pub fn paint(
        self,
        painter: &Painter,
        centre: Pos2,
        size: f32,
        colour: Color32,
        behind: Color32,
    ) {
        let pen = Pen::new(painter, centre, size, 1.6, colour);
        match self {
            Self::Ok => {
                pen.draw(&[Part::Dot((8.0, 8.0), RADIUS)]);
                let tick = Part::Line(&[(4.9, 8.3), (7.1, 10.5), (11.2, 5.9)]);
                pen.colour(behind).draw(&[tick]);
            }
            Self::Warn => {
                const CORNERS: [(f32, f32); 3] = [(8.0, 0.9), (15.6, 14.6), (0.4, 14.6)];
                fill(
                    painter,
                    rounded(CORNERS.map(|p| pen.at(p)), size / 11.0),
                    colour,
                );
                pen.colour(behind).draw(&[
                    Part::Line(&[(8.0, 6.3), (8.0, 9.4)]),
                    Part::Dot((8.0, 12.1), 1.05),
                ]);
            }
            Self::Failed => {
                fill(painter, octagon(&pen), colour);
                pen.colour(behind).draw(&[
                    Part::Line(&[(5.6, 5.6), (10.4, 10.4)]),
                    Part::Line(&[(10.4, 5.6), (5.6, 10.4)]),
                ]);
            }
            Self::Unknown => unknown(painter, &pen, size, colour),
            Self::Paused => {
                for x in [3.0, 9.7] {
                    let (from, to) = (pen.at((x, 2.5)), pen.at((x + 3.3, 13.5)));
                    painter.rect_filled(egui::Rect::from_two_pos(from, to), size / 16.0, colour);
                }
            }
        }
    }

    /// Draws it as the next thing of the layout, on a surface. Its word belongs beside it.
    pub fn ui(self, ui: &mut Ui, size: f32, behind: Color32) -> Response {
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(size), Sense::hover());
        let colour = self.colour(Tokens::of(ui));
        self.paint(ui.painter(), rect.center(), size, colour, behind);
        response
    }
}

fn fill(painter: &Painter, points: Vec<Pos2>, colour: Color32) {
    painter.add(Shape::convex_polygon(points, colour, Stroke::NONE));
}

fn octagon(pen: &Pen<'_>) -> Vec<Pos2> {
    // Its flat sides touch the circle that the other shapes fill.
    let radius = RADIUS / 22.5_f32.to_radians().cos();
    (0..8_u8)
        .map(|corner| {
            let angle = (f32::from(corner) * 45.0 + 22.5).to_radians();
            pen.at((8.0 + radius * angle.cos(), 8.0 + radius * angle.sin()))
        })
        .collect()
}

/// A triangle whose corners are bent: each becomes a curve towards both neighbours.
fn rounded(corners: [Pos2; 3], bend: f32) -> Vec<Pos2> {
    let mut points = Vec::new();
    for (at, corner) in corners.iter().enumerate() {
        let before = corners[(at + 2) % 3];
        let after = corners[(at + 1) % 3];
        let start = *corner + (before - *corner).normalized() * bend * 1.6;
        let end = *corner + (after - *corner).normalized() * bend * 1.6;
        for step in 0..=6_u8 {
            let share = f32::from(step) / 6.0;
            let (a, b) = (start.lerp(*corner, share), corner.lerp(end, share));
            points.push(a.lerp(b, share));
        }
    }
    points
}

fn unknown(painter: &Painter, pen: &Pen<'_>, size: f32, colour: Color32) {
    let stroke = Stroke::new(size * 1.5 / 16.0, colour);
    for dash in 0..8_u8 {
        let from = f32::from(dash) * 45.0 + 8.0;
        let points = pen.arc((8.0, 8.0), (6.3, 6.3), (from, from + 29.0));
        painter.add(Shape::line(points, stroke));
    }
    pen.draw(&[
        Part::Arc((8.0, 6.6), (1.75, 1.75), (185.0, 395.0)),
        Part::Line(&[(9.43, 7.6), (8.2, 8.7), (8.0, 9.3)]),
        Part::Dot((8.0, 11.4), 0.95),
    ]);
}

/// The width of the ring, 2 where it is 12 wide.
const RING: f32 = 2.7;

/// The ring of what runs: so much of it is done, or nobody can say how much.
pub fn running(ui: &Ui, centre: Pos2, size: f32, done: Option<f32>) {
    let tokens = Tokens::of(ui);
    let pen = Pen::new(ui.painter(), centre, size, RING, tokens.track);
    let radius = (16.0 - RING) / 2.0;
    pen.draw(&[Part::Ring((8.0, 8.0), radius)]);
    let (from, share) = match done {
        Some(done) => (0.0, done.clamp(0.03, 1.0)),
        None => (turn(ui), 0.3),
    };
    let start = from * 360.0 - 90.0;
    let points = pen.arc((8.0, 8.0), (radius, radius), (start, start + share * 360.0));
    pen.colour(tokens.running).line(points);
}

/// Where a ring without an end stands now; it turns in small steps, and not at all for those who
/// want no motion.
fn turn(ui: &Ui) -> f32 {
    if ui.style().animation_time <= 0.0 {
        return 0.0;
    }
    ui.ctx().request_repaint_after(Duration::from_millis(125));
    (ui.input(|input| input.time) / 1.5).fract() as f32
}
