//! Snapshots: the table, the facts of one, and what can be done with it.

use std::time::{Duration, Instant};

use admin_gui::state::{Answer, Command, Deed, Event, Place, Question, State};
use backup_model::{Code, Failure, SnapshotInfo};
use egui::{Role, Theme};
use egui_kittest::{Harness, kittest::Queryable as _};
use jiff::SignedDuration;

use crate::{SMALL, WINDOW, Window, story};

fn there(state: State) -> State {
    story::at(state, Place::Snapshots)
}

fn choose(harness: &mut Harness<'_, Window>) {
    harness
        .get_by_label_contains("webui-db/000041, complete")
        .click();
    harness.run();
}

#[test]
fn a_snapshot_is_held_with_a_reason_only() {
    let mut harness = Window::open(there(story::live()), Theme::Light, WINDOW);
    choose(&mut harness);
    harness.get_by_label("Hold…").click();
    harness.run();
    let hold = |harness: &mut Harness<'_, Window>| {
        harness.get_by_role_and_label(Role::Button, "Hold").click();
        harness.run();
    };
    hold(&mut harness);
    assert_eq!(harness.state().asked, []);
    harness.get_by_label("Why").focus();
    harness.run();
    harness.get_by_label("Why").type_text("before 0.7");
    harness.run();
    hold(&mut harness);
    let wanted = Deed::Hold {
        snapshot: "webui-db/41".parse().unwrap(),
        reason: "before 0.7".to_owned(),
    };
    assert_eq!(harness.state().asked, [Command::Do(wanted)]);
}

#[test]
fn the_command_below_is_about_what_is_chosen() {
    let mut harness = Window::open(there(story::live()), Theme::Light, WINDOW);
    harness.get_by_label("Same in a terminal backupctl snapshot list");
    choose(&mut harness);
    harness.get_by_label("Same in a terminal backupctl snapshot show webui-db/000041");
}

fn told(answer: Result<Answer, Failure>) -> State {
    let mut state = unheard();
    state.apply(Event::Answered(Question::Snapshots, answer), story::now());
    state
}

fn unheard() -> State {
    let mut state = story::silent();
    state.apply(Event::Status(story::status()), story::now());
    there(state)
}

fn away() -> Failure {
    Failure::new(Code::Store, "the bucket does not answer")
}

picture! {
    the_table: "snapshots", WINDOW, there(story::live()), choose;
    the_table_lost: "snapshots-lost", WINDOW, there(story::lost());
    the_table_small: "snapshots-small", SMALL, there(story::live()), choose;
    the_table_loading: "snapshots-loading", WINDOW, unheard();
    the_table_failed: "snapshots-failed", WINDOW, told(Err(away()));
    no_snapshots: "snapshots-empty", WINDOW, told(Ok(Answer::Snapshots(Vec::new())));
}

/// The same snapshots again and again, a minute apart.
fn crowd(count: usize) -> State {
    let mut state = unheard();
    let live = story::live();
    let some = live.snapshots().value.cloned().unwrap_or_default();
    let made = (0..count).map(|n| {
        let run = some[n % some.len()].clone();
        run.map(|info| SnapshotInfo {
            created: story::now() - SignedDuration::from_mins(i64::try_from(n).unwrap()),
            ..info
        })
    });
    let told = Answer::Snapshots(made.collect());
    state.apply(Event::Answered(Question::Snapshots, Ok(told)), story::now());
    there(state)
}

/// What a frame costs does not depend on how many snapshots there are: each frame looks at those
/// in sight.
#[test]
fn ten_thousand_snapshots_are_drawn_like_a_hundred() {
    let cost = |count: usize| {
        let mut harness = Window::open(crowd(count), Theme::Light, WINDOW);
        let mut frames: Vec<Duration> = (0..30)
            .map(|_| {
                let begun = Instant::now();
                harness.step();
                begun.elapsed()
            })
            .collect();
        frames.sort();
        frames[frames.len() / 2]
    };
    let (few, many) = (cost(100), cost(10_000));
    assert!(
        many < few * 4 + Duration::from_millis(4),
        "{few:?} {many:?}"
    );
}
