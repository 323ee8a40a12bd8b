//! The audit log: its entries, whether they are as they were written, and older ones on demand.

use admin_gui::state::{Act, Answer, Command, Event, Place, Question, State};
use backup_model::AuditPage;
use egui::Theme;
use egui_kittest::{Harness, kittest::Queryable as _};

use crate::{SMALL, WINDOW, Window, story};

fn at(state: State) -> State {
    story::at(state, Place::Audit)
}

fn open(state: State) -> Harness<'static, Window> {
    Window::open(at(state), Theme::Light, WINDOW)
}

/// Entries whose words try to break out of their line.
fn crowded() -> State {
    let mut state = story::live();
    let mut page = story::audit();
    for entry in &mut page.entries {
        entry.object = format!("{}\n\u{5d0}\u{5d1} of a very long name\t", entry.object).repeat(3);
        entry.details = Some("E-PG-CONNECT and very much more ".repeat(9));
    }
    story::hear(&mut state, Question::Audit(None), Answer::Audit(page));
    state
}

#[test]
fn a_chosen_entry_shows_all_its_fields() {
    let mut harness = open(story::live());
    harness.get_by_label("Verified to entry 10\u{202f}412");
    harness.get_by_label("The newest 60 of 10\u{202f}412 entries");
    harness.get_by_label_contains("row 2 of 60").click();
    harness.run();
    harness.get_by_label("Entry 10\u{202f}411");
    harness.get_by_label("Client backupctl 0.1.0");
    // Nothing is asked for while the end is far.
    assert!(harness.state().asked.is_empty());
}

#[test]
fn entries_are_found_by_any_column() {
    let mut harness = open(story::live());
    harness.get_by_label("Filter entries").click();
    harness.run();
    harness
        .get_by_label("Filter entries")
        .type_text("e-pg-connect");
    harness.run();
    harness.get_by_label("10 found in the newest 60 of 10\u{202f}412 entries");
    harness.get_by_label_contains("row 1 of 10");
    harness.get_by_label("Look in older ones").click();
    harness.run();
    assert_eq!(harness.state().asked, [Command::Act(Act::ReadOlder)]);
}

#[test]
fn older_entries_are_asked_for_near_the_end() {
    let mut state = at(story::first());
    // A page that is in sight as a whole.
    let mut page = story::audit();
    page.entries.truncate(12);
    story::hear(&mut state, Question::Audit(None), Answer::Audit(page));
    let harness = Window::open(state, Theme::Light, WINDOW);
    assert_eq!(
        harness.state().asked.first(),
        Some(&Command::Act(Act::ReadOlder))
    );
}

#[test]
fn an_older_page_is_wanted_once_and_joins_the_others() {
    let mut state = at(story::live());
    let before = Question::Audit(Some(10_352));
    assert!(!state.wants(story::now()).contains(&before));
    state.apply(Event::Act(Act::ReadOlder), story::now());
    assert!(state.wants(story::now()).contains(&before));
    assert!(!state.wants(story::now()).contains(&before));
    let mut page = story::audit();
    for entry in &mut page.entries {
        entry.seq -= 60;
    }
    page.next = None;
    story::hear(&mut state, before.clone(), Answer::Audit(page));
    assert_eq!(state.trail().entries().len(), 120);
    assert!(!state.wants(story::now()).contains(&before));
}

#[test]
fn a_slash_leads_to_the_filter() {
    let mut harness = open(story::live());
    harness.key_press(egui::Key::Slash);
    harness.run();
    assert!(harness.get_by_label("Filter entries").is_focused());
}

fn tampered() -> State {
    let mut state = story::live();
    let check = Answer::AuditCheck(story::tampered());
    story::hear(&mut state, Question::AuditCheck, check);
    at(state)
}

fn refused() -> State {
    let mut state = story::first();
    story::fail(&mut state, Question::Audit(None));
    story::fail(&mut state, Question::AuditCheck);
    at(state)
}

fn nothing() -> State {
    let mut state = story::first();
    let page = AuditPage {
        entries: Vec::new(),
        next: None,
    };
    story::hear(&mut state, Question::Audit(None), Answer::Audit(page));
    at(state)
}

fn choose(harness: &mut Harness<'_, Window>) {
    harness.get_by_label_contains("row 3 of 60").click();
    harness.run();
}

picture! {
    live: "audit", WINDOW, at(story::live()), choose;
    not_as_written: "audit-tampered", WINDOW, tampered();
    loading: "audit-loading", WINDOW, at(story::first());
    failed: "audit-failed", WINDOW, refused();
    lost: "audit-lost", WINDOW, at(story::lost());
    empty: "audit-empty", WINDOW, nothing();
    small_and_crowded: "audit-small", SMALL, at(crowded()), choose;
}
