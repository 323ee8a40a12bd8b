//! Verification: what each level proves and does not, how each job stands, and what was found.

use admin_gui::state::{Act, Answer, Command, Deed, Event, Place, Question, State};
use backup_model::{
    Code, Failure, JobName, Level, ProtectionReason, RunPage, Selection, StatusReport,
};
use egui::Theme;
use egui_kittest::{Harness, kittest::Queryable as _};
use jiff::SignedDuration;

use crate::{
    SMALL, WINDOW, Window,
    story::{self, restores},
};

fn at(state: State) -> State {
    story::at(state, Place::Verification)
}

fn open(state: State) -> Harness<'static, Window> {
    Window::open(at(state), Theme::Light, WINDOW)
}

/// A status in which something else is so.
fn with(change: impl Fn(&mut StatusReport)) -> State {
    let mut state = story::live();
    let mut status = story::status();
    change(&mut status);
    state.apply(Event::Status(status), story::now());
    state
}

fn damaged(status: &mut StatusReport) {
    let names = ["wiki-db/38", "wiki-db/39"];
    let snapshots = names.iter().map(|name| name.parse().unwrap()).collect();
    let job = status.jobs.iter_mut();
    let mut job = job.filter(|job| job.protection.job == story::name("wiki-db"));
    let reasons = &mut job.next().unwrap().protection.reasons;
    reasons.push(ProtectionReason::Damaged { snapshots });
}

/// Jobs by the hundred, with long names and much to say of them.
fn crowded() -> State {
    with(|status| {
        let job = status.jobs[1].clone();
        status.jobs = (0..300)
            .map(|n| {
                let mut job = job.clone();
                let name = format!("a-job-with-quite-a-long-name-of-its-own-{n}");
                job.protection.job = name.parse::<JobName>().unwrap();
                job.protection.reasons.clear();
                if n % 7 == 0 {
                    let late = ProtectionReason::VerificationOverdue {
                        level: Level::Storage,
                        age: SignedDuration::from_hours(24 * 40),
                        limit: SignedDuration::from_hours(24 * 30),
                    };
                    job.protection.reasons.push(late);
                }
                job
            })
            .collect();
    })
}

#[test]
fn each_level_says_what_it_does_not_prove() {
    let harness = open(story::live());
    harness.get_by_label("Needs no key. Does not prove that they decrypt");
    harness.get_by_label("Needs a key. Does not prove that a database starts from it");
    harness.get_by_label("Open a key…");
    harness.get_by_label_contains("7 of 7 jobs, 1 overdue");
}

#[test]
fn an_overdue_job_says_for_how_long() {
    let harness = open(story::live());
    harness.get_by_label("1 overdue");
    let why = "not all verified at data for 38 d, limit 30 d";
    harness.get_by_label_contains(&format!(
        "webui-uploads, Overdue, storage 58 min ago, data 38 d ago, {why}"
    ));
    harness.get_by_label_contains("wiki-db, In time, storage 52 min ago, data 3 d ago");
}

#[test]
fn damaged_snapshots_are_named() {
    let harness = open(with(damaged));
    harness.get_by_label("1 damaged");
    harness.get_by_label_contains("data 3 d ago, wiki-db/000038, wiki-db/000039 are damaged");
}

#[test]
fn a_job_is_verified_from_its_row_and_all_from_the_card() {
    let mut harness = open(story::live());
    let buttons = harness.get_all_by_label("Verify");
    let button = buttons.into_iter().next().expect("a button in each row");
    button.click();
    harness.run();
    harness.get_by_label("Verify all jobs").click();
    harness.run();
    let one = Deed::Verify(Selection::Job(story::name("webui-uploads")));
    let all = Deed::Verify(Selection::All);
    let asked = std::mem::take(&mut harness.state_mut().asked);
    assert_eq!(asked, [one, all].map(Command::Do));
}

#[test]
fn a_chosen_job_is_meant_by_the_commands() {
    let mut harness = open(restores::unlocked(story::live()));
    harness
        .get_by_label_contains("keycloak-db, In time")
        .click();
    harness.run();
    harness.get_by_label("Same in a terminal backupctl verify keycloak-db --level storage");
    harness
        .get_by_label("Verify every byte of keycloak-db")
        .click();
    harness.run();
    let meant = Selection::Job(story::name("keycloak-db"));
    let asked = std::mem::take(&mut harness.state_mut().asked);
    assert_eq!(asked, [Command::Do(Deed::VerifyData(meant))]);
}

#[test]
fn a_row_of_the_history_leads_to_the_run() {
    let mut harness = open(story::live());
    harness.get_by_label_contains("keycloak-db, Good, 13:13");
    let links = harness.get_all_by_label("Open");
    links.into_iter().next().expect("one in each row").click();
    harness.run();
    let asked = std::mem::take(&mut harness.state_mut().asked);
    let [Command::Act(Act::Go(Place::Job(job, Some(_))))] = asked.as_slice() else {
        panic!("not a run: {asked:?}");
    };
    assert_eq!(*job, story::name("keycloak-db"));
}

#[test]
fn what_could_not_be_tested_is_no_damage() {
    let mut harness = open(story::live());
    harness.get_by_label("Verifications").focus();
    harness.run();
    for _ in 0..10 {
        harness.key_press(egui::Key::ArrowDown);
    }
    harness.run();
    let row = "wiki-db, Not tested, Sat 13:09, /mnt/nas is not mounted";
    harness.get_by_label_contains(row);
}

#[test]
fn nothing_is_begun_while_nobody_answers() {
    let mut harness = open(story::lost());
    harness.get_by_label("was 1 overdue");
    harness.get_by_label_contains("data 15 Oct 14:02, was overdue: not all");
    harness.get_by_label("Verify all jobs").click();
    harness.run();
    assert_eq!(harness.state().asked, []);
}

fn refused() -> State {
    let mut state = at(story::live());
    let deed = Deed::Verify(Selection::All);
    assert!(state.begin(&deed));
    let why = Failure::new(Code::Busy, "a verification is under way");
    state.apply(Event::Done(deed, Err(why)), story::now());
    state
}

#[test]
fn a_verification_that_did_not_begin_says_why() {
    let harness = Window::open(refused(), Theme::Light, WINDOW);
    let why = "Did not begin, Verification of all: a verification is under way";
    harness.get_by_label_contains(why);
}

fn failed() -> State {
    let mut state = story::first();
    story::fail(&mut state, Question::Verifications);
    at(state)
}

fn never() -> State {
    let mut state = story::first();
    let none = RunPage {
        runs: Vec::new(),
        next: None,
    };
    story::hear(&mut state, Question::Verifications, Answer::Runs(none));
    at(state)
}

fn empty() -> State {
    let mut state = never();
    let nothing = StatusReport {
        jobs: Vec::new(),
        ..story::status()
    };
    state.apply(Event::Status(nothing), story::now());
    state
}

picture! {
    live: "verification", WINDOW, at(story::live());
    damage: "verification-damaged", WINDOW, at(with(damaged));
    loading: "verification-loading", WINDOW, at(story::first());
    silent: "verification-silent", WINDOW, at(story::silent());
    history_failed: "verification-failed", WINDOW, failed();
    lost: "verification-lost", WINDOW, at(story::lost());
    nothing_yet: "verification-never", WINDOW, never();
    no_jobs: "verification-empty", WINDOW, empty();
    small_and_crowded: "verification-small", SMALL, at(crowded());
}
