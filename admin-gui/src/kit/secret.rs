//! Secrets: hidden, and shown only while somebody holds a button down.

use egui::{
    Align2, Id, Key, Response, Role, Sense, TextBuffer, TextEdit, Ui, Vec2, Widget, WidgetInfo,
    pos2,
};

use super::{
    field::Field,
    icons::Icon,
    tokens::{Tokens, height, line, radius, space},
    typography::Text,
};

/// A field for a passphrase or a secret key.
#[derive(Debug)]
#[must_use = "nothing is drawn before it is added to a Ui"]
pub struct SecretField<'a> {
    field: Field<'a>,
    label: &'a str,
    labelled: bool,
}

impl<'a> SecretField<'a> {
    /// A field with its label above it. The buffer should be one that wipes itself.
    pub fn new(label: &'a str, text: &'a mut dyn TextBuffer) -> Self {
        Self {
            field: Field::new(label, text).mono(),
            label,
            labelled: true,
        }
    }

    /// What is wrong with the text, if anything.
    pub fn error(mut self, error: Option<&'a str>) -> Self {
        self.field = self.field.error(error);
        self
    }

    /// How wide; else as wide as there is room.
    pub fn width(mut self, width: f32) -> Self {
        self.field = self.field.width(width);
        self
    }

    /// The label stands elsewhere.
    pub fn unlabelled(mut self) -> Self {
        self.field = self.field.unlabelled();
        self.labelled = false;
        self
    }
}

impl Widget for SecretField<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let id = ui.make_persistent_id(("secret", self.label));
        let eye_id = id.with("reveal");
        let shown = ui
            .ctx()
            .read_response(eye_id)
            .is_some_and(|eye| held(ui, &eye));
        let mut field = self.field.id(id);
        field.masked = !shown;
        field.right = 24.0;
        let response = ui.add(field);
        forget_undo(ui, id);

        let top = response.rect.center().y;
        let centre = pos2(response.rect.right() + 24.0 - 7.0, top);
        let place = egui::Rect::from_center_size(centre, Vec2::splat(height::CONTROL - 4.0));
        let eye = ui.interact(place, eye_id, Sense::click());
        let name = format!("Hold to show {}", self.label);
        eye.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        let tokens = Tokens::of(ui);
        let colour = if shown || eye.hovered() {
            tokens.text
        } else {
            tokens.muted
        };
        Icon::Eye.paint(ui.painter(), place.center(), 16.0, colour);
        ring(ui, &eye, place);
        eye.on_hover_text("Hold to show");
        response
    }
}

/// egui keeps what was typed before for undo; of a secret nothing is kept.
fn forget_undo(ui: &Ui, id: Id) {
    if let Some(mut state) = TextEdit::load_state(ui.ctx(), id) {
        state.clear_undoer();
        TextEdit::store_state(ui.ctx(), id, state);
    }
}

/// Whether a button is held, by the pointer or by the space bar.
fn held(ui: &Ui, button: &Response) -> bool {
    button.is_pointer_button_down_on()
        || (button.has_focus() && ui.input(|input| input.key_down(Key::Space)))
}

fn ring(ui: &Ui, response: &Response, place: egui::Rect) {
    if response.has_focus() {
        let ring = egui::Stroke::new(line::FOCUS, Tokens::of(ui).accent);
        ui.painter()
            .rect_stroke(place, radius::SMALL, ring, egui::StrokeKind::Inside);
    }
}

/// A secret that is there already: dots, and the words while the button is held. Its name for those
/// who do not see it never has the secret in it.
pub fn secret_line(ui: &mut Ui, label: &str, secret: &str) -> Response {
    let tokens = Tokens::of(ui);
    let size = Vec2::new(ui.available_width(), height::CONTROL);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let word = "Hold to reveal";
    let wide = Text::Name
        .line_of(ui, word, tokens.text, f32::INFINITY)
        .size()
        .x
        + 26.0;
    let place = rect.with_min_x(rect.right() - wide.ceil());
    let id = ui.make_persistent_id(("secret line", label));
    let button = ui.interact(place, id, Sense::click());
    let name = format!("{word}, {label}");
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));

    let at = rect.left_center();
    let written = Text::Body.write(ui, at, Align2::LEFT_CENTER, label, tokens.muted);
    let at = written.right_center() + Vec2::new(space::M, 0.0);
    let room = place.left() - space::M - at.x;
    let shown = held(ui, &button);
    let dots = if room < 130.0 {
        "••••••"
    } else {
        "•••••• •••••• ••••••"
    };
    let (words, colour) = if shown {
        (secret, tokens.text)
    } else {
        (dots, tokens.muted)
    };
    Text::Mono.write_within(ui, at, Align2::LEFT_CENTER, words, colour, room);

    let (fill, border) = if shown || button.hovered() {
        (tokens.row_alt, tokens.control)
    } else {
        (tokens.panel, tokens.border)
    };
    let outline = egui::Stroke::new(line::BORDER, border);
    ui.painter().rect(
        place,
        radius::CONTROL,
        fill,
        outline,
        egui::StrokeKind::Inside,
    );
    Text::Name.write(ui, place.center(), Align2::CENTER_CENTER, word, tokens.text);
    ring(ui, &button, place);
    button
}
