//! Seven jobs on one server, as tables show them.

use admin_gui::kit::{
    Badge, Day, DayStrip, Icon, Mark, RpoBar, Text, Tokens,
    badge::running_line,
    menu,
    table::{Rows, lines, mono, words},
};
use egui::{Layout, Ui};

pub(crate) struct Job {
    mark: Mark,
    word: &'static str,
    name: &'static str,
    age: (&'static str, &'static str, f32),
    next: (&'static str, &'static str),
    days: [Day; 30],
    size: &'static str,
    running: Option<f32>,
}

const fn days(bad: &[(usize, Day)]) -> [Day; 30] {
    let mut days = [Day::Held; 30];
    let mut at = 0;
    while at < bad.len() {
        days[bad[at].0] = bad[at].1;
        at += 1;
    }
    days
}

const fn fine(name: &'static str, age: (&'static str, &'static str, f32)) -> Job {
    Job {
        mark: Mark::Ok,
        word: "Protected",
        name,
        age,
        next: ("Mon 02:30", "daily"),
        days: days(&[(13, Day::NoData), (20, Day::Idle)]),
        size: "412 MiB",
        running: None,
    }
}

pub(crate) const JOBS: [Job; 7] = [
    Job {
        mark: Mark::Failed,
        word: "Breached",
        name: "gitea-db",
        age: ("26 h ago", "6 h", 4.33),
        next: ("Paused until 14:32", "after error, retry 3"),
        days: days(&[
            (19, Day::Trouble),
            (27, Day::Trouble),
            (28, Day::Broken),
            (29, Day::Broken),
        ]),
        size: "1.12 GiB",
        running: None,
    },
    Job {
        mark: Mark::Warn,
        word: "At risk",
        name: "webui-uploads",
        age: ("1 h ago", "24 h", 0.04),
        next: ("15:00", "hourly"),
        days: days(&[(11, Day::Trouble), (28, Day::Trouble)]),
        size: "18.4 GiB",
        running: Some(0.64),
    },
    fine("mcpo-config", ("11 h ago", "24 h", 0.48)),
    fine("wiki-config", ("11 h ago", "24 h", 0.47)),
    fine("wiki-db", ("21 h ago", "24 h", 0.87)),
    fine("webui-db", ("1 h ago", "6 h", 0.3)),
    fine("keycloak-db", ("1 h ago", "6 h", 0.25)),
];

/// The jobs as rows of a table.
pub(crate) struct JobRows;

impl Rows for JobRows {
    type Key = &'static str;

    fn count(&self) -> usize {
        JOBS.len()
    }

    fn key(&self, row: usize) -> Self::Key {
        JOBS[row].name
    }

    fn name(&self, row: usize) -> String {
        let job = &JOBS[row];
        format!(
            "{}, {}, last good {}",
            job.name,
            job.word.to_lowercase(),
            job.age.0
        )
    }

    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize) {
        let tokens = Tokens::of(ui);
        let job = &JOBS[row];
        match column {
            0 => match job.running {
                None => {
                    ui.add(Badge::new(job.mark, job.word));
                }
                Some(_) => {
                    ui.with_layout(Layout::top_down(egui::Align::Min), |ui| {
                        ui.add_space(4.0);
                        ui.spacing_mut().item_spacing.y = 1.0;
                        ui.add(Badge::new(job.mark, job.word));
                        running_line(ui, job.running, "Running 64 %");
                    });
                }
            },
            1 => {
                let name = (Text::Name, job.name, tokens.text);
                lines(ui, name, ("b2-main", tokens.muted));
            }
            2 => {
                ui.add(RpoBar::new(job.age.2, job.age.0, job.age.1));
            }
            3 => {
                let next = (Text::Body, job.next.0, tokens.text);
                lines(ui, next, (job.next.1, tokens.muted));
            }
            4 => {
                ui.add(DayStrip::new(&job.days));
            }
            _ => {
                words(ui, Text::Body, job.size, tokens.text);
            }
        }
    }

    fn text(&self, row: usize, column: usize) -> String {
        let job = &JOBS[row];
        [job.word, job.name, job.age.0, job.next.0, "", job.size][column].to_owned()
    }

    fn has_menu(&self) -> bool {
        true
    }

    fn menu(&mut self, ui: &mut Ui, _row: usize) {
        menu::item(ui, Icon::Clock, "Run now…");
        menu::item(ui, Icon::Link, "Copy link");
        menu::danger_item(ui, Icon::Cross, "Cancel run…");
    }
}

const TABLES: [(&str, &str, &str, &str); 20] = [
    ("chat", "48\u{202F}210", "+214", "1.31 GiB"),
    (
        "document_chunk",
        "91\u{202F}377",
        "+1\u{202F}180",
        "437 MiB",
    ),
    ("file", "12\u{202F}904", "+36", "168 MiB"),
    ("feedback", "1\u{202F}288", "+9", "14 MiB"),
    ("document", "3\u{202F}402", "–", "9.8 MiB"),
    ("note", "922", "+4", "6.1 MiB"),
    ("memory", "2\u{202F}017", "+12", "1.1 MiB"),
    ("chatidtag", "9\u{202F}114", "+41", "0.9 MiB"),
    ("function", "38", "–", "0.7 MiB"),
    ("message", "1\u{202F}004", "–", "0.6 MiB"),
    ("model", "44", "–", "0.4 MiB"),
    ("tag", "3\u{202F}411", "+15", "0.4 MiB"),
    ("knowledge", "61", "–", "0.3 MiB"),
    ("folder", "1\u{202F}730", "+6", "0.3 MiB"),
    ("prompt", "203", "–", "0.2 MiB"),
    ("user", "214", "+1", "0.1 MiB"),
    ("oauth_session", "187", "+3", "0.1 MiB"),
    ("tool", "27", "–", "0.1 MiB"),
    ("channel", "12", "–", "20 KiB"),
    ("group", "4", "–", "8 KiB"),
];

/// The tables of a database as rows.
pub(crate) struct TableRows;

impl Rows for TableRows {
    type Key = usize;

    fn count(&self) -> usize {
        TABLES.len()
    }

    fn key(&self, row: usize) -> Self::Key {
        row
    }

    fn name(&self, row: usize) -> String {
        format!("{}, {} rows", TABLES[row].0, TABLES[row].1)
    }

    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize) {
        let tokens = Tokens::of(ui);
        match column {
            0 => {
                Icon::Table.ui(ui, tokens.muted);
                mono(ui, TABLES[row].0, tokens.text);
            }
            2 => {
                words(ui, Text::Body, TABLES[row].2, tokens.muted);
            }
            other => {
                words(ui, Text::Body, &self.text(row, other), tokens.text);
            }
        }
    }

    fn text(&self, row: usize, column: usize) -> String {
        let (name, rows, changed, size) = TABLES[row];
        [name, rows, changed, size][column].to_owned()
    }
}
