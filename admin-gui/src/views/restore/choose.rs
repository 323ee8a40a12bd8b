//! What was lost, and from when it should come back: a job, what of it, and one of its snapshots.

use backup_model::{End, JobName, SnapshotInfo, SnapshotName};
use backupd_api::ListedRun;
use egui::Ui;
use jiff::Timestamp;

use super::{Own, Sight};
use crate::{
    kit::{
        Mark, Text, Tokens, card,
        check::radio,
        select, skeleton,
        table::{Column, DataTable, Rows, Width, mono, words as cell},
        tokens::{height, space},
        words,
    },
    state::{Draft, Part},
    views::trouble,
};

/// The job, and what of it.
pub(super) fn what(ui: &mut Ui, sight: &mut Sight<'_>, draft: &mut Draft) {
    let tokens = Tokens::of(ui);
    card::title(ui, "What was lost?", "");
    ui.add_space(space::L);
    let told = sight.state.snapshots();
    if trouble::instead(ui, sight, &told, "The snapshots cannot be shown") {
        return;
    }
    let Some(all) = told.value else {
        skeleton::rows(ui, 4, height::ROW);
        return;
    };
    let mut jobs: Vec<&JobName> = restorable(all).map(|info| &info.snapshot.job).collect();
    jobs.sort();
    jobs.dedup();
    if jobs.is_empty() {
        let words = "There is no snapshot yet from which something could be restored";
        ui.label(Text::Body.rich(words, tokens.muted));
        return;
    }
    let mut names = vec!["Choose a job"];
    names.extend(jobs.iter().map(|job| job.as_str()));
    let at = draft
        .job
        .as_ref()
        .and_then(|job| jobs.iter().position(|one| *one == job));
    let mut at = at.map_or(0, |at| at + 1);
    if select(ui, "Job", 260.0, &mut at, &names).changed()
        && let Some(job) = at.checked_sub(1)
    {
        draft.choose_job(jobs[job].clone());
        newest(draft, all);
    }
    ui.add_space(space::XL);
    card::section_head(ui, "What of it", "");
    ui.add_space(space::S);
    let parts = [
        (Part::All, "Everything: databases and folders"),
        (Part::Databases, "Databases only"),
        (Part::Folders, "Folders only"),
    ];
    for (part, word) in parts {
        if radio(ui, draft.part == part, word).clicked() {
            draft.part = part;
        }
        ui.add_space(space::XS);
    }
    if let Part::Paths(paths) = &draft.part {
        radio(
            ui,
            true,
            "The files and folders that were chosen in the snapshot",
        );
        ui.add_space(space::S);
        for path in paths.iter().take(12) {
            let path = words::one_line(&path.to_string_lossy());
            ui.label(Text::Mono.rich(path, tokens.muted));
        }
        if let Some(more) = paths.len().checked_sub(12).filter(|more| *more > 0) {
            ui.label(Text::Caption.rich(format!("and {more} more"), tokens.muted));
        }
    } else {
        ui.add_space(space::M);
        let words = "For single files, choose them in the snapshot: Snapshots, then Browse";
        ui.label(Text::Caption.rich(words, tokens.muted));
    }
}

fn restorable(all: &[ListedRun]) -> impl Iterator<Item = &SnapshotInfo> {
    let good = all.iter().filter_map(|run| run.as_ref().ok());
    good.filter(|info| matches!(info.end, End::Complete | End::Partial))
}

/// The newest snapshot is what most people want: it is chosen until somebody chooses another.
fn newest(draft: &mut Draft, all: &[ListedRun]) {
    let of_job = restorable(all).filter(|info| Some(&info.snapshot.job) == draft.job.as_ref());
    if let Some(info) = of_job.max_by_key(|info| info.created) {
        draft.choose_snapshot(info.snapshot.clone(), info.kinds.clone());
    }
}

/// A row: by time, so that what is chosen stays what it was.
pub(super) type Key = (Timestamp, SnapshotName);

/// The snapshots of a job, sorted once and not in each frame.
#[derive(Debug, Default)]
pub(super) struct Points {
    of: Option<(Timestamp, JobName)>,
    rows: Vec<(Key, usize)>,
}

impl Points {
    fn update(&mut self, at: Timestamp, job: &JobName, all: &[ListedRun]) {
        let current = self
            .of
            .as_ref()
            .is_some_and(|(known, of)| *known == at && of == job);
        if current {
            return;
        }
        self.of = Some((at, job.clone()));
        let of_job = all.iter().enumerate().filter_map(|(at, run)| {
            let info = run.as_ref().ok()?;
            let is_shown = matches!(info.end, End::Complete | End::Partial);
            let shown = is_shown && info.snapshot.job == *job;
            shown.then(|| ((info.created, info.snapshot.clone()), at))
        });
        self.rows = of_job.collect();
        self.rows.sort_by(|(a, _), (b, _)| b.cmp(a));
    }
}

const COLUMNS: [Column<'_>; 5] = [
    Column::new("Made", Width::Fixed(120.0)),
    Column::new("Exactly", Width::Rest(200.0)),
    Column::new("Snapshot", Width::Fixed(170.0)),
    Column::new("Holds", Width::Fixed(120.0)),
    Column::number("To fetch", Width::Fixed(80.0)),
];

/// The snapshot.
pub(super) fn when(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, draft: &mut Draft) {
    let told = sight.state.snapshots();
    let (Some(all), Some(job)) = (told.value, draft.job.clone()) else {
        skeleton::rows(ui, 8, height::ROW_COMPACT);
        return;
    };
    own.points.update(told.at.unwrap_or(sight.now), &job, all);
    let count = words::count(own.points.rows.len() as u64);
    card::title(
        ui,
        "From when should it be?",
        &format!("{count} snapshots of {job}"),
    );
    ui.add_space(space::M);
    let chosen = draft.snapshot.as_ref();
    let key = own
        .points
        .rows
        .iter()
        .find(|((_, name), _)| Some(name) == chosen);
    if let Some((key, _)) = key
        && own.point.cursor() != Some(key)
    {
        own.point.choose(key.clone());
    }
    let room = ui.available_height() - height::ROW_COMPACT - 4.0;
    let mut rows = Snapshots {
        all,
        rows: &own.points.rows,
        sight,
    };
    DataTable::new("Points in time", &COLUMNS)
        .max_height(room)
        .show(ui, &mut rows, &mut own.point);
    if let Some((_, name)) = own.point.cursor()
        && draft.snapshot.as_ref() != Some(name)
        && let Some(info) = restorable(all).find(|info| info.snapshot == *name)
    {
        draft.choose_snapshot(info.snapshot.clone(), info.kinds.clone());
    }
}

struct Snapshots<'a, 'b> {
    all: &'b [ListedRun],
    rows: &'b [(Key, usize)],
    sight: &'b Sight<'a>,
}

impl Snapshots<'_, '_> {
    fn info(&self, row: usize) -> Option<&SnapshotInfo> {
        self.all[self.rows[row].1].as_ref().ok()
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
        format!("{}, made {}", self.text(row, 2), self.text(row, 1))
    }

    fn cell(&mut self, ui: &mut Ui, row: usize, column: usize) {
        let tokens = Tokens::of(ui);
        let words = self.text(row, column);
        let partial = self.info(row).is_some_and(|info| info.end == End::Partial);
        match column {
            0 => {
                cell(ui, Text::Name, &words, tokens.text);
            }
            2 => {
                if partial {
                    let told = Mark::Warn.ui(ui, 14.0, tokens.panel);
                    told.on_hover_text("Something could not be read when it was made");
                }
                mono(ui, &words, tokens.text);
            }
            _ => {
                cell(ui, Text::Body, &words, tokens.muted);
            }
        }
    }

    fn text(&self, row: usize, column: usize) -> String {
        let Some(info) = self.info(row) else {
            return String::new();
        };
        match column {
            0 => words::moment(info.created, self.sight.now, self.sight.zone),
            1 => words::both(info.created, self.sight.zone),
            2 => info.snapshot.to_string(),
            3 => info.kinds.join(", "),
            _ => words::bytes(info.stored_bytes),
        }
    }
}
