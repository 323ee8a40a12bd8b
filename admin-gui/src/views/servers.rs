//! The servers that the window can go to: their menu in the bar, and what is asked before one is
//! added, forgotten or trusted anew, or a repository is opened that no server looks after.

mod add;
mod changed;
mod forget;
mod menu;
mod recover;

use egui::Ui;

use super::{Sight, trouble};
use crate::state::{ServerAct, Way};

pub(super) use changed::{changed, instead};
pub(super) use menu::menu;

/// What is asked about servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Which one to add.
    Add,
    /// Which repository to open.
    Recover,
    /// Whether to forget one.
    Forget(String),
    /// Whether to take the key that one shows for its own.
    Trust,
}

/// What is open, and what was typed.
#[derive(Debug, Default)]
pub(super) struct Own {
    open: Option<Asked>,
    add: add::Typed,
    recover: recover::Typed,
    /// The name that somebody types to say yes.
    name: String,
    /// It was tried since it opened: what failed is about this try.
    tried: bool,
}

impl Own {
    pub(super) fn open(&mut self, asked: Asked) {
        self.open = Some(asked);
        self.tried = false;
    }

    /// What was typed is kept for the next time, unless it is secret.
    fn close(&mut self) {
        self.open = None;
        self.add.forget_secret();
        self.recover.forget_secret();
        self.name.clear();
    }
}

/// The dialog, while one is wanted.
pub(super) fn dialog(ui: &Ui, sight: &mut Sight<'_>, own: &mut Own) {
    match own.open.clone() {
        None => {}
        Some(Asked::Add) => add::dialog(ui, sight, own),
        Some(Asked::Recover) => recover::dialog(ui, sight, own),
        Some(Asked::Forget(name)) => forget::dialog(ui, sight, own, &name),
        Some(Asked::Trust) => changed::dialog(ui, sight, own),
    }
}

/// Why a try cannot begin now.
fn off(sight: &Sight<'_>, missing: Option<&'static str>) -> Option<&'static str> {
    let trying = *sight.state.way() == Way::Trying;
    missing.or(trying.then_some("It is being tried"))
}

/// What came of the last try of this dialog.
fn refusal(ui: &mut Ui, sight: &Sight<'_>, own_tried: bool) {
    if let Way::Refused(failure) = sight.state.way()
        && own_tried
    {
        trouble::told(ui, "It did not work", failure);
    }
}

fn give_up(sight: &mut Sight<'_>, own: &mut Own) {
    if own.tried {
        sight.ask(ServerAct::GiveUp);
    }
    own.close();
}
