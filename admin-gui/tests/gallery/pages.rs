//! What the pictures show.

use admin_gui::kit::{
    Badge, Banner, Button, Dialog, Emphasis, Empty, ErrorCard, Field, Finding, Icon, IconButton,
    Mark, Phase, Progress, SecretField, Sparkline, Stage, Step, Text, Toast, Tokens, banner,
    breadcrumb,
    calendar::{self, Cell},
    card, check, command_box, command_line, empty, facts, finding, phase,
    progress::{Meter, Segment, meter, segmented_bar},
    qr, rail_item, secret_line, select, shapes, skeleton, sparkline, steps,
    table::{Column, DataTable, Selection, Sort, Width},
    tabs, toasts,
};
use egui::{Sense, Ui, Vec2};

use jiff::civil::Date;

use crate::story::{JobRows, TableRows};

pub(crate) fn words(ui: &mut Ui) {
    let tokens = Tokens::of(ui);
    for (text, words) in [
        (Text::Hero, "2 of 7 jobs need attention"),
        (Text::Title, "Verification"),
        (Text::Section, "Needs attention"),
        (Text::Name, "webui-uploads"),
        (Text::Strong, "Free space"),
        (
            Text::Body,
            "No answer from gitea-db:5432 in 10 s. 0123456789 Ąčśß Ελλάδα Москва",
        ),
        (Text::Caption, "Since Sat 18:00, for 20 h"),
        (
            Text::Mono,
            "backupctl restore webui-db/001207 --dry-run != ->",
        ),
        (Text::Code, "E-PG-CONNECT"),
    ] {
        ui.label(text.rich(words, tokens.text));
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(16.0);
        for icon in Icon::ALL {
            icon.ui(ui, tokens.text);
        }
    });
    ui.horizontal(|ui| {
        for size in [12.0, 14.0, 16.0, 28.0] {
            for mark in Mark::ALL {
                mark.ui(ui, size, tokens.bg);
            }
            let (rect, _) = ui.allocate_exact_size(Vec2::splat(size), Sense::hover());
            shapes::running(ui, rect.center(), size, Some(0.64));
        }
    });
}

pub(crate) fn badges_and_buttons(ui: &mut Ui) {
    ui.horizontal(|ui| {
        ui.add(Badge::new(Mark::Failed, "Breached"));
        ui.add(Badge::new(Mark::Warn, "At risk"));
        ui.add(Badge::new(Mark::Ok, "Protected"));
        ui.add(Badge::new(Mark::Unknown, "Unknown"));
        ui.add(Badge::new(Mark::Paused, "Paused"));
        ui.add(Badge::tag(Emphasis::Chosen, "current"));
        ui.add(Badge::tag(Emphasis::Plain, "maintain"));
    });
    ui.horizontal(|ui| {
        ui.add(Badge::new(Mark::Failed, "1 breached").chip().clickable());
        ui.add(Badge::running(Some(0.64), "1 running").chip().clickable());
        ui.add(Badge::new(Mark::Unknown, "7 unknown").chip());
    });
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        ui.add(Button::filled("Test connection"));
        ui.add(Button::outline("Verify now…"));
        ui.add(Button::danger("Cancel…"));
        ui.add(Button::filled("Continue").off("1 finding blocks this restore"));
        ui.add_space(8.0);
        ui.add(Button::link("Open log"));
    });
    ui.horizontal(|ui| {
        ui.add(Button::filled("Test again").icon(Icon::Refresh));
        ui.add(Button::outline("Copy diagnostics").icon(Icon::Copy));
        ui.add(IconButton::new(Icon::Filter, "Filter").framed());
        ui.add(IconButton::new(Icon::More, "More"));
    });
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        check::check(ui, &mut true, "Take a safety snapshot first");
        check::check(ui, &mut false, "Owners and modes");
        check::radio(ui, true, "New place");
        check::radio(ui, false, "In place");
    });
    command_box(ui, "docker compose ps gitea-db");
}

pub(crate) fn jobs(ui: &mut Ui) {
    card::section_head(ui, "Jobs", "worst state first");
    let columns = [
        Column::new("State", Width::Fixed(97.0)).sortable(),
        Column::new("Job", Width::Fixed(108.0)).sortable(),
        Column::new("Last good, limit", Width::Fixed(104.0)).sortable(),
        Column::new("Next run", Width::From(124.0)),
        Column::new("Last 30 days", Width::Fixed(119.0)),
        Column::number("Size", Width::Rest(60.0)).sortable(),
    ];
    let mut selection = Selection::default();
    selection.choose("wiki-config");
    let sort = Sort {
        column: 0,
        descending: true,
    };
    DataTable::new("Jobs", &columns)
        .row_height(44.0)
        .sorted(Some(sort))
        .show(ui, &mut JobRows, &mut selection);
}

pub(crate) fn contents(ui: &mut Ui) {
    let columns = [
        Column::new("Table", Width::Rest(120.0)).sortable(),
        Column::number("Rows", Width::Fixed(72.0)).sortable(),
        Column::number("Changed", Width::Fixed(74.0)),
        Column::number("Size", Width::Fixed(84.0)).sortable(),
    ];
    // A view keeps it; a page is drawn from nothing each time.
    let id = egui::Id::unique("chosen tables");
    let mut selection: Selection<usize> = ui.data(|data| data.get_temp(id)).unwrap_or_else(|| {
        let mut selection = Selection::default();
        selection.toggle_all([0, 2]);
        selection
    });
    DataTable::new("Tables", &columns)
        .checks()
        .max_height(240.0)
        .show(ui, &mut TableRows, &mut selection);
    ui.data_mut(|data| data.insert_temp(id, selection));
    ui.add_space(12.0);
    command_line(ui, "backupctl snapshot ls webui-db/001207 webui/public");
}

pub(crate) fn fields(ui: &mut Ui) {
    ui.columns(2, |columns| {
        let [left, right] = columns else { return };
        let ui = left;
        ui.spacing_mut().item_spacing.y = 12.0;
        ui.add(Field::new("Repository", &mut "s3://b2/backups".to_owned()).mono());
        let error = Some("No answer from db:5432 in 10 s, is the address right?");
        ui.add(Field::new("Host", &mut "db:5432".to_owned()).error(error));
        let mut text = String::new();
        let search = Field::new("Search this snapshot", &mut text);
        ui.add(
            search
                .unlabelled()
                .hint("Search this snapshot")
                .icon(Icon::Search)
                .key("/"),
        );
        ui.horizontal(|ui| {
            ui.add(
                Field::new("Days", &mut "7".to_owned())
                    .right_aligned()
                    .changed(true)
                    .width(64.0),
            );
            ui.add(
                Field::new("Weeks", &mut "4".to_owned())
                    .right_aligned()
                    .width(64.0),
            );
        });
        select(ui, "Job", 180.0, &mut 0, &["webui-db", "gitea-db"]);
        let ui = right;
        ui.spacing_mut().item_spacing.y = 12.0;
        ui.add(SecretField::new(
            "Passphrase",
            &mut "correct horse".to_owned(),
        ));
        secret_line(ui, "Secret", "K7QW2M 9XTA41 QQ81PD");
        card::card(ui, "Snapshot", |ui| {
            facts(ui, 82.0, |facts| {
                facts.mono("Snapshot", "webui-db/001207");
                facts.row("Server", "PostgreSQL 17.7");
                facts.row(
                    "Extensions",
                    "vector, pg_trgm, and one with a name that takes a second line",
                );
                facts.row("Stored", "4.6 MiB");
            });
        });
    });
}

pub(crate) fn progress(ui: &mut Ui) {
    ui.spacing_mut().item_spacing.y = 12.0;
    card::card(ui, "Progress", |ui| {
        ui.label(Text::Hero.rich("34 %", Tokens::of(ui).text));
        let segments = [
            (0.5, 1.0),
            (7.0, 1.0),
            (6.0, 1.0),
            (1.5, 1.0),
            (45.0, 0.62),
            (50.0, 0.0),
            (15.0, 0.0),
        ];
        let segments = segments.map(|(weight, done)| Segment { weight, done });
        segmented_bar(ui, "Restore", &segments);
        ui.add_space(4.0);
        meter(
            ui,
            Meter {
                reached: "84 % read in 30 d",
                wanted: "limit 100 %",
                share: 0.84,
                mark: Mark::Warn,
            },
        );
        meter(
            ui,
            Meter {
                reached: "100 % of packs",
                wanted: "limit 2 d",
                share: 1.0,
                mark: Mark::Ok,
            },
        );
    });
    phases(ui);
}

fn phases(ui: &mut Ui) {
    padded(ui, "Phases", |ui| {
        let phases = [
            (
                "Check signature and chain",
                Progress::Done,
                "records 1–1 207",
                "1 s",
            ),
            (
                "Fetch and check packs",
                Progress::Done,
                "39 packs, 612 MiB",
                "14 s",
            ),
            (
                "Restore data",
                Progress::Running(Some(0.62)),
                "1.20 of 1.94 GiB",
                "57 s",
            ),
            (
                "Build indexes and constraints",
                Progress::Ahead,
                "41 indexes",
                "~1 min 45 s",
            ),
        ];
        for (at, (name, progress, amount, time)) in phases.into_iter().enumerate() {
            phase(
                ui,
                &Phase {
                    name,
                    progress,
                    amount,
                    time,
                },
                at + 1 == phases.len(),
            );
        }
    });
}

fn padded(ui: &mut Ui, name: &str, content: impl FnOnce(&mut Ui)) {
    card::padded_card(ui, name, egui::Margin::ZERO, content);
}

pub(crate) fn findings(ui: &mut Ui) {
    ui.horizontal_top(|ui| {
        ui.vertical(|ui| {
            ui.set_width(180.0);
            let names = [("What", "Database webui"), ("Point in time", "Sun 22 Nov 12:15"), ("Target", "New database on db"), ("Preview", ""), ("Confirm", ""), ("Progress", ""), ("Result", "")];
            let stages = [Stage::Done, Stage::Done, Stage::Done, Stage::Now, Stage::Ahead, Stage::Ahead, Stage::Result(Mark::Warn)];
            let rail: Vec<Step<'_>> = names.iter().zip(stages).map(|((name, note), stage)| Step { name, note, stage }).collect();
            steps(ui, &rail);
        });
        ui.vertical(|ui| {
            card::section_head_with(ui, "Findings", |ui| {
                ui.add(Button::outline("Check again").icon(Icon::Refresh));
            });
            padded(ui, "Findings", |ui| {
                let findings = [
                    Finding { mark: Mark::Failed, name: "Free space", sentence: "Needs about 3.4 GiB with indexes, 2.1 GiB free on db:5432", fix: "Free 1.3 GiB in /var/lib/postgresql or choose another target, then check again", code: "E-TARGET-SPACE", action: "" },
                    Finding { mark: Mark::Warn, name: "Role missing", sentence: "webui_ro was dropped since the backup, 3 grants will be left out", fix: "Create the role first, or go on and add the grants later", code: "", action: "Create role…" },
                    Finding { mark: Mark::Ok, name: "PostgreSQL version", sentence: "Snapshot 17.7, target 17.7, pg_restore 17.7", fix: "", code: "", action: "" },
                    Finding { mark: Mark::Ok, name: "Target name", sentence: "Free, nothing is overwritten", fix: "", code: "", action: "" },
                ];
                for (at, one) in findings.iter().enumerate() {
                    finding(ui, one, at + 1 == findings.len());
                }
            });
        });
    });
}

pub(crate) fn messages(ui: &mut Ui) {
    ui.spacing_mut().item_spacing.y = 16.0;
    let reconnecting = Banner {
        mark: Mark::Unknown,
        sentence: "Reconnecting to vault01, showing data from 14:02",
        cause: "No answer from 10.0.4.12:8443 in 10 s",
        code: "E-DAEMON-UNREACHABLE",
        next: "attempt 4, next in 8 s",
    };
    banner(ui, &reconnecting, |ui| {
        ui.add(Button::outline("Copy error"));
        ui.add(Button::outline("Details"));
        ui.add(Button::filled("Retry now"));
    });
    tabs(
        ui,
        &[
            "Runs",
            "Contents & filters",
            "Schedule & retention",
            "Hooks",
            "Config",
        ],
        &mut 2,
    );
    breadcrumb(ui, &["webui-db", "webui", "public"]);
    let card = ErrorCard {
        sentence: "The snapshots of webui-db cannot be listed",
        cause: "The store refused to list b2-main: access denied",
        next: "Check that its key may list, then try again",
        code: "E-STORE-DENIED",
        details: true,
    };
    card.show(ui);
    padded(ui, "Snapshots", |ui| {
        let none = Empty {
            icon: Icon::Snapshots,
            head: "No snapshots yet",
            sentence: "The first run is due at 14:15",
            action: "Run now…",
        };
        empty(ui, &none);
    });
    ui.horizontal_top(|ui| {
        let modules: Vec<bool> = (0..441_usize)
            .map(|at| (at * at / 7 + at / 3) % 5 < 2)
            .collect();
        qr(ui, "Recovery kit of b2-main", &modules, 21);
        ui.vertical(|ui| {
            ui.set_width(360.0);
            padded(ui, "Loading", |ui| skeleton::rows(ui, 3, 28.0));
        });
    });
    toasts(
        ui.ctx(),
        0.0,
        &[Toast {
            mark: Mark::Ok,
            sentence: "Verification of webui-db passed",
            time: "14:02",
        }],
    );
}

pub(crate) fn dialog(ui: &mut Ui) {
    jobs(ui);
    Dialog::new("Cancel this restore?", "Keep running", "Cancel restore").danger().show(ui.ctx(), |ui| {
        let tokens = Tokens::of(ui);
        ui.label(Text::Body.rich("webui_restored_20261122_1402 is half full. It stays as it is, and can be removed from its result page.", tokens.text));
    });
}

pub(crate) fn months(ui: &mut Ui) {
    ui.horizontal_top(|ui| {
        ui.vertical(|ui| {
            ui.set_width(192.0);
            ui.spacing_mut().item_spacing.y = 2.0;
            rail_item(ui, Icon::Overview, "Overview", true, None);
            rail_item(ui, Icon::Jobs, "Jobs", false, None);
            let overdue = Some((Mark::Warn, "1 overdue"));
            rail_item(ui, Icon::Verification, "Verification", false, overdue);
            let failed = Some((Mark::Failed, "1 failed"));
            rail_item(ui, Icon::Health, "Health", false, failed);
            ui.add_space(16.0);
            let values: Vec<Option<f32>> = (0..30_u8)
                .map(|day| (day != 12).then(|| 20.0 + f32::from(day) * 0.5))
                .collect();
            let spark = Sparkline {
                name: "34.6 of 50 GiB",
                values: &values,
                limit: Some(50.0),
                quiet: false,
            };
            sparkline(ui, Vec2::new(112.0, 26.0), &spark);
        });
        ui.spacing_mut().item_spacing.x = 12.0;
        for first in [Date::constant(2026, 10, 1), Date::constant(2026, 11, 1)] {
            calendar::month(ui, first, |day| match (day.month(), day.day()) {
                (10, 17) | (11, 19) => Cell::Held,
                (10, 31) | (11, 1 | 8 | 15..=22) => Cell::Stays,
                (10, 4 | 11 | 18 | 25) | (11, 9..=14) => Cell::Goes,
                (11, 23..) => Cell::Future,
                _ => Cell::Nothing,
            });
        }
    });
}
