//! A state as shape and word on its own tint; and the same look for counts and for plain tags.

use egui::{
    Align2, Color32, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2, Widget, WidgetInfo,
};

use super::{
    shapes::{self, Mark},
    tokens::{Tokens, height, line, radius},
    typography::Text,
};

/// Room left and right of the word, and before the shape.
const PAD: f32 = 7.0;
const PAD_SHAPE: f32 = 4.0;
const SHAPE: f32 = 14.0;
const GAP: f32 = 5.0;

/// A state: `⬣ Breached`. With a number it counts: `⬣ 1 breached`.
#[derive(Clone, Debug)]
#[must_use = "nothing is drawn before it is added to a Ui"]
pub struct Badge<'a> {
    look: Look,
    word: &'a str,
    height: f32,
    clickable: bool,
}

#[derive(Clone, Copy, Debug)]
enum Look {
    State(Mark),
    Running(Option<f32>),
    Tag(Emphasis),
}

/// How loud a tag is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emphasis {
    /// A quiet fact.
    Plain,
    /// The one that counts, or that is chosen.
    Chosen,
}

impl<'a> Badge<'a> {
    /// A state with its word.
    pub fn new(mark: Mark, word: &'a str) -> Self {
        Self::with(Look::State(mark), word)
    }

    /// Something that runs; so much of it is done. It stands beside a state and never for one.
    pub fn running(done: Option<f32>, word: &'a str) -> Self {
        Self::with(Look::Running(done), word)
    }

    /// A word without a state.
    pub fn tag(emphasis: Emphasis, word: &'a str) -> Self {
        Self::with(Look::Tag(emphasis), word)
    }

    const fn with(look: Look, word: &'a str) -> Self {
        Self {
            look,
            word,
            height: height::BADGE,
            clickable: false,
        }
    }

    /// A chip: taller, for the bar at the top and above lists.
    pub fn chip(mut self) -> Self {
        self.height = height::CHIP;
        self
    }

    /// Something happens on a click.
    pub fn clickable(mut self) -> Self {
        self.clickable = true;
        self
    }

    fn colours(&self, tokens: &Tokens) -> (Color32, Color32, Stroke) {
        match self.look {
            Look::State(mark) => {
                let colour = mark.colour(tokens);
                (colour, tokens.tint(colour), Stroke::NONE)
            }
            Look::Running(_) => (
                tokens.text,
                tokens.panel,
                Stroke::new(line::BORDER, tokens.border),
            ),
            Look::Tag(Emphasis::Plain) => (tokens.muted, tokens.row_alt, Stroke::NONE),
            Look::Tag(Emphasis::Chosen) => (tokens.accent, tokens.selected(), Stroke::NONE),
        }
    }
}

impl Widget for Badge<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let tokens = Tokens::of(ui);
        let (colour, fill, outline) = self.colours(tokens);
        let galley = Text::Label.line_of(ui, self.word, colour, f32::INFINITY);
        let before = match self.look {
            Look::State(_) | Look::Running(_) => PAD_SHAPE + SHAPE + GAP,
            Look::Tag(_) => PAD,
        };
        let size = Vec2::new(before + galley.size().x.ceil() + PAD, self.height);
        let (sense, role) = if self.clickable {
            (Sense::click(), Role::Button)
        } else {
            (Sense::hover(), Role::Label)
        };
        let (rect, response) = ui.allocate_exact_size(size, sense);
        response.widget_info(|| WidgetInfo::labeled(role, true, self.word));

        let outline = if response.has_focus() {
            Stroke::new(line::FOCUS, tokens.accent)
        } else if response.hovered() && self.clickable {
            Stroke::new(line::BORDER, colour)
        } else {
            outline
        };
        ui.painter()
            .rect(rect, radius::CONTROL, fill, outline, StrokeKind::Inside);
        let centre = rect.left_center() + Vec2::new(PAD_SHAPE + SHAPE / 2.0, 0.0);
        match self.look {
            Look::State(mark) => mark.paint(ui.painter(), centre, SHAPE, colour, fill),
            Look::Running(done) => shapes::running(ui, centre, SHAPE, done),
            Look::Tag(_) => {}
        }
        let at = rect.left_center() + Vec2::new(before, 0.0);
        Text::Label.write(ui, at, Align2::LEFT_CENTER, self.word, colour);
        response
    }
}

/// What runs, on the line under a badge: ring and `Running 64 %`. The badge itself never changes.
pub fn running_line(ui: &mut Ui, done: Option<f32>, words: &str) -> Response {
    let tokens = Tokens::of(ui);
    let galley = Text::Caption.line_of(ui, words, tokens.running, f32::INFINITY);
    // The ring stands under the shape of the badge.
    let (ring, gap) = (12.0, GAP);
    let before = PAD_SHAPE + (SHAPE - ring) / 2.0;
    let size = Vec2::new(before + ring + gap + galley.size().x, Text::Caption.line());
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
    shapes::running(
        ui,
        rect.left_center() + Vec2::new(before + ring / 2.0, 0.0),
        ring,
        done,
    );
    let at = rect.left_center() + Vec2::new(before + ring + gap, 0.0);
    Text::Caption.write(ui, at, Align2::LEFT_CENTER, words, tokens.running);
    response
}
