//! How the recovery kit stands: whether somebody could restore with nothing else.

use backup_model::{ConfiguredRepository, KeysReport, KitInfo};
use egui::{Margin, Ui};
use jiff::Timestamp;
use qrcode::{Color, QrCode};

use super::{
    Own, Sight,
    change::{Draft, What},
};
use crate::kit::{
    Badge, Button, Mark, Text, Tokens,
    card::{divider, padded_card, section_head},
    command_box,
    progress::{Meter, meter},
    qr,
    tokens::space,
    words,
};

pub(super) fn show(
    ui: &mut Ui,
    sight: &Sight<'_>,
    own: &mut Own,
    (repository, keys): (&ConfiguredRepository, &KeysReport),
    asked: &str,
) {
    section_head(ui, "Recovery kit", asked);
    ui.add_space(space::S);
    let kit = &keys.kit;
    padded_card(ui, "Recovery kit", Margin::symmetric(18, 14), |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        head(ui, sight, keys);
        ui.add_space(space::S);
        let tokens = Tokens::of(ui);
        let live = sight.is_live();
        let text = if live { tokens.text } else { tokens.muted };
        ui.label(Text::Body.rich(standing(sight, kit), text));
        ui.add_space(space::XS);
        let holds = "A kit is secret and has all that a bare machine needs to restore. It is not \
                     kept here";
        ui.label(Text::Caption.rich(holds, tokens.muted));
        if let (Some(proved), Some(until)) = (kit.proved, kit.until) {
            ui.add_space(space::M);
            year(ui, sight, proved, until);
        }
        ui.add_space(space::M);
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = space::S;
            for (what, word) in [
                (What::MakeKit, "Make a kit…"),
                (What::ProveKit, "Prove a kit…"),
            ] {
                if ui.add(Button::outline(word)).clicked() {
                    own.change = Some(Draft::of(&keys.repository, what, ""));
                }
            }
        });
        ui.add_space(space::M);
        divider(ui);
        ui.add_space(space::M);
        code(ui, own, repository, keys);
        ui.add_space(space::M);
        step(ui, "Print it", "backupctl kit print KIT");
    });
}

/// A code, made anew when what it holds is another.
#[derive(Debug, Default)]
pub(super) struct Code {
    words: String,
    modules: Vec<bool>,
    side: usize,
}

impl Code {
    fn of(&mut self, words: String) -> &Self {
        if self.words != words {
            let made = QrCode::new(&words).ok();
            self.side = made.as_ref().map_or(0, QrCode::width);
            let dark = made.map_or_else(Vec::new, QrCode::into_colors);
            self.modules = dark.into_iter().map(|one| one == Color::Dark).collect();
            self.words = words;
        }
        self
    }
}

/// What is public of a kit: where the repository is, what signs it, and whose keys open it.
fn code(ui: &mut Ui, own: &mut Own, repository: &ConfiguredRepository, keys: &KeysReport) {
    let owners = keys.administrators.iter();
    let owners = owners.map(|one| format!("{} {}", one.name, one.kind));
    let words = format!(
        "{}\n{}\n{}",
        repository.url,
        repository
            .trust
            .as_deref()
            .unwrap_or("no root key is configured"),
        owners.collect::<Vec<_>>().join("\n")
    );
    let code = own.code.of(words);
    if code.side == 0 {
        return;
    }
    let muted = Tokens::of(ui).muted;
    let words = "Address, root key and whose keys open it: public";
    ui.label(Text::Caption.rich(words, muted));
    ui.add_space(space::XS);
    qr(
        ui,
        "Address and root key of the repository",
        &code.modules,
        code.side,
    );
}

fn head(ui: &mut Ui, sight: &Sight<'_>, keys: &KeysReport) {
    let tokens = Tokens::of(ui);
    let (mark, word) = match (sight.is_live(), keys.kit.at_risk) {
        (true, false) => (Mark::Ok, "Proved"),
        (true, true) => (Mark::Warn, "At risk"),
        (false, false) => (Mark::Unknown, "was proved"),
        (false, true) => (Mark::Unknown, "was at risk"),
    };
    let layout = egui::Layout::right_to_left(egui::Align::Center);
    let size = egui::vec2(ui.available_width(), Text::Section.line());
    ui.allocate_ui_with_layout(size, layout, |ui| {
        ui.add(Badge::new(mark, word));
        let left = egui::Layout::left_to_right(egui::Align::Center);
        ui.with_layout(left, |ui| {
            let name = format!("Kit of {}", words::one_line(&keys.repository));
            crate::kit::table::words(ui, Text::Section, &name, tokens.text);
        });
    });
}

/// How it stands, and since when.
fn standing(sight: &Sight<'_>, kit: &KitInfo) -> String {
    let day = kit.proved.map(|at| words::day(at, sight.now, sight.zone));
    let said = words::one_line(&kit.standing);
    match (kit.at_risk, day) {
        (false, Some(day)) => format!("Proved {day}"),
        (true, Some(day)) => format!("Last proved {day}, which counts no more: {said}"),
        (_, None) => {
            let mut letters = said.chars();
            let first = letters.next().map(|first| first.to_uppercase().to_string());
            first.unwrap_or_default() + letters.as_str()
        }
    }
}

/// How much of the time is over for which a proof counts.
fn year(ui: &mut Ui, sight: &Sight<'_>, proved: Timestamp, until: Timestamp) {
    let day = words::day(until, sight.now, sight.zone);
    let left = if sight.is_live() {
        words::ahead(until, sight.now)
    } else {
        String::new()
    };
    meter(
        ui,
        Meter {
            reached: &format!("Prove again by {day}"),
            wanted: &left,
            share: over(proved, until, sight.now),
            mark: if sight.is_live() {
                Mark::Ok
            } else {
                Mark::Unknown
            },
        },
    );
}

fn over(proved: Timestamp, until: Timestamp, now: Timestamp) -> f32 {
    let whole = until.duration_since(proved).as_secs_f32().max(1.0);
    (now.duration_since(proved).as_secs_f32() / whole).clamp(0.0, 1.0)
}

/// What is done in a terminal, and how.
pub(super) fn step(ui: &mut Ui, what: &str, command: &str) {
    let muted = Tokens::of(ui).muted;
    ui.label(Text::Caption.rich(what, muted));
    ui.add_space(space::XS);
    command_box(ui, command);
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_year_passes_from_one_end_to_the_other() {
        let proved = Timestamp::UNIX_EPOCH;
        let days = |days: i64| proved + SignedDuration::from_hours(24 * days);
        let share = |day| over(proved, days(365), days(day));
        assert!(share(0) < 0.001);
        assert!((share(73) - 0.2).abs() < 0.001);
        assert!((share(400) - 1.0).abs() < f32::EPSILON);
        assert!(share(-3) < f32::EPSILON);
    }
}
