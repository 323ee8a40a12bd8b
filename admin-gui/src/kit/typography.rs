//! The few ways in which words are set, each with size, weight and height of its line.

use std::sync::Arc;

use egui::{
    Align2, Color32, FontFamily, FontId, Galley, Pos2, Rect, RichText, Ui, emath::GuiRounding as _,
    text::LayoutJob, text::TextFormat,
};

use super::fonts;

/// A way to set words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// The one sentence that a screen says first.
    Hero,
    /// The name of a screen.
    Title,
    /// The head of a section or card.
    Section,
    /// Everything else.
    Body,
    /// Names, buttons.
    Name,
    /// What must stand out inside body text.
    Strong,
    /// What explains.
    Caption,
    /// A word in a badge.
    Label,
    /// Axes of charts, caps of keys.
    Axis,
    /// Commands, paths, ids.
    Mono,
    /// Codes.
    Code,
}

impl Text {
    /// Size and height of a line.
    pub const fn size(self) -> (f32, f32) {
        match self {
            Self::Hero => (28.0, 36.0),
            Self::Title => (20.0, 28.0),
            Self::Section => (14.0, 20.0),
            Self::Body | Self::Name | Self::Strong => (13.5, 18.0),
            Self::Caption | Self::Label | Self::Mono => (12.0, 16.0),
            Self::Axis | Self::Code => (11.0, 16.0),
        }
    }

    /// The height of a line.
    pub const fn line(self) -> f32 {
        self.size().1
    }

    /// The font.
    pub fn font(self) -> FontId {
        let family = match self {
            Self::Hero | Self::Title | Self::Section | Self::Strong => fonts::semibold(),
            Self::Name | Self::Label => fonts::medium(),
            Self::Body | Self::Caption | Self::Axis => FontFamily::Proportional,
            Self::Mono | Self::Code => FontFamily::Monospace,
        };
        FontId::new(self.size().0, family)
    }

    /// Words set so, for egui's own widgets.
    pub fn rich(self, words: impl Into<String>, colour: Color32) -> RichText {
        RichText::new(words)
            .font(self.font())
            .line_height(Some(self.line()))
            .color(colour)
    }

    /// How a piece of a longer text is set so.
    pub fn format(self, colour: Color32) -> TextFormat {
        TextFormat {
            line_height: Some(self.line()),
            ..TextFormat::simple(self.font(), colour)
        }
    }

    /// Words set so that break after `width` and end with … after so many rows.
    pub fn job(self, words: &str, colour: Color32, width: f32, rows: usize) -> LayoutJob {
        let mut job = LayoutJob::single_section(words.to_owned(), self.format(colour));
        job.wrap.max_width = width;
        job.wrap.max_rows = rows;
        job.wrap.break_anywhere = rows == 1;
        job
    }

    /// Words laid out on one line, with … if they are wider.
    pub fn line_of(self, ui: &Ui, words: &str, colour: Color32, width: f32) -> Arc<Galley> {
        self.block_of(ui, words, colour, width, 1)
    }

    /// Words laid out on so many lines.
    pub fn block_of(
        self,
        ui: &Ui,
        words: &str,
        colour: Color32,
        width: f32,
        rows: usize,
    ) -> Arc<Galley> {
        let job = self.job(words, colour, width, rows);
        ui.fonts_mut(|fonts| fonts.layout_job(job))
    }

    /// Writes one line at a point; `anchor` is where in the line that point is.
    pub fn write(self, ui: &Ui, at: Pos2, anchor: Align2, words: &str, colour: Color32) -> Rect {
        self.write_within(ui, at, anchor, words, colour, f32::INFINITY)
    }

    /// Writes one line at a point, with … if it is wider than there is room.
    pub fn write_within(
        self,
        ui: &Ui,
        at: Pos2,
        anchor: Align2,
        words: &str,
        colour: Color32,
        width: f32,
    ) -> Rect {
        let galley = self.line_of(ui, words, colour, width);
        let rect = anchor
            .anchor_size(at, galley.size())
            .round_to_pixels(ui.pixels_per_point());
        ui.painter().galley(rect.min, galley, colour);
        rect
    }
}
