//! A machine that is set up: the doors of a window that finds nobody, the steps, and what follows.

use std::path::PathBuf;

use admin_gui::state::{
    Act, Answer, Command, Deed, Event, Home, Origin, Place, Question, Server, ServerAct, State, Way,
};
use backup_model::{Code, Failure, ProtectionState, StatusReport};
use egui::{Role, Theme};
use egui_kittest::{Harness, kittest::Queryable as _};

use crate::{
    SMALL, WINDOW, Window,
    hands::{press, write},
    story,
};

fn home(is_set_up: bool) -> Home {
    Home {
        configuration: PathBuf::from("/home/anna/.config/backupd/config.toml"),
        state: PathBuf::from("/home/anna/.local/state/backupd"),
        keys: PathBuf::from("/home/anna/backupd-keys"),
        zone: "Europe/Berlin".to_owned(),
        is_set_up,
    }
}

/// At the place where the window looks for a daemon by itself.
fn start(is_set_up: bool) -> State {
    let mut state = State::new(Server {
        address: "unix:/run/backupd/api.sock".to_owned(),
        is_secure: true,
        pin: None,
        origin: Origin::Start,
    });
    state.apply(Event::Home(home(is_set_up)), story::now());
    state
}

/// Nobody is there.
fn nobody(is_set_up: bool) -> State {
    let mut state = start(is_set_up);
    let gone = Failure::new(
        Code::Daemon,
        "cannot connect to unix:/run/backupd/api.sock: no such file",
    );
    state.apply(Event::Lost(gone), story::ago(1));
    state
}

fn setting_up() -> State {
    story::at(nobody(false), Place::SetUp)
}

fn report(snapshots: u64) -> StatusReport {
    let mut report = story::status();
    report.jobs.truncate(1);
    let job = &mut report.jobs[0];
    job.snapshots = Some(snapshots);
    job.last_run = None;
    job.protection.running = None;
    job.protection.reasons.clear();
    job.protection.state = ProtectionState::AtRisk;
    report
}

/// It is set up, and nothing was restored yet.
fn guided(snapshots: u64) -> State {
    let mut state = start(true);
    state.apply(Event::WasSetUp, story::now());
    state.apply(Event::Status(report(snapshots)), story::now());
    let told = Answer::Configuration(story::configuration());
    story::hear(&mut state, Question::Configuration, told);
    state
}

fn fill_store(harness: &mut Harness<'_, Window>) {
    let place = "Folder on this machine, or bucket";
    write(harness, Role::TextInput, place, "/mnt/backups/repository");
}

fn fill_job(harness: &mut Harness<'_, Window>) {
    fill_store(harness);
    press(harness, Role::Button, "Continue");
    write(harness, Role::TextInput, "Name of the job", "webui");
    write(harness, Role::TextInput, "Database", "webui");
    write(harness, Role::TextInput, "User who reads it", "backup");
    let password = "Password, if it takes one";
    write(harness, Role::PasswordInput, password, "geheim");
    write(harness, Role::TextInput, "Path 1", "/srv/webui");
    write(harness, Role::TextInput, "Path 2", "/srv/mcpo");
}

fn look(harness: &mut Harness<'_, Window>) {
    fill_job(harness);
    press(harness, Role::Button, "Continue");
}

fn refuse(harness: &mut Harness<'_, Window>) {
    look(harness);
    press(harness, Role::Button, "Set up");
    let failure = Failure {
        causes: vec!["job.webui.schedule: `15 */2` has two fields of five".to_owned()],
        ..Failure::new(Code::Config, "the configuration would not be right")
    };
    let refused = Event::Way(Way::Refused(failure));
    harness.state_mut().state.apply(refused, story::now());
    harness.run();
}

#[test]
fn a_window_that_finds_nobody_has_three_doors() {
    let mut harness = Window::open(nobody(false), Theme::Light, WINDOW);
    press(&mut harness, Role::Button, "Set up…");
    let asked = harness.state_mut().asked.pop();
    assert_eq!(asked, Some(Command::Act(Act::Go(Place::SetUp))));
    press(&mut harness, Role::Button, "Add a server…");
    press(&mut harness, Role::Button, "Cancel");
    press(&mut harness, Role::Button, "Open a repository…");
    press(&mut harness, Role::Button, "Cancel");
    // A machine that is set up is not set up again.
    let mut harness = Window::open(nobody(true), Theme::Light, WINDOW);
    assert!(harness.query_by_label("Set up…").is_none());
    press(&mut harness, Role::Button, "Start it");
    let asked = harness.state_mut().asked.pop();
    assert_eq!(asked, Some(Command::Server(ServerAct::Start)));
}

#[test]
fn each_step_says_what_it_misses() {
    let mut harness = Window::open(setting_up(), Theme::Light, WINDOW);
    harness.get_by_label("Say where backups go first");
    let place = "Folder on this machine, or bucket";
    write(&mut harness, Role::TextInput, place, "relative");
    harness.get_by_label("A folder's whole path begins with /, a bucket with s3://");
    write(&mut harness, Role::TextInput, place, "s3://bucket/main");
    write(&mut harness, Role::TextInput, "Access key id", "AKIA7");
    harness.get_by_label("An access key has an id and a secret");
    fill_store(&mut harness);
    assert!(harness.query_by_label("Access key id").is_none());
    press(&mut harness, Role::Button, "Continue");
    write(&mut harness, Role::TextInput, "Name of the job", "Web UI");
    harness.get_by_label("The job needs a name of small letters, digits and -");
    write(&mut harness, Role::TextInput, "Name of the job", "webui");
    harness.get_by_label("Say which database first");
    press(&mut harness, Role::CheckBox, "A PostgreSQL database");
    harness.get_by_label("Say what it backs up first");
    write(&mut harness, Role::TextInput, "Path 1", "srv");
    harness.get_by_label("The whole path of a folder begins with /");
}

#[test]
fn what_was_typed_is_set_up_after_a_look() {
    let mut harness = Window::open(setting_up(), Theme::Light, WINDOW);
    look(&mut harness);
    let shown = harness.get_by_label_contains("[job.webui]");
    assert!(!format!("{shown:?}").contains("geheim"));
    press(&mut harness, Role::Button, "Set up");
    let Some(Command::Server(ServerAct::SetUp(order))) = harness.state_mut().asked.pop() else {
        panic!("nothing was asked");
    };
    assert_eq!(order.location, "/mnt/backups/repository");
    assert_eq!(order.paths, ["/srv/webui", "/srv/mcpo"]);
    assert_eq!(order.schedule, "15 */2 * * *");
    let database = order.database.unwrap();
    assert_eq!((database.host.as_str(), database.port), ("127.0.0.1", 5432));
    assert!(database.password.is_some());

    // It stays for another try, and what did not work is said.
    let mut harness = Window::open(setting_up(), Theme::Light, WINDOW);
    refuse(&mut harness);
    harness.get_by_label_contains("has two fields of five");
    press(&mut harness, Role::Button, "Set up");
    assert_eq!(harness.state().asked.len(), 2);
}

#[test]
fn after_it_the_steps_lead_to_a_first_restore() {
    let mut harness = Window::open(guided(0), Theme::Light, WINDOW);
    harness.get_by_label_contains("Copy the keys in /home/anna/backupd-keys to a safe place");
    assert!(harness.query_by_label("Restore…").is_none());
    press(&mut harness, Role::Button, "Back up now");
    let asked = harness.state_mut().asked.pop();
    let job = report(0).jobs.remove(0).protection.job;
    assert_eq!(asked, Some(Command::Do(Deed::BackUp(job))));

    let mut harness = Window::open(guided(1), Theme::Light, WINDOW);
    assert!(harness.query_by_label("Back up now").is_none());
    press(&mut harness, Role::Button, "Restore…");
    let went = Command::Act(Act::Go(Place::Draft));
    assert_eq!(harness.state().asked.last(), Some(&went));
    // Who has backed up more than once knows their way.
    let harness = Window::open(guided(2), Theme::Light, WINDOW);
    assert!(harness.query_by_label("Nothing is protected yet").is_none());
}

picture! {
    doors: "set-up-doors", WINDOW, nobody(false);
    doors_small: "set-up-doors-small", SMALL, nobody(true);
    store: "set-up-store", WINDOW, setting_up(), fill_store;
    job: "set-up-job", WINDOW, setting_up(), fill_job;
    last: "set-up-look", WINDOW, setting_up(), look;
    refused: "set-up-refused", WINDOW, setting_up(), refuse;
    steps: "set-up-steps", WINDOW, guided(1);
}
