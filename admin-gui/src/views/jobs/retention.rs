//! When a job runs, what of its snapshots stays, and what another policy would let go. Nothing is
//! changed here: the server's configuration says what holds.

mod change;
mod days;
mod plan;

pub(super) use days::{Days, OfPlan};

use backup_model::{ConfiguredJob, JobName};
use egui::{Align, Align2, Layout, Rect, Response, ScrollArea, Sense, Ui, UiBuilder, Vec2, vec2};

use super::{Own, Sight};
use crate::{
    kit::{
        Field, Text, Tokens, card, facts, skeleton,
        tokens::{height, space},
    },
    state::{Act, Keep, ShownJob},
    views::trouble,
};

/// How wide the policy is, and one of its counts.
const LEFT: f32 = 288.0;
const COUNT: f32 = 64.0;
const FACT: f32 = 150.0;

/// The counts as they are typed.
#[derive(Debug)]
pub(super) struct Typed {
    job: JobName,
    counts: [String; 7],
}

impl Typed {
    fn of(job: &JobName, keep: Keep) -> Self {
        Self {
            job: job.clone(),
            counts: keep.0.map(|count| count.to_string()),
        }
    }

    /// The policy, if all of it is numbers.
    fn keep(&self) -> Option<Keep> {
        let mut keep = Keep::default();
        for (count, typed) in keep.0.iter_mut().zip(&self.counts) {
            *count = typed.trim().parse().ok()?;
        }
        Some(keep)
    }
}

/// The command that shows the same.
pub(super) fn command(sight: &Sight<'_>, own: &Own, job: &JobName) -> String {
    let typed = own.typed.as_ref().filter(|typed| typed.job == *job);
    let configured = sight.state.configuration().value;
    let configured = configured.and_then(|told| told.jobs.iter().find(|one| one.name == *job));
    let policy = configured.and_then(|job| job.retention.as_ref());
    flagged(
        job,
        typed.and_then(Typed::keep),
        policy.map_or(Keep::none(), Keep::of),
    )
}

fn flagged(job: &JobName, tried: Option<Keep>, before: Keep) -> String {
    let changes = tried.into_iter().flat_map(|tried| tried.changes(before));
    let flags =
        changes.map(|(rule, _, count)| format!(" --{} {count}", rule.key.replace('_', "-")));
    format!(
        "backupctl retention preview {job}{}",
        flags.collect::<String>()
    )
}

pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, shown: &ShownJob<'_>) {
    let told = sight.state.configuration();
    if trouble::instead(ui, sight, &told, "The configuration cannot be shown") {
        return;
    }
    let Some(configuration) = told.value else {
        skeleton::rows(ui, 4, height::ROW_COMPACT);
        return;
    };
    let name = &shown.job.protection.job;
    let Some(job) = configuration.jobs.iter().find(|job| job.name == *name) else {
        return;
    };
    let configured = job.retention.as_ref().map(Keep::of);
    let before = configured.unwrap_or(Keep::none());
    let typed = own.typed.take().filter(|typed| typed.job == *name);
    let mut typed = typed.unwrap_or_else(|| Typed::of(name, before));

    let whole = ui.available_rect_before_wrap();
    let left = whole.with_max_x(whole.left() + LEFT);
    let right = whole.with_min_x(left.right() + space::XL);
    policy(
        &mut ui.new_child(UiBuilder::new().max_rect(left)),
        job,
        &mut typed,
        before,
    );
    if let Some(keep) = typed.keep() {
        let tried = Some(keep).filter(|keep| *keep != before);
        if !sight.state.tries(name, tried) {
            sight.ask(Act::Try(name.clone(), tried));
        }
    }
    own.typed = Some(typed);
    plan::show(
        &mut ui.new_child(UiBuilder::new().max_rect(right)),
        sight,
        own,
        name,
    );
    ui.advance_cursor_after_rect(whole);
}

/// What is configured, what is typed, and what that would change.
fn policy(ui: &mut Ui, job: &ConfiguredJob, typed: &mut Typed, before: Keep) {
    let policy = ScrollArea::vertical().id_salt("policy").auto_shrink(false);
    policy.show(ui, |ui| {
        // Beside the bar that scrolls it.
        ui.set_max_width(LEFT - space::M);
        ui.spacing_mut().item_spacing.y = 0.0;
        card::section_head(ui, "Schedule", "");
        ui.add_space(space::XS);
        facts(ui, FACT, |facts| {
            facts.mono("Runs", job.schedule.as_deref().unwrap_or("by hand only"));
            let rpo = job
                .rpo_secs
                .map_or("no limit".to_owned(), super::contents::span);
            facts.row("Alarm when older than", &rpo);
        });
        ui.add_space(space::M);
        card::section_head(ui, "Keep", "");
        ui.add_space(space::S);
        for ((rule, typed), before) in Keep::RULES.iter().zip(&mut typed.counts).zip(before.0) {
            count(ui, rule.name, typed, before);
        }
        ui.add_space(space::M);
        if change::show(ui, job.retention.is_some(), typed.keep(), before) {
            *typed = Typed::of(&job.name, before);
        }
    });
}

/// A count, with what is configured where it differs.
fn count(ui: &mut Ui, name: &str, typed: &mut String, before: u32) -> Response {
    let tokens = Tokens::of(ui);
    let size = vec2(ui.available_width(), height::CONTROL + space::XS);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    Text::Body.write(
        ui,
        rect.left_center(),
        Align2::LEFT_CENTER,
        name,
        tokens.text,
    );
    let number = typed.trim().parse::<u32>();
    let changed = number.as_ref().ok() != Some(&before);
    let field = Rect::from_center_size(
        rect.right_center() - vec2(COUNT / 2.0, 0.0),
        Vec2::new(COUNT, height::CONTROL),
    );
    if changed {
        let was = match number {
            Ok(_) => format!("was {before}"),
            Err(_) => "not a number".to_owned(),
        };
        let at = field.left_center() - vec2(space::S, 0.0);
        Text::Caption.write(ui, at, Align2::RIGHT_CENTER, &was, tokens.muted);
    }
    let layout = Layout::left_to_right(Align::Center);
    let mut inside = ui.new_child(UiBuilder::new().max_rect(field).layout(layout));
    let field = Field::new(name, typed).unlabelled().right_aligned();
    inside.add(field.width(COUNT).changed(changed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_names_what_was_changed_only() {
        let job: JobName = "webui-db".parse().unwrap();
        let own = Keep([12, 0, 14, 8, 12, 0, 2]);
        let said = flagged(&job, None, own);
        assert_eq!(said, "backupctl retention preview webui-db");
        let tried = Keep([12, 0, 7, 8, 12, 0, 3]);
        let said = flagged(&job, Some(tried), own);
        let wanted = "backupctl retention preview webui-db --keep-daily 7 --min-keep 3";
        assert_eq!(said, wanted);
    }

    #[test]
    fn what_is_no_number_is_no_policy() {
        let job: JobName = "webui-db".parse().unwrap();
        let mut typed = Typed::of(&job, Keep::none());
        assert_eq!(typed.keep(), Some(Keep::none()));
        typed.counts[2] = "7 days".to_owned();
        assert_eq!(typed.keep(), None);
    }
}
