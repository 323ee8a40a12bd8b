//! A sentence about the whole window, above its content: the daemon does not answer.

use egui::{Align, Align2, Layout, Rect, Role, Sense, Ui, UiBuilder, Vec2, WidgetInfo, pos2};

use super::{
    shapes::Mark,
    tokens::{Tokens, line, space},
    typography::Text,
};

/// What a banner says.
#[derive(Clone, Copy, Debug)]
pub struct Banner<'a> {
    /// How it is.
    pub mark: Mark,
    /// The sentence.
    pub sentence: &'a str,
    /// Why.
    pub cause: &'a str,
    /// The code of the cause.
    pub code: &'a str,
    /// What happens next.
    pub next: &'a str,
}

const HIGH: f32 = 64.0;

/// Draws a banner; `buttons` stand at its right, the first of them outermost.
pub fn banner<R>(ui: &mut Ui, banner: &Banner<'_>, buttons: impl FnOnce(&mut Ui) -> R) -> R {
    let tokens = Tokens::of(ui);
    let size = Vec2::new(ui.available_width(), HIGH);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| {
        let name = format!("{}. {} {}", banner.sentence, banner.cause, banner.next);
        WidgetInfo::labeled(Role::Alert, true, name)
    });
    let painter = ui.painter();
    painter.rect_filled(rect, 0, tokens.panel);
    let foot = rect.with_min_y(rect.bottom() - line::BORDER);
    painter.rect_filled(foot, 0, tokens.border);
    let left = rect.left() + space::XL;
    let y = rect.center().y;
    let colour = banner.mark.colour(tokens);
    banner
        .mark
        .paint(painter, pos2(left + 10.0, y), 20.0, colour, tokens.panel);
    let place = Rect::from_x_y_ranges(rect.center().x..=rect.right() - space::XL, rect.y_range());
    let builder = UiBuilder::new()
        .max_rect(place)
        .layout(Layout::right_to_left(Align::Center));
    let mut right = ui.new_child(builder);
    right.spacing_mut().item_spacing.x = space::M;
    let answer = buttons(&mut right);
    // Words end before the buttons; all of them are on the tip.
    let end = right.min_rect().left() - space::L;
    let colours = (tokens.text, tokens.muted);
    let mut at = pos2(left + 32.0, y - 8.0);
    let head = Text::Section;
    head.write_within(
        ui,
        at,
        Align2::LEFT_CENTER,
        banner.sentence,
        colours.0,
        end - at.x,
    );
    at.y = y + 9.0;
    for (text, words) in [
        (Text::Caption, banner.cause),
        (Text::Code, banner.code),
        (Text::Caption, banner.next),
    ] {
        let room = (end - at.x).max(0.0);
        let written = text.write_within(ui, at, Align2::LEFT_CENTER, words, colours.1, room);
        at.x = written.right() + 10.0;
    }
    response.on_hover_text(format!("{}\n{}", banner.cause, banner.next));
    answer
}
