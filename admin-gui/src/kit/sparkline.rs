//! A line without axes: which way a number goes.

use egui::{Pos2, Rect, Response, Role, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo, pos2};

use super::tokens::{Tokens, line};

/// What a sparkline shows.
#[derive(Clone, Copy, Debug)]
pub struct Sparkline<'a> {
    /// What it says, for those who do not see it: `34.6 of 50 GiB, full in 73 d`.
    pub name: &'a str,
    /// The values, the oldest first; a gap is drawn as a gap.
    pub values: &'a [Option<f32>],
    /// A limit, drawn as a dashed line; the top of the picture then.
    pub limit: Option<f32>,
    /// Without a colour: what was so when the daemon was last heard, or a number among many.
    pub quiet: bool,
}

/// Draws it, from zero at the foot.
pub fn sparkline(ui: &mut Ui, size: Vec2, spark: &Sparkline<'_>) -> Response {
    let tokens = Tokens::of(ui);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, spark.name));
    let colour = if spark.quiet {
        tokens.muted
    } else {
        tokens.accent
    };
    let most = spark.values.iter().flatten().copied().fold(0.0, f32::max);
    let top = spark.limit.unwrap_or(most).max(most).max(f32::EPSILON);
    let inside = rect.shrink2(Vec2::new(0.0, 1.0));
    if let Some(limit) = spark.limit {
        let y = inside.bottom() - inside.height() * limit / top;
        let ends = [pos2(rect.left(), y), pos2(rect.right(), y)];
        let stroke = Stroke::new(line::BORDER, tokens.muted);
        ui.painter()
            .extend(Shape::dashed_line(&ends, stroke, 3.0, 3.0));
        let foot = rect.with_min_y(rect.bottom() - line::BORDER);
        ui.painter().rect_filled(foot, 0, tokens.border);
    }
    for run in runs(spark.values, inside, top) {
        if let [only] = run[..] {
            ui.painter().circle_filled(only, line::ICON, colour);
        } else {
            ui.painter()
                .add(Shape::line(run, Stroke::new(line::ICON, colour)));
        }
    }
    response
}

/// The values as lines, one for each run without a gap.
fn runs(values: &[Option<f32>], inside: Rect, top: f32) -> Vec<Vec<Pos2>> {
    let step = inside.width() / values.len().saturating_sub(1).max(1) as f32;
    let mut runs = vec![Vec::new()];
    for (at, value) in values.iter().enumerate() {
        match (value, runs.last_mut()) {
            (Some(value), Some(run)) => run.push(pos2(
                inside.left() + at as f32 * step,
                inside.bottom() - inside.height() * value / top,
            )),
            _ => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_ends_a_line() {
        let inside = Rect::from_min_size(Pos2::ZERO, Vec2::new(30.0, 10.0));
        let found = runs(&[Some(0.0), Some(5.0), None, Some(10.0)], inside, 10.0);
        assert_eq!(
            found,
            [
                vec![pos2(0.0, 10.0), pos2(10.0, 5.0)],
                vec![pos2(30.0, 0.0)]
            ]
        );
        assert!(runs(&[None, None], inside, 10.0).is_empty());
    }
}
