//! What stays of a job's snapshots, and what another policy would let go.

use admin_gui::state::{Act, Answer, Command, Event, Keep, Place, Question, State};
use backup_model::{Code, Failure, JobName, PauseReason, RetentionPlan};
use egui::{Role, Theme, Vec2};
use egui_kittest::{Harness, kittest::Queryable as _};

use crate::{
    SMALL, WINDOW, Window,
    hands::{copied, press, write},
    story::{self, retention},
};

const TAB: &str = "Schedule and retention";

fn job() -> JobName {
    story::name("webui-db")
}

/// Something is tried, and the daemon says what comes of it.
fn told(keep: Option<Keep>, plan: Option<RetentionPlan>) -> State {
    let mut state = story::at(story::live(), Place::Job(job(), None));
    state.apply(Event::Act(Act::Try(job(), keep)), story::now());
    let question = Question::Retention(job(), keep);
    story::hear(&mut state, question, Answer::Retention(plan.map(Box::new)));
    state
}

fn in_force() -> State {
    told(None, Some(retention::plan(None)))
}

fn fewer() -> State {
    let fewer = Some(retention::FEWER);
    told(fewer, Some(retention::plan(fewer)))
}

fn paused() -> State {
    let mut plan = retention::plan(None);
    plan.paused = Some(PauseReason::RecentFailures { runs: 3 });
    told(None, Some(plan))
}

fn refused() -> State {
    let mut state = in_force();
    let nothing = Keep([0, 0, 0, 0, 0, 0, 1]);
    state.apply(Event::Act(Act::Try(job(), Some(nothing))), story::now());
    let why = Failure::new(
        Code::Policy,
        "a policy without any rule keeps nothing but the newest",
    );
    let question = Question::Retention(job(), Some(nothing));
    state.apply(Event::Answered(question, Err(why)), story::now());
    state
}

fn without_policy() -> State {
    let mut state = told(None, None);
    let mut told = story::configuration();
    told.jobs.iter_mut().for_each(|job| job.retention = None);
    story::hear(
        &mut state,
        Question::Configuration,
        Answer::Configuration(told),
    );
    state
}

fn tab(harness: &mut Harness<'_, Window>) {
    press(harness, Role::Tab, TAB);
}

/// Fewer days and weeks are typed.
fn type_fewer(harness: &mut Harness<'_, Window>) {
    tab(harness);
    write(harness, Role::TextInput, "Days", "7");
    write(harness, Role::TextInput, "Weeks", "4");
}

fn opened(state: State, size: Vec2) -> Harness<'static, Window> {
    let mut harness = Window::open(state, Theme::Light, size);
    tab(&mut harness);
    harness
}

#[test]
fn what_stays_and_what_goes_is_told_with_the_reason() {
    let mut harness = opened(in_force(), WINDOW);
    harness.get_by_label("What would stay: 21 stay, 0 go");
    harness.get_by_label_contains("webui-db/001200, Newest of 2026-11-22 (keep_daily)");
    harness.get_by_label("22 Nov, stays");
    harness.get_by_label("17 Oct, stays, held or proven");
    assert_eq!(harness.state_mut().asked, []);
}

#[test]
fn another_policy_is_asked_of_the_daemon_and_given_to_copy() {
    // All of the policy is in sight at this height.
    let high = Vec2::new(WINDOW.x, 960.0);
    let mut harness = Window::open(in_force(), Theme::Light, high);
    type_fewer(&mut harness);
    let asked = harness.state_mut().asked.pop();
    let wanted = Act::Try(job(), Some(retention::FEWER));
    assert_eq!(asked, Some(Command::Act(wanted)));
    let command = "backupctl retention preview webui-db --keep-daily 7 --keep-weekly 4";
    harness.get_by_label_contains(command);
    harness.get_by_label("Copy lines").click();
    harness.step();
    let lines =
        "keep_last = 12\nkeep_daily = 7\nkeep_weekly = 4\nkeep_monthly = 12\nmin_keep = 2\n";
    assert_eq!(copied(&harness).as_deref(), Some(lines));
    press(&mut harness, Role::Button, "Discard");
    assert!(harness.query_by_label("keep_daily = 7, comes").is_none());
}

#[test]
fn what_was_told_before_stays_in_sight_while_another_is_asked() {
    let mut state = in_force();
    let fewer = Act::Try(job(), Some(retention::FEWER));
    state.apply(Event::Act(fewer), story::now());
    let shown = state.retention(&job()).value;
    assert_eq!(shown, Some(&Some(Box::new(retention::plan(None)))));
}

#[test]
fn a_policy_that_keeps_nothing_is_refused_with_the_reason() {
    let mut harness = Window::open(refused(), Theme::Light, WINDOW);
    tab(&mut harness);
    for rule in ["Last snapshots", "Days", "Weeks", "Months"] {
        write(&mut harness, Role::TextInput, rule, "0");
    }
    write(&mut harness, Role::TextInput, "Never fewer than", "1");
    harness.get_by_role_and_label(Role::Group, "What would stay cannot be shown");
}

picture! {
    the_policy_in_force: "job-retention", WINDOW, in_force(), tab;
    a_policy_that_is_tried: "job-retention-tried", WINDOW, fewer(), type_fewer;
    a_policy_small: "job-retention-small", SMALL, in_force(), tab;
    a_paused_retention: "job-retention-paused", WINDOW, paused(), tab;
    no_policy: "job-retention-none", SMALL, without_policy(), tab;
}
