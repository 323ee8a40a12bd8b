//! Fields for text, with their label above and what is wrong with them below.

use egui::{
    Align, Align2, CornerRadius, Frame, Id, Rect, Response, Sense, Shape, Stroke, StrokeKind,
    TextBuffer, TextEdit, Ui, UiBuilder, Vec2, Widget, emath::GuiRounding as _, epaint::RectShape,
    pos2,
};

use super::{
    icons::Icon,
    shapes::Mark,
    tokens::{Tokens, height, line, radius, space},
    typography::Text,
};

/// A field of one line.
#[must_use = "nothing is drawn before it is added to a Ui"]
pub struct Field<'a> {
    text: &'a mut dyn TextBuffer,
    label: &'a str,
    show_label: bool,
    hint: &'a str,
    error: Option<&'a str>,
    icon: Option<Icon>,
    key: &'a str,
    width: f32,
    font: Text,
    align: Align,
    changed: bool,
    quiet: bool,
    pub(super) masked: bool,
    /// Room at the right for what is drawn there by others.
    pub(super) right: f32,
    id: Option<Id>,
}

impl std::fmt::Debug for Field<'_> {
    /// Without the text: it may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Field")
            .field("label", &self.label)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl<'a> Field<'a> {
    /// A field with its label above it.
    pub fn new(label: &'a str, text: &'a mut dyn TextBuffer) -> Self {
        Self {
            text,
            label,
            show_label: true,
            hint: "",
            error: None,
            icon: None,
            key: "",
            width: f32::INFINITY,
            font: Text::Body,
            align: Align::Min,
            changed: false,
            quiet: false,
            masked: false,
            right: 0.0,
            id: None,
        }
    }

    /// The label is only for those who do not see the field: it stands elsewhere, or the hint says it.
    pub fn unlabelled(mut self) -> Self {
        self.show_label = false;
        self
    }

    /// What stands in the field while it is empty.
    pub fn hint(mut self, hint: &'a str) -> Self {
        self.hint = hint;
        self
    }

    /// What is wrong with the text, if anything. It is shown once the field has no focus.
    pub fn error(mut self, error: Option<&'a str>) -> Self {
        self.error = error;
        self
    }

    /// An icon inside the field.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    /// The key that leads here, shown at the right while the field is empty and has no focus.
    pub fn key(mut self, key: &'a str) -> Self {
        self.key = key;
        self
    }

    /// How wide; else as wide as there is room.
    pub fn width(mut self, width: f32) -> Self {
        self.width = width;
        self
    }

    /// For paths, ids and schedules.
    pub fn mono(mut self) -> Self {
        self.font = Text::Mono;
        self
    }

    /// For numbers.
    pub fn right_aligned(mut self) -> Self {
        self.align = Align::Max;
        self
    }

    /// The text is not what is saved.
    pub fn changed(mut self, changed: bool) -> Self {
        self.changed = changed;
        self
    }

    /// In the frame of the window, where it must not be louder than what is shown there.
    pub fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Under this id in egui's memory, so that others can give it the focus.
    pub fn id(mut self, id: Id) -> Self {
        self.id = Some(id);
        self
    }

    fn edit(self, ui: &mut Ui, frame: Rect) -> Response {
        let tokens = Tokens::of(ui);
        let background = ui.painter().add(Shape::Noop);
        let mut inside = frame.shrink2(Vec2::new(9.0, 0.0));
        if let Some(icon) = self.icon {
            let centre = inside.left_center() + Vec2::new(7.0, 0.0);
            icon.paint(ui.painter(), centre, 14.0, tokens.muted);
            inside.min.x += 14.0 + space::S;
        }
        inside.max.x -= self.right;
        let empty = self.text.as_str().is_empty();
        let font = if self.changed {
            Text::Strong
        } else {
            self.font
        };
        let mut edit = TextEdit::singleline(self.text)
            .frame(Frame::NONE)
            .margin(egui::Margin::ZERO)
            .font(font.font())
            .text_color(tokens.text)
            .password(self.masked)
            .desired_width(inside.width())
            .min_size(inside.size())
            .align(Align2([self.align, Align::Center]))
            .hint_text(font.rich(self.hint, tokens.muted));
        if let Some(id) = self.id {
            edit = edit.id(id);
        }
        let response = ui
            .new_child(UiBuilder::new().max_rect(inside))
            .add(edit)
            .accessible_name(self.label);

        let focused = response.has_focus();
        if !focused && empty && !self.key.is_empty() {
            key_cap(ui, frame.right_center() - Vec2::new(8.0, 0.0), self.key);
        }
        let outline = match self.error {
            _ if focused => Stroke::new(line::FOCUS, tokens.accent),
            Some(_) => Stroke::new(line::BORDER, tokens.failed),
            None if self.changed => Stroke::new(line::BORDER, tokens.accent),
            None if response.hovered() => Stroke::new(line::BORDER, tokens.text),
            None if self.quiet => Stroke::new(line::BORDER, tokens.border),
            None => Stroke::new(line::BORDER, tokens.control),
        };
        let corners = CornerRadius::same(radius::CONTROL);
        let shape = RectShape::new(frame, corners, tokens.panel, outline, StrokeKind::Inside);
        ui.painter().set(background, shape);
        response
    }
}

/// The cap of a key, ending at a point.
pub fn key_cap(ui: &Ui, right: egui::Pos2, key: &str) -> Rect {
    let tokens = Tokens::of(ui);
    let words = Text::Axis.line_of(ui, key, tokens.muted, f32::INFINITY);
    let size = Vec2::new(words.size().x.ceil() + 10.0, 18.0);
    let rect = Rect::from_min_size(right - Vec2::new(size.x, size.y / 2.0), size)
        .round_to_pixels(ui.pixels_per_point());
    let outline = Stroke::new(line::BORDER, tokens.border);
    ui.painter()
        .rect_stroke(rect, radius::SMALL, outline, StrokeKind::Inside);
    Text::Axis.write(ui, rect.center(), Align2::CENTER_CENTER, key, tokens.muted);
    rect
}

impl Widget for Field<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let tokens = Tokens::of(ui);
        let wide = self.width.min(ui.available_width());
        // Nobody is told of a mistake in the middle of a word, and nothing moves under the pointer.
        let key = ui.next_auto_id().with("typing");
        let typing = ui.data(|data| data.get_temp(key)).unwrap_or(false);
        let (label, error) = (self.label, self.error.filter(|_| !typing));
        let above = if self.show_label {
            Text::Caption.line() + 3.0
        } else {
            0.0
        };
        let below = error.map(|words| {
            let room = wide - 18.0;
            Text::Caption.block_of(ui, words, tokens.failed, room, 3)
        });
        let under = below.as_ref().map_or(0.0, |words| words.size().y + 4.0);
        let size = Vec2::new(wide, above + height::CONTROL + under);
        let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
        if self.show_label {
            let at = rect.left_top() + Vec2::new(0.0, Text::Caption.line() / 2.0);
            Text::Caption.write(ui, at, Align2::LEFT_CENTER, label, tokens.muted);
        }
        let top = rect.top() + above;
        let frame = Rect::from_x_y_ranges(rect.x_range(), top..=top + height::CONTROL);
        let response = self.edit(ui, frame);
        if response.has_focus() != typing {
            ui.data_mut(|data| data.insert_temp(key, !typing));
            ui.ctx().request_repaint();
        }
        if let Some(words) = below {
            let y = frame.bottom() + 4.0;
            let at = pos2(rect.left() + 6.0, y + Text::Caption.line() / 2.0);
            Mark::Failed.paint(ui.painter(), at, 12.0, tokens.failed, tokens.panel);
            ui.painter()
                .galley(pos2(rect.left() + 18.0, y), words, tokens.failed);
            // Read together with the field, and not only seen.
            ui.ctx().accesskit_node_builder(response.id, |node| {
                node.set_description(error.unwrap_or_default());
                node.set_invalid(egui::accesskit::Invalid::True);
            });
        }
        response
    }
}
