//! What somebody does in the window of a test, and takes from it.

use egui::{Key, Modifiers, OutputCommand, Role};
use egui_kittest::{Harness, kittest::Queryable as _};

use crate::Window;

/// Clicks.
pub(crate) fn press(harness: &mut Harness<'_, Window>, role: Role, label: &str) {
    harness.get_by_role_and_label(role, label).click();
    harness.run();
}

/// Puts this into a field, in the place of what is there.
pub(crate) fn write(harness: &mut Harness<'_, Window>, role: Role, label: &str, text: &str) {
    press(harness, role, label);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.get_by_role_and_label(role, label).type_text(text);
    harness.run();
}

/// What was copied in the last frame.
pub(crate) fn copied(harness: &Harness<'_, Window>) -> Option<String> {
    let commands = &harness.output().platform_output.commands;
    commands.iter().find_map(|command| match command {
        OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    })
}
