//! The palette: opened by a key or a click, and all that it leads to.

use admin_gui::state::{Act, Answer, Command, Deed, Event, Place, Question, State};
use backup_model::Selection;
use backupd_api::{CallerInfo, Scope, Scopes};
use egui::{Key, Modifiers, Role, Theme};
use egui_kittest::{Harness, kittest::Queryable as _};

use crate::{SMALL, WINDOW, Window, story};

fn open(harness: &mut Harness<'_, Window>) {
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
}

fn type_in(harness: &mut Harness<'_, Window>, words: &str) {
    open(harness);
    harness
        .get_by_label("Search or run a command")
        .type_text(words);
    harness.run();
}

fn press(harness: &mut Harness<'_, Window>, key: Key) {
    harness.key_press(key);
    harness.run();
}

/// What is asked by a few letters and Enter.
fn asked(state: State, words: &str) -> Vec<Command> {
    let mut harness = Window::open(state, Theme::Light, WINDOW);
    type_in(&mut harness, words);
    press(&mut harness, Key::Enter);
    std::mem::take(&mut harness.state_mut().asked)
}

#[test]
fn a_few_letters_and_enter_do_it() {
    let webui = || story::name("webui-db");
    let done: [(&str, Command); 6] = [
        ("back webui-db", Deed::BackUp(webui()).into()),
        ("bu webui-db", Deed::BackUp(webui()).into()),
        (
            "verify webui-db",
            Deed::Verify(Selection::Job(webui())).into(),
        ),
        ("audit", Act::Go(Place::Audit).into()),
        ("resume gitea", Deed::Resume(story::name("gitea-db")).into()),
        ("test ops", Deed::TestChannel("ops".to_owned()).into()),
    ];
    for (words, command) in done {
        assert_eq!(asked(story::live(), words), [command], "{words}");
    }
}

#[test]
fn without_a_word_what_is_in_trouble_comes_first() {
    let open = Place::Job(story::name("gitea-db"), None);
    assert_eq!(asked(story::live(), ""), [Act::Go(open).into()]);
}

#[test]
fn arrows_walk_and_escape_changes_nothing() {
    let mut harness = Window::open(
        story::at(story::live(), Place::Settings),
        Theme::Light,
        WINDOW,
    );
    open(&mut harness);
    press(&mut harness, Key::ArrowDown);
    press(&mut harness, Key::ArrowDown);
    press(&mut harness, Key::ArrowUp);
    press(&mut harness, Key::Escape);
    assert!(harness.query_by_role(Role::ListBoxOption).is_none());
    open(&mut harness);
    press(&mut harness, Key::ArrowDown);
    press(&mut harness, Key::Enter);
    let second = Place::Job(story::name("webui-uploads"), None);
    assert_eq!(harness.state().asked, [Act::Go(second).into()]);
    assert!(harness.query_by_role(Role::ListBoxOption).is_none());
}

#[test]
fn a_line_is_clicked_and_a_click_elsewhere_closes() {
    let mut harness = Window::open(story::live(), Theme::Light, WINDOW);
    harness.get_by_label("Search or run a command").click();
    harness.run();
    harness.get_by_label("Go to Health").click();
    harness.run();
    assert_eq!(harness.state().asked, [Act::Go(Place::Health).into()]);
    open(&mut harness);
    harness
        .get_by_role_and_label(Role::Heading, "Storage")
        .click();
    harness.run();
    assert!(harness.query_by_label("Go to Health").is_none());
}

#[test]
fn the_newest_snapshot_is_chosen_in_the_list() {
    let mut harness = Window::open(story::live(), Theme::Light, WINDOW);
    type_in(&mut harness, "newest keycloak");
    press(&mut harness, Key::Enter);
    let there = Act::Go(Place::Snapshots);
    assert_eq!(harness.state().asked, [there.clone().into()]);
    harness
        .state_mut()
        .state
        .apply(Event::Act(there), story::now());
    harness.run();
    harness.get_by_label("Same in a terminal backupctl snapshot show keycloak-db/000041");
}

#[test]
fn what_cannot_be_done_says_why_and_is_not_done() {
    let mut harness = Window::open(story::lost(), Theme::Light, WINDOW);
    type_in(&mut harness, "back up gitea");
    harness
        .get_by_label("Back up gitea-db, off: The daemon does not answer")
        .click();
    harness.run();
    press(&mut harness, Key::Enter);
    assert_eq!(harness.state().asked, []);
}

#[test]
fn enter_does_nothing_that_is_not_in_sight() {
    let mut harness = Window::open(story::live(), Theme::Light, WINDOW);
    harness.get_by_label("Search or run a command").focus();
    harness.run();
    press(&mut harness, Key::Enter);
    assert_eq!(harness.state().asked, []);
    harness.get_by_role(Role::ListBox);
}

fn far_down(harness: &mut Harness<'_, Window>) {
    open(harness);
    for _ in 0..3 {
        press(harness, Key::PageDown);
    }
}

#[test]
fn what_is_typed_begins_at_the_top_again() {
    let mut harness = Window::open(story::live(), Theme::Light, WINDOW);
    far_down(&mut harness);
    assert!(harness.query_by_label("Go to Jobs").is_none());
    let field = harness.get_by_label("Search or run a command");
    field.type_text("o");
    harness.run();
    press(&mut harness, Key::Enter);
    let first = Place::Job(story::name("gitea-db"), None);
    assert_eq!(harness.state().asked, [Act::Go(first).into()]);
}

#[test]
fn a_run_is_not_begun_twice() {
    let mut harness = Window::open(story::live(), Theme::Light, WINDOW);
    type_in(&mut harness, "uploads");
    harness.get_by_label("Back up webui-uploads, off: It runs");
    harness.get_by_label("Cancel the run of webui-uploads");
}

#[test]
fn what_the_token_may_not_do_says_which_scope_it_takes() {
    let mut state = story::live();
    let caller = CallerInfo {
        actor: "token wall".to_owned(),
        scopes: Scopes(vec![Scope::Status]),
    };
    story::hear(&mut state, Question::Caller, Answer::Caller(caller));
    assert_eq!(asked(state.clone(), "back up gitea"), []);
    let mut harness = Window::open(state, Theme::Light, WINDOW);
    type_in(&mut harness, "verify gitea");
    harness.get_by_label("Verify gitea-db, off: Your token has not the scope `verify`");
}

picture! {
    all_of_it: "palette", WINDOW, story::live(), open;
    far: "palette-far", SMALL, story::live(), far_down;
    found: "palette-found", WINDOW, story::live(), |harness| type_in(harness, "webui");
    found_small: "palette-small", SMALL, story::live(), |harness| type_in(harness, "gitea");
    lost: "palette-lost", WINDOW, story::lost(), |harness| type_in(harness, "webui-db");
    nothing: "palette-nothing", WINDOW, story::first(), |harness| type_in(harness, "no such thing");
}
