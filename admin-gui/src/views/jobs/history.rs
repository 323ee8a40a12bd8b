//! How long the runs of a job took and what they stored, over time. A run that made no snapshot is
//! a gap with a mark.

use backup_model::{JobName, RunInfo, RunKind, RunOutcome};
use egui::{Margin, ScrollArea, Ui};
use jiff::{SignedDuration, Timestamp};

use super::{
    Own, Sight,
    list::{outcome, outcome_mark},
};
use crate::{
    kit::{
        Curve, Plot, Text, Tokens, card, plot,
        plot::{Point, Unit, Value},
        skeleton,
        tokens::{height, space},
        words,
    },
    views::trouble,
};

/// The least height of a plot with its axis, and what its card has around it.
const LEAST: f32 = 150.0;
const AROUND: f32 = 56.0;

/// One amount of each run, and the same in words.
#[derive(Debug, PartialEq)]
struct Told {
    curve: Curve,
    says: String,
}

/// What is told of the runs.
#[derive(Debug, PartialEq)]
pub(super) struct History {
    runs: usize,
    took: Told,
    stored: Told,
}

impl History {
    /// Of the backups among them that have ended; they come the newest first.
    fn of(runs: &[RunInfo]) -> Self {
        let ended =
            |run: &&RunInfo| run.kind == RunKind::Backup && run.outcome != RunOutcome::Running;
        let runs: Vec<&RunInfo> = runs.iter().rev().filter(ended).collect();
        Self {
            runs: runs.len(),
            took: told(&runs, Unit::Span, |run| {
                let took = run.ended.unwrap_or(run.begun).duration_since(run.begun);
                took.max(SignedDuration::ZERO).as_secs_f64()
            }),
            stored: told(&runs, Unit::Bytes, |run| run.bytes.stored_bytes as f64),
        }
    }
}

fn told(runs: &[&RunInfo], unit: Unit, amount: impl Fn(&RunInfo) -> f64) -> Told {
    let value = |run: &RunInfo| match run.outcome {
        RunOutcome::Succeeded | RunOutcome::Warnings => Value::Amount(amount(run)),
        other => Value::Missing(outcome_mark(other), outcome(other)),
    };
    let points = runs.iter().map(|run| Point {
        at: run.begun,
        value: value(run),
    });
    let points: Vec<Point> = points.collect();
    Told {
        says: says(&points, unit),
        curve: Curve {
            points,
            apart: unit == Unit::Bytes,
            ..Curve::default()
        },
    }
}

/// The median, the greatest, the last, and how many are missing.
fn says(points: &[Point], unit: Unit) -> String {
    let amounts = points.iter().filter_map(|point| match point.value {
        Value::Amount(amount) => Some(amount),
        Value::Missing(..) => None,
    });
    let mut amounts: Vec<f64> = amounts.collect();
    let Some(last) = amounts.last().copied() else {
        return "no run made a snapshot".to_owned();
    };
    amounts.sort_by(f64::total_cmp);
    let [median, most] = [amounts.len() / 2, amounts.len() - 1].map(|at| unit.words(amounts[at]));
    let said = format!("median {median}, at most {most}, last {}", unit.words(last));
    match points.len() - amounts.len() {
        0 => said,
        without => format!(
            "{said}; {} without a snapshot",
            words::count(without as u64)
        ),
    }
}

pub(super) fn show(ui: &mut Ui, sight: &mut Sight<'_>, own: &mut Own, job: &JobName) {
    let told = sight.state.runs(Some(job));
    if trouble::instead(ui, sight, &told, "The runs cannot be shown") {
        return;
    }
    let (Some(page), Some(at)) = (told.value, told.at) else {
        skeleton::rows(ui, 4, height::ROW);
        return;
    };
    let key: (JobName, Timestamp) = (job.clone(), at);
    let history = own.history.get(key, || History::of(&page.runs));
    if history.runs == 0 {
        let muted = Tokens::of(ui).muted;
        ui.label(Text::Body.rich("It has not run yet", muted));
        return;
    }
    let high = (ui.available_height() - space::L) / 2.0 - AROUND;
    ScrollArea::vertical().show(ui, |ui| {
        let high = high.max(LEAST);
        part(
            ui,
            sight,
            ("How long runs took", high),
            Unit::Span,
            &history.took,
        );
        ui.add_space(space::L);
        part(
            ui,
            sight,
            ("What runs stored", high),
            Unit::Bytes,
            &history.stored,
        );
    });
}

fn part(ui: &mut Ui, sight: &Sight<'_>, (name, high): (&str, f32), unit: Unit, told: &Told) {
    card::padded_card(ui, name, Margin::symmetric(14, 12), |ui| {
        card::section_head(ui, name, &told.says);
        ui.add_space(space::S);
        let shown = Plot {
            name,
            says: &told.says,
            unit,
            curve: &told.curve,
            quiet: !sight.is_live(),
        };
        plot(ui, high, sight.zone, &shown);
    });
}

#[cfg(test)]
mod tests {
    use backup_model::{RunBytes, RunCause, RunId};

    use super::*;
    use crate::kit::Mark;

    fn run(minute: i64, secs: i64, outcome: RunOutcome) -> RunInfo {
        let begun = Timestamp::from_second(minute * 60).unwrap();
        RunInfo {
            run: RunId::new(begun, [1; 10]),
            kind: RunKind::Backup,
            job: None,
            repository: "main".to_owned(),
            cause: RunCause::Schedule,
            asked_by: None,
            due: None,
            begun,
            ended: Some(begun + SignedDuration::from_secs(secs)),
            outcome,
            bytes: RunBytes {
                stored_bytes: u64::try_from(secs).unwrap() << 20,
                ..RunBytes::default()
            },
            warnings: 0,
            failure: None,
            snapshot: None,
        }
    }

    #[test]
    fn runs_without_a_snapshot_are_gaps_and_what_runs_is_not_told() {
        let mut verification = run(6, 900, RunOutcome::Succeeded);
        verification.kind = RunKind::Verify;
        let history = History::of(&[
            run(7, 0, RunOutcome::Running),
            verification,
            run(5, 30, RunOutcome::Warnings),
            run(4, 9, RunOutcome::Failed),
            run(3, 20, RunOutcome::Succeeded),
            run(2, 70, RunOutcome::Succeeded),
        ]);
        let values: Vec<Value> = history
            .took
            .curve
            .points
            .iter()
            .map(|it| it.value)
            .collect();
        let failed = Value::Missing(Mark::Failed, "Failed");
        let [a, b, c] = [70.0, 20.0, 30.0].map(Value::Amount);
        assert_eq!(values, [a, b, failed, c]);
        assert_eq!(
            history.took.says,
            "median 30 s, at most 1 min 10 s, last 30 s; 1 without a snapshot"
        );
        assert_eq!(
            history.stored.says,
            "median 30 MiB, at most 70 MiB, last 30 MiB; 1 without a snapshot"
        );
    }

    #[test]
    fn of_failed_runs_alone_no_amount_is_said() {
        let history = History::of(&[run(4, 9, RunOutcome::Failed)]);
        assert_eq!(history.took.says, "no run made a snapshot");
        assert_eq!(History::of(&[]).runs, 0);
    }
}
