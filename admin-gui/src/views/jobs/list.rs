//! All jobs in a table.

use std::cmp::Reverse;

use backup_model::{JobName, Pause, RunOutcome};
use egui::{Layout, Ui};
use jiff::Timestamp;

use super::{Own, Sight};
use crate::{
    kit::{
        Badge, Empty, Icon, Mark, RpoBar, Text, Tokens,
        badge::running_line,
        card, empty,
        table::{Column, DataTable, Rows, Sort, Width, lines, words as cell},
        tokens::height,
        words,
    },
    state::{Act, Connection, Place, ShownJob},
};

const COLUMNS: [Column<'_>; 6] = [
    Column::new("State", Width::Fixed(112.0)).sortable(),
    Column::new("Job", Width::Rest(120.0)).sortable(),
    Column::new("Last good, limit", Width::Fixed(112.0)).sortable(),
    Column::new("Next run", Width::Fixed(148.0)).sortable(),
    Column::new("Last run", Width::Fixed(140.0)),
    Column::number("Snapshots", Width::Fixed(76.0)).sortable(),
];

pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own) {
    let jobs = sorted(sight.state.jobs(), own.sort);
    let caption = match jobs.len() {
        0 => String::new(),
        1 => "1 job".to_owned(),
        count => format!("{count} jobs"),
    };
    card::title(ui, "Jobs", &caption);
    ui.add_space(crate::kit::tokens::space::M);
    let is_known = sight.state.status().is_some();
    if is_known && jobs.is_empty() {
        let nothing = Empty {
            icon: Icon::Jobs,
            head: "No job is configured yet",
            sentence: "A job says what is backed up, where to and when: a table [job.NAME] in the \
                       server's configuration",
            action: "",
        };
        empty(ui, &nothing);
        return;
    }
    if !is_known && matches!(sight.state.connection(), Connection::Lost { .. }) {
        return;
    }
    let mut rows = Jobs { jobs, sight };
    let output = DataTable::new("Jobs", &COLUMNS)
        .row_height(height::ROW_TALL)
        .sorted(own.sort)
        .loading(!is_known)
        .show(ui, &mut rows, &mut own.chosen);
    if output.sort.is_some() {
        own.sort = output.sort;
    }
    if let Some(job) = output.opened {
        sight.ask(Act::Go(Place::Job(job, None)));
    }
}

/// The order of the daemon is the worst first; another one keeps it among equals.
fn sorted(mut jobs: Vec<ShownJob<'_>>, sort: Option<Sort>) -> Vec<ShownJob<'_>> {
    let Some(Sort { column, descending }) = sort else {
        return jobs;
    };
    match column {
        0 => jobs.sort_by_key(|shown| Reverse(shown.was.unwrap_or(shown.state))),
        1 => jobs.sort_by(|a, b| a.job.protection.job.cmp(&b.job.protection.job)),
        2 => jobs.sort_by_key(|shown| {
            let good = shown.job.protection.last_good.as_ref();
            good.map(|good| good.created)
        }),
        3 => jobs.sort_by_key(|shown| (shown.job.next.is_none(), shown.job.next)),
        _ => jobs.sort_by_key(|shown| shown.job.snapshots),
    }
    if descending {
        jobs.reverse();
    }
    jobs
}

struct Jobs<'a, 'b> {
    jobs: Vec<ShownJob<'a>>,
    sight: &'b Sight<'a>,
}

impl Rows for Jobs<'_, '_> {
    type Key = JobName;

    fn count(&self) -> usize {
        self.jobs.len()
    }

    fn key(&self, row: usize) -> JobName {
        self.jobs[row].job.protection.job.clone()
    }

    fn name(&self, row: usize) -> String {
        let shown = &self.jobs[row];
        let state = shown.state.as_str().to_lowercase();
        let good = last_good(self.sight, shown);
        format!("{}, {state}, last good {good}", shown.job.protection.job)
    }

    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize) {
        let shown = &self.jobs[row];
        let sight = self.sight;
        let tokens = Tokens::of(ui);
        let text = if sight.is_live() {
            tokens.text
        } else {
            tokens.muted
        };
        match column {
            0 => state(ui, shown),
            1 => {
                let name = shown.job.protection.job.as_str();
                let below = (shown.job.repository.as_str(), tokens.muted);
                lines(ui, (Text::Name, name, text), below);
            }
            2 => good(ui, sight, shown),
            3 => {
                let (next, below) = next_run(sight, shown);
                lines(ui, (Text::Body, &next, text), (&below, tokens.muted));
            }
            4 => {
                let (word, below) = last_run(sight, shown);
                lines(ui, (Text::Body, &word, text), (&below, tokens.muted));
            }
            _ => {
                let count = shown.job.snapshots.map_or("–".to_owned(), words::count);
                cell(ui, Text::Body, &count, text);
            }
        }
    }

    fn text(&self, row: usize, column: usize) -> String {
        let shown = &self.jobs[row];
        match column {
            0 => shown.state.to_string(),
            1 => shown.job.protection.job.to_string(),
            2 => last_good(self.sight, shown),
            3 => next_run(self.sight, shown).0,
            4 => last_run(self.sight, shown).0,
            _ => shown.job.snapshots.map_or(String::new(), |n| n.to_string()),
        }
    }
}

/// The state, and below it what hides nothing of it: that it was another one, or that a run is
/// under way.
fn state(ui: &mut Ui, shown: &ShownJob<'_>) {
    let tokens = Tokens::of(ui);
    let running = shown.job.protection.running.filter(|_| shown.was.is_none());
    let badge = Badge::new(Mark::from(shown.state), shown.state.as_str());
    if running.is_none() && shown.was.is_none() {
        ui.add(badge);
        return;
    }
    ui.with_layout(Layout::top_down(egui::Align::Min), |ui| {
        ui.add_space(4.0);
        ui.spacing_mut().item_spacing.y = 1.0;
        ui.add(badge);
        if let Some(was) = shown.was {
            let was = format!("was {}", was.as_str().to_lowercase());
            cell(ui, Text::Caption, &was, tokens.muted);
        } else if let Some(running) = running {
            let share = running.percent.map(|percent| f32::from(percent) / 100.0);
            let words = match running.percent {
                Some(percent) => format!("Running {percent} %"),
                None => "Running".to_owned(),
            };
            running_line(ui, share, &words);
        }
    });
}

fn last_good(sight: &Sight<'_>, shown: &ShownJob<'_>) -> String {
    let good = shown.job.protection.last_good.as_ref();
    good.map_or("never".to_owned(), |good| sight.when(good.created))
}

fn good(ui: &mut Ui, sight: &Sight<'_>, shown: &ShownJob<'_>) {
    let tokens = Tokens::of(ui);
    let stands = &shown.job.protection;
    let age = last_good(sight, shown);
    let Some(rpo) = stands.rpo else {
        cell(ui, Text::Body, &age, tokens.text);
        return;
    };
    let limit = backup_model::Span(rpo).to_string();
    let used = stands.last_good.as_ref().map_or(f32::INFINITY, |good| {
        let age = sight.now.duration_since(good.created);
        age.as_secs_f32() / rpo.as_secs_f32().max(1.0)
    });
    ui.add(RpoBar::new(used, &age, &limit).stale(!sight.is_live()));
}

/// When it runs next, and why then.
fn next_run(sight: &Sight<'_>, shown: &ShownJob<'_>) -> (String, String) {
    let at = |time: Timestamp| words::moment(time, sight.now, sight.zone);
    let schedule = shown.job.schedule.clone();
    if let Some(pause) = &shown.job.protection.paused {
        let Pause { who, until, .. } = pause;
        let until = until.map_or("Paused".to_owned(), |until| {
            format!("Paused until {}", at(until))
        });
        return (until, format!("by {who}"));
    }
    match (shown.job.next, schedule) {
        (Some(next), schedule) => (at(next), schedule.unwrap_or_default()),
        (None, Some(schedule)) => ("Not planned".to_owned(), schedule),
        (None, None) => ("By hand".to_owned(), String::new()),
    }
}

/// How the last run ended, and when.
fn last_run(sight: &Sight<'_>, shown: &ShownJob<'_>) -> (String, String) {
    let Some(run) = &shown.job.last_run else {
        return ("None yet".to_owned(), String::new());
    };
    let word = outcome(run.outcome);
    (word.to_owned(), sight.when(run.ended.unwrap_or(run.begun)))
}

/// The word for how a run ended.
pub(super) const fn outcome(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Running => "Running",
        RunOutcome::Succeeded => "Succeeded",
        RunOutcome::Warnings => "With warnings",
        RunOutcome::Failed => "Failed",
        RunOutcome::Cancelled => "Cancelled",
        RunOutcome::Interrupted => "Interrupted",
        RunOutcome::Missed => "Missed",
        RunOutcome::Skipped => "Skipped",
        _ => "Ended",
    }
}

/// How good that is.
pub(super) const fn outcome_mark(outcome: RunOutcome) -> Mark {
    match outcome {
        RunOutcome::Succeeded => Mark::Ok,
        RunOutcome::Warnings | RunOutcome::Cancelled | RunOutcome::Interrupted => Mark::Warn,
        RunOutcome::Failed | RunOutcome::Missed => Mark::Failed,
        RunOutcome::Skipped => Mark::Paused,
        _ => Mark::Unknown,
    }
}
