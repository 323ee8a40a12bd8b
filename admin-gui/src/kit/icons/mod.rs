//! Pictures for things and actions, drawn by egui's painter: sharp at every scale, in every colour.

mod drawings;
mod icon;
mod pen;

pub use icon::Icon;
pub use pen::{Part, Pen};
