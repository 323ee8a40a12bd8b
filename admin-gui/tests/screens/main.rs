//! Every screen in its states, by what those hear who do not see it, and as pictures in both
//! themes.
//!
//! `UPDATE_SNAPSHOTS=true` writes the pictures anew.

/// A test for each state of which there are pictures.
macro_rules! picture {
    ($($test:ident: $name:literal, $size:expr, $state:expr $(, $act:expr)?;)*) => {
        $(#[test]
        fn $test() {
            crate::pictures_after($name, $size, &$state, picture!(@ $($act)?));
        })*
    };
    (@) => { |_| () };
    (@ $act:expr) => { $act };
}

#[cfg(test)]
mod audit;
#[cfg(test)]
mod contents;
#[cfg(test)]
mod frame;
#[cfg(test)]
mod hands;
#[cfg(test)]
mod health;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod overview;
#[cfg(test)]
mod palette;
#[cfg(test)]
mod restore;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod servers;
#[cfg(test)]
mod set_up;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod story;
#[cfg(test)]
mod verification;

use admin_gui::{
    kit,
    state::{Command, State},
    views::Screens,
};
use egui::{Theme, UiBuilder, Vec2};
use egui_kittest::{Harness, SnapshotOptions, SnapshotResults};
use jiff::tz::TimeZone;

/// The size that the pictures have, and the least that the window can have.
const WINDOW: Vec2 = Vec2::new(1280.0, 800.0);
const SMALL: Vec2 = Vec2::new(900.0, 600.0);

/// A window on a state, and what was asked for in it.
struct Window {
    state: State,
    screens: Screens,
    asked: Vec<Command>,
}

impl Window {
    fn open(state: State, theme: Theme, size: Vec2) -> Harness<'static, Self> {
        let window = Self {
            state,
            screens: Screens::default(),
            asked: Vec::new(),
        };
        let mut harness = Harness::builder()
            .with_size(size)
            .with_theme(theme)
            .with_context_setup(kit::apply)
            // As in the program: names in other scripts are boxes, and nothing fails.
            .allow_missing_glyphs()
            .with_render_cursor(false)
            .wgpu()
            .build_ui_state(
                |ui, window: &mut Self| {
                    let Self {
                        state,
                        screens,
                        asked,
                    } = window;
                    // The window of a test has a margin of its own.
                    let whole = ui.ctx().content_rect();
                    let ui = &mut ui.new_child(UiBuilder::new().max_rect(whole));
                    asked.extend(screens.show(ui, state, story::now(), &TimeZone::UTC));
                },
                window,
            );
        harness.run();
        harness
    }
}

/// Compares a state with its pictures.
fn pictures(name: &str, size: Vec2, state: &State) {
    pictures_after(name, size, state, |_| ());
}

/// The same after somebody did something there.
fn pictures_after(name: &str, size: Vec2, state: &State, act: fn(&mut Harness<'_, Window>)) {
    let mut results = SnapshotResults::new();
    for (theme, suffix) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let mut harness = Window::open(state.clone(), theme, size);
        act(&mut harness);
        // The software renderers of two machines differ in the last bits of a curve's edge.
        let options = SnapshotOptions::new().threshold(0.6).max_failed_pixels(10);
        results.add(harness.try_snapshot_options(format!("{name}-{suffix}"), &options));
    }
}
