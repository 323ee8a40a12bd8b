//! The command palette: everything that can be gone to or done from anywhere, found by a few
//! letters. It is a field in the top bar with a list below it; the keyboard stays in the field, and
//! arrows walk through the list.

mod entries;
mod list;
mod matching;

use backup_model::SnapshotName;
use egui::{
    Context, Id, Key, Modifiers, Popup, PopupCloseBehavior, Rect, Ui, UiBuilder,
    os::OperatingSystem,
};

use self::entries::{Does, Entry};
use super::Sight;
use crate::{
    kit::{Field, Icon, tokens::space},
    state::{Act, Place},
};

/// How wide the field is.
pub(super) const FIELD: f32 = 300.0;

/// What shows a place in a terminal.
pub(super) type Terminal<'a> = dyn Fn(&Sight<'_>, &Place) -> String + 'a;

/// What it remembers.
#[derive(Debug, Default)]
pub(super) struct Own {
    open: bool,
    typed: String,
    /// In which line of the list the keyboard is.
    at: usize,
    /// What had the focus before, and gets it back.
    before: Option<Id>,
}

impl Own {
    fn open(&mut self, ctx: &Context) {
        if !self.open {
            self.before = ctx
                .memory(egui::Memory::focused)
                .filter(|id| *id != field());
        }
        self.open = true;
        ctx.memory_mut(|memory| memory.request_focus(field()));
    }

    fn close(&mut self, ctx: &Context) {
        let before = self.before.take();
        *self = Self::default();
        ctx.memory_mut(|memory| {
            memory.surrender_focus(field());
            if let Some(before) = before {
                memory.request_focus(before);
            }
        });
    }

    /// Goes where a key leads in a list of so many lines; whether that is elsewhere.
    fn step(&mut self, step: Option<Step>, count: usize) -> bool {
        let last = count.saturating_sub(1);
        let before = self.at;
        self.at = match step {
            Some(Step::By(by)) => self.at.saturating_add_signed(by),
            Some(Step::Enter) | None => self.at,
        };
        self.at = self.at.min(last);
        self.at != before
    }
}

fn field() -> Id {
    Id::unique("palette")
}

/// What a key does in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    By(isize),
    Enter,
}

/// The keys that open and close it; before any other part of the window takes them.
pub(super) fn keys(ui: &Ui, own: &mut Own) {
    let ctx = ui.ctx();
    // A dialog wants its answer first.
    let free = ctx.memory(|memory| memory.top_modal_layer().is_none());
    if free && ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::K)) {
        own.open(ctx);
    }
    if own.open && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
        own.close(ctx);
    }
}

/// Draws the field, and the list while it is open; does what somebody chooses there. Gives the
/// snapshot that somebody wants to see.
pub(super) fn show(
    ui: &mut Ui,
    place: Rect,
    sight: &mut Sight<'_>,
    own: &mut Own,
    terminal: &Terminal<'_>,
) -> Option<SnapshotName> {
    let was_open = own.open;
    let step = ui
        .memory(|memory| memory.has_focus(field()))
        .then(|| step(ui))
        .flatten();
    let field = Field::new("Search or run a command", &mut own.typed)
        .unlabelled()
        .hint("Search or run a command")
        .icon(Icon::Search)
        .key(match ui.ctx().os() {
            OperatingSystem::Mac => "Cmd K",
            _ => "Ctrl K",
        })
        .quiet()
        .width(FIELD)
        .id(field());
    let field = ui.new_child(UiBuilder::new().max_rect(place)).add(field);
    let left = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Tab));
    if own.open && left {
        own.before = None;
        own.close(ui.ctx());
    } else if field.clicked() || field.changed() || step.is_some() {
        own.open(ui.ctx());
    }
    if field.changed() {
        own.at = 0;
    }
    if !own.open {
        return None;
    }
    let entries = entries::entries(sight, terminal);
    let found = matching::rank(&entries, &own.typed);
    let moved = own.step(step, found.len()) || field.changed() || !was_open;
    // What nobody has seen yet is not done.
    let enters = was_open && step == Some(Step::Enter);
    let entered = found.get(own.at).filter(|_| enters);
    let mut open = true;
    let popup = Popup::from_response(&field)
        .anchor(place)
        .open_bool(&mut open)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .gap(space::XS);
    let clicked = popup
        .show(|ui| list::list(ui, &entries, &found, own.at, moved, field.id))
        .and_then(|shown| shown.inner);
    let chosen = entered.copied().or(clicked).map(|at| &entries[at]);
    if let Some(entry) = chosen.filter(|entry| entry.off.is_none()) {
        own.close(ui.ctx());
        return act(sight, entry);
    }
    // A click into the field is outside of the list, and no reason to close it.
    if !open && !field.clicked() {
        own.before = None;
        own.close(ui.ctx());
    }
    None
}

fn act(sight: &mut Sight<'_>, entry: &Entry) -> Option<SnapshotName> {
    match &entry.does {
        Does::Ask(command) => {
            sight.ask(command.clone());
            None
        }
        Does::Want(wanted) => {
            *sight.wanted = Some(wanted.clone());
            None
        }
        Does::Open(snapshot) => {
            sight.ask(Act::Go(Place::Snapshots));
            Some(snapshot.clone())
        }
    }
}

/// Takes the keys that belong to the list, before the field does.
fn step(ui: &Ui) -> Option<Step> {
    let page = isize::try_from(list::PAGE).unwrap_or(1);
    let keys = [
        (Key::ArrowDown, Step::By(1)),
        (Key::ArrowUp, Step::By(-1)),
        (Key::PageDown, Step::By(page)),
        (Key::PageUp, Step::By(-page)),
        (Key::Enter, Step::Enter),
    ];
    ui.input_mut(|input| {
        let mut pressed = keys.into_iter();
        pressed.find(|(key, _)| input.consume_key(Modifiers::NONE, *key))
    })
    .map(|(_, step)| step)
}
