//! What is under way: the chip that counts it, and the list that opens from there. Runs belong to
//! the daemon and go on without the window; a deed is what it was asked and has not answered yet.

use backup_model::{JobStatus, Running};
use egui::{
    Align, Align2, Layout, Popup, PopupCloseBehavior, Rect, RectAlign, Role, ScrollArea, Sense, Ui,
    UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::{
    kit::{
        Badge, Button, Text, Tokens, shapes,
        tokens::{height, space},
        words,
    },
    state::{Act, Deed, Place},
    views::Sight,
};

const WIDE: f32 = 400.0;
const HIGH: f32 = 336.0;
const EDGE: f32 = 10.0;
const RING: f32 = 14.0;

/// The chip, while there is something.
pub(super) fn tasks(ui: &mut Ui, sight: &mut Sight<'_>) {
    if !sight.is_live() {
        return;
    }
    let state = sight.state;
    let jobs = state.jobs();
    let runs: Vec<(&JobStatus, Running)> = jobs
        .iter()
        .filter_map(|shown| Some((shown.job, shown.job.protection.running?)))
        .collect();
    let count = runs.len() + asked(sight).count();
    if count == 0 {
        return;
    }
    let words = format!("{count} running");
    let alone = runs.first().filter(|_| count == 1);
    let done = alone.and_then(|(_, running)| share(*running));
    let chip = ui.add(Badge::running(done, &words).chip().clickable());
    Popup::from_toggle_button_response(&chip)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .align(RectAlign::BOTTOM_END)
        // As far below the bar as the list of the bell, which has a taller button.
        .gap(space::XS + (height::CONTROL - height::CHIP) / 2.0)
        .accessible_name("Running")
        .show(|ui| list(ui, sight, &runs));
}

/// What the daemon was asked and has not answered. That a run is to stop is said beside the run.
fn asked<'a>(sight: &Sight<'a>) -> impl Iterator<Item = &'a Deed> {
    let doing = sight.state.doing().iter();
    doing.filter(|deed| !matches!(deed, Deed::Cancel(_)))
}

fn share(running: Running) -> Option<f32> {
    Some(f32::from(running.percent?) / 100.0)
}

fn list(ui: &mut Ui, sight: &mut Sight<'_>, runs: &[(&JobStatus, Running)]) {
    ui.set_width(WIDE);
    ui.spacing_mut().item_spacing.y = 0.0;
    super::bell::head(ui, "Running", "goes on when this window is closed");
    ScrollArea::vertical().max_height(HIGH).show(ui, |ui| {
        for (job, running) in runs {
            run(ui, sight, job, *running);
        }
        for deed in asked(sight) {
            let name = format!("{}, asked", deed.title());
            let place = row(ui, height::ROW, &name);
            ring(ui, place, None);
            write(ui, place, 0.0, 80.0, Text::Body, &deed.title());
            let (at, muted) = (place.right_center() - vec2(EDGE, 0.0), Tokens::of(ui).muted);
            Text::Caption.write(ui, at, Align2::RIGHT_CENTER, "asked", muted);
        }
    });
}

fn run(ui: &mut Ui, sight: &mut Sight<'_>, job: &JobStatus, running: Running) {
    let name = &job.protection.job;
    let age = words::took(sight.now.duration_since(running.run.time()));
    let cancel = Deed::Cancel(running.run);
    let stops = sight.state.doing().contains(&cancel);
    let mut words = match share(running) {
        Some(done) => format!("{} · for {age}", words::percent(done)),
        None => format!("For {age}"),
    };
    if stops {
        words.push_str(" · asked to stop");
    }
    let place = row(ui, height::ROW_TALL, &format!("{name}, {words}"));
    ring(ui, place, share(running));
    let inside = place.shrink2(vec2(EDGE, 0.0));
    let layout = Layout::right_to_left(Align::Center);
    let mut right = ui.new_child(
        UiBuilder::new()
            .id_salt(running.run)
            .max_rect(inside)
            .layout(layout),
    );
    right.spacing_mut().item_spacing.x = space::M;
    let off = stops.then_some("It was asked to stop");
    let off = off.or(sight.off_for(cancel.scope()));
    if right.add(Button::outline("Cancel").off_if(off)).clicked() {
        sight.ask(cancel);
    }
    if right.add(Button::link("Open")).clicked() {
        sight.ask(Act::Go(Place::Job(name.clone(), Some(running.run))));
        ui.close();
    }
    let taken = place.right() - right.min_rect().left();
    write(ui, place, -8.0, taken, Text::Name, name.as_str());
    write(ui, place, 8.0, taken, Text::Caption, &words);
}

fn row(ui: &mut Ui, high: f32, name: &str) -> Rect {
    let size = vec2(ui.available_width(), high);
    let (place, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, name));
    place
}

fn ring(ui: &Ui, row: Rect, done: Option<f32>) {
    let at = pos2(row.left() + EDGE + RING / 2.0, row.center().y);
    shapes::running(ui, at, RING, done);
}

/// Words beside the ring, so far below the middle, with so much room taken at the right.
fn write(ui: &Ui, row: Rect, below: f32, taken: f32, text: Text, words: &str) {
    let tokens = Tokens::of(ui);
    let colour = match text {
        Text::Caption => tokens.muted,
        _ => tokens.text,
    };
    let left = row.left() + EDGE + RING + space::S;
    let at = pos2(left, row.center().y + below);
    let room = row.right() - taken - space::S - left;
    text.write_within(ui, at, Align2::LEFT_CENTER, words, colour, room);
}
