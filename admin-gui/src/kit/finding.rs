//! What a check found, and what a phase does: rows of a list that is no table. Bad rows grow and say
//! what to do; good rows stay short and grey.

use egui::{Align2, Rect, Response, Role, Sense, Ui, UiBuilder, Vec2, WidgetInfo, pos2};

use super::{
    button::Button,
    icons::Icon,
    progress,
    shapes::{self, Mark},
    tokens::{Tokens, height, line, space},
    typography::Text,
};

/// What a check found.
#[derive(Clone, Copy, Debug)]
pub struct Finding<'a> {
    /// How it is.
    pub mark: Mark,
    /// What was looked at.
    pub name: &'a str,
    /// What was seen.
    pub sentence: &'a str,
    /// What to do about it; a row that has this is two lines high.
    pub fix: &'a str,
    /// Its code, at the right.
    pub code: &'a str,
    /// What can be done from here, at the right.
    pub action: &'a str,
}

const EDGE: f32 = 14.0;
const NAME_AT: f32 = 42.0;
const SENTENCE_AT: f32 = 204.0;
/// Above the first line and below the last of a row that is taller than one line.
const AROUND: f32 = 9.0;

/// Draws a finding, with a line below it unless it is the last; returns whether its action was
/// clicked. A sentence that is too long for its line makes the row taller: what is wrong is never
/// cut off.
pub fn finding(ui: &mut Ui, finding: &Finding<'_>, last: bool) -> bool {
    let tokens = Tokens::of(ui);
    let bad = matches!(finding.mark, Mark::Failed | Mark::Warn);
    let (name, colour) = if bad {
        (Text::Strong, tokens.text)
    } else {
        (Text::Body, tokens.muted)
    };
    let action = Text::Name.line_of(ui, finding.action, tokens.accent, f32::INFINITY);
    let code = Text::Code.line_of(ui, finding.code, tokens.muted, f32::INFINITY);
    let side = if finding.action.is_empty() {
        code.size().x
    } else {
        action.size().x.ceil()
    };
    let room = ui.available_width() - SENTENCE_AT - EDGE;
    let beside = room - if side > 0.0 { side + space::M } else { 0.0 };
    let sentence = Text::Body.block_of(ui, finding.sentence, colour, beside.max(80.0), 4);
    let fix = Text::Caption.block_of(ui, finding.fix, tokens.muted, room.max(80.0), 4);
    let fix_high = if finding.fix.is_empty() {
        0.0
    } else {
        fix.size().y
    };
    let high = (sentence.size().y + fix_high + 2.0 * AROUND).max(height::ROW);

    let (rect, response) = row(ui, high, last);
    response.widget_info(|| {
        let name = format!("{}, {} {}", finding.name, finding.sentence, finding.fix);
        WidgetInfo::labeled(Role::ListItem, true, name.trim_end())
    });
    let top = rect.top() + AROUND;
    let y = top + Text::Body.line() / 2.0;
    let at = pos2(rect.left() + EDGE + 7.5, y);
    let shade = finding.mark.colour(tokens);
    finding
        .mark
        .paint(ui.painter(), at, 15.0, shade, tokens.panel);
    let at = pos2(rect.left() + NAME_AT, y);
    let own = SENTENCE_AT - NAME_AT - space::S;
    name.write_within(ui, at, Align2::LEFT_CENTER, finding.name, tokens.text, own);
    let left = rect.left() + SENTENCE_AT;
    let below = top + sentence.size().y;
    ui.painter().galley(pos2(left, top), sentence, colour);
    ui.painter().galley(pos2(left, below), fix, tokens.muted);

    let end = rect.right() - EDGE;
    if finding.action.is_empty() {
        let at = pos2(end - code.size().x, y - code.size().y / 2.0);
        ui.painter().galley(at, code, tokens.muted);
        return false;
    }
    let half = height::CONTROL / 2.0;
    let place = Rect::from_min_max(pos2(end - side, y - half), pos2(end, y + half));
    ui.new_child(UiBuilder::new().max_rect(place))
        .add(Button::link(finding.action))
        .clicked()
}

/// Where a phase stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Progress {
    /// Done.
    Done,
    /// Under way, so much of it if that is known.
    Running(Option<f32>),
    /// Yet to come.
    Ahead,
    /// It ended so.
    Ended(Mark),
}

/// A phase of something that runs.
#[derive(Clone, Copy, Debug)]
pub struct Phase<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where it stands.
    pub progress: Progress,
    /// How much it moves.
    pub amount: &'a str,
    /// How long it took, or will take.
    pub time: &'a str,
}

/// Draws a phase, with a line below it unless it is the last.
pub fn phase(ui: &mut Ui, phase: &Phase<'_>, last: bool) -> Response {
    let tokens = Tokens::of(ui);
    let (rect, response) = row(ui, height::ROW, last);
    response.widget_info(|| {
        let state = match phase.progress {
            Progress::Done => "done",
            Progress::Running(_) => "running",
            Progress::Ahead => "to come",
            Progress::Ended(_) => "ended",
        };
        let name = format!("{}, {state}, {}, {}", phase.name, phase.amount, phase.time);
        WidgetInfo::labeled(Role::ListItem, true, name)
    });
    let y = rect.center().y - 0.5;
    let at = pos2(rect.left() + EDGE + 8.0, y);
    let (text, colour, side) = match phase.progress {
        Progress::Done | Progress::Ended(_) => (Text::Body, tokens.text, tokens.muted),
        Progress::Running(_) => (Text::Strong, tokens.text, tokens.text),
        Progress::Ahead => (Text::Body, tokens.muted, tokens.muted),
    };
    if let Progress::Running(done) = phase.progress {
        let under = rect.with_max_y(rect.bottom() - line::BORDER);
        ui.painter().rect_filled(under, 0, tokens.selected());
        shapes::running(ui, at, 14.0, done);
        if let Some(done) = done {
            let left = rect.left() + rect.width() * 0.37;
            let place = Rect::from_center_size(pos2(left + 75.0, y), Vec2::new(150.0, 6.0));
            let bar = UiBuilder::new().max_rect(place);
            progress::bar(&mut ui.new_child(bar), phase.name, 150.0, done);
        }
    }
    match phase.progress {
        Progress::Done => Icon::Tick.paint(ui.painter(), at, 15.0, tokens.ok),
        Progress::Ahead => {
            let outline = egui::Stroke::new(line::ICON, tokens.border);
            ui.painter().circle_stroke(at, 5.25, outline);
        }
        Progress::Ended(mark) => {
            mark.paint(ui.painter(), at, 15.0, mark.colour(tokens), tokens.panel);
        }
        Progress::Running(_) => {}
    }
    let at = pos2(rect.left() + 54.0, y);
    text.write(ui, at, Align2::LEFT_CENTER, phase.name, colour);
    let at = pos2(rect.right() - EDGE, y);
    Text::Caption.write(ui, at, Align2::RIGHT_CENTER, phase.time, side);
    let at = pos2(rect.right() - EDGE - 122.0, y);
    Text::Caption.write(ui, at, Align2::RIGHT_CENTER, phase.amount, side);
    response
}

fn row(ui: &mut Ui, high: f32, last: bool) -> (Rect, Response) {
    let tokens = Tokens::of(ui);
    let spacing = std::mem::take(&mut ui.spacing_mut().item_spacing);
    let size = Vec2::new(ui.available_width(), high);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    ui.spacing_mut().item_spacing = spacing;
    if !last {
        let foot = rect.with_min_y(rect.bottom() - line::BORDER);
        ui.painter().rect_filled(foot, 0, tokens.border);
    }
    (rect, response)
}
