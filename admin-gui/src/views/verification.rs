//! What was found to be good: how deep somebody can look and what that does not prove, each job
//! with the deepest proof of it, and the runs that looked.
//!
//! Only the level that needs no key is begun from here. What needs one is begun in a terminal, and
//! the command for it stands where the button would.

mod history;
mod jobs;
mod level;
mod standing;

use backup_model::{JobName, RunId, Selection as Meant};
use egui::{ScrollArea, Ui};

use super::{
    Sight,
    next_step::next_step,
    page::{head, page},
};
use crate::{
    kit::{
        Badge, Empty, Icon, Mark,
        card::{frame, section_head},
        empty,
        finding::{Finding, finding},
        skeleton,
        table::Selection,
        tokens::{height, space},
    },
    state::{Connection, Deed},
};
use standing::Standing;

/// What the screen remembers.
#[derive(Debug, Default)]
pub struct Own {
    jobs: Selection<JobName>,
    runs: Selection<RunId>,
}

impl Own {
    /// The command that does what the chosen row is for, or shows the same.
    pub(super) fn command(&self) -> String {
        match self.jobs.cursor() {
            Some(job) => Deed::Verify(Meant::Job(job.clone())).command(),
            None => "backupctl run list --kind verify".to_owned(),
        }
    }
}

/// Draws it.
pub fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own) {
    page(ui, |ui| {
        let shown = sight.state.jobs();
        let standings = standings(sight);
        head(
            ui,
            "Verification",
            |ui| badges(ui, sight, &standings),
            |_| (),
        );
        refused(ui, sight);
        if sight.state.status().is_none() {
            if !matches!(sight.state.connection(), Connection::Lost { .. }) {
                frame(ui).show(ui, |ui| skeleton::rows(ui, 5, height::ROW));
            }
            return;
        }
        if shown.is_empty() {
            let nothing = Empty {
                icon: Icon::Verification,
                head: "Nothing to verify yet",
                sentence: "A job in the configuration is verified day by day once it has a \
                           snapshot",
                action: "",
            };
            empty(ui, &nothing);
            return;
        }
        let room = ui.available_height();
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            // Tables are as high as their rows, whatever of them is in sight.
            ui.set_max_height(f32::INFINITY);
            let top = ui.next_widget_position().y;
            level::show(ui, sight, own, &standings);
            ui.add_space(space::L);
            section_head(ui, "Jobs", "when something of each was last found good");
            ui.add_space(space::S);
            jobs::show(ui, sight, own, &shown, &standings);
            ui.add_space(space::L);
            let used = ui.next_widget_position().y - top;
            history::show(ui, sight, own, room - used);
        });
    });
}

/// How each job stands, in their order.
fn standings(sight: &Sight<'_>) -> Vec<Standing> {
    let runs = sight.state.verifications().value;
    let looked = standing::looked(runs.map_or(&[][..], |page| &page.runs));
    let jobs = sight.state.jobs();
    jobs.iter()
        .map(|shown| Standing::of(shown.job, &looked))
        .collect()
}

/// How badly the worst job stands, for the rail: nothing while all is well.
pub(super) fn worst(sight: &Sight<'_>) -> Option<Mark> {
    let marks = standings(sight).into_iter().map(|standing| standing.mark);
    marks
        .filter(|mark| matches!(mark, Mark::Failed | Mark::Warn))
        .max()
}

/// How many stand badly.
fn badges(ui: &mut Ui, sight: &Sight<'_>, standings: &[Standing]) {
    for mark in [Mark::Failed, Mark::Warn] {
        let meant = standings.iter().filter(|standing| standing.mark == mark);
        let word = meant.clone().next().map_or("", |standing| standing.word);
        let count = meant.count();
        if count == 0 {
            continue;
        }
        let word = word.to_lowercase();
        if sight.is_live() {
            ui.add(Badge::new(mark, &format!("{count} {word}")));
        } else {
            ui.add(Badge::new(Mark::Unknown, &format!("was {count} {word}")));
        }
    }
}

/// A verification that did not begin.
fn refused(ui: &mut Ui, sight: &Sight<'_>) {
    let Some((deed @ Deed::Verify(_), failure)) = sight.state.refused() else {
        return;
    };
    let (title, sentence) = (deed.title(), failure.to_string());
    let told = Finding {
        mark: Mark::Failed,
        name: "Did not begin",
        sentence: &format!("{title}: {sentence}"),
        fix: next_step(failure.code).unwrap_or("Mend what it says, then begin it again"),
        code: failure.code.as_str(),
        action: "",
    };
    frame(ui).show(ui, |ui| finding(ui, &told, true));
    ui.add_space(space::M);
}
