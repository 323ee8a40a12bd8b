//! Buttons. There is one filled button in a view; what only goes elsewhere is a link.

use egui::{
    Align2, Color32, CursorIcon, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2, Widget,
    WidgetInfo,
};

use super::{
    icons::Icon,
    tokens::{Tokens, height, line, mix, radius, space},
    typography::Text,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Filled,
    Outline,
    Danger,
    Link,
}

/// A button with a word, and perhaps an icon before it.
#[derive(Clone, Debug)]
#[must_use = "nothing is drawn before it is added to a Ui"]
pub struct Button<'a> {
    kind: Kind,
    word: &'a str,
    icon: Option<Icon>,
    off: bool,
    reason: Option<&'a str>,
    width: Option<f32>,
}

impl<'a> Button<'a> {
    /// The one thing that this view is for.
    pub fn filled(word: &'a str) -> Self {
        Self::of(Kind::Filled, word)
    }

    /// Any other thing that can be done.
    pub fn outline(word: &'a str) -> Self {
        Self::of(Kind::Outline, word)
    }

    /// What destroys or stops something.
    pub fn danger(word: &'a str) -> Self {
        Self::of(Kind::Danger, word)
    }

    /// What goes elsewhere, or matters less.
    pub fn link(word: &'a str) -> Self {
        Self::of(Kind::Link, word)
    }

    const fn of(kind: Kind, word: &'a str) -> Self {
        Self {
            kind,
            word,
            icon: None,
            off: false,
            reason: None,
            width: None,
        }
    }

    /// An icon before the word.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    /// Cannot be pressed now, and why: the reason is its tip. Where a reason is long, it stands
    /// beside the button too.
    pub fn off(mut self, reason: &'a str) -> Self {
        self.off = true;
        self.reason = Some(reason);
        self
    }

    /// Off if there is a reason.
    pub fn off_if(mut self, reason: Option<&'a str>) -> Self {
        self.off = reason.is_some();
        self.reason = reason;
        self
    }

    /// As wide as this instead of as wide as its word.
    pub fn width(mut self, width: f32) -> Self {
        self.width = Some(width);
        self
    }

    fn padding(&self) -> f32 {
        match self.kind {
            Kind::Link => 0.0,
            Kind::Filled | Kind::Outline | Kind::Danger => space::M + 1.0,
        }
    }

    fn paint(&self, ui: &Ui, rect: Rect, response: &Response) -> Color32 {
        let tokens = Tokens::of(ui);
        let border = Stroke::new(line::BORDER, tokens.border);
        let hovered = response.hovered();
        let pressed = response.is_pointer_button_down_on();
        let (fill, mut outline, colour) = match self.kind {
            _ if self.off && self.kind == Kind::Link => {
                (Color32::TRANSPARENT, Stroke::NONE, tokens.muted)
            }
            _ if self.off => (tokens.row_alt, border, tokens.muted),
            Kind::Filled if hovered => (tokens.accent_hover(), Stroke::NONE, tokens.on_accent),
            Kind::Filled => (tokens.accent, Stroke::NONE, tokens.on_accent),
            Kind::Outline if hovered => {
                let outline = Stroke::new(line::BORDER, tokens.control);
                (tokens.row_alt, outline, tokens.text)
            }
            Kind::Outline => (tokens.panel, border, tokens.text),
            Kind::Danger => {
                let fill = if hovered {
                    tokens.tint(tokens.failed)
                } else {
                    tokens.panel
                };
                (
                    fill,
                    Stroke::new(line::BORDER, tokens.failed),
                    tokens.failed,
                )
            }
            Kind::Link => (Color32::TRANSPARENT, Stroke::NONE, tokens.accent),
        };
        if response.has_focus() {
            let ring = Stroke::new(line::FOCUS, tokens.accent);
            // On a fill of its own colour the ring would be lost: it stands around it.
            if matches!(self.kind, Kind::Filled | Kind::Link) {
                let around = rect.expand(3.0);
                ui.painter()
                    .rect_stroke(around, radius::CARD, ring, StrokeKind::Inside);
            } else {
                outline = ring;
            }
        }
        let fill = if pressed && !self.off && self.kind != Kind::Link {
            mix(fill, tokens.text, 0.08)
        } else {
            fill
        };
        if self.kind != Kind::Link {
            ui.painter()
                .rect(rect, radius::CONTROL, fill, outline, StrokeKind::Inside);
        }
        colour
    }
}

impl Widget for Button<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let galley = Text::Name.line_of(ui, self.word, Color32::PLACEHOLDER, f32::INFINITY);
        let pad = self.padding();
        let icon = if self.icon.is_some() {
            Icon::SIZE + 7.0
        } else {
            0.0
        };
        let inner = icon + galley.size().x;
        let wide = self.width.unwrap_or((inner + 2.0 * pad).ceil());
        let sense = if self.off {
            Sense::hover()
        } else {
            Sense::click()
        };
        let (rect, mut response) = ui.allocate_exact_size(Vec2::new(wide, height::CONTROL), sense);
        let enabled = !self.off && ui.is_enabled();
        let role = if self.kind == Kind::Link {
            Role::Link
        } else {
            Role::Button
        };
        response.widget_info(|| WidgetInfo::labeled(role, enabled, self.word));
        if ui.is_rect_visible(rect) {
            let colour = self.paint(ui, rect, &response);
            let left = rect.center().x - inner / 2.0;
            if let Some(symbol) = self.icon {
                let centre = egui::pos2(left + Icon::SIZE / 2.0, rect.center().y);
                symbol.paint(ui.painter(), centre, Icon::SIZE, colour);
            }
            let at = egui::pos2(left + icon, rect.center().y);
            let words = Text::Name.write(ui, at, Align2::LEFT_CENTER, self.word, colour);
            if self.kind == Kind::Link && response.hovered() && !self.off {
                let under = Stroke::new(line::BORDER, colour);
                ui.painter()
                    .hline(words.x_range(), words.bottom() - 0.5, under);
            }
        }
        if !self.off {
            response = response.on_hover_cursor(CursorIcon::PointingHand);
        }
        match self.reason {
            Some(reason) => response.on_hover_text(reason),
            None => response,
        }
    }
}

/// A button that is only an icon; its name is its tip.
#[derive(Clone, Debug)]
#[must_use = "nothing is drawn before it is added to a Ui"]
pub struct IconButton<'a> {
    icon: Icon,
    name: &'a str,
    count: &'a str,
    framed: bool,
}

impl<'a> IconButton<'a> {
    /// A button without a frame.
    pub const fn new(icon: Icon, name: &'a str) -> Self {
        Self {
            icon,
            name,
            count: "",
            framed: false,
        }
    }

    /// With a number beside it.
    pub fn count(mut self, count: &'a str) -> Self {
        self.count = count;
        self
    }

    /// With a frame, beside fields.
    pub fn framed(mut self) -> Self {
        self.framed = true;
        self
    }
}

impl Widget for IconButton<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let tokens = Tokens::of(ui);
        let count = Text::Caption.line_of(ui, self.count, Color32::PLACEHOLDER, f32::INFINITY);
        let beside = match self.count {
            "" => 0.0,
            _ => count.size().x.ceil() + space::XS,
        };
        let size = Vec2::new(height::CONTROL + beside, height::CONTROL);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), self.name));
        let (rest, outline) = if self.framed {
            (tokens.panel, Stroke::new(line::BORDER, tokens.control))
        } else {
            (Color32::TRANSPARENT, Stroke::NONE)
        };
        let fill = if response.hovered() {
            tokens.row_alt
        } else {
            rest
        };
        let outline = if response.has_focus() {
            Stroke::new(line::FOCUS, tokens.accent)
        } else {
            outline
        };
        ui.painter()
            .rect(rect, radius::CONTROL, fill, outline, StrokeKind::Inside);
        let colour = if response.hovered() {
            tokens.text
        } else {
            tokens.muted
        };
        let icon = rect.left_center() + Vec2::new(height::CONTROL / 2.0, 0.0);
        self.icon.paint(ui.painter(), icon, Icon::SIZE, colour);
        let at = rect.left_center() + Vec2::new(height::CONTROL - 2.0, 0.0);
        Text::Caption.write(ui, at, Align2::LEFT_CENTER, self.count, colour);
        response
            .on_hover_cursor(CursorIcon::PointingHand)
            .on_hover_text(self.name)
    }
}
