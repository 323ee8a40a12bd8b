//! Where somebody can go who has opened the window and finds no daemon: to a machine that is yet to
//! be set up, to another server, or to a repository alone.

use std::borrow::Cow;

use egui::{Role, Sense, Ui, Vec2, WidgetInfo};

use super::{
    super::{Sight, servers::Asked, trouble},
    BETWEEN, column,
};
use crate::{
    kit::{Button, Icon, Text, Tokens, card, tokens::space},
    state::{Act, Home, Origin, Place, ServerAct, Way},
};

const ICON: f32 = 22.0;

/// A way on from here.
struct Door {
    icon: Icon,
    name: &'static str,
    sentence: Cow<'static, str>,
    word: &'static str,
    to: To,
}

#[derive(Clone, Copy)]
enum To {
    SetUp,
    Start,
    Servers,
    Repository,
}

/// Draws them, where the window found nobody at the place that it looks at by itself.
pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>) {
    if sight.state.server().origin != Origin::Start {
        return;
    }
    let all = doors(sight);
    ui.add_space(BETWEEN);
    if let Way::Refused(failure) = sight.state.way() {
        trouble::told(ui, "It did not work", failure);
        ui.add_space(BETWEEN);
    }
    let gaps = space::L * (all.len() - 1) as f32;
    let each = (ui.available_width() - gaps) / all.len() as f32;
    let mut chosen = None;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = space::L;
        for (at, door) in all.iter().enumerate() {
            column(ui, each, |ui| {
                if one(ui, sight, door, at == 0) {
                    chosen = Some(door.to);
                }
            });
        }
    });
    match chosen {
        None => {}
        Some(To::SetUp) => sight.ask(Act::Go(Place::SetUp)),
        Some(To::Start) => sight.ask(ServerAct::Start),
        Some(To::Servers) => sight.want_server(Asked::Add),
        Some(To::Repository) => sight.want_server(Asked::Recover),
    }
}

fn doors(sight: &Sight<'_>) -> Vec<Door> {
    let own = sight.state.home().map(|home| {
        if home.is_set_up {
            started(home)
        } else {
            SET_UP
        }
    });
    let others = [
        Door {
            icon: Icon::Server,
            name: "A server elsewhere",
            sentence: "Its backupd is reached by HTTPS with a token that it has made for you"
                .into(),
            word: "Add a server…",
            to: To::Servers,
        },
        Door {
            icon: Icon::PaperKit,
            name: "A repository alone",
            sentence: "Its server is gone, and there is a recovery kit: look into it, and restore"
                .into(),
            word: "Open a repository…",
            to: To::Repository,
        },
    ];
    own.into_iter().chain(others).collect()
}

const SET_UP: Door = Door {
    icon: Icon::Plus,
    name: "Set up this machine",
    sentence: Cow::Borrowed(
        "A repository, keys, a first job, a first restore: in about ten minutes",
    ),
    word: "Set up…",
    to: To::SetUp,
};

fn started(home: &Home) -> Door {
    let file = home.configuration.display();
    Door {
        icon: Icon::Server,
        name: "Your own backups",
        sentence: format!("This machine is set up by {file}, and its daemon does not run").into(),
        word: "Start it",
        to: To::Start,
    }
}

fn one(ui: &mut Ui, sight: &Sight<'_>, door: &Door, is_first: bool) -> bool {
    let tokens = Tokens::of(ui);
    let drawn = card::card(ui, door.name, |ui| {
        ui.spacing_mut().item_spacing = Vec2::ZERO;
        let size = Vec2::new(ui.available_width(), ICON);
        let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
        let centre = rect.left_center() + Vec2::new(ICON / 2.0, 0.0);
        door.icon.paint(ui.painter(), centre, ICON, tokens.accent);
        ui.add_space(space::M);
        card::section_head(ui, door.name, "");
        ui.add_space(space::XS);
        let size = Vec2::new(ui.available_width(), 3.0 * Text::Body.line());
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &*door.sentence));
        let words = Text::Body.block_of(ui, &door.sentence, tokens.muted, rect.width(), 3);
        ui.painter().galley(rect.min, words, tokens.muted);
        response.on_hover_text(&*door.sentence);
        ui.add_space(space::M);
        let trying = *sight.state.way() == Way::Trying;
        let off = trying.then_some("It is being tried");
        let button = if is_first {
            Button::filled(door.word)
        } else {
            Button::outline(door.word)
        };
        ui.add(button.off_if(off)).clicked()
    });
    drawn.inner
}
