//! What somebody would write into the configuration: line by line, as a difference.

use egui::{Align2, Margin, Role, Sense, Ui, WidgetInfo, vec2};

use crate::{
    kit::{
        Button, Icon, Text, Tokens, card,
        tokens::{height, space},
    },
    state::Keep,
};

const LINE: f32 = 20.0;

/// A line of the table, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Stays,
    Goes,
    Comes,
}

/// The table before and after, as one list.
fn lines(before: Keep, after: Keep) -> Vec<(Fate, String)> {
    let mut lines = Vec::new();
    let counts = before.0.into_iter().zip(after.0);
    for (rule, (before, after)) in Keep::RULES.iter().zip(counts) {
        let line = |count: u32| format!("{} = {count}", rule.key);
        if before == after {
            lines.extend((before > 0).then(|| (Fate::Stays, line(before))));
            continue;
        }
        lines.extend((before > 0).then(|| (Fate::Goes, line(before))));
        lines.extend((after > 0).then(|| (Fate::Comes, line(after))));
    }
    lines
}

/// The lines as they would be: in the place of all counts that are there.
fn text(before: Keep, after: Keep) -> String {
    let kept = lines(before, after).into_iter();
    let kept = kept.filter(|(fate, _)| *fate != Fate::Goes);
    let lines: Vec<String> = kept.map(|(_, line)| line + "\n").collect();
    lines.concat()
}

/// Draws it, with where it belongs; returns whether somebody wants it as it was.
pub(super) fn show(ui: &mut Ui, has_policy: bool, keep: Option<Keep>, before: Keep) -> bool {
    let tokens = Tokens::of(ui);
    let changed = keep.filter(|keep| *keep != before);
    let head = if changed.is_some() {
        "Change"
    } else {
        "In force"
    };
    card::section_head(ui, head, "");
    ui.add_space(space::S);
    if changed.is_none() && !has_policy {
        let words = "No policy: everything stays";
        ui.label(Text::Body.rich(words, tokens.muted));
        return false;
    }
    // A job without a policy has none of its lines, not even the usual one.
    let old = if has_policy { before } else { Keep::default() };
    let after = changed.unwrap_or(before);
    card::padded_card(ui, head, Margin::symmetric(0, 6), |ui| {
        for (fate, words) in lines(old, after) {
            line(ui, fate, &words);
        }
    });
    ui.add_space(space::S);
    let words = "The server's configuration says what holds; change it there";
    ui.label(Text::Caption.rich(words, tokens.muted));
    if changed.is_none() {
        return false;
    }
    ui.add_space(space::S);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        let copy = Button::outline("Copy lines").icon(Icon::Copy);
        if ui.add(copy).clicked() {
            ui.copy_text(text(old, after));
        }
        ui.add(Button::outline("Discard")).clicked()
    })
    .inner
}

fn line(ui: &mut Ui, fate: Fate, words: &str) {
    let tokens = Tokens::of(ui);
    let (sign, says, colour) = match fate {
        Fate::Stays => (" ", "stays", tokens.text),
        Fate::Goes => ("-", "goes", tokens.failed),
        Fate::Comes => ("+", "comes", tokens.ok),
    };
    let size = vec2(ui.available_width(), LINE.min(height::ROW_COMPACT));
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, format!("{words}, {says}")));
    if fate != Fate::Stays {
        ui.painter().rect_filled(rect, 0, tokens.tint(colour));
    }
    let at = rect.left_center() + vec2(10.0, 0.0);
    let shown = format!("{sign} {words}");
    Text::Mono.write(ui, at, Align2::LEFT_CENTER, &shown, colour);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_line_by_line() {
        let before = Keep([12, 0, 14, 8, 0, 0, 2]);
        let after = Keep([12, 24, 7, 0, 0, 0, 2]);
        let told = lines(before, after);
        let told: Vec<_> = told.iter().map(|(fate, line)| (*fate, &**line)).collect();
        let wanted = [
            (Fate::Stays, "keep_last = 12"),
            (Fate::Comes, "keep_hourly = 24"),
            (Fate::Goes, "keep_daily = 14"),
            (Fate::Comes, "keep_daily = 7"),
            (Fate::Goes, "keep_weekly = 8"),
            (Fate::Stays, "min_keep = 2"),
        ];
        assert_eq!(told, wanted);
        let wanted = "keep_last = 12\nkeep_hourly = 24\nkeep_daily = 7\nmin_keep = 2\n";
        assert_eq!(text(before, after), wanted);
    }
}
