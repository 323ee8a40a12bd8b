//! A plan in words: who stays, who goes, and why.

use backup_model::{
    GoReason, KeepReason, PauseReason, RetentionDecision, RetentionNote, RetentionPlan,
    RetentionPolicy, RetentionRule, RetentionVerdict,
};
use jiff::SignedDuration;

use super::command::{JobPlan, Plans};
use crate::{
    show,
    table::{Align, table},
};

/// Every job's plan; `body` shows its snapshots.
pub(super) fn plan_text(plans: &Plans, body: impl Fn(&RetentionPlan) -> String) -> String {
    if plans.jobs.is_empty() {
        return "no job is configured".to_owned();
    }
    let texts = plans
        .jobs
        .iter()
        .map(|job| job_text(job, plans.trial, &body));
    let mut texts: Vec<String> = texts.collect();
    let planned = plans.jobs.iter().filter(|job| job.plan.is_some()).count();
    if planned > 1 {
        texts.push(format!("all told: {}", sums(plans.stay, plans.go)));
    }
    let without = |job: &&JobPlan| job.plan.is_none() && job.failure.is_none();
    if plans.jobs.iter().any(|job| without(&job)) {
        texts.push(HOW_TO.to_owned());
    }
    texts.join("\n\n")
}

/// What to write where there is no policy.
const HOW_TO: &str = "\
To have snapshots forgotten, say in the configuration what stays; one job alone has it in
`[job.NAME.retention]`:
  [defaults]
  timezone  = \"Europe/Berlin\"   # yours
  retention = { keep_last = 3, keep_daily = 14, keep_weekly = 8, keep_monthly = 12 }
`backupctl retention preview --keep-daily 14` tries it out.";

fn job_text(planned: &JobPlan, trial: bool, body: impl Fn(&RetentionPlan) -> String) -> String {
    let JobPlan { job, plan, failure } = planned;
    if let Some(failure) = failure {
        return format!(
            "{job}: no plan: {} [{}]",
            show::failure(failure),
            failure.code
        );
    }
    let Some(plan) = plan else {
        return format!("{job}: no policy, so nothing is ever forgotten");
    };
    let is_gone = |verdict: &&RetentionVerdict| verdict.goes();
    let snapshots = plan
        .verdicts
        .iter()
        .filter(|verdict| show::is_snapshot(verdict.end));
    let (go, stay): (Vec<_>, Vec<_>) = snapshots.partition(is_gone);
    let mut lines = Vec::new();
    lines.push(if plan.verdicts.is_empty() {
        format!("{job}: no snapshots yet")
    } else {
        format!("{job}: {}", sums(stay.len(), go.len()))
    });
    if let Some(pause) = &plan.paused {
        lines.extend(pause_lines(job.as_str(), pause));
    }
    let policy = if trial { "policy as tried" } else { "policy" };
    lines.push(format!("  {policy}: {}", policy_text(&plan.policy)));
    lines.extend(
        plan.notes
            .iter()
            .map(|note| format!("  ! {}", note_text(note))),
    );
    let failed = plan
        .gone()
        .filter(|verdict| !show::is_snapshot(verdict.end));
    match failed.count() {
        0 => {}
        n => lines.push(format!(
            "  {} of runs that made no snapshot",
            show::count(n, "record goes, too,", "records go, too,")
        )),
    }
    if !plan.verdicts.is_empty() {
        lines.push(String::new());
        lines.push(body(plan));
    }
    lines.join("\n")
}

fn sums(stay: usize, go: usize) -> String {
    format!(
        "{}, {}",
        show::count(stay, "snapshot stays", "snapshots stay"),
        if go == 1 {
            "1 goes".to_owned()
        } else {
            format!("{go} go")
        }
    )
}

/// First of all: that nothing goes, why, and what to do.
fn pause_lines(job: &str, pause: &PauseReason) -> [String; 2] {
    match pause {
        PauseReason::RecentFailures { runs } => [
            format!(
                "  ! paused, nothing goes: {}",
                match runs {
                    1 => "the last run failed".to_owned(),
                    n => format!("the last {n} runs failed"),
                }
            ),
            format!(
                "    It goes on after a run that succeeds: `backupctl snapshot list {job}` says \
                 why they failed, `backupctl backup {job}` tries again."
            ),
        ],
        PauseReason::Shrunk {
            snapshot,
            stored_bytes,
            usual_bytes,
        } => [
            format!(
                "  ! paused, nothing goes: {snapshot} has only {}, where {} are usual",
                show::bytes(*stored_bytes),
                show::bytes(*usual_bytes)
            ),
            format!(
                "    Look whether something is missing: `backupctl snapshot show {snapshot} \
                 --identity FILE`. It goes on when that is no longer unusual."
            ),
        ],
        _ => [
            "  ! paused, nothing goes, for a reason that this program does not know".to_owned(),
            "    Use the version that answered.".to_owned(),
        ],
    }
}

fn note_text(note: &RetentionNote) -> String {
    match note {
        RetentionNote::OnlyPartial {
            newest_complete: None,
        } => "at risk: no snapshot is complete".to_owned(),
        RetentionNote::OnlyPartial {
            newest_complete: Some(complete),
        } => format!(
            "at risk: what is newest is only partial; the newest complete one is {complete}"
        ),
        RetentionNote::Future { runs: 1 } => {
            "1 run is dated in the future: look at the host's clock".to_owned()
        }
        RetentionNote::Future { runs } => {
            format!("{runs} runs are dated in the future: look at the host's clock")
        }
        RetentionNote::OutOfOrder { snapshots } => format!(
            "the dates of {} contradict the order in which they were made",
            show::number(u64::from(*snapshots), "snapshot", "snapshots")
        ),
        _ => "something that this program does not know".to_owned(),
    }
}

/// The policy as its keys say it.
fn policy_text(policy: &RetentionPolicy) -> String {
    let counts = [
        (RetentionRule::KeepLast, policy.keep_last),
        (RetentionRule::KeepHourly, policy.keep_hourly),
        (RetentionRule::KeepDaily, policy.keep_daily),
        (RetentionRule::KeepWeekly, policy.keep_weekly),
        (RetentionRule::KeepMonthly, policy.keep_monthly),
        (RetentionRule::KeepYearly, policy.keep_yearly),
    ];
    let times = [
        (RetentionRule::KeepWithin, policy.keep_within),
        (RetentionRule::KeepWithinHourly, policy.keep_within_hourly),
        (RetentionRule::KeepWithinDaily, policy.keep_within_daily),
        (RetentionRule::KeepWithinWeekly, policy.keep_within_weekly),
        (RetentionRule::KeepWithinMonthly, policy.keep_within_monthly),
        (RetentionRule::KeepWithinYearly, policy.keep_within_yearly),
    ];
    let counts = counts.into_iter().filter(|(_, count)| *count > 0);
    let mut words: Vec<String> = counts
        .map(|(rule, count)| format!("{} {count}", rule.as_str()))
        .collect();
    words.extend(
        times.into_iter().filter_map(|(rule, time)| {
            time.map(|time| format!("{} {}", rule.as_str(), unit(time)))
        }),
    );
    words.push(format!("min_keep {}", policy.min_keep));
    words.push(format!("by the calendar of {}", policy.time_zone));
    words.join(", ")
}

/// A duration as the configuration says it: the largest unit of which it is a whole number.
fn unit(time: SignedDuration) -> String {
    let secs = time.as_secs();
    let units = [("d", 86_400), ("h", 3_600), ("m", 60)];
    let fits = units.into_iter().find(|(_, unit)| secs % unit == 0);
    fits.map_or_else(
        || format!("{secs}s"),
        |(name, unit)| format!("{}{name}", secs / unit),
    )
}

/// A line for each run, the newest first.
pub(super) fn table_text(plan: &RetentionPlan) -> String {
    table(
        [
            ("  SNAPSHOT", Align::Left),
            ("CREATED", Align::Left),
            ("END", Align::Left),
            ("STORED", Align::Right),
            ("", Align::Left),
            ("WHY", Align::Left),
        ],
        plan.verdicts.iter().map(|verdict| {
            let (word, why) = match &verdict.decision {
                RetentionDecision::Keep { reasons } => ("stays", keep_texts(reasons)),
                RetentionDecision::Go { reason } => ("goes", go_text(reason)),
            };
            [
                format!("  {}", verdict.snapshot),
                show::time(verdict.created),
                end(verdict),
                if show::is_snapshot(verdict.end) {
                    show::bytes(verdict.stored_bytes)
                } else {
                    "-".to_owned()
                },
                word.to_owned(),
                why,
            ]
        }),
    )
}

fn end(verdict: &RetentionVerdict) -> String {
    let word = show::end(verdict.end);
    if verdict.out_of_order {
        format!("{word}, date in doubt")
    } else {
        word.to_owned()
    }
}

fn keep_texts(reasons: &[KeepReason]) -> String {
    let texts: Vec<String> = reasons.iter().map(keep_text).collect();
    texts.join("; ")
}

fn keep_text(reason: &KeepReason) -> String {
    match reason {
        KeepReason::Rule {
            rule,
            period: Some(period),
        } => format!("{} {period}", rule.as_str()),
        KeepReason::Rule { rule, period: None } => rule.as_str().to_owned(),
        KeepReason::MinKeep => "one of the newest, min_keep".to_owned(),
        KeepReason::Held => "held".to_owned(),
        KeepReason::Proven => "the newest that was proven".to_owned(),
        KeepReason::Future => "dated in the future".to_owned(),
        KeepReason::NothingBetter => "partial, but nothing newer is complete".to_owned(),
        KeepReason::Open => "not ended".to_owned(),
        KeepReason::History => "a record of a failed run, newer than what goes".to_owned(),
        KeepReason::Paused { otherwise } => {
            format!("paused; else it would go: {}", go_text(otherwise))
        }
        _ => "a reason that this program does not know".to_owned(),
    }
}

fn go_text(reason: &GoReason) -> String {
    match reason {
        GoReason::NoRule => "no rule wants it".to_owned(),
        GoReason::Completed { by } => format!("partial, and {by} is complete"),
        GoReason::NewerPartial => "partial, and there are newer ones like it".to_owned(),
        GoReason::FailedRun => "a failed run, older than all that stays".to_owned(),
        _ => "a reason that this program does not know".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use backup_model::{Code, End, Failure, SnapshotName};

    use super::*;

    fn name(text: &str) -> SnapshotName {
        text.parse().unwrap()
    }

    fn verdict(number: u64, end: End, decision: RetentionDecision) -> RetentionVerdict {
        RetentionVerdict {
            snapshot: name(&format!("webui/{number}")),
            created: "2026-11-22T02:30:00Z".parse().unwrap(),
            end,
            stored_bytes: 16 << 20,
            out_of_order: false,
            decision,
        }
    }

    fn plan() -> RetentionPlan {
        let mut policy = RetentionPolicy::new("Europe/Berlin".to_owned());
        policy.keep_last = 1;
        policy.keep_daily = 14;
        policy.keep_within = Some(SignedDuration::from_hours(36));
        let day = KeepReason::Rule {
            rule: RetentionRule::KeepDaily,
            period: Some("2026-11-22".to_owned()),
        };
        let keep = |reasons| RetentionDecision::Keep { reasons };
        let go = |reason| RetentionDecision::Go { reason };
        RetentionPlan {
            now: "2026-11-22T12:00:00Z".parse().unwrap(),
            policy,
            paused: None,
            notes: vec![RetentionNote::Future { runs: 1 }],
            verdicts: vec![
                verdict(4, End::Complete, keep(vec![day, KeepReason::Held])),
                verdict(3, End::Complete, go(GoReason::NoRule)),
                verdict(
                    2,
                    End::Partial,
                    go(GoReason::Completed {
                        by: name("webui/4"),
                    }),
                ),
                verdict(1, End::Aborted, go(GoReason::FailedRun)),
            ],
        }
    }

    fn plans(plan: Option<RetentionPlan>) -> Plans {
        let job = "webui".parse().unwrap();
        Plans {
            trial: false,
            jobs: vec![JobPlan {
                job,
                plan,
                failure: None,
            }],
            stay: 1,
            go: 2,
        }
    }

    #[test]
    fn a_plan_says_of_each_why() {
        assert_eq!(
            plan_text(&plans(Some(plan())), table_text),
            [
                "webui: 1 snapshot stays, 2 go",
                "  policy: keep_last 1, keep_daily 14, keep_within 36h, min_keep 2, by the calendar of Europe/Berlin",
                "  ! 1 run is dated in the future: look at the host's clock",
                "  1 record goes, too, of runs that made no snapshot",
                "",
                "  SNAPSHOT      CREATED               END         STORED         WHY",
                "  webui/000004  2026-11-22 02:30 UTC  complete  16.0 MiB  stays  keep_daily 2026-11-22; held",
                "  webui/000003  2026-11-22 02:30 UTC  complete  16.0 MiB  goes   no rule wants it",
                "  webui/000002  2026-11-22 02:30 UTC  partial   16.0 MiB  goes   partial, and webui/000004 is complete",
                "  webui/000001  2026-11-22 02:30 UTC  aborted          -  goes   a failed run, older than all that stays",
            ]
            .join("\n")
        );
        let trial = Plans {
            trial: true,
            ..plans(Some(plan()))
        };
        let text = plan_text(&trial, table_text);
        assert!(
            text.contains("\n  policy as tried: keep_last 1, "),
            "{text}"
        );
    }

    #[test]
    fn without_a_policy_it_says_what_to_write() {
        let text = plan_text(&plans(None), table_text);
        let (first, rest) = text.split_once("\n\n").unwrap();
        assert_eq!(first, "webui: no policy, so nothing is ever forgotten");
        assert_eq!(rest, HOW_TO);

        let mut new = plan();
        (new.verdicts, new.notes) = (Vec::new(), Vec::new());
        let text = plan_text(&plans(Some(new)), table_text);
        assert!(
            text.starts_with("webui: no snapshots yet\n  policy: "),
            "{text}"
        );
    }

    #[test]
    fn a_pause_comes_first_with_its_way_out() {
        for (pause, why, remedy) in [
            (
                PauseReason::RecentFailures { runs: 3 },
                "  ! paused, nothing goes: the last 3 runs failed",
                "backupctl snapshot list webui",
            ),
            (
                PauseReason::Shrunk {
                    snapshot: name("webui/4"),
                    stored_bytes: 12 << 20,
                    usual_bytes: 556 << 20,
                },
                "  ! paused, nothing goes: webui/000004 has only 12.0 MiB, where 556.0 MiB are usual",
                "backupctl snapshot show webui/000004",
            ),
        ] {
            let mut plan = plan();
            plan.paused = Some(pause);
            let text = plan_text(&plans(Some(plan)), table_text);
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(lines[1], why);
            assert!(lines[2].contains(remedy), "{text}");
        }
    }

    #[test]
    fn several_jobs_have_a_sum() {
        let mut plans = plans(Some(plan()));
        let job = "wiki".parse().unwrap();
        plans.jobs.push(JobPlan {
            job,
            plan: None,
            failure: Some(Failure::new(Code::Store, "no answer")),
        });
        let text = plan_text(&plans, table_text);
        assert!(
            text.ends_with("\n\nwiki: no plan: no answer [E-STORE]"),
            "{text}"
        );
        plans.jobs[1] = JobPlan {
            job: "wiki".parse().unwrap(),
            plan: Some(plan()),
            failure: None,
        };
        let text = plan_text(&plans, table_text);
        assert!(
            text.ends_with("\n\nall told: 1 snapshot stays, 2 go"),
            "{text}"
        );
    }
}
