//! A public key in a cell: its beginning and its end, and a button that copies all of it.

use egui::{Ui, vec2};

use crate::kit::{Icon, IconButton, Tokens, table::mono, tokens::height, words};

/// A key longer than this loses its middle.
const MOST: usize = 22;
/// So much of the end tells one key from another.
const TAIL: usize = 4;

/// How wide the column must be.
pub(super) const WIDTH: f32 = 154.0;

/// `age1yubikey1qv…w7k2`: the middle says nothing to anybody.
pub(super) fn cut(key: &str) -> String {
    // The name behind an SSH key is none of the key.
    let key = words::one_line(key);
    let letters: Vec<char> = key.chars().collect();
    if letters.len() <= MOST {
        return key;
    }
    let head: String = letters[..MOST - TAIL - 1].iter().collect();
    let tail: String = letters[letters.len() - TAIL..].iter().collect();
    format!("{head}…{tail}")
}

/// Draws it; `whose` names it for those who do not see where the button stands.
pub(super) fn cell(ui: &mut Ui, key: &str, whose: &str, live: bool) {
    let tokens = Tokens::of(ui);
    let colour = if live { tokens.text } else { tokens.muted };
    ui.spacing_mut().item_spacing.x = 0.0;
    let right = egui::Layout::right_to_left(egui::Align::Center);
    ui.with_layout(right, |ui| {
        let name = format!("Copy the public key of {whose}");
        if ui.add(IconButton::new(Icon::Copy, &name)).clicked() {
            ui.copy_text(key.to_owned());
        }
        let size = vec2(ui.available_width(), height::CONTROL);
        let left = egui::Layout::left_to_right(egui::Align::Center);
        ui.allocate_ui_with_layout(size, left, |ui| mono(ui, &cut(key), colour));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_loses_its_middle() {
        let key = "age1yubikey1qvg8p3f5kxq0rncw7k2";
        assert_eq!(cut(key), "age1yubikey1qvg8p…w7k2");
        assert_eq!(cut(key).chars().count(), MOST);
        assert_eq!(cut("age1short"), "age1short");
        assert_eq!(cut("ssh-ed25519\nAAAA"), "ssh-ed25519 AAAA");
    }
}
