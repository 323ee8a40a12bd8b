//! Pictures of every part of the kit, in both themes.
//!
//! `UPDATE_SNAPSHOTS=true` writes them anew.

mod pages;
mod parts;
mod story;
mod table;

use admin_gui::kit::{self, Tokens};
use egui::{Key, Role, Theme, Ui, Vec2};
use egui_kittest::{Harness, SnapshotOptions, SnapshotResults, kittest::Queryable as _};

/// Draws a page on both themes and compares it with its pictures.
fn pictures(name: &str, size: Vec2, page: fn(&mut Ui)) {
    pictures_after(name, size, page, |_| ());
}

/// The same after somebody did something.
fn pictures_after(name: &str, size: Vec2, page: fn(&mut Ui), act: fn(&mut Harness<'_>)) {
    let mut results = SnapshotResults::new();
    for (theme, suffix) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let mut harness = Harness::builder()
            .with_size(size)
            .with_theme(theme)
            .with_context_setup(kit::apply)
            .with_render_cursor(false)
            .wgpu()
            .build_ui(move |ui| {
                // The window of a test has a margin of its own.
                let (whole, bg) = (ui.ctx().content_rect(), Tokens::of(ui).bg);
                let behind = ui.ctx().layer_painter(egui::LayerId::background());
                behind.rect_filled(whole, 0, bg);
                egui::Frame::new().inner_margin(16).show(ui, page);
            });
        harness.run();
        act(&mut harness);
        harness.run();
        // The software renderers of two machines differ in the last bits of a curve's edge.
        let options = SnapshotOptions::new().threshold(0.6).max_failed_pixels(10);
        results.add(harness.try_snapshot_options(format!("{name}-{suffix}"), &options));
    }
}

#[test]
fn words_and_pictures() {
    pictures("words", Vec2::new(720.0, 440.0), pages::words);
}

#[test]
fn badges_and_buttons() {
    pictures(
        "badges-buttons",
        Vec2::new(720.0, 320.0),
        pages::badges_and_buttons,
    );
}

#[test]
fn jobs() {
    pictures("jobs", Vec2::new(800.0, 420.0), pages::jobs);
}

#[test]
fn focus() {
    pictures_after(
        "focus",
        Vec2::new(600.0, 360.0),
        pages::contents,
        |harness| {
            harness.get_by_role(Role::Table).focus();
            harness.run();
            for key in [Key::End, Key::ArrowUp, Key::PageUp] {
                harness.key_press(key);
                harness.run();
            }
        },
    );
}

#[test]
fn open_list() {
    pictures_after(
        "select",
        Vec2::new(720.0, 400.0),
        pages::fields,
        |harness| {
            harness.get_by_label("Host").focus();
            harness.run();
            harness.get_by_role(Role::ComboBox).click();
        },
    );
}

#[test]
fn menu() {
    pictures_after("menu", Vec2::new(800.0, 420.0), pages::jobs, |harness| {
        let row = harness.get_by_label_contains("mcpo-config, protected");
        row.click_secondary();
    });
}

#[test]
fn tables() {
    pictures("tables", Vec2::new(600.0, 360.0), pages::contents);
}

#[test]
fn fields() {
    pictures("fields", Vec2::new(720.0, 400.0), pages::fields);
}

#[test]
fn progress() {
    pictures("progress", Vec2::new(760.0, 480.0), pages::progress);
}

#[test]
fn findings() {
    pictures("findings", Vec2::new(920.0, 440.0), pages::findings);
}

#[test]
fn messages() {
    pictures("messages", Vec2::new(1000.0, 860.0), pages::messages);
}

#[test]
fn dialog() {
    pictures("dialog", Vec2::new(800.0, 420.0), pages::dialog);
}

#[test]
fn months() {
    pictures("months", Vec2::new(640.0, 260.0), pages::months);
}
