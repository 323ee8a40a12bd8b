//! What is in a snapshot: browsed, searched, compared, and chosen for a restore.

use std::time::{Duration, Instant};

use admin_gui::state::{Act, Command, Part, Place, Question, State, Step};
use backup_model::Tables;
use egui::{Role, Theme};
use egui_kittest::{Harness, kittest::Queryable as _};

use crate::{
    SMALL, WINDOW, Window,
    story::{self, contents},
};

fn open(state: State) -> Harness<'static, Window> {
    Window::open(state, Theme::Light, WINDOW)
}

fn search(harness: &mut Harness<'_, Window>, words: &str) {
    harness.get_by_label("Search").focus();
    harness.run();
    harness.get_by_label("Search").type_text(words);
    harness.run();
}

#[test]
fn the_first_folder_with_something_in_it_is_open() {
    let harness = open(contents::opened());
    harness.get_by_label_contains("docker-compose.yml, file");
    harness.get_by_label_contains("uploads, folder");
    assert!(
        harness
            .query_by_label_contains("config.json, file")
            .is_none()
    );
}

#[test]
fn a_search_finds_what_is_deep_and_shows_where() {
    let mut harness = open(contents::opened());
    search(&mut harness, "MCPO");
    harness.get_by_label_contains("srv/webui/config/mcpo.json, file");
    harness.get_by_label_contains("1 found in 14 entries");
}

#[test]
fn names_that_break_lines_or_turn_around_stay_in_their_row() {
    let mut harness = open(contents::opened());
    search(&mut harness, "lines");
    let row = harness.get_by_label_contains("two lines.txt, file");
    assert!(row.rect().height() < 40.0);
}

#[test]
fn what_is_chosen_is_restored_and_nothing_else() {
    let mut harness = open(contents::opened());
    harness.get_by_label_contains(".env, file").click();
    harness.run();
    harness
        .get_by_role_and_label(Role::Button, "Restore 1…")
        .click();
    harness.run();
    let [
        Command::Act(Act::Draft(Some(draft))),
        Command::Act(Act::Go(Place::Draft)),
    ] = &harness.state().asked[..]
    else {
        panic!("{:?}", harness.state().asked);
    };
    assert_eq!(draft.part, Part::Paths(vec!["srv/webui/.env".into()]));
    assert_eq!(
        (draft.step, draft.snapshot.clone()),
        (Step::Target, Some(contents::snapshot()))
    );
}

#[test]
fn the_tables_of_a_database_are_listed_and_searched() {
    let mut harness = open(contents::opened());
    second(&mut harness);
    harness.get_by_label("5 tables");
    harness.get_by_label_contains("public.chat, 41\u{202f}207 rows, 1.5 GiB");
    harness.get_by_label_contains("public.event (partitioned), unknown rows");
    let row = harness.get_by_label_contains("stats.two lines, unknown rows");
    assert!(row.rect().height() < 40.0);
    harness.get_by_label("Search tables").focus();
    harness.run();
    harness.get_by_label("Search tables").type_text("CHAT");
    harness.run();
    harness.get_by_label("1 found in 5 tables");
    assert!(harness.query_by_label_contains("public.user").is_none());
}

#[test]
fn tables_that_are_not_known_are_not_called_none() {
    let mut harness = open(contents::opened_with(None));
    second(&mut harness);
    harness.get_by_label_contains("Its tables are not known");
    assert!(harness.query_by_label("0 tables").is_none());
}

#[test]
fn a_list_of_tables_that_was_cut_says_so() {
    let tables = Tables {
        total: 12_345,
        ..contents::tables()
    };
    let mut harness = open(contents::opened_with(Some(&tables)));
    second(&mut harness);
    harness.get_by_label("The first 5 of 12\u{202f}345 tables");
}

#[test]
fn a_million_files_do_not_hold_up_a_frame() {
    let mut harness = open(contents::million());
    harness.get_by_label_contains("1\u{202f}000\u{202f}000 here");
    let begun = Instant::now();
    for _ in 0..20 {
        harness.run();
    }
    // Three times what is wanted of a release build, in one that is none, beside other tests.
    assert!(
        begun.elapsed() / 20 < Duration::from_millis(250),
        "{:?}",
        begun.elapsed()
    );
}

fn third(harness: &mut Harness<'_, Window>) {
    harness.get_by_label("Changes").click();
    harness.run();
}

fn second(harness: &mut Harness<'_, Window>) {
    harness.get_by_label("Databases").click();
    harness.run();
}

fn chosen(harness: &mut Harness<'_, Window>) {
    harness.get_by_label_contains(".env, file").click();
    harness.run();
}

fn deep(harness: &mut Harness<'_, Window>) {
    search(harness, "up");
}

fn failed() -> State {
    let mut state = contents::opening();
    story::fail(&mut state, Question::Tree(contents::snapshot()));
    state
}

fn locked() -> State {
    story::at(story::live(), Place::Contents(contents::snapshot(), None))
}

picture! {
    the_files: "contents", WINDOW, contents::opened(), chosen;
    the_files_small: "contents-small", SMALL, contents::opened();
    found: "contents-search", WINDOW, contents::opened(), deep;
    loading: "contents-loading", WINDOW, contents::opening();
    not_told: "contents-failed", WINDOW, failed();
    without_a_key: "contents-locked", WINDOW, locked();
    databases: "contents-databases", WINDOW, contents::opened(), second;
    changes: "contents-changes", WINDOW, contents::compared(), third;
}
