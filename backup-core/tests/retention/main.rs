//! Retention against a naive oracle, by hand-made cases, and under wrong clocks.

#![expect(clippy::print_stdout, reason = "the figures are the point")]

#[cfg(test)]
mod cases;
#[cfg(test)]
mod clocks;
#[cfg(test)]
mod history;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod support;
