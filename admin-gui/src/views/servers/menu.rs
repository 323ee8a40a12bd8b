//! The list of servers that opens from the bar.

use egui::{Popup, PopupCloseBehavior, RectAlign, Response};

use super::{Asked, Sight};
use crate::{
    kit::{Icon, card, menu, tokens::space},
    state::{Act, Known, Origin, Place, ServerAct},
};

const WIDEST: f32 = 260.0;

/// The list, while it is open.
pub(in crate::views) fn menu(button: &Response, sight: &mut Sight<'_>) {
    Popup::from_toggle_button_response(button)
        .close_behavior(PopupCloseBehavior::CloseOnClick)
        .align(RectAlign::BOTTOM_START)
        .gap(space::XS)
        .accessible_name("Servers")
        .show(|ui| {
            ui.set_max_width(WIDEST);
            ui.spacing_mut().item_spacing.y = 0.0;
            for known in sight.state.known() {
                let here = is_here(sight, known);
                let icon = if here { Icon::Tick } else { Icon::Server };
                let line = menu::item(ui, icon, &title(known));
                if line.clicked() && !here {
                    sight.ask(ServerAct::Switch(known.name.clone()));
                }
                line.on_hover_text(&known.address);
            }
            card::divider(ui);
            if menu::item(ui, Icon::Plus, "Add a server…").clicked() {
                sight.want_server(Asked::Add);
            }
            if menu::item(ui, Icon::PaperKit, "Open a repository…").clicked() {
                sight.want_server(Asked::Recover);
            }
            if sight.state.home().is_some_and(|home| !home.is_set_up)
                && menu::item(ui, Icon::Plus, "Set up this machine…").clicked()
            {
                sight.ask(Act::Go(Place::SetUp));
            }
            let name = sight.state.server().name().map(str::to_owned);
            if let Some(name) = name
                && menu::danger_item(ui, Icon::Cross, "Forget this server…").clicked()
            {
                sight.want_server(Asked::Forget(name));
            }
        });
}

/// What a server is called in the list; the daemon of this machine has no name of its own there.
fn title(known: &Known) -> String {
    match &known.name {
        Some(name) => name.clone(),
        None if known.address.starts_with("unix:") => "This machine".to_owned(),
        None => known.address.clone(),
    }
}

fn is_here(sight: &Sight<'_>, known: &Known) -> bool {
    match &sight.state.server().origin {
        Origin::Start => known.name.is_none(),
        Origin::Listed(name) => known.name.as_ref() == Some(name),
        Origin::Private(_) => false,
    }
}
