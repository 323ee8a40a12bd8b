//! The overview: what it says and asks for, and how it looks.

use admin_gui::state::{Act, Answer, Command, Deed, Event, Place, Question, State};
use backup_model::{Code, Failure, HealthItem, HealthReport, ProtectionState, Span};
use egui::{Key, Theme};
use egui_kittest::kittest::Queryable as _;
use jiff::SignedDuration;

use super::{SMALL, WINDOW, Window, pictures, story};

fn refused() -> Failure {
    Failure::new(
        Code::StoreDenied,
        "the store refused to list b2-main: access denied",
    )
}

/// The daemon answers, and cannot tell of what stands in its repositories.
fn failed() -> State {
    let mut state = story::silent();
    state.apply(Event::Status(story::status()), story::now());
    let mut questions = vec![Question::Health, Question::Snapshots];
    let jobs = story::status().jobs.into_iter();
    questions.extend(jobs.map(|job| Question::Dues(job.protection.job)));
    for question in questions {
        state.apply(Event::Answered(question, Err(refused())), story::now());
    }
    state
}

/// Nobody has ever answered.
fn unreachable() -> State {
    let mut state = story::silent();
    let gone = Failure::new(Code::Daemon, "cannot connect to https://10.0.4.12:8443");
    state.apply(Event::Lost(gone), story::ago(3));
    state
}

/// Only that there are jobs was heard yet.
fn half() -> State {
    let mut state = story::silent();
    state.apply(Event::Status(story::status()), story::now());
    state
}

/// A daemon without a job.
fn empty() -> State {
    let mut report = story::status();
    report.jobs.clear();
    let mut state = story::silent();
    state.apply(Event::Status(report), story::now());
    let mut told = story::configuration();
    told.jobs.clear();
    told.repositories.truncate(1);
    let told = Answer::Configuration(told);
    story::hear(&mut state, Question::Configuration, told);
    let items = vec![
        HealthItem::ok(
            "repository-reachable",
            "repository b2-main",
            "p95 42 ms of 20 requests",
        ),
        HealthItem::ok(
            "repository-create-if-absent",
            "repository b2-main",
            "the store refuses to create what is there",
        ),
        HealthItem::at_risk(
            "recovery-kit",
            "repository b2-main",
            "none was proved",
            "Make one and prove it: backupctl kit create, backupctl kit confirm FILE",
        ),
    ];
    let health = HealthReport::new(story::now(), items);
    story::hear(&mut state, Question::Health, Answer::Health(health));
    state
}

/// Everything is as it should be.
fn fine() -> State {
    let mut report = story::status();
    for job in &mut report.jobs {
        let protection = &mut job.protection;
        protection.state = ProtectionState::Protected;
        protection.reasons.clear();
        protection.paused = None;
        if let Some(good) = &mut protection.last_good {
            good.created = story::ago(38);
        }
    }
    let mut state = story::live();
    state.apply(Event::Status(report), story::now());
    state
}

/// Very many jobs, most of them bad, with names as long as names can be.
fn crowded() -> State {
    let mut report = story::status();
    let some = report.jobs.clone();
    for number in 0..300 {
        let mut job = some[number % 2].clone();
        let name = format!("job-{number}-with-a-name-that-is-far-too-long-for-its-column");
        job.protection.job = story::name(&name);
        job.repository = format!("archive\nof-the-second-house-{}", number % 9);
        report.jobs.push(job);
    }
    report
        .jobs
        .sort_by_key(|job| std::cmp::Reverse(job.protection.state));
    let mut state = story::live();
    state.apply(Event::Status(report), story::now());
    state
}

#[test]
fn live_looks() {
    pictures("overview", WINDOW, &story::live());
}

#[test]
fn a_small_window_looks() {
    pictures("overview-small", SMALL, &story::live());
}

#[test]
fn a_narrow_window_looks() {
    let high = egui::Vec2::new(SMALL.x, 1000.0);
    pictures("overview-narrow", high, &story::live());
}

#[test]
fn lost_looks() {
    pictures("overview-lost", WINDOW, &story::lost());
}

#[test]
fn empty_looks() {
    pictures("overview-empty", WINDOW, &empty());
}

#[test]
fn first_loading_looks() {
    pictures("overview-first", WINDOW, &story::silent());
}

#[test]
fn loading_looks() {
    pictures("overview-half", WINDOW, &half());
}

#[test]
fn failed_looks() {
    pictures("overview-failed", WINDOW, &failed());
}

#[test]
fn unreachable_looks() {
    pictures("overview-unreachable", WINDOW, &unreachable());
}

#[test]
fn fine_looks() {
    pictures("overview-fine", WINDOW, &fine());
}

#[test]
fn crowded_looks() {
    pictures("overview-crowded", WINDOW, &crowded());
}

fn open(state: State) -> egui_kittest::Harness<'static, Window> {
    Window::open(state, Theme::Light, WINDOW)
}

fn asked(harness: &egui_kittest::Harness<'_, Window>) -> Vec<Command> {
    harness.state().asked.clone()
}

#[test]
fn it_says_how_many_need_attention_and_why() {
    let harness = open(story::live());
    harness.get_by_label("2 of 7 jobs need attention");
    harness.get_by_label("The last run failed: no answer from gitea-db:5432 within 10 s");
    harness.get_by_label_contains("gitea-db, breached, last good 26 h ago");
    harness.get_by_label("Paused until 14:32, after an error");
    harness.get_by_label_contains("keycloak-db, protected, last good 92 min ago, row 7 of 7");
}

#[test]
fn a_card_does_the_first_thing_and_opens_the_log() {
    let job = story::name("gitea-db");
    let mut harness = open(story::live());
    harness.get_by_label("Back up now").click();
    harness.run();
    harness.get_by_label("Open log").click();
    harness.run();
    let log = Place::Job(job.clone(), Some(story::nth_run("gitea-db", 1)));
    assert_eq!(
        asked(&harness),
        [Command::Do(Deed::BackUp(job)), Act::Go(log).into()]
    );
}

#[test]
fn enter_opens_a_job() {
    let mut harness = open(story::live());
    harness
        .get_by_role_and_label(egui::Role::Table, "Jobs")
        .focus();
    harness.run();
    for key in [Key::ArrowDown, Key::ArrowDown, Key::Enter] {
        harness.key_press(key);
        harness.run();
    }
    let place = Place::Job(story::name("webui-uploads"), None);
    assert_eq!(asked(&harness), [Act::Go(place).into()]);
}

#[test]
fn while_nobody_answers_everything_is_unknown_and_nothing_can_be_begun() {
    let harness = open(story::lost());
    let silent = Span(SignedDuration::from_mins(3));
    harness.get_by_label(&format!("State unknown for {silent}"));
    harness.get_by_label("Needed attention at 14:02");
    harness.get_by_label_contains("gitea-db, unknown, last good Sat 12:02");
    assert!(harness.query_by_label("Back up now").is_none());
    assert!(harness.query_by_label("Protected").is_none());
}

#[test]
fn what_did_not_begin_is_said_and_can_be_tried_again() {
    let mut state = story::live();
    let deed = Deed::BackUp(story::name("gitea-db"));
    let busy = Failure::new(Code::Busy, "a run of gitea-db is under way");
    state.apply(Event::Done(deed.clone(), Err(busy)), story::now());
    let mut harness = open(state);
    let card = egui::accesskit::Role::Group;
    harness.get_by_role_and_label(card, "Backup of gitea-db did not begin");
    harness.get_by_label("Retry").click();
    harness.run();
    assert_eq!(asked(&harness), [Command::Do(deed)]);
}

#[test]
fn before_the_first_job_steps_are_shown_with_their_commands() {
    let harness = open(empty());
    harness.get_by_label("1, Repository, done");
    harness.get_by_label("2, Recovery kit, to do");
    harness.get_by_label("backupctl kit confirm ~/kit.txt");
}
