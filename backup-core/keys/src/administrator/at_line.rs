//! Texts by their lines: which say something, and where a fault is.

use std::error::Error;

/// A fault of one line of a text, by its number; the first, if it is of the whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} cannot be used")]
pub struct AtLine<E: Error + 'static> {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub source: E,
}

impl<E: Error + 'static> AtLine<E> {
    pub(super) fn at(line: usize) -> impl Fn(E) -> Self {
        move |source| Self { line, source }
    }
}

/// The lines that say something, with their numbers from 1.
pub(super) fn said(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().map(str::trim).enumerate();
    let said = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    said.map(|(at, line)| (at + 1, line))
}
