//! The daemon itself: whether its schedule is alive, and what is wrong with its configuration.

use std::path::PathBuf;

use backup_model::{Code, DaemonInfo, Failure, HealthItem, Span, StatusReport};
use jiff::{SignedDuration, Timestamp};

use super::look::said;
use crate::{config::Problem, hints::hint, service::Access};

const OBJECT: &str = "daemon";
const SCHEDULER: &str = "scheduler";
const CONFIGURATION: &str = "configuration";

/// The schedule looks at itself every twenty seconds.
const LATE: SignedDuration = SignedDuration::from_mins(2);
const STUCK: SignedDuration = SignedDuration::from_mins(10);

/// Who was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The daemon that says all this, or nobody where none answers.
    Daemon,
    /// This process alone, though somebody listens at the daemon's socket.
    Beside(PathBuf),
}

/// How the daemon stands, by the report of how everything does.
pub(super) fn items(
    access: &Access,
    status: Result<&StatusReport, &Failure>,
    asked: &Asked,
    now: Timestamp,
) -> Vec<HealthItem> {
    let scheduled = access.jobs.values().any(|job| job.timing.is_some());
    let daemon = status.ok().and_then(|status| status.daemon.as_ref());
    let mut items = vec![match (asked, daemon) {
        (Asked::Beside(socket), _) => beside(socket),
        (Asked::Daemon, Some(daemon)) => alive(daemon, now),
        (Asked::Daemon, None) => absent(scheduled),
    }];
    let faults = status.map_or(&[][..], |status| &status.faults);
    items.extend(faults.iter().map(fault));
    items.extend(access.watched.warnings.iter().map(warning));
    let wrong = |item: &HealthItem| item.id == CONFIGURATION;
    if !items.iter().any(wrong) && !access.watched.files.is_empty() {
        let files = access.watched.files.len();
        let evidence = format!("{files} read, without a warning");
        items.push(HealthItem::ok(CONFIGURATION, OBJECT, evidence).with("files", files));
    }
    merged(items)
}

/// One item of each name, so that programs can follow it: the worst, with what is to be said of the
/// others.
fn merged(mut items: Vec<HealthItem>) -> Vec<HealthItem> {
    items.sort_by_key(|item| std::cmp::Reverse(item.state));
    let mut all: Vec<HealthItem> = Vec::new();
    for item in items {
        match all.iter_mut().find(|first| first.id == item.id) {
            Some(first) => first.evidence = format!("{}; {}", first.evidence, item.evidence),
            None => all.push(item),
        }
    }
    all
}

fn beside(socket: &std::path::Path) -> HealthItem {
    let why = format!(
        "a daemon listens at {}, and was not asked",
        socket.display()
    );
    HealthItem::unknown(SCHEDULER, OBJECT, why, "Ask it: backupctl health")
}

fn alive(daemon: &DaemonInfo, now: Timestamp) -> HealthItem {
    let age = now.duration_since(daemon.heartbeat);
    let fix = "Look into its log, then restart it: systemctl restart backupd";
    let item = if age <= LATE {
        let up = Span(now.duration_since(daemon.since));
        let evidence = format!("the schedule moved {} ago; up for {up}", Span(age));
        HealthItem::ok(SCHEDULER, OBJECT, evidence)
    } else {
        let evidence = format!("the schedule has not moved for {}", Span(age));
        if age <= STUCK {
            HealthItem::at_risk(SCHEDULER, OBJECT, evidence, fix)
        } else {
            HealthItem::breached(SCHEDULER, OBJECT, evidence, fix)
        }
    };
    item.with("heartbeat_age_secs", age.as_secs())
}

fn absent(scheduled: bool) -> HealthItem {
    if scheduled {
        let evidence = "no daemon answers, so nothing runs by schedule";
        let fix = "Start it: systemctl start backupd";
        return HealthItem::at_risk(SCHEDULER, OBJECT, evidence, fix);
    }
    let evidence = "no daemon answers, and no job has a schedule";
    HealthItem::ok(SCHEDULER, OBJECT, evidence)
}

/// A configuration that was refused keeps the old one in force: what somebody thinks is backed up
/// may not be.
fn fault(fault: &Failure) -> HealthItem {
    let evidence = said(fault);
    let fix = hint(fault.code).unwrap_or("Look into the daemon's log.");
    if fault.code == Code::Config || fault.code == Code::ConfigMissing {
        let evidence = format!("the files were refused, older ones are in force: {evidence}");
        let fix = "See what is wrong with them: backupctl config check";
        return HealthItem::breached(CONFIGURATION, OBJECT, evidence, fix);
    }
    HealthItem::at_risk("daemon-fault", OBJECT, evidence, fix)
}

fn warning(problem: &Problem) -> HealthItem {
    let fix = problem.help.clone();
    let fix = fix.unwrap_or_else(|| "See it in place: backupctl config check".to_owned());
    HealthItem::at_risk(CONFIGURATION, OBJECT, problem.one_line(), fix)
}

#[cfg(test)]
mod tests {
    use backup_model::HealthState;

    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + secs).unwrap()
    }

    #[test]
    fn a_schedule_that_does_not_move_is_found() {
        let daemon = DaemonInfo {
            name: "vault01".to_owned(),
            version: "0.1.0".to_owned(),
            since: at(-7_200),
            heartbeat: at(0),
        };
        for (age, state) in [
            (-30, HealthState::Ok),
            (0, HealthState::Ok),
            (120, HealthState::Ok),
            (121, HealthState::AtRisk),
            (600, HealthState::AtRisk),
            (601, HealthState::Breached),
        ] {
            assert_eq!(alive(&daemon, at(age)).state, state, "{age}");
        }
    }

    #[test]
    fn without_a_daemon_schedules_are_at_risk_and_who_was_not_asked_is_unknown() {
        assert_eq!(absent(true).state, HealthState::AtRisk);
        assert_eq!(absent(false).state, HealthState::Ok);
        let socket = PathBuf::from("/run/backupd/api.sock");
        assert_eq!(beside(&socket).state, HealthState::Unknown);
    }

    #[test]
    fn several_warnings_are_one_item() {
        let ok = HealthItem::ok(SCHEDULER, OBJECT, "fine");
        let warned = HealthItem::at_risk(CONFIGURATION, OBJECT, "odd", "Change it.");
        let refused = HealthItem::breached(CONFIGURATION, OBJECT, "wrong", "Mend it.");
        let all = merged(vec![ok.clone(), warned, refused]);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].state, HealthState::Breached);
        assert_eq!(
            (&*all[0].evidence, all[0].fix.as_deref()),
            ("wrong; odd", Some("Mend it."))
        );
        assert_eq!(all[1], ok);
    }

    #[test]
    fn a_refused_configuration_is_red_and_other_faults_are_a_risk() {
        let refused = fault(&Failure::new(Code::Config, "it is wrong"));
        assert_eq!(refused.state, HealthState::Breached);
        assert!(refused.evidence.contains("it is wrong"), "{refused:?}");
        let other = fault(&Failure::new(Code::NoSpace, "the ledger is full"));
        assert_eq!(
            (other.state, &*other.id),
            (HealthState::AtRisk, "daemon-fault")
        );
    }
}
