//! Short good news in the corner. What went wrong is never a toast: it would be gone before anybody
//! read it.

use egui::{
    Align2, Area, Context, Frame, Id, Order, Rect, Role, Sense, Stroke, UiBuilder, Vec2,
    WidgetInfo, pos2,
};

use super::{
    button::IconButton,
    icons::Icon,
    shapes::Mark,
    tokens::{Tokens, line, radius, space},
    typography::Text,
};

/// What a toast says.
#[derive(Clone, Copy, Debug)]
pub struct Toast<'a> {
    /// Ok, or what else is no trouble.
    pub mark: Mark,
    /// The sentence.
    pub sentence: &'a str,
    /// When it was.
    pub time: &'a str,
}

/// The shortest that a toast stays, in seconds.
pub const STAYS_SECS: f64 = 6.0;

const SIZE: Vec2 = Vec2::new(320.0, 44.0);

/// Draws toasts above the lower right corner of the content, the newest lowest; `above` is how far
/// that corner is from the foot of the window. Returns the one that somebody closed.
pub fn toasts(ctx: &Context, above: f32, toasts: &[Toast<'_>]) -> Option<usize> {
    if toasts.is_empty() {
        return None;
    }
    let mut closed = None;
    Area::new(Id::unique("toasts"))
        .order(Order::Foreground)
        .anchor(Align2::RIGHT_BOTTOM, Vec2::new(-space::XL, -20.0 - above))
        .show(ctx, |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            for (at, toast) in toasts.iter().enumerate() {
                if one(ui, at, toast) {
                    closed = Some(at);
                }
            }
        });
    closed
}

fn one(ui: &mut egui::Ui, at: usize, toast: &Toast<'_>) -> bool {
    let tokens = Tokens::of(ui);
    let (rect, response) = ui.allocate_exact_size(SIZE, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Alert, true, toast.sentence));
    let frame = Frame::new()
        .fill(tokens.panel)
        .stroke(Stroke::new(line::BORDER, tokens.border))
        .corner_radius(radius::CARD)
        .shadow(ui.visuals().popup_shadow);
    ui.painter().add(frame.paint(rect.shrink(line::BORDER)));
    let y = rect.center().y;
    let colour = toast.mark.colour(tokens);
    let mark = pos2(rect.left() + 20.0, y);
    toast
        .mark
        .paint(ui.painter(), mark, 16.0, colour, tokens.panel);
    let cross = Rect::from_center_size(pos2(rect.right() - 22.0, y), Vec2::splat(28.0));
    let at_time = pos2(cross.left() - 4.0, y);
    let time = Text::Caption.write(ui, at_time, Align2::RIGHT_CENTER, toast.time, tokens.muted);
    let words = pos2(rect.left() + 36.0, y);
    let room = time.left() - space::S - words.x;
    Text::Body.write_within(
        ui,
        words,
        Align2::LEFT_CENTER,
        toast.sentence,
        tokens.text,
        room,
    );
    let builder = UiBuilder::new().max_rect(cross).id_salt(("toast", at));
    response.on_hover_text(toast.sentence);
    ui.new_child(builder)
        .add(IconButton::new(Icon::Cross, "Dismiss"))
        .clicked()
}
