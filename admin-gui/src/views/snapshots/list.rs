//! The snapshots in a table, the newest first; runs that ended without one stand among them and
//! look it.

use backup_model::{End, JobName, SnapshotInfo, SnapshotName};
use backupd_api::ListedRun;
use egui::{Align, Layout, Ui};
use jiff::Timestamp;

use super::{Own, Sight};
use crate::kit::{
    Empty, Icon, Mark, Text, Tokens, card, empty, select,
    table::{Column, DataTable, Rows, Width, mono, words as cell},
    tokens::{height, space},
    words,
};

/// What a row is. Ordered by time, so that what is chosen stays what it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// A run that can be believed.
    Snapshot(Timestamp, SnapshotName),
    /// The record at this place in the daemon's list cannot be.
    Bad(usize),
}

const COLUMNS: [Column<'_>; 6] = [
    Column::new("State", Width::Fixed(116.0)),
    Column::new("Made", Width::Fixed(136.0)),
    Column::new("Snapshot", Width::Rest(140.0)),
    Column::number("Added", Width::Fixed(76.0)),
    Column::number("To restore", Width::Fixed(76.0)),
    Column::new("", Width::Fixed(24.0)),
];

/// What is shown of a list, sorted once and not in each frame.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// When the list came of which this is, and of which job.
    of: Option<(Timestamp, Option<JobName>)>,
    jobs: Vec<JobName>,
    /// Each with its place in the list.
    rows: Vec<(Key, usize)>,
}

impl Sorted {
    fn update(&mut self, at: Timestamp, job: Option<&JobName>, all: &[ListedRun]) {
        let is_current =
            |(known, of): &(Timestamp, Option<JobName>)| *known == at && of.as_ref() == job;
        if !self.of.as_ref().is_some_and(is_current) {
            self.of = Some((at, job.cloned()));
            self.jobs = jobs(all);
            self.rows = shown(all, job);
        }
    }
}

pub(super) fn show(
    ui: &mut Ui,
    sight: &Sight<'_>,
    own: &mut Own,
    all: &[ListedRun],
    at: Timestamp,
) {
    own.sorted.update(at, own.job.as_ref(), all);
    let jobs = &own.sorted.jobs;
    ui.horizontal(|ui| {
        let count = own.sorted.rows.len();
        card::title(ui, "Snapshots", &words::count(count as u64));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let mut names = vec!["All jobs"];
            names.extend(jobs.iter().map(JobName::as_str));
            let at = own
                .job
                .as_ref()
                .and_then(|job| jobs.iter().position(|one| one == job));
            let mut at = at.map_or(0, |at| at + 1);
            if select(ui, "Job", 200.0, &mut at, &names).changed() {
                own.job = at.checked_sub(1).map(|at| jobs[at].clone());
            }
        });
    });
    ui.add_space(space::M);
    if all.is_empty() {
        let nothing = Empty {
            icon: Icon::Snapshots,
            head: "There is no snapshot yet",
            sentence: "The first backup of a job makes the first one",
            action: "",
        };
        empty(ui, &nothing);
        return;
    }
    let room = ui.available_height() - height::ROW_COMPACT - 4.0;
    let mut rows = Snapshots {
        all,
        rows: &own.sorted.rows,
        sight,
    };
    DataTable::new("Snapshots", &COLUMNS)
        .max_height(room)
        .show(ui, &mut rows, &mut own.chosen);
}

fn jobs(all: &[ListedRun]) -> Vec<JobName> {
    let good = all.iter().filter_map(|run| run.as_ref().ok());
    let mut jobs: Vec<JobName> = good.map(|info| info.snapshot.job.clone()).collect();
    jobs.sort();
    jobs.dedup();
    jobs
}

/// The rows, the newest first, and above them what cannot be believed: of that nobody knows when
/// or whose it was.
fn shown(all: &[ListedRun], job: Option<&JobName>) -> Vec<(Key, usize)> {
    let mut rows: Vec<(Key, usize)> = all
        .iter()
        .enumerate()
        .filter(|(_, run)| {
            let of = |info: &SnapshotInfo| job.is_none_or(|job| info.snapshot.job == *job);
            run.as_ref().map_or(true, of)
        })
        .map(|(at, run)| match run {
            Ok(info) => (Key::Snapshot(info.created, info.snapshot.clone()), at),
            Err(_) => (Key::Bad(at), at),
        })
        .collect();
    rows.sort_by(|(a, _), (b, _)| b.cmp(a));
    rows
}

struct Snapshots<'a, 'b> {
    all: &'b [ListedRun],
    rows: &'b [(Key, usize)],
    sight: &'b Sight<'a>,
}

impl Snapshots<'_, '_> {
    fn run(&self, row: usize) -> &ListedRun {
        &self.all[self.rows[row].1]
    }
}

/// The word for how a run ended, and how good that is.
pub(super) const fn end(end: End) -> (Mark, &'static str) {
    match end {
        End::Complete => (Mark::Ok, "Complete"),
        End::Partial => (Mark::Warn, "Partial"),
        End::Aborted => (Mark::Failed, "No snapshot"),
        End::Fenced => (Mark::Failed, "Fenced off"),
        End::Open => (Mark::Unknown, "Open"),
        _ => (Mark::Unknown, "Unknown"),
    }
}

impl Rows for Snapshots<'_, '_> {
    type Key = Key;

    fn count(&self) -> usize {
        self.rows.len()
    }

    fn key(&self, row: usize) -> Key {
        self.rows[row].0.clone()
    }

    fn name(&self, row: usize) -> String {
        let words = |column| self.text(row, column);
        format!(
            "{}, {}, made {}",
            words(2),
            words(0).to_lowercase(),
            words(1)
        )
    }

    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize) {
        let tokens = Tokens::of(ui);
        let run = self.run(row);
        let restorable = run
            .as_ref()
            .is_ok_and(|info| matches!(info.end, End::Complete | End::Partial));
        let colour = if restorable && self.sight.is_live() {
            tokens.text
        } else {
            tokens.muted
        };
        let words = self.text(row, column);
        match column {
            0 => {
                let mark = run.as_ref().map_or(Mark::Failed, |info| end(info.end).0);
                mark.ui(ui, 14.0, tokens.panel);
                cell(ui, Text::Body, &words, colour);
            }
            2 => {
                mono(ui, &words, colour);
            }
            5 => {
                if run.as_ref().is_ok_and(|info| info.held.is_some()) {
                    Icon::Hold.ui(ui, tokens.muted).on_hover_text("Held");
                }
            }
            _ => {
                cell(ui, Text::Body, &words, colour);
            }
        }
    }

    fn text(&self, row: usize, column: usize) -> String {
        let info = match self.run(row) {
            Ok(info) => info,
            Err(failure) => {
                return match column {
                    0 => "Not believed".to_owned(),
                    2 => failure.to_string(),
                    _ => String::new(),
                };
            }
        };
        let amount = |bytes: u64| match info.end {
            End::Complete | End::Partial => words::bytes(bytes),
            _ => "–".to_owned(),
        };
        match column {
            0 => end(info.end).1.to_owned(),
            1 => words::moment(info.created, self.sight.now, self.sight.zone),
            2 => info.snapshot.to_string(),
            3 => amount(info.added_bytes),
            4 => amount(info.stored_bytes),
            _ if info.held.is_some() => "held".to_owned(),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use backup_model::{Code, Digest, Failure};

    use super::*;

    fn info(name: &str, minute: i64) -> SnapshotInfo {
        SnapshotInfo {
            snapshot: name.parse().unwrap(),
            end: End::Complete,
            created: Timestamp::from_second(minute * 60).unwrap(),
            kinds: Vec::new(),
            packs: 1,
            stored_bytes: 1,
            added_bytes: 1,
            record: Digest([0; 32]),
            reason: None,
            held: None,
        }
    }

    #[test]
    fn the_newest_comes_first_and_what_is_not_believed_before_all() {
        let bad = Err(Failure::new(Code::NotTrusted, "signed by nobody"));
        let [a1, b1, a2] =
            [("a/1", 1), ("b/1", 3), ("a/2", 2)].map(|(name, at)| Ok(info(name, at)));
        let all = [a1, bad, b1, a2];
        let names = |job: Option<&str>| {
            let job = job.map(|job| job.parse().unwrap());
            let rows = shown(&all, job.as_ref());
            let name = |key: &Key| match key {
                Key::Snapshot(_, name) => name.to_string(),
                Key::Bad(at) => format!("bad {at}"),
            };
            rows.iter().map(|(key, _)| name(key)).collect::<Vec<_>>()
        };
        assert_eq!(names(None), ["bad 1", "b/000001", "a/000002", "a/000001"]);
        // Whose it is nobody knows: it is shown with every job.
        assert_eq!(names(Some("a")), ["bad 1", "a/000002", "a/000001"]);
        assert_eq!(jobs(&all).len(), 2);
    }
}
