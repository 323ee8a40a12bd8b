//! Restores: drafted step by step, previewed, begun, followed, and what they come to.

use admin_gui::state::{Act, Command, Deed, Draft, Event, KeySource, Place, Question, State, Step};
use backup_model::{Code, Failure};
use egui::{Role, Theme};
use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};

use crate::{
    SMALL, WINDOW, Window,
    story::{self, restores as restore},
};

fn open(state: State) -> Harness<'static, Window> {
    Window::open(state, Theme::Light, WINDOW)
}

fn is_off(harness: &Harness<'_, Window>, button: &str) -> bool {
    harness
        .get_by_role_and_label(Role::Button, button)
        .accesskit_node()
        .is_disabled()
}

fn full() -> Failure {
    Failure::new(
        Code::NoSpace,
        "about 3.4 GiB are needed, 2.1 GiB are free on db:5432",
    )
}

#[test]
fn a_snapshot_leads_to_its_restore() {
    let mut harness = open(story::at(story::live(), Place::Snapshots));
    harness
        .get_by_label_contains("webui-db/000041, complete")
        .click();
    harness.run();
    harness.get_by_label("Restore…").click();
    harness.run();
    let [
        Command::Act(Act::Draft(Some(draft))),
        Command::Act(Act::Go(place)),
    ] = &harness.state().asked[..]
    else {
        panic!("{:?}", harness.state().asked);
    };
    assert_eq!(*place, Place::Draft);
    assert_eq!(draft.step, Step::Target);
    assert_eq!(draft.snapshot, Some("webui-db/41".parse().unwrap()));
}

#[test]
fn without_a_key_nothing_is_previewed_and_the_way_to_one_is_there() {
    let mut harness = open(restore::drafted(story::live(), Step::Preview));
    assert!(is_off(&harness, "Continue"));
    harness.get_by_label("Open a key…").click();
    harness.run();
    harness.get_by_role_and_label(Role::Dialog, "Open an administrator's key");
    assert!(is_off(&harness, "Open"));
    let file = "Identity file or recovery kit, on this machine";
    harness.get_by_label(file).focus();
    harness.run();
    harness.get_by_label(file).type_text("/keys/admin.key");
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Open").click();
    harness.run();
    let source = KeySource::File {
        path: "/keys/admin.key".into(),
        passphrase: None,
        plugin: None,
    };
    assert_eq!(harness.state().asked, [Command::OpenKey(source)]);
}

#[test]
fn a_wrong_passphrase_is_said_where_it_was_typed() {
    let mut harness = open(restore::drafted(story::live(), Step::Preview));
    harness.get_by_label("Open a key…").click();
    harness.run();
    harness
        .get_by_label("A passphrase and nothing else")
        .click();
    harness.run();
    harness.get_by_label("Passphrase").focus();
    harness.run();
    harness.get_by_label("Passphrase").type_text("guess");
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Open").click();
    harness.run();
    let wrong = Failure::new(Code::WrongIdentity, "the passphrase is wrong");
    harness
        .state_mut()
        .state
        .apply(Event::Key(Err(wrong)), story::now());
    harness.run();
    harness.get_by_label_contains("The passphrase is wrong");
    // What was typed is gone; where it was typed stays.
    assert!(is_off(&harness, "Open"));
}

#[test]
fn what_blocks_is_said_and_holds_up_the_restore() {
    let harness = open(restore::previewed(Step::Preview, vec![full()]));
    assert!(is_off(&harness, "Continue"));
    harness.get_by_label("1 finding blocks this restore");
    harness.get_by_label_contains("2.1 GiB are free on db:5432");
}

#[test]
fn a_preview_without_obstacles_leads_on_and_the_last_step_begins_it() {
    let mut harness = open(restore::previewed(Step::Preview, Vec::new()));
    harness
        .get_by_role_and_label(Role::Button, "Continue")
        .click();
    harness.run();
    let asked = harness.state().asked.clone();
    let [Command::Act(Act::Draft(Some(draft)))] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert_eq!(draft.step, Step::Confirm);
    let state = restore::previewed(Step::Confirm, Vec::new());
    let order = state.draft().and_then(Draft::order).unwrap();
    let mut harness = open(state);
    harness
        .get_by_role_and_label(Role::Button, "Restore")
        .click();
    harness.run();
    let begin = Deed::Restore(Box::new(order));
    assert_eq!(harness.state().asked, [Command::Do(begin)]);
}

#[test]
fn a_restore_that_runs_can_be_stopped_after_a_question() {
    let mut harness = open(restore::running());
    harness.get_by_label("Runs on the server — you can close this window");
    harness.get_by_label("Cancel…").click();
    harness.run();
    assert_eq!(harness.state().asked, []);
    harness.get_by_label("Cancel the restore").click();
    harness.run();
    let stop = Deed::Stop(restore::TASK.to_owned());
    assert_eq!(harness.state().asked, [Command::Do(stop)]);
}

#[test]
fn warnings_are_no_success_and_a_failure_says_what_stays() {
    let harness = open(restore::ended(Ok(vec![restore::role()])));
    harness.get_by_label("Restored with 1 problem");
    harness.get_by_label_contains("3 grants were left out");
    let harness = open(restore::ended(Ok(Vec::new())));
    harness.get_by_label("Restored");
    let harness = open(restore::ended(Err(full())));
    harness.get_by_label("Not restored");
    harness.get_by_label_contains("2.1 GiB are free");
}

#[test]
fn a_daemon_that_was_started_anew_does_not_know_and_that_is_said() {
    let mut state = restore::running();
    let gone = Failure::new(Code::NoTask, "there is no task 5f0c9a7b");
    let id = restore::TASK.to_owned();
    state.apply(Event::Unheard(id, gone), story::now());
    let harness = open(state);
    harness.get_by_label("How it ended is not known");
}

#[test]
fn in_place_is_a_choice_of_its_own_for_the_whole_of_a_snapshot() {
    let word = "In place, instead of what is there now";
    let mut harness = open(restore::drafted(story::live(), Step::Target));
    harness
        .get_by_role_and_label(Role::RadioButton, word)
        .click();
    harness.run();
    let [Command::Act(Act::Draft(Some(draft)))] = &harness.state().asked[..] else {
        panic!("{:?}", harness.state().asked);
    };
    assert!(draft.in_place);
    let order = draft.order().unwrap();
    assert_eq!((&order.folder, &order.database), (&None, &None));
    assert!(order.in_place && order.safety_backup);

    let mut state = restore::drafted(story::live(), Step::Target);
    let mut draft = state.draft().cloned().unwrap();
    draft.part = admin_gui::state::Part::Databases;
    state.apply(Event::Act(Act::Draft(Some(draft))), story::now());
    let mut harness = open(state);
    harness
        .get_by_role_and_label(Role::RadioButton, word)
        .click();
    harness.run();
    assert_eq!(harness.state().asked, []);
}

#[test]
fn what_is_replaced_is_named_and_its_name_is_typed() {
    let mut state = restore::replacing(Step::Confirm);
    let harness = open(state.clone());
    assert!(is_off(&harness, "Replace"));
    harness.get_by_label("The database webui is kept as webui_before_20261122_140209");
    harness.get_by_label("Before that the job is backed up once more");
    harness.get_by_label("Type webui-db to say that it may be replaced");
    let mut draft = state.draft().cloned().unwrap();
    let order = draft.order().unwrap();
    draft.confirm = "webui-db".to_owned();
    state.apply(Event::Act(Act::Draft(Some(draft))), story::now());
    let mut harness = open(state);
    harness
        .get_by_role_and_label(Role::Button, "Replace")
        .click();
    harness.run();
    let said = admin_gui::state::Order {
        confirm: Some("webui-db".to_owned()),
        ..order
    };
    assert!(said.command().contains("--in-place --confirm webui-db"));
    let begin = Deed::Restore(Box::new(said));
    assert_eq!(harness.state().asked, [Command::Do(begin)]);
}

#[test]
fn what_is_in_the_way_in_place_is_no_matter_of_another_name() {
    let mut state = restore::replacing(Step::Preview);
    let order = state.draft().and_then(Draft::order).unwrap();
    let mut plan = state.plan(&order).value.cloned().unwrap();
    let left = Failure::new(Code::TargetNotEmpty, "`/srv/.webui.partial` is left over");
    plan.steps[1].obstacles.push(left);
    let question = Question::Plan(Box::new(order));
    story::hear(&mut state, question, admin_gui::state::Answer::Plan(plan));
    let harness = open(state);
    let fix = "Remove it on the server, if no restore runs there, then check again";
    assert!(harness.query_all_by_label_contains(fix).next().is_some());
}

fn listed() -> State {
    let mut state = story::at(story::live(), Place::Restores);
    let runs = admin_gui::state::Answer::Runs(restore::restores());
    story::hear(&mut state, Question::Restores, runs);
    state
}

fn unlocking() -> State {
    restore::drafted(story::live(), Step::Preview)
}

fn open_dialog(harness: &mut Harness<'_, Window>) {
    harness.get_by_label("Open a key…").click();
    harness.run();
}

picture! {
    the_list: "restores", WINDOW, listed();
    what: "restore-what", WINDOW, restore::drafted(story::live(), Step::What);
    when: "restore-when", WINDOW, restore::drafted(story::live(), Step::When);
    target: "restore-target", WINDOW, restore::drafted(story::live(), Step::Target);
    options: "restore-options", WINDOW, restore::drafted(story::live(), Step::Options);
    preview: "restore-preview", WINDOW, restore::previewed(Step::Preview, vec![full()]);
    preview_small: "restore-preview-small", SMALL, restore::previewed(Step::Preview, Vec::new());
    key: "restore-key", WINDOW, unlocking(), open_dialog;
    confirm: "restore-confirm", WINDOW, restore::previewed(Step::Confirm, Vec::new());
    in_place: "restore-in-place", WINDOW, restore::replacing(Step::Preview);
    in_place_confirm: "restore-in-place-confirm", WINDOW, restore::replacing(Step::Confirm);
    runs: "restore-running", WINDOW, restore::running();
    problems: "restore-problems", WINDOW, restore::ended(Ok(vec![restore::role()]));
    failed: "restore-failed", WINDOW, restore::ended(Err(full()));
}
