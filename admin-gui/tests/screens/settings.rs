//! Settings: how the window looks, which daemon it speaks to, and what is configured there.

use admin_gui::state::{Answer, Place, Question, State};
use backup_model::ConfigurationReport;
use egui::Theme;
use egui_kittest::{Harness, kittest::Queryable as _};

use crate::{SMALL, WINDOW, Window, story};

fn at(state: State) -> State {
    story::at(state, Place::Settings)
}

fn open(state: State) -> Harness<'static, Window> {
    Window::open(at(state), Theme::Light, WINDOW)
}

#[test]
fn the_window_takes_what_is_chosen() {
    let mut harness = open(story::live());
    harness.get_by_label("Dark").click();
    harness.run();
    assert_eq!(harness.ctx.theme(), Theme::Dark);
    let animation =
        |harness: &Harness<'_, Window>| harness.ctx.style_of(Theme::Dark).animation_time;
    // A window of a test begins without motion.
    for is_still in [false, true] {
        harness.get_by_label("Reduce motion").click();
        harness.run();
        assert_eq!(animation(&harness).abs() < f32::EPSILON, is_still);
    }
    harness.get_by_label("Larger").click();
    harness.run();
    harness.get_by_label("110 %");
    assert!((harness.ctx.zoom_factor() - 1.1).abs() < 0.001);
    assert!(harness.state().asked.is_empty());
}

#[test]
fn it_says_which_daemon_and_what_is_configured() {
    let harness = open(story::live());
    harness.get_by_label("Address https://10.0.4.12:8443");
    harness.get_by_label("Version backupd 0.1.0");
    harness.get_by_label("Connection live");
    harness.get_by_label_contains("b2-main, s3://backups-vault01/main, row 1 of 2");
    harness.get_by_label_contains("gitea-db, b2-main, 30 */2 * * *, postgres: gitea-db");
}

fn refused() -> State {
    let mut state = story::first();
    story::fail(&mut state, Question::Configuration);
    at(state)
}

fn nothing() -> State {
    let mut state = story::first();
    let nothing = ConfigurationReport {
        repositories: Vec::new(),
        jobs: Vec::new(),
    };
    let answer = Answer::Configuration(nothing);
    story::hear(&mut state, Question::Configuration, answer);
    at(state)
}

fn scroll(harness: &mut Harness<'_, Window>) {
    harness.hover_at(egui::pos2(500.0, 300.0));
    let by = egui::vec2(0.0, -2000.0);
    harness.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: by,
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
        modifiers: egui::Modifiers::NONE,
    });
    harness.run_steps(10);
}

picture! {
    live: "settings", WINDOW, at(story::live());
    loading: "settings-loading", WINDOW, at(story::silent());
    failed: "settings-failed", WINDOW, refused();
    lost: "settings-lost", WINDOW, at(story::lost());
    empty: "settings-empty", WINDOW, nothing();
    small: "settings-small", SMALL, at(story::live());
    small_at_its_end: "settings-small-end", SMALL, at(story::live()), scroll;
}
