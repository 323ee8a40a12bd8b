//! What a screen is put on: its distances, its head, and what is said when it could not be asked
//! anew.

use backup_model::Failure;
use egui::{Align, Key, Layout, Modifiers, Rect, Role, Ui, UiBuilder, WidgetInfo, vec2};
use jiff::{SignedDuration, Timestamp};

use super::{Sight, next_step::next_step};
use crate::kit::{
    Field, Icon, Mark, Text, Tokens,
    finding::{Finding, finding},
    tokens::{height, space},
};

/// The content of a window that is wider than this stays so wide.
const WIDEST: f32 = 1280.0;
const TOP: f32 = 20.0;
const FILTER: f32 = 300.0;
/// Below a head.
pub(super) const BELOW_HEAD: f32 = 14.0;
/// An answer that comes sooner than this is not announced.
const SOON: SignedDuration = SignedDuration::from_millis(300);

/// Gives the place for the content of a screen.
pub(super) fn page<R>(ui: &mut Ui, content: impl FnOnce(&mut Ui) -> R) -> R {
    let whole = ui.available_rect_before_wrap();
    let wide = (whole.width() - 2.0 * space::XL).min(WIDEST);
    let rect = Rect::from_min_max(
        whole.min + vec2(space::XL, TOP),
        egui::pos2(whole.left() + space::XL + wide, whole.bottom() - space::L),
    );
    let layout = Layout::top_down(Align::Min);
    ui.scope_builder(UiBuilder::new().max_rect(rect).layout(layout), content)
        .inner
}

/// The head of a screen: its name with what counts beside it, and what can be done at the right.
pub(super) fn head(
    ui: &mut Ui,
    name: &str,
    left: impl FnOnce(&mut Ui),
    right: impl FnOnce(&mut Ui),
) {
    let tokens = Tokens::of(ui);
    ui.horizontal(|ui| {
        ui.set_min_height(height::CONTROL);
        ui.spacing_mut().item_spacing.x = space::S;
        let title = ui.label(Text::Title.rich(name, tokens.text));
        title.widget_info(|| WidgetInfo::labeled(Role::Heading, true, name));
        ui.add_space(space::XS);
        left(ui);
        ui.with_layout(Layout::right_to_left(Align::Center), right);
    });
    ui.add_space(BELOW_HEAD);
}

/// A field that says which rows are meant. The key `/` leads to it.
pub(super) fn filter(ui: &mut Ui, name: &str, hint: &str, text: &mut String) {
    let typing = ui.ctx().egui_wants_keyboard_input();
    let id = ui.make_persistent_id(name);
    let field = Field::new(name, text)
        .unlabelled()
        .hint(hint)
        .icon(Icon::Filter)
        .key("/")
        .width(FILTER)
        .id(id);
    let field = ui.add(field);
    if !typing && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Slash)) {
        field.request_focus();
    }
}

/// That something went wrong, above what is still known.
pub(super) fn trouble(ui: &mut Ui, what: &str, failure: &Failure) {
    let sentence = failure.to_string();
    let told = Finding {
        mark: Mark::Warn,
        name: what,
        sentence: &sentence,
        fix: next_step(failure.code).unwrap_or_default(),
        code: failure.code.as_str(),
        action: "",
    };
    crate::kit::card::frame(ui).show(ui, |ui| finding(ui, &told, true));
    ui.add_space(space::M);
}

/// How new an answer is, or that another one is waited for.
pub(super) fn age(sight: &Sight<'_>, at: Timestamp, asked: Option<Timestamp>) -> String {
    let waits = asked.is_some_and(|asked| sight.now.duration_since(asked) > SOON);
    if sight.is_live() && waits {
        return "Asking again…".to_owned();
    }
    format!("As of {}", sight.when(at))
}
