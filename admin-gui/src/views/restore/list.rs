//! The restores that run and those that there were. They stand in the daemon's ledger, whatever
//! became of the window that asked for them.

use backup_model::{RunId, RunInfo, RunOutcome};
use backupd_api::Scope;
use egui::Ui;

use super::{Own, Sight};
use crate::{
    kit::{
        Badge, Button, Empty, Icon, Mark, Text, Tokens, card, empty, skeleton,
        table::{Column, DataTable, Rows, Width, words as cell},
        tokens::{height, space},
        words,
    },
    state::{Act, Draft, Followed, Place},
    views::{
        page::{head, page},
        trouble,
    },
};

/// A row: a run of the ledger.
pub(super) type Key = std::cmp::Reverse<RunId>;

const COLUMNS: [Column<'_>; 6] = [
    Column::new("Result", Width::Fixed(120.0)),
    Column::new("Begun", Width::Fixed(120.0)),
    Column::new("Of", Width::Fixed(150.0)),
    Column::number("Took", Width::Fixed(90.0)),
    Column::new("By", Width::Fixed(110.0)),
    Column::new("What is to be said", Width::Rest(160.0)),
];

/// Draws it.
pub fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own) {
    page(ui, |ui| {
        let told = sight.state.last_restores();
        let mut begin = false;
        head(
            ui,
            "Restore",
            |_| (),
            |ui| {
                let off = sight.off_for(Scope::Restore);
                let new = match sight.state.draft() {
                    Some(_) => "Go on with the draft…",
                    None => "Restore…",
                };
                begin = ui.add(Button::filled(new).off_if(off)).clicked();
            },
        );
        if begin {
            if sight.state.draft().is_none() {
                sight.ask(Act::Draft(Some(Draft::begin(sight.now))));
            }
            sight.ask(Act::Go(Place::Draft));
        }
        under_way(ui, sight);
        if trouble::instead(ui, sight, &told, "The restores cannot be shown") {
            return;
        }
        let Some(runs) = told.value else {
            skeleton::rows(ui, 6, height::ROW_COMPACT);
            return;
        };
        if runs.runs.is_empty() {
            let nothing = Empty {
                icon: Icon::Restore,
                head: "Nothing was restored yet",
                sentence: "A restore that was never tried is a hope: try one into a new place",
                action: "",
            };
            empty(ui, &nothing);
            return;
        }
        let room = ui.available_height() - height::ROW_COMPACT - 4.0;
        let mut rows = Restores {
            runs: &runs.runs,
            sight,
        };
        let output = DataTable::new("Restores", &COLUMNS).max_height(room).show(
            ui,
            &mut rows,
            &mut own.listed,
        );
        let opened = output.opened.and_then(|key| {
            let run = runs.runs.iter().find(|run| run.run == key.0)?;
            Some(Place::Job(run.job.clone()?, Some(run.run)))
        });
        if let Some(place) = opened {
            sight.ask(Act::Go(place));
        }
    });
}

/// Those that run, and those whose result this window has heard.
fn under_way(ui: &mut Ui, sight: &mut Sight<'_>) {
    let all = sight.state.restores().all();
    if all.is_empty() {
        return;
    }
    let opened = card::padded_card(ui, "Heard here", egui::Margin::symmetric(14, 4), |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let mut opened = None;
        for one in all.into_iter().take(5) {
            if row(ui, sight, one) {
                opened = Some(one.info.id.clone());
            }
        }
        opened
    });
    if let Some(id) = opened.inner {
        sight.ask(Act::Go(Place::Restoring(id)));
    }
    ui.add_space(space::L);
}

fn row(ui: &mut Ui, sight: &Sight<'_>, one: &Followed) -> bool {
    let tokens = Tokens::of(ui);
    ui.horizontal(|ui| {
        ui.set_min_height(height::ROW);
        ui.spacing_mut().item_spacing.x = space::M;
        match &one.end {
            Some((Ok(()), _)) => ui.add(Badge::new(Mark::Ok, "Restored")),
            Some((Err(_), _)) => ui.add(Badge::new(Mark::Failed, "Not restored")),
            None if one.lost.is_some() => ui.add(Badge::new(Mark::Unknown, "Not heard")),
            None => ui.add(Badge::running(None, "Running")),
        };
        ui.label(Text::Name.rich(&one.info.object, tokens.text));
        let begun = format!("begun {} by {}", sight.when(one.info.began), one.info.actor);
        ui.label(Text::Caption.rich(begun, tokens.muted));
        let right = egui::Layout::right_to_left(egui::Align::Center);
        ui.with_layout(right, |ui| ui.add(Button::link("Open")).clicked())
            .inner
    })
    .inner
}

struct Restores<'a, 'b> {
    runs: &'b [RunInfo],
    sight: &'b Sight<'a>,
}

impl Rows for Restores<'_, '_> {
    type Key = Key;

    fn count(&self) -> usize {
        self.runs.len()
    }

    fn key(&self, row: usize) -> Key {
        std::cmp::Reverse(self.runs[row].run)
    }

    fn name(&self, row: usize) -> String {
        let [result, begun, of] = [0, 1, 2].map(|column| self.text(row, column));
        format!("Restore of {of}, {}, begun {begun}", result.to_lowercase())
    }

    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize) {
        let tokens = Tokens::of(ui);
        let words = self.text(row, column);
        match column {
            0 => {
                ui.add(Badge::new(mark(self.runs[row].outcome), &words));
            }
            2 => {
                cell(ui, Text::Name, &words, tokens.text);
            }
            _ => {
                cell(ui, Text::Body, &words, tokens.muted);
            }
        }
    }

    fn text(&self, row: usize, column: usize) -> String {
        let run = &self.runs[row];
        match column {
            0 => words::capital(run.outcome.as_str()),
            1 => words::moment(run.begun, self.sight.now, self.sight.zone),
            2 => run.job.as_ref().map_or(String::new(), ToString::to_string),
            3 => {
                let took = run.ended.map(|ended| ended.duration_since(run.begun));
                took.map_or_else(String::new, words::took)
            }
            4 => run.asked_by.clone().unwrap_or_default(),
            _ => match (&run.failure, run.warnings) {
                (Some(failure), _) => words::one_line(&failure.to_string()),
                (None, 0) => String::new(),
                (None, 1) => "1 warning".to_owned(),
                (None, count) => format!("{count} warnings"),
            },
        }
    }
}

const fn mark(outcome: RunOutcome) -> Mark {
    match outcome {
        RunOutcome::Succeeded => Mark::Ok,
        RunOutcome::Warnings => Mark::Warn,
        RunOutcome::Failed => Mark::Failed,
        _ => Mark::Unknown,
    }
}
