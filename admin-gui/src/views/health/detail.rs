//! The open row: what was seen | what to do, and where it is about room, what is stored over time.

use egui::{Align, Layout, Rect, Ui, UiBuilder, pos2, vec2};

use super::{
    Sight, fix,
    item::{Shown, number},
    list::{EDGE, WHAT, evidence_room},
    stored,
};
use crate::kit::{
    Text, Tokens, command_box, facts,
    tokens::{line, space},
    words,
};

/// So much of the width is for what was seen.
const SEEN: f32 = 0.455;
const GAP: f32 = 28.0;
/// More than either half is ever high: what is long is scrolled, and never squeezed.
const ROOM: f32 = 4000.0;

/// Draws both halves side by side, as high as the higher one.
pub(super) fn show(ui: &mut Ui, sight: &Sight<'_>, own: &mut stored::Own, item: &Shown<'_>) {
    let border = Tokens::of(ui).border;
    let whole = ui.available_rect_before_wrap();
    let (left, right) = (whole.left() + WHAT, whole.right() - EDGE);
    let middle = left + (right - left) * SEEN + GAP;
    let top = whole.top();
    let half = |from: f32, to: f32| Rect::from_min_max(pos2(from, top), pos2(to, top + ROOM));
    let mut low = top;
    for (side, place) in [half(left, middle - GAP), half(middle + GAP, right)]
        .into_iter()
        .enumerate()
    {
        let builder = UiBuilder::new()
            .id_salt((item.key(), side))
            .max_rect(place)
            .layout(Layout::top_down(Align::Min));
        let ui = &mut ui.new_child(builder);
        ui.spacing_mut().item_spacing.y = space::S;
        if side == 0 {
            seen(ui, sight, item, evidence_room(whole));
        } else {
            to_do(ui, sight, item);
            stored::show(ui, sight, own, item);
        }
        low = low.max(ui.min_rect().bottom());
    }
    ui.painter()
        .vline(middle, top..=low, egui::Stroke::new(line::BORDER, border));
    let high = low - top + space::L;
    ui.allocate_space(vec2(whole.width(), high));
}

/// What the line above says is not said again, unless it had to be cut there.
fn seen(ui: &mut Ui, sight: &Sight<'_>, item: &Shown<'_>, above: f32) {
    let tokens = Tokens::of(ui);
    let text = known(ui, sight);
    // So that the first fact stands on the line of the first words at the right.
    ui.spacing_mut().item_spacing.y = space::XS;
    let at = sight.state.health().value.map(|report| report.at);
    let at = at.map(|at| words::moment(at, sight.now, sight.zone));
    let caption = at.map_or_else(
        || "What was seen".to_owned(),
        |at| format!("What was seen, {at}"),
    );
    ui.label(Text::Caption.rich(caption, tokens.muted));
    let evidence = item.evidence(sight);
    if Text::Body.line_of(ui, &evidence, text, above).elided {
        ui.add_space(space::XS);
        ui.label(Text::Body.rich(evidence, text));
    }
    let channel = item.channel;
    facts(ui, 108.0, |facts| {
        facts.row("Object", &item.object());
        facts.mono("Check", &item.item.id);
        for (name, value) in &item.item.numbers {
            let (name, value) = number(name, *value);
            facts.row(&name, &value);
        }
        if let Some(channel) = channel {
            let when = |at: Option<jiff::Timestamp>| {
                at.map_or_else(|| "never".to_owned(), |at| sight.when(at))
            };
            facts.row("Kind", &channel.kind.to_string());
            facts.row("Last delivered", &when(channel.last_delivered));
            if channel.last_failed.is_some() {
                facts.row("Last given up", &when(channel.last_failed));
            }
        }
    });
}

/// What is of yesterday is muted.
fn known(ui: &Ui, sight: &Sight<'_>) -> egui::Color32 {
    let tokens = Tokens::of(ui);
    if sight.is_live() {
        tokens.text
    } else {
        tokens.muted
    }
}

fn to_do(ui: &mut Ui, sight: &Sight<'_>, item: &Shown<'_>) {
    let tokens = Tokens::of(ui);
    ui.label(Text::Caption.rich("What to do", tokens.muted));
    let Some(fix) = &item.item.fix else {
        ui.label(Text::Body.rich("Nothing, it is as it should be", tokens.muted));
        return;
    };
    let steps = fix::steps(fix);
    if !steps.words.is_empty() {
        ui.label(Text::Body.rich(steps.words, known(ui, sight)));
    }
    for command in &steps.commands {
        command_box(ui, command);
    }
}
