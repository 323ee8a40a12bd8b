//! Pausing a schedule: for how long, and why.

use backup_model::JobName;
use backupd_api::Scope;
use egui::Ui;
use jiff::SignedDuration;

use super::{Own, Sight};
use crate::{
    kit::{Dialog, Field, Text, Tokens, dialog::Answer, select, tokens::space},
    state::Deed,
};

/// For how long, in hours; none for until somebody resumes it.
const TIMES: [(&str, Option<i64>); 5] = [
    ("For 1 hour", Some(1)),
    ("For 4 hours", Some(4)),
    ("For 1 day", Some(24)),
    ("For 1 week", Some(7 * 24)),
    ("Until I resume it", None),
];

/// What somebody has filled in.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    job: JobName,
    time: usize,
    why: String,
}

impl Draft {
    pub(super) const fn of(job: JobName) -> Self {
        Self {
            job,
            time: 1,
            why: String::new(),
        }
    }
}

pub(super) fn dialog(ui: &Ui, sight: &mut Sight<'_>, own: &mut Own) {
    let Some(draft) = &mut own.pause else {
        return;
    };
    let title = format!("Pause {}", draft.job);
    let dialog = Dialog::new(&title, "Cancel", "Pause").off_if(sight.off_for(Scope::Run));
    let answer = dialog.show(ui.ctx(), |ui| {
        let muted = Tokens::of(ui).muted;
        let words = "No run begins by schedule until then. What is under way goes on, and the age of \
                     the newest snapshot keeps counting";
        ui.label(Text::Body.rich(words, muted));
        ui.add_space(space::M);
        let times = TIMES.map(|(name, _)| name);
        select(ui, "How long", 180.0, &mut draft.time, &times);
        ui.add_space(space::M);
        ui.add(Field::new("Why", &mut draft.why).hint("The others see it"));
    });
    match answer {
        None => {}
        Some(Answer::Safe) => own.pause = None,
        Some(Answer::Act) => {
            let hours = TIMES[draft.time.min(TIMES.len() - 1)].1;
            let deed = Deed::Pause {
                job: draft.job.clone(),
                from: sight.now,
                until: hours.map(|hours| sight.now + SignedDuration::from_hours(hours)),
                why: draft.why.trim().to_owned(),
            };
            own.pause = None;
            sight.ask(deed);
        }
    }
}
