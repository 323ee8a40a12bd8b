//! Every job, the worst first: how it stands, how fresh it is, what is next, how it has been.

mod cells;
mod next;

use std::collections::BTreeMap;

use backup_model::{JobName, SnapshotInfo};
use backupd_api::Scope;
use egui::Ui;
use jiff::Timestamp;

use self::next::next;
use super::super::Sight;
use crate::{
    kit::{
        Icon, Text, Tokens, menu,
        table::{Column, DataTable, Rows, Selection, Width, lines},
        tokens::height,
    },
    state::{Act, Command, Deed, Place, ShownJob},
};

const COLUMNS: [Column<'_>; 7] = [
    Column::new("State", Width::Fixed(97.0)),
    Column::new("Job", Width::Rest(92.0)),
    Column::new("Last good, limit", Width::Fixed(104.0)),
    Column::new("Next run", Width::Fixed(126.0)),
    Column::new("Last 30 days", Width::Fixed(119.0)),
    Column::new("Verified", Width::Fixed(52.0)),
    Column::number("Added", Width::Fixed(54.0)),
];

/// Draws the table, so high at most.
pub(super) fn show(
    ui: &mut Ui,
    sight: &mut Sight<'_>,
    selection: &mut Selection<JobName>,
    at: Timestamp,
    high: f32,
) {
    let state = sight.state;
    let mut rows = JobRows {
        sight,
        jobs: state.jobs(),
        snapshots: by_job(state.snapshots().value.map_or(&[][..], Vec::as_slice)),
        at,
        wanted: Vec::new(),
    };
    let output = DataTable::new("Jobs", &COLUMNS)
        .row_height(height::ROW_TALL)
        .max_height(high)
        .show(ui, &mut rows, selection);
    let mut wanted = rows.wanted;
    wanted.extend(
        output
            .opened
            .map(|job| Act::Go(Place::Job(job, None)).into()),
    );
    for command in wanted {
        sight.ask(command);
    }
}

/// The snapshots of each job, the oldest first.
fn by_job(listed: &[backupd_api::ListedRun]) -> BTreeMap<&JobName, Vec<&SnapshotInfo>> {
    let mut all: BTreeMap<&JobName, Vec<&SnapshotInfo>> = BTreeMap::new();
    for info in listed.iter().flatten() {
        all.entry(&info.snapshot.job).or_default().push(info);
    }
    all
}

struct JobRows<'s, 'a> {
    sight: &'s Sight<'a>,
    jobs: Vec<ShownJob<'a>>,
    snapshots: BTreeMap<&'a JobName, Vec<&'a SnapshotInfo>>,
    /// When the daemon was last heard.
    at: Timestamp,
    wanted: Vec<Command>,
}

impl Rows for JobRows<'_, '_> {
    type Key = JobName;

    fn count(&self) -> usize {
        self.jobs.len()
    }

    fn key(&self, row: usize) -> JobName {
        self.job(row).protection.job.clone()
    }

    fn name(&self, row: usize) -> String {
        let shown = &self.jobs[row];
        let state = shown.state.as_str().to_lowercase();
        let good = self.text(row, 2);
        format!("{}, {state}, last good {good}", shown.job.protection.job)
    }

    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize) {
        match column {
            0 => self.state(ui, row),
            1 => {
                let tokens = Tokens::of(ui);
                let job = self.job(row);
                let name = (Text::Name, job.protection.job.as_str(), self.colour(tokens));
                lines(ui, name, (&job.repository, tokens.muted));
            }
            2 => self.good(ui, row),
            3 => self.next(ui, row),
            4 => self.days(ui, row),
            5 => self.verified(ui, row),
            _ => self.added(ui, row),
        }
    }

    fn text(&self, row: usize, column: usize) -> String {
        let job = self.job(row);
        match column {
            0 => self.jobs[row].state.to_string(),
            1 => job.protection.job.to_string(),
            2 => match &job.protection.last_good {
                Some(good) => self.sight.when(good.created),
                None => "never".to_owned(),
            },
            3 => next(job, self.sight.now, self.sight.zone).0,
            5 => job.proven.map_or_else(String::new, |proven| {
                let (level, age) = self.proof(proven);
                format!("{level} {age}")
            }),
            6 => self
                .last_added(row)
                .map_or_else(String::new, |(last, _)| last),
            _ => String::new(),
        }
    }

    fn has_menu(&self) -> bool {
        true
    }

    fn menu(&mut self, ui: &mut Ui, row: usize) {
        let job = self.key(row);
        if menu::item(ui, Icon::Arrow, "Open job").clicked() {
            self.wanted
                .push(Act::Go(Place::Job(job.clone(), None)).into());
        }
        let runs = self.job(row).protection.running.is_some();
        let can_begin = self.sight.off_for(Scope::Run).is_none() && !runs;
        if can_begin && menu::item(ui, Icon::Download, "Back up now").clicked() {
            self.wanted.push(Deed::BackUp(job).into());
        }
    }
}
