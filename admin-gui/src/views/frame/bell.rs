//! The bell: what the window has told, the newest first, and where to look further.

use egui::{
    Align, Align2, Layout, Popup, PopupCloseBehavior, Rect, RectAlign, Role, ScrollArea, Sense, Ui,
    UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::{
    kit::{
        Button, Icon, IconButton, Text, Tokens, card,
        tokens::{height, space},
        words,
    },
    state::{Act, Notice, Place},
    views::Sight,
};

const WIDE: f32 = 400.0;
const HIGH: f32 = 336.0;
const EDGE: f32 = 10.0;
const MARK: f32 = 14.0;
/// Above and below what a notice says.
const PAD: f32 = 9.0;
/// A notice is cut after so many lines; its tip has all of it.
const LINES: usize = 3;

/// The button with its list.
pub(super) fn bell(ui: &mut Ui, sight: &mut Sight<'_>) {
    let unseen = sight.state.notices().unseen();
    let count = words::count(unseen);
    let name = match unseen {
        0 => "Notices".to_owned(),
        _ => format!("Notices, {count} new"),
    };
    let mut button = IconButton::new(Icon::Bell, &name);
    if unseen > 0 {
        button = button.count(&count);
    }
    let button = ui.add(button);
    Popup::from_toggle_button_response(&button)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .align(RectAlign::BOTTOM_END)
        .gap(space::XS)
        .accessible_name("Notices")
        .show(|ui| {
            if unseen > 0 {
                sight.ask(Act::SeeNotices);
            }
            list(ui, sight);
        });
}

/// What stands above a list that opens from the bar.
pub(super) fn head(ui: &mut Ui, name: &str, caption: &str) {
    let size = vec2(ui.available_width(), height::ROW);
    let (place, _) = ui.allocate_exact_size(size, Sense::hover());
    let inside = place.shrink2(vec2(EDGE, 8.0));
    card::section_head(
        &mut ui.new_child(UiBuilder::new().max_rect(inside)),
        name,
        caption,
    );
    card::divider(ui);
}

fn list(ui: &mut Ui, sight: &mut Sight<'_>) {
    ui.set_width(WIDE);
    ui.spacing_mut().item_spacing.y = 0.0;
    let state = sight.state;
    let all = state.notices().all();
    head(ui, "Notices", "of this window, the newest first");
    if all.len() == 0 {
        let size = vec2(ui.available_width(), height::ROW_TALL);
        let (place, response) = ui.allocate_exact_size(size, Sense::hover());
        let words = "Nothing has happened in this window yet";
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
        let (at, muted) = (place.left_center() + vec2(EDGE, 0.0), Tokens::of(ui).muted);
        Text::Body.write(ui, at, Align2::LEFT_CENTER, words, muted);
        return;
    }
    let last = all.len() - 1;
    ScrollArea::vertical().max_height(HIGH).show(ui, |ui| {
        for (at, notice) in all.enumerate() {
            one(ui, sight, notice);
            if at < last {
                card::divider(ui);
            }
        }
    });
}

fn one(ui: &mut Ui, sight: &mut Sight<'_>, notice: &Notice) {
    let tokens = Tokens::of(ui);
    let left = EDGE + MARK + space::S;
    let room = ui.available_width() - left - EDGE;
    let text = words::one_line(&notice.text);
    let said = Text::Body.block_of(ui, &text, tokens.text, room, LINES);
    let high = PAD + said.size().y + 2.0 + Text::Caption.line() + PAD;
    let size = vec2(ui.available_width(), high);
    let (place, response) = ui.allocate_exact_size(size, Sense::hover());
    let when = sight.when(notice.at);
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, format!("{text}, {when}")));
    let middle = place.top() + PAD + Text::Body.line() / 2.0;
    let at = pos2(place.left() + EDGE + MARK / 2.0, middle);
    let colour = notice.mark.colour(tokens);
    notice
        .mark
        .paint(ui.painter(), at, MARK, colour, tokens.panel);
    let elided = said.elided;
    let at = pos2(place.left() + left, place.top() + PAD);
    ui.painter().galley(at, said, tokens.text);
    let foot = place.bottom() - PAD - Text::Caption.line() / 2.0;
    let at = pos2(place.left() + left, foot);
    Text::Caption.write(ui, at, Align2::LEFT_CENTER, &when, tokens.muted);
    if elided {
        response.on_hover_text(text);
    }
    if let Some(about) = &notice.about {
        let line = Rect::from_x_y_ranges(
            at.x + 120.0..=place.right() - EDGE,
            foot - height::CONTROL / 2.0..=foot + height::CONTROL / 2.0,
        );
        link(ui, sight, line, notice.number, about);
    }
}

/// Leads to what a notice is about.
fn link(ui: &mut Ui, sight: &mut Sight<'_>, line: Rect, number: u64, about: &Place) {
    let mut word = match about {
        Place::Job(job, _) => format!("Open {job}"),
        place => format!("Go to {}", place.screen().name()),
    };
    let colour = Tokens::of(ui).accent;
    let wide = Text::Name
        .line_of(ui, &word, colour, f32::INFINITY)
        .size()
        .x;
    if wide > line.width() {
        "Open job".clone_into(&mut word);
    }
    let layout = Layout::right_to_left(Align::Center);
    let builder = UiBuilder::new()
        .id_salt(("notice", number))
        .max_rect(line)
        .layout(layout);
    if ui.new_child(builder).add(Button::link(&word)).clicked() {
        sight.ask(Act::Go(about.clone()));
        ui.close();
    }
}
