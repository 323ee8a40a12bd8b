//! Beside what was seen of a repository's room: what it holds over time, and when that fills it.

use egui::Ui;
use jiff::Timestamp;

use super::{Sight, item::Shown};
use crate::{
    kit::{Curve, Plot, Text, Tokens, plot, plot::Unit, tokens::space},
    views::{
        growth::{Growth, by_repository, is_space, repository_of},
        once::Once,
    },
};

const PLOT: f32 = 150.0;

/// Which answers it was made of: of which repository, and when each of them came.
type Key = (String, [Option<Timestamp>; 3]);

/// What is drawn, and the same in words.
#[derive(Debug)]
pub(super) struct Told {
    curve: Curve,
    says: String,
}

/// What was made of the last answers.
pub(super) type Own = Once<Key, Told>;

/// Draws it, where an item is about room and snapshots are known.
pub(super) fn show(ui: &mut Ui, sight: &Sight<'_>, own: &mut Own, item: &Shown<'_>) {
    let (snapshots, health) = (sight.state.snapshots(), sight.state.health());
    let (Some((report, heard)), Some(listed), Some(house)) =
        (sight.state.status(), snapshots.value, health.value)
    else {
        return;
    };
    if !is_space(item.item) {
        return;
    }
    let repository = repository_of(item.item);
    let key = (
        repository.to_owned(),
        [Some(heard), snapshots.at, health.at],
    );
    let told = own.get(key, || {
        let infos = by_repository(report, listed).remove(repository);
        let growth = Growth::of(&infos.unwrap_or_default());
        let space = Some(item.item);
        Told {
            curve: growth.curve(house.at, space),
            says: growth.says(space),
        }
    });
    let muted = Tokens::of(ui).muted;
    ui.add_space(space::S);
    ui.label(Text::Caption.rich(format!("Stored: {}", told.says), muted));
    let shown = Plot {
        name: "Stored over time",
        says: &told.says,
        unit: Unit::Bytes,
        curve: &told.curve,
        quiet: !sight.is_live(),
    };
    plot(ui, PLOT, sight.zone, &shown);
}
