//! The frame: what the bar at the top says, what is under way, and what the window has told.

use admin_gui::state::{Act, Command, Deed, Event, Place, State};
use backup_model::{Code, Failure, JobName, Level, Selection};
use egui::{Role, Theme, Vec2};
use egui_kittest::{Harness, kittest::Queryable as _};
use jiff::SignedDuration;

use crate::{SMALL, WINDOW, Window, story};

#[test]
fn the_bar_says_how_it_all_stands() {
    let harness = Window::open(story::live(), Theme::Light, WINDOW);
    harness.get_by_role_and_label(Role::Tab, "Overview");
    harness.get_by_role_and_label(Role::Button, "1 breached");
    harness.get_by_label("vault01, https://10.0.4.12:8443");
}

/// Two runs, and two things that were asked and not answered yet.
fn busy() -> State {
    let mut state = story::silent();
    let mut report = story::status();
    report.jobs[2].protection.running = Some(backup_model::Running {
        run: story::run_id(95, 8),
        percent: None,
    });
    state.apply(Event::Status(report), story::now());
    let cancel = Deed::Cancel(story::run_id(95, 8));
    assert!(state.begin(&cancel) && state.begin(&Deed::TestChannel("ops".to_owned())));
    state
}

fn told() -> State {
    let mut state = story::live();
    let ago = |minutes| story::now() - SignedDuration::from_mins(minutes);
    let done = |words: &str| Ok(words.to_owned());
    let keycloak = story::name("keycloak-db");
    let denied = Failure::new(
        Code::PgConnect,
        "no answer from gitea-db:5432 within 10 s\nand a line of its own that is longer than there \
         is room for, so that it is cut after three lines and all of it stands in the tip: the \
         server may be down, or this host may not reach it by any of the ways that it knows",
    );
    let deeds = [
        (
            Deed::BackUp(keycloak.clone()),
            done("started on the server"),
            42,
        ),
        (Deed::TestChannel("ops".to_owned()), done("delivered"), 20),
        (Deed::BackUp(story::name("gitea-db")), Err(denied), 12),
        (
            Deed::Verify(Selection::Job(keycloak)),
            done("started on the server"),
            2,
        ),
    ];
    for (deed, outcome, minutes) in deeds {
        state.apply(Event::Done(deed, outcome), ago(minutes));
    }
    state
}

fn press(harness: &mut Harness<'_, Window>, button: &str) {
    harness.get_by_role_and_label(Role::Button, button).click();
    harness.run();
}

fn open_tasks(harness: &mut Harness<'_, Window>) {
    press(harness, "3 running");
}

fn open_bell(harness: &mut Harness<'_, Window>) {
    press(harness, "Notices, 4 new");
}

#[test]
fn what_runs_is_opened_and_cancelled_from_the_list() {
    let mut harness = Window::open(story::live(), Theme::Light, WINDOW);
    press(&mut harness, "1 running");
    harness.get_by_label("webui-uploads, 64 % · for 2 min 00 s");
    press(&mut harness, "Cancel");
    harness.get_by_role_and_label(Role::Link, "Open").click();
    harness.run();
    let run = story::run_id(2, 9);
    let open = Place::Job(story::name("webui-uploads"), Some(run));
    let asked = [Deed::Cancel(run).into(), Act::Go(open).into()];
    assert_eq!(harness.state().asked, asked);
    assert!(
        harness
            .query_by_role_and_label(Role::Link, "Open")
            .is_none()
    );
}

#[test]
fn what_was_asked_stands_beside_what_runs() {
    let mut harness = Window::open(busy(), Theme::Light, WINDOW);
    open_tasks(&mut harness);
    harness.get_by_label("Test message by ops, asked");
    harness.get_by_label("mcpo-config, For 1 h 35 min · asked to stop");
    assert_eq!(harness.state().asked, []);
}

#[test]
fn while_nobody_answers_nothing_is_said_to_run() {
    let harness = Window::open(story::lost(), Theme::Light, WINDOW);
    assert!(harness.query_by_label_contains("running").is_none());
}

#[test]
fn a_notice_leads_to_the_job_that_it_is_about() {
    let mut harness = Window::open(told(), Theme::Light, WINDOW);
    open_bell(&mut harness);
    harness
        .get_by_role_and_label(Role::Link, "Open gitea-db")
        .click();
    harness.run();
    let asked = &harness.state().asked;
    assert_eq!(asked.first(), Some(&Act::SeeNotices.into()));
    let open = Place::Job(story::name("gitea-db"), None);
    assert_eq!(asked.last(), Some(&Command::from(Act::Go(open))));
}

/// Seventy jobs that run, with the longest names that there can be.
fn crowded() -> State {
    let mut report = story::status();
    let one = report.jobs[1].clone();
    let jobs = (0..70_u8).map(|n| {
        let mut job = one.clone();
        job.protection.job = long(n);
        job.proven = job.proven.map(|proven| backup_model::Proven {
            level: Level::Data,
            ..proven
        });
        job
    });
    report.jobs = jobs.collect();
    let mut state = story::silent();
    state.apply(Event::Status(report), story::now());
    let why = Failure::new(Code::Bug, "\u{202e}the other way\nround");
    state.apply(Event::Done(Deed::BackUp(long(1)), Err(why)), story::now());
    story::at(state, Place::Settings)
}

fn long(n: u8) -> JobName {
    format!("job-{n}-with-a-name-as-long-as-a-name-may-be-or-nearly-so-{n}")
        .parse()
        .unwrap()
}

/// So wide that the rail is narrow, and the least that there can be.
const NARROW: Vec2 = Vec2::new(960.0, 700.0);

picture! {
    running: "frame-running", WINDOW, busy(), open_tasks;
    running_crowded: "frame-running-crowded", SMALL, crowded(), |harness| press(harness, "70 running");
    notices: "frame-notices", WINDOW, told(), open_bell;
    notices_small: "frame-notices-small", SMALL, told(), open_bell;
    notices_crowded: "frame-notices-crowded", NARROW, crowded(), |harness| press(harness, "Notices, 1 new");
    no_notices: "frame-notices-none", NARROW, story::live(), |harness| press(harness, "Notices");
}
