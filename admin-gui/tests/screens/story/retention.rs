//! What a policy makes of the story's snapshots: as configured, and with fewer days and weeks.

use admin_gui::state::Keep;
use backup_model::{
    End, GoReason, KeepReason, RetentionDecision, RetentionPlan, RetentionPolicy, RetentionRule,
    RetentionVerdict, Seq, SnapshotName,
};
use jiff::civil::Date;

use super::{name, now};

/// The policy of `webui-db`.
pub(crate) fn policy() -> RetentionPolicy {
    RetentionPolicy {
        keep_last: 12,
        keep_daily: 14,
        keep_weekly: 8,
        keep_monthly: 12,
        ..RetentionPolicy::new("UTC".to_owned())
    }
}

/// Fewer days and weeks.
pub(crate) const FEWER: Keep = Keep([12, 0, 7, 4, 12, 0, 2]);

const FOURTEEN_DAYS: [i8; 14] = [22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9];

fn rule(rule: RetentionRule, period: &str) -> RetentionDecision {
    RetentionDecision::Keep {
        reasons: vec![KeepReason::Rule {
            rule,
            period: Some(period.to_owned()),
        }],
    }
}

/// What stays by the configuration, or by that.
pub(crate) fn plan(keep: Option<Keep>) -> RetentionPlan {
    let go = || RetentionDecision::Go {
        reason: GoReason::NoRule,
    };
    let because = |reason| RetentionDecision::Keep {
        reasons: vec![reason],
    };
    let fewer = keep.is_some();
    let days = FOURTEEN_DAYS.into_iter().map(|day| {
        let date = Date::constant(2026, 11, day);
        let decision = match day {
            19 => because(KeepReason::Proven),
            9..=14 if fewer => go(),
            _ => rule(RetentionRule::KeepDaily, &date.to_string()),
        };
        (date, decision)
    });
    let weeks = [(11, 8, 45), (11, 1, 44), (10, 25, 43), (10, 18, 42)];
    let weeks = weeks.into_iter().map(|(month, day, week)| {
        let decision = if fewer && month == 10 {
            go()
        } else {
            rule(RetentionRule::KeepWeekly, &format!("2026-W{week}"))
        };
        (Date::constant(2026, month, day), decision)
    });
    let held = (Date::constant(2026, 10, 17), because(KeepReason::Held));
    let months = [(9, 30), (8, 31)].into_iter().map(|(month, day)| {
        let period = format!("2026-{month:02}");
        let decision = rule(RetentionRule::KeepMonthly, &period);
        (Date::constant(2026, month, day), decision)
    });
    let all = days.chain(weeks).chain([held]).chain(months);
    let verdicts = (0..)
        .zip(all)
        .map(|(back, (day, decision))| RetentionVerdict {
            snapshot: SnapshotName {
                job: name("webui-db"),
                seq: Seq(1200 - 12 * back),
            },
            created: day.at(12, 15, 0, 0).in_tz("UTC").unwrap().timestamp(),
            end: End::Complete,
            stored_bytes: 61_000_000 - 1_000_000 * back,
            out_of_order: false,
            decision,
        });
    RetentionPlan {
        now: now(),
        policy: policy(),
        paused: None,
        notes: Vec::new(),
        verdicts: verdicts.collect(),
    }
}
