//! The frame around every screen: which daemon, which screen, how it all stands, what is under way,
//! how new it is.

mod bell;
mod rail;
mod status_bar;
mod tasks;
mod top_bar;

use egui::Ui;

pub(super) use rail::rail;
pub(super) use status_bar::status_bar;
pub(super) use top_bar::top_bar;

const RAIL: f32 = 208.0;
const NARROW_RAIL: f32 = 56.0;
/// A window narrower than this has the narrow rail.
const NARROW: f32 = 1000.0;

fn rail_width(ui: &Ui) -> f32 {
    if ui.ctx().content_rect().width() < NARROW {
        NARROW_RAIL
    } else {
        RAIL
    }
}
