//! How the jobs stand: not measured here, but told along, with what to do.

use backup_model::{
    Failure, HealthItem, HealthState, JobStatus, ProtectionReason as Reason, ProtectionState, Span,
    StatusReport,
};

use super::look::said;

const ID: &str = "protection";

pub(super) fn items(status: Result<&StatusReport, &Failure>) -> Vec<HealthItem> {
    match status {
        Ok(status) => {
            let jobs = status.jobs.iter();
            jobs.map(|job| item(job, status)).collect()
        }
        Err(failure) => {
            let why = said(failure);
            let fix = "Ask for it alone: backupctl status";
            vec![HealthItem::unknown(ID, "jobs", why, fix)]
        }
    }
}

fn item(job: &JobStatus, status: &StatusReport) -> HealthItem {
    let protection = &job.protection;
    let object = format!("job {}", protection.job);
    let reasons: Vec<String> = protection.reasons.iter().map(ToString::to_string).collect();
    let reasons = reasons.join("; ");
    let fix = protection.reasons.first();
    let fix = fix.map_or_else(
        || format!("backupctl job show {}", protection.job),
        |reason| fix_of(reason, job),
    );
    match protection.state {
        ProtectionState::Protected => {
            let good = protection.last_good.as_ref();
            let good = good.map_or_else(
                || "protected".to_owned(),
                |good| {
                    let age = Span(status.at.duration_since(good.created));
                    format!("{} is {age} old", good.snapshot)
                },
            );
            HealthItem::ok(ID, &object, good)
        }
        ProtectionState::AtRisk => HealthItem::at_risk(ID, &object, reasons, fix),
        ProtectionState::Breached => HealthItem::breached(ID, &object, reasons, fix),
        ProtectionState::Unknown => {
            // It was looked at, and there is nothing to tell yet.
            let item = HealthItem::at_risk(ID, &object, reasons, fix);
            let state = HealthState::Unknown;
            HealthItem { state, ..item }
        }
    }
}

/// The next step for the worst of the reasons.
fn fix_of(reason: &Reason, job: &JobStatus) -> String {
    let name = &job.protection.job;
    match reason {
        Reason::FailedUncovered { run, .. }
        | Reason::LastRunFailed { run, .. }
        | Reason::LastRunWarned { run, .. } => format!("backupctl run logs {}", run.short()),
        Reason::NoSnapshot | Reason::NeverReported | Reason::RpoExceeded { .. } => {
            format!("backupctl backup {name}")
        }
        Reason::Damaged { .. } => format!("backupctl verify {name} --level storage"),
        Reason::VerificationOverdue { level, .. } => {
            format!("backupctl verify {name} --level {}", level.as_str())
        }
        Reason::KitNotConfirmed | Reason::KitLapsed { .. } | Reason::KitOld { .. } => {
            "Make a recovery kit and prove it: backupctl kit create, backupctl kit confirm FILE"
                .to_owned()
        }
        Reason::RepositoryUnreadable { .. } | Reason::StoreUnconditional => {
            "backupctl repo probe".to_owned()
        }
        Reason::NotLookedYet => "Ask again in a minute.".to_owned(),
        Reason::DaemonUnreachable => "systemctl status backupd".to_owned(),
        _ => format!("backupctl job show {name}"),
    }
}

#[cfg(test)]
mod tests {
    use backup_model::{Code, Protection};
    use jiff::Timestamp;

    use super::*;

    fn of(state: ProtectionState, reasons: Vec<Reason>) -> HealthItem {
        let job = JobStatus {
            protection: Protection {
                job: "webui".parse().unwrap(),
                state,
                reasons,
                was: None,
                paused: None,
                running: None,
                last_good: None,
                rpo: None,
            },
            repository: "main".to_owned(),
            schedule: None,
            next: None,
            proven: None,
            snapshots: None,
            last_run: None,
        };
        let status = StatusReport {
            at: Timestamp::UNIX_EPOCH,
            daemon: None,
            faults: Vec::new(),
            jobs: vec![job],
        };
        items(Ok(&status)).remove(0)
    }

    #[test]
    fn each_state_of_protection_is_told_with_its_reason_and_the_next_step() {
        let item = of(ProtectionState::Protected, Vec::new());
        assert_eq!((item.state, item.fix), (HealthState::Ok, None));
        let item = of(ProtectionState::AtRisk, vec![Reason::KitNotConfirmed]);
        assert_eq!(item.state, HealthState::AtRisk);
        assert!(item.fix.unwrap().contains("kit confirm"));
        let item = of(ProtectionState::Breached, vec![Reason::NoSnapshot]);
        assert_eq!(item.evidence, "there is no snapshot");
        assert_eq!(item.fix.unwrap(), "backupctl backup webui");
        let item = of(ProtectionState::Unknown, vec![Reason::NeverReported]);
        assert_eq!(item.state, HealthState::Unknown);
    }

    #[test]
    fn a_status_that_cannot_be_had_is_unknown() {
        let items = items(Err(&Failure::new(Code::Store, "too slow")));
        assert_eq!(items.len(), 1);
        assert_eq!(items[0].state, HealthState::Unknown);
        assert!(items[0].evidence.contains("too slow"));
    }
}
