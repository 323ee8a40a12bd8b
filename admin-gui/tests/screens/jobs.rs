//! Jobs: the table, one job with its runs, and what can be done with it.

use admin_gui::state::{Act, Answer, Command, Deed, Event, Place, Question, State};
use backup_model::{Code, Failure, StatusReport};
use backupd_api::{CallerInfo, Scope, Scopes};
use egui::{Role, Theme};
use egui_kittest::kittest::Queryable as _;

use crate::{SMALL, WINDOW, Window, hands::copied, story};

fn detail(job: &str, run: Option<u8>) -> State {
    let run = run.map(|number| story::nth_run(job, number));
    story::at(story::live(), Place::Job(story::name(job), run))
}

#[test]
fn the_table_names_each_job_with_its_state() {
    let state = story::at(story::live(), Place::Jobs);
    let harness = Window::open(state, Theme::Light, WINDOW);
    harness.get_by_label_contains("gitea-db, breached, last good 26 h ago");
    harness.get_by_label_contains("keycloak-db, protected, last good 92 min ago");
}

#[test]
fn while_nobody_answers_no_state_is_claimed() {
    let state = story::at(story::lost(), Place::Jobs);
    let harness = Window::open(state, Theme::Light, WINDOW);
    harness.get_by_label_contains("keycloak-db, unknown, last good 12:30");
    harness.get_by_label_contains("No connection since 13:59");
}

#[test]
fn a_daemon_of_another_version_is_named_so() {
    let mut state = story::at(story::live(), Place::Jobs);
    let why = Failure {
        causes: vec!["unknown variant `frozen`".to_owned()],
        ..Failure::new(Code::DaemonVersion, "the daemon's answer cannot be read")
    };
    state.apply(Event::Lost(why), story::now());
    let harness = Window::open(state, Theme::Light, WINDOW);
    harness.get_by_label_contains("are of different versions");
}

#[test]
fn a_job_is_backed_up_verified_and_paused_from_its_page() {
    let mut harness = Window::open(detail("webui-db", None), Theme::Light, WINDOW);
    harness.get_by_label("Back up now").click();
    harness.run();
    harness.get_by_label("Verify").click();
    harness.run();
    harness.get_by_label("Pause…").click();
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Pause").click();
    harness.run();
    let asked = std::mem::take(&mut harness.state_mut().asked);
    let job = story::name("webui-db");
    let pause = Deed::Pause {
        job: job.clone(),
        from: story::now(),
        until: Some(story::now() + jiff::SignedDuration::from_hours(4)),
        why: String::new(),
    };
    let verify = Deed::Verify(backup_model::Selection::Job(job.clone()));
    let wanted = [Deed::BackUp(job), verify, pause].map(Command::Do);
    assert_eq!(asked, wanted);
}

#[test]
fn nothing_can_be_done_while_nobody_answers() {
    let place = Place::Job(story::name("webui-db"), None);
    let mut harness = Window::open(story::at(story::lost(), place), Theme::Light, WINDOW);
    harness.get_by_label_contains("Back up now").click();
    harness.run();
    assert_eq!(harness.state().asked, []);
}

#[test]
fn a_run_is_opened_by_a_click() {
    let mut harness = Window::open(detail("webui-db", None), Theme::Light, WINDOW);
    let run = story::nth_run("webui-db", 1);
    let row = format!("{}, Succeeded", run.short());
    harness.get_by_label_contains(&row).click();
    harness.run();
    let open = Place::Job(story::name("webui-db"), Some(run));
    assert_eq!(harness.state().asked, [Command::Act(Act::Go(open))]);
}

#[test]
fn a_run_that_failed_says_why_and_what_to_do_and_can_be_copied() {
    let mut harness = Window::open(detail("gitea-db", Some(1)), Theme::Light, WINDOW);
    harness.get_by_role_and_label(Role::Group, "This backup failed");
    harness.get_by_label("Check host, port or socket folder, and whether the server runs");
    harness.get_by_label("Copy error").click();
    harness.step();
    let text = copied(&harness).unwrap();
    let wanted = [
        "E-PG-CONNECT",
        "This backup failed",
        "No answer from gitea-db:5432 within 10 s",
        "Check host, port or socket folder, and whether the server runs",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), wanted);
}

fn refused() -> State {
    let mut state = detail("webui-db", None);
    let deed = Deed::BackUp(story::name("webui-db"));
    let why = Failure::new(Code::NotPermitted, "the token may not do that");
    assert!(state.begin(&deed));
    state.apply(Event::Done(deed, Err(why)), story::now());
    state
}

#[test]
fn a_refused_deed_says_why_on_the_page() {
    let harness = Window::open(refused(), Theme::Light, WINDOW);
    assert!(
        harness
            .query_all_by_label_contains("Backup of webui-db did not work")
            .next()
            .is_some()
    );
}

fn table(state: State) -> State {
    story::at(state, Place::Jobs)
}

fn without_jobs() -> State {
    let mut state = story::silent();
    let nothing = StatusReport {
        jobs: Vec::new(),
        ..story::status()
    };
    state.apply(Event::Status(nothing), story::now());
    table(state)
}

fn without_runs() -> State {
    let mut state = story::silent();
    let why = Failure::new(Code::Overloaded, "too many ask at once");
    let job = story::name("webui-db");
    let runs = Question::Runs(Some(job.clone()));
    state.apply(Event::Status(story::status()), story::now());
    state.apply(Event::Answered(runs, Err(why)), story::now());
    story::at(state, Place::Job(job, None))
}

picture! {
    the_table: "jobs-all", WINDOW, table(story::live());
    the_table_lost: "jobs-lost", WINDOW, table(story::lost());
    the_table_loading: "jobs-loading", WINDOW, table(story::silent());
    the_table_small: "jobs-small", SMALL, table(story::live());
    no_jobs: "jobs-empty", WINDOW, without_jobs();
    a_job: "job", WINDOW, detail("webui-db", None);
    a_run: "job-run", WINDOW, detail("gitea-db", Some(1));
    a_run_small: "job-run-small", SMALL, detail("webui-db", Some(2));
    a_failed_run_small: "job-run-failed-small", SMALL, detail("gitea-db", Some(1));
    a_job_failed: "job-failed", WINDOW, without_runs();
    a_deed_refused: "job-refused", WINDOW, refused();
    a_history: "job-history", WINDOW, detail("gitea-db", None), open_history;
    a_history_lost: "job-history-lost", SMALL, lost_detail(), open_history;
}

fn lost_detail() -> State {
    story::at(story::lost(), Place::Job(story::name("webui-db"), None))
}

fn open_history(harness: &mut egui_kittest::Harness<'_, Window>) {
    harness.get_by_role_and_label(Role::Tab, "History").click();
    harness.run();
}

#[test]
fn the_history_says_in_words_what_it_draws() {
    let mut harness = Window::open(detail("gitea-db", None), Theme::Light, WINDOW);
    open_history(&mut harness);
    let said = "How long runs took: median 1 min 07 s, at most 1 min 12 s, last 1 min 02 s; \
                13 without a snapshot";
    harness.get_by_role_and_label(Role::Image, said);
    harness.get_by_label_contains("What runs stored: median 244 MiB, at most 302 MiB");
}

#[test]
fn a_history_that_is_not_told_says_why() {
    let mut harness = Window::open(without_runs(), Theme::Light, WINDOW);
    open_history(&mut harness);
    harness.get_by_role_and_label(Role::Group, "The runs cannot be shown");
    assert!(harness.query_by_role(Role::Image).is_none());
}

#[test]
fn what_the_token_may_not_do_is_said_before_it_is_tried() {
    let mut state = detail("webui-db", None);
    let caller = CallerInfo {
        actor: "token anna".to_owned(),
        scopes: Scopes(vec![Scope::Status, Scope::Verify]),
    };
    story::hear(&mut state, Question::Caller, Answer::Caller(caller));
    let mut harness = Window::open(state, Theme::Light, WINDOW);
    harness.get_by_label_contains("Back up now").click();
    harness.run();
    assert_eq!(harness.state().asked, []);
    harness.get_by_label("Verify").click();
    harness.run();
    assert_eq!(harness.state().asked.len(), 1);
}
