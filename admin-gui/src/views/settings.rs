//! How this window looks, which daemon it speaks to, and what that daemon's configuration says.
//! Nothing of the daemon is changed here.

mod configured;
mod connected;
mod look;

use egui::{ScrollArea, Ui};
use jiff::tz::TimeZone;

use super::{
    Sight,
    page::{BELOW_HEAD, head, page},
};
use crate::kit::tokens::space;

/// What the screen remembers.
#[derive(Debug, Default)]
pub struct Own {
    /// Times are shown by UTC and not by the clock of this machine.
    utc: bool,
    jobs: crate::kit::table::Selection<String>,
    repositories: crate::kit::table::Selection<String>,
}

impl Own {
    /// By which clock the whole window shows times.
    pub fn zone(&self, local: &TimeZone) -> TimeZone {
        if self.utc {
            TimeZone::UTC
        } else {
            local.clone()
        }
    }
}

/// Draws it.
pub fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own) {
    page(ui, |ui| {
        head(ui, "Settings", |_| (), |_| ());
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            // Tables are as high as their rows, whatever of them is in sight.
            ui.set_max_height(f32::INFINITY);
            ui.spacing_mut().item_spacing = egui::vec2(space::L, 0.0);
            ui.columns_const(|[left, right]| {
                look::show(left, own);
                connected::show(right, sight);
            });
            ui.spacing_mut().item_spacing.x = space::S;
            ui.add_space(space::XL);
            configured::show(ui, sight, own);
            ui.add_space(BELOW_HEAD);
        });
    });
}
