//! Health: what is wrong and what to do, channels that can be tried, diagnostics to be copied.

use admin_gui::state::{Act, Answer, Command, Deed, Event, Place, Question, State};
use backup_model::{Code, Failure, HealthItem, HealthReport, HealthState};
use egui::Theme;
use egui_kittest::{Harness, kittest::Queryable as _};

use crate::{SMALL, WINDOW, Window, hands::copied, story};

fn at(state: State) -> State {
    story::at(state, Place::Health)
}

fn open(state: State) -> Harness<'static, Window> {
    Window::open(at(state), Theme::Light, WINDOW)
}

/// Items by the hundred, with names that try to break out of their line.
fn crowded() -> State {
    let mut state = story::live();
    let items = (0..300).map(|n| {
        let object =
            format!("repository {n}\nof a very long name, \u{5d0}\u{5d1}\u{5d2} /srv/data/{n}");
        let evidence = format!("{} of 120 GiB free, and more to be said of it ", n % 120).repeat(6);
        match n % 40 {
            0 => HealthItem::breached("repository-space", &object, evidence, "Make room: df"),
            _ => HealthItem::ok("repository-space", &object, evidence),
        }
    });
    let report = HealthReport::new(story::ago(0), items.collect());
    story::hear(&mut state, Question::Health, Answer::Health(report));
    state
}

#[test]
fn the_worst_is_open_with_what_to_do() {
    let mut harness = open(story::live());
    harness.get_by_label("1 at risk");
    let items = story::health().items;
    harness.get_by_label_contains(&format!("row 1 of {}", items.len()));
    let fine = items.iter().filter(|item| item.state == HealthState::Ok);
    harness.get_by_label(&format!("{} fine", fine.count()));
    harness.get_by_label("See whether the server runs, and whether this host may reach it");
    harness.get_by_label("pg_isready -h gitea-db");
    // A click on another row opens that one instead.
    harness.get_by_label_contains("Web headers, https").click();
    harness.run();
    harness.get_by_label("curl -I https://chat.example.net");
    assert!(harness.query_by_label("pg_isready -h gitea-db").is_none());
}

#[test]
fn rows_out_of_sight_are_there_for_those_who_do_not_see() {
    let mut harness = open(crowded());
    harness.get_by_label_contains("row 300 of 300").focus();
    harness.run();
    harness.key_press(egui::Key::Enter);
    harness.run();
    harness.get_by_label("Nothing, it is as it should be");
}

#[test]
fn a_job_is_opened_from_its_row() {
    let mut state = story::live();
    let item = HealthItem::breached(
        "protection",
        "job gitea-db",
        "the last good snapshot is 26 h old",
        "backupctl run logs 01JD8Q",
    );
    let report = HealthReport::new(story::now(), vec![item]);
    story::hear(&mut state, Question::Health, Answer::Health(report));
    let mut harness = open(state);
    harness.get_by_label("backupctl run logs 01JD8Q");
    harness.get_by_label("Open job").click();
    harness.run();
    let job = Place::Job(story::name("gitea-db"), None);
    assert_eq!(harness.state().asked, [Command::Act(Act::Go(job))]);
}

#[test]
fn a_channel_is_tried_from_its_row() {
    let mut harness = open(story::live());
    harness.get_by_label_contains("last delivered 20 h ago, by ntfy");
    harness.get_by_label("Send test").click();
    harness.run();
    let deed = Deed::TestChannel("ops".to_owned());
    assert_eq!(harness.state().asked, [Command::Do(deed)]);
}

#[test]
fn a_test_message_that_fails_stays_in_sight() {
    let mut state = at(story::live());
    let deed = Deed::TestChannel("ops".to_owned());
    assert!(state.begin(&deed));
    let harness = Window::open(state.clone(), Theme::Light, WINDOW);
    harness.get_by_label("Sending…");
    let failure = Failure::new(Code::Notify, "the server said 503");
    state.apply(Event::Done(deed, Err(failure)), story::now());
    let harness = Window::open(state, Theme::Light, WINDOW);
    harness.get_by_label_contains("Test message by ops: the server said 503");
}

#[test]
fn rows_are_found_by_any_of_their_words() {
    let mut harness = open(story::live());
    harness.get_by_label("Filter checks").click();
    harness.run();
    harness.get_by_label("Filter checks").type_text("NAS");
    harness.run();
    let items = story::health().items;
    let meant = items.iter().filter(|item| item.object.contains("nas"));
    harness.get_by_label_contains(&format!("row 1 of {}", meant.count()));
    assert!(
        harness
            .query_by_label_contains("gitea-db, breached")
            .is_none()
    );
}

#[test]
fn diagnostics_are_copied_as_text() {
    let mut harness = open(story::live());
    harness.get_by_label("Copy diagnostics").click();
    harness.step();
    let text = copied(&harness).expect("something is copied");
    for part in [
        "backupd 0.1.0 on vault01",
        "https://10.0.4.12:8443, live",
        "Breached   database-connect  gitea-db",
        "→ backupctl token rotate prometheus",
        "ops  ntfy  last delivered 2026-11-21 18:02:09 UTC",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}

#[test]
fn everything_is_asked_again_on_demand() {
    let mut harness = open(story::live());
    harness.get_by_label("Check all now").click();
    harness.run();
    assert_eq!(harness.state().asked, [Command::Act(Act::Refresh)]);
}

#[test]
fn without_a_daemon_nothing_is_known() {
    let harness = open(story::lost());
    let all = story::health().items.len();
    harness.get_by_label(&format!("{all} unknown"));
    harness.get_by_label_contains("Database connect, gitea-db, unknown, was breached: no answer");
    assert!(harness.query_by_label("1 breached").is_none());
}

/// Nobody may be asked; perhaps somebody was before.
fn refused(mut state: State) -> State {
    story::fail(&mut state, Question::Health);
    at(state)
}

fn nothing() -> State {
    let mut state = story::first();
    let nothing = HealthReport::new(story::now(), Vec::new());
    story::hear(&mut state, Question::Health, Answer::Health(nothing));
    at(state)
}

picture! {
    live: "health", WINDOW, at(story::live());
    loading: "health-loading", WINDOW, at(story::first());
    failed: "health-failed", WINDOW, refused(story::first());
    failed_later: "health-failed-later", WINDOW, refused(story::live());
    lost: "health-lost", WINDOW, at(story::lost());
    empty: "health-empty", WINDOW, nothing();
    small_and_crowded: "health-small", SMALL, at(crowded());
}

/// The room of a repository, opened, with an end in sight.
fn filling() -> State {
    let mut state = story::live();
    let mut house = story::health();
    for item in &mut house.items {
        if item.id == "repository-space" {
            item.numbers.insert("free_bytes".to_owned(), 96 << 20);
            item.numbers.insert("full_in_days".to_owned(), 1);
            item.evidence = "96 MiB free, 5 % of all; full in 1 d".to_owned();
        }
    }
    story::hear(&mut state, Question::Health, Answer::Health(house));
    at(state)
}

fn open_room(harness: &mut Harness<'_, Window>) {
    harness
        .get_by_label_contains("Repository space, nas")
        .click();
    harness.run();
}

#[test]
fn the_room_of_a_repository_has_its_growth_below() {
    let mut harness = open(filling());
    open_room(&mut harness);
    let said = "Stored over time: at least 1.77 GiB in 80 snapshots; full in 1 d";
    harness.get_by_role_and_label(egui::Role::Image, said);
}

picture! {
    a_room: "health-room", WINDOW, filling(), open_room;
}
