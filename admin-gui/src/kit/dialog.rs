//! A question that must be answered first. The safe answer has the focus; Esc gives it; and the
//! focus goes back to where it was.

use egui::{Align, Context, Frame, Id, Layout, Margin, Modal, Role, Stroke, Ui, Vec2, WidgetInfo};

use super::{
    button::Button,
    tokens::{Tokens, height, line, radius, space},
    typography::Text,
};

/// What was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Leave everything as it is.
    Safe,
    /// Do it.
    Act,
}

/// A dialog.
#[derive(Clone, Debug)]
#[must_use = "nothing is drawn before `show`"]
pub struct Dialog<'a> {
    title: &'a str,
    safe: &'a str,
    act: &'a str,
    danger: bool,
    off: Option<&'a str>,
    width: f32,
}

impl<'a> Dialog<'a> {
    /// A question with the word for no and the word for yes.
    pub const fn new(title: &'a str, safe: &'a str, act: &'a str) -> Self {
        Self {
            title,
            safe,
            act,
            danger: false,
            off: None,
            width: 440.0,
        }
    }

    /// Yes destroys or stops something.
    pub const fn danger(mut self) -> Self {
        self.danger = true;
        self
    }

    /// Yes cannot be said now, and why.
    pub const fn off_if(mut self, reason: Option<&'a str>) -> Self {
        self.off = reason;
        self
    }

    /// How wide.
    pub const fn width(mut self, width: f32) -> Self {
        self.width = width;
        self
    }

    /// Draws it over everything; `None` until it is answered. Input survives an answer that the
    /// daemon refuses: the caller closes it by not showing it again.
    pub fn show(&self, ctx: &Context, content: impl FnOnce(&mut Ui)) -> Option<Answer> {
        let id = Id::unique(("dialog", self.title));
        let opens = opens(ctx, id);
        let tokens = Tokens::of_theme(ctx.theme());
        let frame = Frame::new()
            .fill(tokens.panel)
            .stroke(Stroke::new(line::BORDER, tokens.border))
            .corner_radius(radius::CARD)
            .inner_margin(Margin::same(20))
            .shadow(ctx.style_of(ctx.theme()).visuals.window_shadow);
        let modal = Modal::new(id)
            .frame(frame)
            .backdrop_color(tokens.scrim)
            .show(ctx, |ui| {
                ui.set_width(self.width);
                ui.spacing_mut().item_spacing = Vec2::new(space::S, space::S);
                let title = ui.label(Text::Title.rich(self.title, tokens.text));
                title.widget_info(|| WidgetInfo::labeled(Role::Heading, true, self.title));
                content(ui);
                ui.add_space(space::S);
                self.buttons(ui, opens)
            });
        ctx.accesskit_node_builder(modal.response.id, |node| {
            node.set_role(Role::Dialog);
            node.set_label(self.title);
        });
        let answer = if modal.should_close() {
            Some(Answer::Safe)
        } else {
            modal.inner
        };
        if answer.is_some() {
            give_back(ctx, id);
        }
        answer
    }

    fn buttons(&self, ui: &mut Ui, first: bool) -> Option<Answer> {
        let mut answer = None;
        // No higher than a button: a dialog that has grown once would stay so.
        let size = Vec2::new(ui.available_width(), height::CONTROL);
        let layout = Layout::right_to_left(Align::Center);
        ui.allocate_ui_with_layout(size, layout, |ui| {
            let act = if self.danger {
                Button::danger(self.act)
            } else {
                Button::filled(self.act)
            };
            if ui.add(act.off_if(self.off)).clicked() {
                answer = Some(Answer::Act);
            }
            let safe = ui.add(Button::outline(self.safe));
            if first {
                safe.request_focus();
            }
            if safe.clicked() {
                answer = Some(Answer::Safe);
            }
        });
        answer
    }
}

/// What had the focus when the dialog opened, and when it was last drawn.
#[derive(Clone, Copy, Default)]
struct Opened {
    before: Option<Id>,
    frame: u64,
}

/// Remembers what has the focus if the dialog opens now; returns whether it does.
fn opens(ctx: &Context, id: Id) -> bool {
    let frame = ctx.cumulative_frame_nr();
    let known = ctx.data(|data| data.get_temp::<Opened>(id));
    let known = known.filter(|opened| frame - opened.frame <= 1);
    let opened = known.map_or_else(
        || Opened {
            // One that stays open after an answer knows better than what has the focus now.
            before: ctx
                .data(|data| data.get_temp::<Waiting>(waiting()))
                .and_then(|waiting| waiting.0)
                .or_else(|| ctx.memory(egui::Memory::focused)),
            frame,
        },
        |opened| Opened { frame, ..opened },
    );
    ctx.data_mut(|data| data.insert_temp(id, opened));
    known.is_none()
}

/// What gets the focus once no dialog is open: while one is, egui takes the focus from everything
/// below it, and that lasts for a frame after the dialog has gone.
#[derive(Clone, Copy, Default)]
struct Waiting(Option<Id>);

fn waiting() -> Id {
    Id::unique("focus after a dialog")
}

fn give_back(ctx: &Context, id: Id) {
    let opened = ctx.data_mut(|data| data.remove_temp::<Opened>(id));
    let before = opened.and_then(|opened| opened.before);
    ctx.data_mut(|data| data.insert_temp(waiting(), Waiting(before)));
    ctx.request_repaint();
}

/// Before each frame: the focus goes back to where it was before a dialog.
pub(super) fn return_focus(ctx: &Context) {
    let Some(Waiting(Some(before))) = ctx.data(|data| data.get_temp(waiting())) else {
        return;
    };
    let open = ctx.memory(|memory| memory.top_modal_layer().is_some());
    if open {
        ctx.request_repaint();
    } else {
        ctx.memory_mut(|memory| memory.request_focus(before));
        ctx.data_mut(|data| data.remove_temp::<Waiting>(waiting()));
    }
}
