//! Before anything was ever restored: what is to be done, in the order in which it is done, each by a
//! button or as a command to be copied, with a tick where the server says that it is done.

mod steps;

use backup_model::{JobStatus, StatusReport};
use egui::{
    Align, Align2, Layout, Margin, Rect, Role, Sense, Stroke, Ui, UiBuilder, Vec2, WidgetInfo, pos2,
};

use super::{super::Sight, BETWEEN, MAIN, SIDE, column, hero, readiness, side};
use crate::{
    kit::{
        Badge, Button, Icon, Mark, Stage, Text, Tokens, card, command_box,
        tokens::{line, space},
    },
    state::{Act, Command, Draft, Place},
};
pub(super) use steps::is_on;
use steps::{Does, Step, steps};

const CIRCLE: f32 = 20.0;
/// From the left edge of a step to its words.
const WORDS: f32 = 34.0;
/// What was checked, and from there what was seen.
const CHECK: f32 = 26.0;
const SEEN: f32 = 210.0;

/// Draws it.
pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, report: &StatusReport) {
    let said = hero::Said {
        head: head(report).to_owned(),
        sentence: "Five steps. Every tick is checked on the server while you work".to_owned(),
    };
    hero::show(ui, &said, &[]);
    ui.add_space(BETWEEN);
    let whole = ui.available_width();
    let main = whole - SIDE - space::XL;
    if main < MAIN {
        list(ui, sight, report);
        ui.add_space(space::L);
        beside(ui, sight, report);
        return;
    }
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = space::XL;
        column(ui, main, |ui| list(ui, sight, report));
        column(ui, SIDE, |ui| beside(ui, sight, report));
    });
}

fn list(ui: &mut Ui, sight: &mut Sight<'_>, report: &StatusReport) {
    let steps = steps(sight, &report.jobs);
    let now = steps.iter().position(|step| !step.done);
    card::padded_card(ui, "Steps", Margin::ZERO, |ui| {
        ui.spacing_mut().item_spacing = Vec2::ZERO;
        for (at, step) in steps.iter().enumerate() {
            if at > 0 {
                card::divider(ui);
            }
            egui::Frame::new()
                .inner_margin(Margin::symmetric(18, 16))
                .show(ui, |ui| {
                    one(ui, sight, at, step, stage(step, now == Some(at)));
                });
        }
    });
}

const fn stage(step: &Step, is_next: bool) -> Stage {
    if step.done {
        Stage::Done
    } else if is_next {
        Stage::Now
    } else {
        Stage::Ahead
    }
}

fn one(ui: &mut Ui, sight: &mut Sight<'_>, at: usize, step: &Step, stage: Stage) {
    let tokens = Tokens::of(ui);
    let size = Vec2::new(ui.available_width(), 2.0 * Text::Section.line());
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| {
        let state = if step.done { "done" } else { "to do" };
        let name = format!("{}, {}, {state}", at + 1, step.name);
        WidgetInfo::labeled(Role::ListItem, true, name)
    });
    let centre = pos2(rect.left() + CIRCLE / 2.0, rect.top() + CIRCLE / 2.0);
    circle(ui, centre, at, stage);
    let left = rect.left() + WORDS;
    let room = button(ui, sight, rect, step, stage).min(rect.right()) - left;
    let y = rect.top() + Text::Section.line() / 2.0;
    let (name, at) = (step.name, pos2(left, y));
    Text::Section.write_within(ui, at, Align2::LEFT_CENTER, name, tokens.text, room);
    let at = pos2(left, y + 20.0);
    let sentence = &step.sentence;
    Text::Body.write_within(ui, at, Align2::LEFT_CENTER, sentence, tokens.muted, room);
    if !step.checks.is_empty() {
        ui.add_space(6.0);
    }
    for (mark, name, seen) in &step.checks {
        checked(ui, *mark, name, seen);
    }
    if step.done {
        return;
    }
    ui.add_space(space::S);
    for (at, command) in step.commands.iter().enumerate() {
        if at > 0 {
            ui.add_space(space::XS);
        }
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            ui.add_space(WORDS);
            command_box(ui, command);
        });
    }
}

/// The step's button at the right, while there is something to do; gives where it begins.
fn button(ui: &mut Ui, sight: &mut Sight<'_>, rect: Rect, step: &Step, stage: Stage) -> f32 {
    let Some((word, does)) = step.action.as_ref().filter(|_| !step.done) else {
        return rect.right();
    };
    let deed = match does {
        Does::Ask(Command::Do(deed)) => Some(deed),
        Does::Ask(_) | Does::Draft => None,
    };
    let off = match deed {
        Some(deed) if sight.state.doing().contains(deed) => Some("It is being begun"),
        Some(deed) => sight.off_for(deed.scope()),
        None => sight.off(),
    };
    let button = if stage == Stage::Now {
        Button::filled(word)
    } else {
        Button::outline(word)
    };
    let layout = Layout::right_to_left(Align::Center);
    let mut right = ui.new_child(UiBuilder::new().max_rect(rect).layout(layout));
    let drawn = right.add(button.off_if(off));
    if drawn.clicked() {
        match does {
            Does::Ask(command) => sight.ask(command.clone()),
            Does::Draft => {
                sight.ask(Act::Draft(Some(Draft::begin(sight.now))));
                sight.ask(Act::Go(Place::Draft));
            }
        }
    }
    drawn.rect.left() - space::M
}

fn circle(ui: &Ui, centre: egui::Pos2, at: usize, stage: Stage) {
    let tokens = Tokens::of(ui);
    let painter = ui.painter();
    let (fill, outline, number) = match stage {
        Stage::Done | Stage::Result(_) => {
            Mark::Ok.paint(painter, centre, CIRCLE, tokens.ok, tokens.panel);
            return;
        }
        Stage::Now => (tokens.accent, tokens.accent, tokens.on_accent),
        Stage::Ahead => (tokens.panel, tokens.border, tokens.muted),
    };
    let stroke = Stroke::new(line::ICON, outline);
    painter.circle(centre, CIRCLE / 2.0 - line::ICON, fill, stroke);
    let words = (at + 1).to_string();
    Text::Label.write(ui, centre, Align2::CENTER_CENTER, &words, number);
}

fn checked(ui: &mut Ui, mark: Mark, name: &str, seen: &str) {
    let tokens = Tokens::of(ui);
    let size = Vec2::new(ui.available_width(), CHECK);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, format!("{name}, {seen}")));
    let (left, y) = (rect.left() + WORDS, rect.center().y);
    let at = pos2(left + 7.0, y);
    if mark == Mark::Ok {
        Icon::Tick.paint(ui.painter(), at, 14.0, tokens.ok);
    } else {
        mark.paint(ui.painter(), at, 14.0, mark.colour(tokens), tokens.panel);
    }
    let at = pos2(left + 24.0, y);
    Text::Body.write_within(ui, at, Align2::LEFT_CENTER, name, tokens.text, SEEN);
    let at = pos2(left + 24.0 + SEEN + 10.0, y);
    let room = rect.right() - at.x;
    Text::Caption.write_within(ui, at, Align2::LEFT_CENTER, seen, tokens.muted, room);
    response.on_hover_text(seen);
}

fn head(report: &StatusReport) -> &'static str {
    let stored = |job: &JobStatus| job.snapshots.is_some_and(|snapshots| snapshots > 0);
    if report.jobs.iter().any(stored) {
        "Backed up, and never restored"
    } else {
        "Nothing is protected yet"
    }
}

fn beside(ui: &mut Ui, sight: &mut Sight<'_>, report: &StatusReport) {
    if report.jobs.is_empty() {
        unreported(ui);
        ui.add_space(space::M);
    }
    readiness::show(ui, sight, report);
}

fn unreported(ui: &mut Ui) {
    card::card(ui, "Protection", |ui| {
        ui.spacing_mut().item_spacing = Vec2::ZERO;
        card::section_head_with(ui, "Protection", |ui| {
            ui.add(Badge::new(Mark::Unknown, "Unknown"));
        });
        ui.add_space(space::S);
        side::quiet(ui, "No job has reported yet, so nothing here is green");
    });
}
