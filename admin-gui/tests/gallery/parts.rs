//! Each part found by its role and name, as those find it who do not see it, and used.

use admin_gui::kit::{
    self, Answer, Badge, Banner, Button, Day, DayStrip, Dialog, Empty, ErrorAnswer, ErrorCard,
    Field, Finding, Icon, IconButton, Mark, RpoBar, SecretField, Stage, Step, Toast, banner, check,
    command_line, empty, facts, finding,
    plot::{self, Point, Unit, Value},
    qr, secret_line, select, steps, tabs, toasts,
};
use egui::{Key, Modifiers, Role, Ui, Vec2};
use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// A window of some parts, without pictures.
fn window<'a>(page: impl FnMut(&mut Ui) + 'a) -> Harness<'a> {
    Harness::builder()
        .with_size(Vec2::new(900.0, 500.0))
        .with_context_setup(kit::apply)
        .build_ui(page)
}

/// What was copied in the last frame.
fn copied(harness: &Harness<'_>) -> Option<String> {
    let commands = &harness.output().platform_output.commands;
    commands.iter().find_map(|command| match command {
        egui::OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    })
}

#[test]
fn states_have_their_word() {
    let days = [Day::Held, Day::Broken];
    let harness = window(|ui| {
        ui.add(Badge::new(Mark::Failed, "Breached"));
        ui.add(Badge::new(Mark::Warn, "1 at risk").chip().clickable());
        ui.add(RpoBar::new(4.3, "26 h ago", "6 h"));
        ui.add(DayStrip::new(&days));
        facts(ui, 80.0, |facts| {
            facts.row("Server", "PostgreSQL 17.7");
        });
        qr(
            ui,
            "Recovery kit of b2-main",
            &[true, false, false, true],
            2,
        );
    });
    harness.get_by_role_and_label(Role::Label, "Breached");
    harness.get_by_role_and_label(Role::Button, "1 at risk");
    harness.get_by_role_and_label(Role::Meter, "last good 26 h ago, limit 6 h");
    harness.get_by_role_and_label(Role::Image, "2 days, 1 beyond the limit");
    harness.get_by_label("Server PostgreSQL 17.7");
    harness.get_by_role_and_label(Role::Image, "Recovery kit of b2-main");
}

#[test]
fn buttons_are_pressed_unless_they_are_off() {
    let mut pressed = Vec::new();
    let mut harness = window(|ui| {
        for button in [
            Button::filled("Save…"),
            Button::danger("Cancel…"),
            Button::link("Open log"),
            Button::filled("Continue").off("1 finding blocks"),
        ] {
            let response = ui.add(button);
            if response.clicked() {
                pressed.push(response.id);
            }
        }
        if ui.add(IconButton::new(Icon::More, "More")).clicked() {
            pressed.push(egui::Id::NULL);
        }
    });
    for name in ["Save…", "Cancel…", "More"] {
        harness.get_by_role_and_label(Role::Button, name).click();
        harness.run();
    }
    harness
        .get_by_role_and_label(Role::Link, "Open log")
        .click();
    harness.run();
    let off = harness.get_by_label("Continue");
    assert!(off.accesskit_node().is_disabled());
    off.click();
    harness.run();
    drop(harness);
    assert_eq!(pressed.len(), 4);
}

#[test]
fn a_field_says_what_is_wrong_with_it_once_somebody_has_typed() {
    let mut text = String::new();
    let mut harness = window(|ui| {
        let error = text.contains(' ').then_some("no spaces in a host");
        ui.add(Field::new("Host", &mut text).error(error));
    });
    harness.get_by_label("Host").focus();
    harness.run();
    harness.get_by_label("Host").type_text("db 5432");
    harness.run();
    let description = |harness: &Harness<'_>| {
        let node = harness.get_by_label("Host");
        node.accesskit_node().description()
    };
    assert_eq!(description(&harness), None);
    harness.key_press(Key::Enter);
    harness.run();
    let said = description(&harness);
    assert_eq!(said.as_deref(), Some("no spaces in a host"));
    drop(harness);
    assert_eq!(text, "db 5432");
}

#[test]
fn a_secret_is_shown_only_while_it_is_held() {
    let mut secret = "correct horse".to_owned();
    let mut harness = window(|ui| {
        ui.add(SecretField::new("Passphrase", &mut secret));
        secret_line(ui, "Secret", "K7QW2M");
    });
    harness.get_by_role_and_label(Role::PasswordInput, "Passphrase");
    let eye = harness.get_by_label("Hold to show Passphrase").rect();
    harness.drag_at(eye.center());
    harness.run_steps(2);
    assert!(harness.query_by_role(Role::PasswordInput).is_none());
    harness.drop_at(eye.center());
    harness.run_steps(2);
    assert!(harness.query_by_role(Role::PasswordInput).is_some());
    harness.get_by_label("Hold to reveal, Secret");
    assert!(harness.query_by_label_contains("K7QW2M").is_none());
}

#[test]
fn choices_are_made() {
    let (mut on, mut place, mut job, mut tab) = (false, 0, 0, 0);
    let mut harness = window(|ui| {
        check::check(ui, &mut on, "Safety snapshot");
        if check::radio(ui, place == 1, "In place").clicked() {
            place = 1;
        }
        select(ui, "Job", 160.0, &mut job, &["webui-db", "gitea-db"]);
        tabs(ui, &["Runs", "Hooks", "Config"], &mut tab);
    });
    harness
        .get_by_role_and_label(Role::CheckBox, "Safety snapshot")
        .click();
    harness
        .get_by_role_and_label(Role::RadioButton, "In place")
        .click();
    harness.run();
    harness.get_by_role_and_label(Role::ComboBox, "Job").click();
    harness.run();
    harness.get_by_label("gitea-db").click();
    harness.run();
    harness.get_by_role_and_label(Role::Tab, "Hooks").focus();
    harness.run();
    harness.key_press(Key::ArrowRight);
    harness.run();
    drop(harness);
    assert_eq!((on, place, job, tab), (true, 1, 1, 2));
}

#[test]
fn a_command_is_copied_as_it_stands() {
    let mut harness = window(|ui| {
        command_line(ui, "backupctl status");
    });
    harness.get_by_role_and_label(Role::Code, "Same in a terminal backupctl status");
    harness.get_by_role_and_label(Role::Button, "Copy").click();
    harness.step();
    assert_eq!(copied(&harness).as_deref(), Some("backupctl status"));
}

#[test]
fn errors_are_answered() {
    let card = ErrorCard {
        sentence: "Snapshots cannot be listed",
        cause: "access denied",
        next: "Check its key",
        code: "E-STORE-DENIED",
        details: false,
    };
    let mut answers = Vec::new();
    let mut harness = window(|ui| answers.extend(card.show(ui)));
    assert!(harness.query_by_label("Details").is_none());
    harness.get_by_label("Retry").click();
    harness.run();
    harness.get_by_label("Copy error").click();
    harness.step();
    let text = copied(&harness).expect("a copy");
    assert!(text.starts_with("E-STORE-DENIED\n"), "{text}");
    drop(harness);
    assert_eq!(answers, [ErrorAnswer::Retry, ErrorAnswer::Copied]);
}

#[test]
fn rows_of_a_wizard_lead_somewhere() {
    let mut went = Vec::new();
    let rail = [
        Step {
            name: "What",
            note: "Database webui",
            stage: Stage::Done,
        },
        Step {
            name: "Target",
            note: "",
            stage: Stage::Now,
        },
    ];
    let role = Finding {
        mark: Mark::Warn,
        name: "Role missing",
        sentence: "webui_ro was dropped",
        fix: "Create it",
        code: "",
        action: "Create role…",
    };
    let none = Empty {
        icon: Icon::Jobs,
        head: "No jobs yet",
        sentence: "A job says what is backed up",
        action: "Add a job…",
    };
    let mut harness = window(|ui| {
        if steps(ui, &rail).is_some() {
            went.push("step");
        }
        if finding(ui, &role, true) {
            went.push("finding");
        }
        if empty(ui, &none) {
            went.push("empty");
        }
    });
    harness.get_by_label_contains("2, Target, now");
    for name in ["1, What, done Database webui", "Create role…", "Add a job…"] {
        harness.get_by_label(name).click();
        harness.run();
    }
    drop(harness);
    assert_eq!(went, ["step", "finding", "empty"]);
}

#[test]
fn news_are_alerts() {
    let mut closed = None;
    let news = [Toast {
        mark: Mark::Ok,
        sentence: "Verification passed",
        time: "14:02",
    }];
    let gone = Banner {
        mark: Mark::Unknown,
        sentence: "Reconnecting",
        cause: "No answer",
        code: "E-DAEMON-UNREACHABLE",
        next: "attempt 4",
    };
    let mut harness = window(|ui| {
        banner(ui, &gone, |ui| ui.add(Button::filled("Retry now")));
        closed = closed.or(toasts(ui.ctx(), 0.0, &news));
    });
    harness.run();
    harness.get_by_role_and_label(Role::Alert, "Verification passed");
    harness.get_by_role_and_label(Role::Alert, "Reconnecting. No answer attempt 4");
    harness.get_by_label("Dismiss").click();
    harness.run();
    drop(harness);
    assert_eq!(closed, Some(0));
}

#[test]
fn a_dialog_is_safe_and_gives_the_focus_back() {
    let (mut open, mut answers) = (false, Vec::new());
    let mut harness = window(|ui| {
        if ui.add(Button::outline("Cancel…")).clicked() {
            open = true;
        }
        if open {
            let dialog = Dialog::new("Cancel this restore?", "Keep running", "Cancel restore");
            if let Some(answer) = dialog.danger().show(ui.ctx(), |ui| {
                ui.label("It stays half full.");
            }) {
                open = false;
                answers.push(answer);
            }
        }
    });
    harness.get_by_label("Cancel…").focus();
    harness.run();
    for key in [Key::Escape, Key::Enter] {
        harness.key_press(Key::Enter);
        harness.run();
        assert!(harness.get_by_label("Keep running").is_focused());
        harness.key_press(key);
        harness.run();
        assert!(harness.query_by_label("Keep running").is_none());
        assert!(harness.get_by_label("Cancel…").is_focused());
    }
    harness.key_press_modifiers(Modifiers::NONE, Key::Enter);
    harness.run();
    harness.get_by_label("Cancel restore").click();
    harness.run();
    drop(harness);
    assert_eq!(answers, [Answer::Safe, Answer::Safe, Answer::Act]);
}

#[test]
fn a_script_that_no_font_has_becomes_boxes() {
    let mut harness = Harness::builder()
        .with_context_setup(kit::apply)
        .allow_missing_glyphs()
        .build_ui(|ui| {
            ui.add(Badge::new(Mark::Ok, "بحث 名前 🔒\u{202E}abc\u{0}"));
        });
    harness.run();
}

/// Two amounts with a gap between them, an hour apart.
fn curve() -> kit::Curve {
    let values = [
        Value::Amount(40.0),
        Value::Missing(Mark::Failed, "Failed"),
        Value::Amount(55.0),
    ];
    let point = |(hour, value): (i64, Value)| Point {
        at: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour),
        value,
    };
    kit::Curve {
        points: (0_i64..).zip(values).map(point).collect(),
        ..kit::Curve::default()
    }
}

#[test]
fn a_plot_says_what_there_is_where_it_is_pointed_at() {
    let curve = curve();
    let mut harness = window(|ui| {
        let shown = kit::Plot {
            name: "Durations",
            says: "last 55 s",
            unit: Unit::Span,
            curve: &curve,
            quiet: false,
        };
        plot::plot(ui, 200.0, &TimeZone::UTC, &shown);
    });
    let place = harness
        .get_by_role_and_label(Role::Image, "Durations: last 55 s")
        .rect();
    for (at, said) in [
        (place.left_center(), "40 s\nThu 1 Jan 1970 00:00:00 UTC"),
        (place.center(), "Failed\nThu 1 Jan 1970 01:00:00 UTC"),
        (place.right_center(), "55 s\nThu 1 Jan 1970 02:00:00 UTC"),
    ] {
        // Inside, where a pointer on the edge would be in doubt.
        harness.hover_at(at.lerp(place.center(), 0.02));
        harness.run();
        harness.get_by_label(said);
    }
}
