//! What a column is called, how wide it is, and on which side its words stand.

use egui::Align;
use egui_extras::Column as Wide;

/// How wide a column is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Width {
    /// As wide as this, always.
    Fixed(f32),
    /// As wide as this until somebody drags its edge.
    From(f32),
    /// What the others leave, at least as much as this.
    Rest(f32),
}

/// A column.
#[derive(Clone, Debug)]
#[must_use = "a column is given to a table"]
pub struct Column<'a> {
    pub(super) head: &'a str,
    pub(super) width: Width,
    pub(super) align: Align,
    pub(super) sortable: bool,
}

/// By which column rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// Which one, counted from 0.
    pub column: usize,
    /// The greatest first.
    pub descending: bool,
}

impl Sort {
    /// What a click on a head asks for: the other way if it was the one already.
    pub fn clicked(current: Option<Self>, column: usize) -> Self {
        let descending = current.is_some_and(|sort| sort.column == column && !sort.descending);
        Self { column, descending }
    }
}

impl<'a> Column<'a> {
    /// A column of words.
    pub const fn new(head: &'a str, width: Width) -> Self {
        Self {
            head,
            width,
            align: Align::Min,
            sortable: false,
        }
    }

    /// A column of numbers: they stand at the right, so that their digits stand under each other.
    pub const fn number(head: &'a str, width: Width) -> Self {
        let mut column = Self::new(head, width);
        column.align = Align::Max;
        column
    }

    /// A click on the head sorts.
    pub const fn sortable(mut self) -> Self {
        self.sortable = true;
        self
    }

    /// The column for egui; `extra` is the room beside its words, `kept` what the caller remembers.
    pub(super) fn wide(&self, extra: f32, kept: Option<f32>) -> Wide {
        match self.width {
            Width::Fixed(width) => Wide::exact(width + extra).clip(true),
            Width::From(width) => Wide::initial(kept.unwrap_or(width) + extra)
                .at_least(32.0 + extra)
                .resizable(true)
                .clip(true),
            Width::Rest(least) => Wide::remainder().at_least(least + extra).clip(true),
        }
    }
}
