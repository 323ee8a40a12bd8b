//! Draws lines with round ends on a grid of 16 by 16, whatever the size on the screen.

use egui::{Color32, CornerRadius, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, Vec2, pos2};

/// The width of the grid.
const GRID: f32 = 16.0;

/// A piece of a drawing, in units of the grid. Angles are degrees, clockwise, 0 to the right.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// A line through points.
    Line(&'static [(f32, f32)]),
    /// A line that ends where it began.
    Shut(&'static [(f32, f32)]),
    /// A piece of an ellipse: centre, half axes, from, to.
    Arc((f32, f32), (f32, f32), (f32, f32)),
    /// A circle: centre, radius.
    Ring((f32, f32), f32),
    /// A filled circle: centre, radius.
    Dot((f32, f32), f32),
    /// A rectangle with round corners: corner, size, radius.
    Box((f32, f32), (f32, f32), f32),
}

/// Puts the grid on a place of the screen.
#[expect(
    missing_debug_implementations,
    reason = "egui's painter has none, and a pen lives for one drawing"
)]
pub struct Pen<'a> {
    painter: &'a Painter,
    corner: Pos2,
    scale: f32,
    stroke: Stroke,
}

impl<'a> Pen<'a> {
    /// A pen whose grid fills a square around a point; `width` is that of the line, on the grid.
    pub fn new(painter: &'a Painter, centre: Pos2, size: f32, width: f32, colour: Color32) -> Self {
        let scale = size / GRID;
        // A grid that starts between two pixels makes every line of it grey.
        let ppp = painter.pixels_per_point();
        let corner = centre - Vec2::splat(size / 2.0);
        let corner = pos2(
            (corner.x * ppp).round() / ppp,
            (corner.y * ppp).round() / ppp,
        );
        Self {
            painter,
            corner,
            scale,
            stroke: Stroke::new(width * scale, colour),
        }
    }

    /// The same pen in another colour.
    #[must_use]
    pub fn colour(mut self, colour: Color32) -> Self {
        self.stroke.color = colour;
        self
    }

    /// The same pen with another width of its line.
    #[must_use]
    pub fn width(mut self, width: f32) -> Self {
        self.stroke.width = width * self.scale;
        self
    }

    /// Where a point of the grid is.
    pub fn at(&self, (x, y): (f32, f32)) -> Pos2 {
        self.corner + Vec2::new(x, y) * self.scale
    }

    /// Draws pieces.
    pub fn draw(&self, parts: &[Part]) {
        for part in parts {
            self.part(*part);
        }
    }

    fn part(&self, part: Part) {
        match part {
            Part::Line(points) => self.line(points.iter().map(|p| self.at(*p)).collect()),
            Part::Shut(points) => {
                let points: Vec<_> = points.iter().map(|p| self.at(*p)).collect();
                self.joints(&points);
                self.painter.add(Shape::closed_line(points, self.stroke));
            }
            Part::Arc(centre, radii, range) => self.line(self.arc(centre, radii, range)),
            Part::Ring(centre, radius) => {
                // egui draws the line of a circle outside of it, that of a path on it.
                let radius = radius * self.scale - self.stroke.width / 2.0;
                let centre = self.at(centre);
                self.painter.circle_stroke(centre, radius, self.stroke);
            }
            Part::Dot(centre, radius) => {
                let (centre, radius) = (self.at(centre), radius * self.scale);
                self.painter
                    .circle_filled(centre, radius, self.stroke.color);
            }
            Part::Box(corner, (w, h), radius) => {
                let rect = Rect::from_min_size(self.at(corner), Vec2::new(w, h) * self.scale);
                let radius = CornerRadius::from(radius * self.scale);
                self.painter
                    .rect_stroke(rect, radius, self.stroke, StrokeKind::Middle);
            }
        }
    }

    /// The points of a piece of an ellipse.
    pub fn arc(&self, centre: (f32, f32), radii: (f32, f32), range: (f32, f32)) -> Vec<Pos2> {
        const STEPS: u8 = 32;
        (0..=STEPS)
            .map(|step| {
                let share = f32::from(step) / f32::from(STEPS);
                let angle = egui::lerp(range.0..=range.1, share).to_radians();
                self.at((
                    centre.0 + radii.0 * angle.cos(),
                    centre.1 + radii.1 * angle.sin(),
                ))
            })
            .collect()
    }

    /// A line with round ends and corners. egui's own lines end bluntly.
    pub fn line(&self, points: Vec<Pos2>) {
        self.joints(&points);
        self.painter.add(Shape::line(points, self.stroke));
    }

    fn joints(&self, points: &[Pos2]) {
        // A curve needs none between its ends.
        let few = points.len() < 12;
        let last = points.len().saturating_sub(1);
        for (at, point) in points.iter().enumerate() {
            if few || at == 0 || at == last {
                let radius = self.stroke.width / 2.0;
                self.painter
                    .circle_filled(*point, radius, self.stroke.color);
            }
        }
    }
}
