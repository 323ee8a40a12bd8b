//! The verbs, and the plans that both work on.

use backup_model::{Class, Failure, JobName, RetentionPlan};
use backupd_api::{Service, Trial};
use serde::Serialize;

use super::{apply, preview};
use crate::{context::Context, exit::Exit, show};

/// What to do about what the policies say.
#[derive(clap::Subcommand, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one of them is made in the life of the process"
)]
pub(crate) enum Command {
    Preview(preview::Args),
    Apply(apply::Args),
}

pub(crate) async fn run(command: Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::Preview(args) => preview::run(args, context).await,
        Command::Apply(args) => apply::run(args, context).await,
    }
}

/// What a policy says of a job.
#[derive(Debug, Serialize)]
pub(super) struct JobPlan {
    /// The job.
    pub(super) job: JobName,
    /// None without a policy: nothing is ever forgotten.
    pub(super) plan: Option<RetentionPlan>,
    /// Why there is no plan though there is a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<Failure>,
}

/// What the policies say, as one document.
#[derive(Debug, Serialize)]
pub(super) struct Plans {
    /// Whether flags changed the policies.
    pub(super) trial: bool,
    /// Job by job.
    pub(super) jobs: Vec<JobPlan>,
    /// How many snapshots stay, of the jobs that have a policy.
    pub(super) stay: usize,
    /// How many snapshots go.
    pub(super) go: usize,
}

impl Plans {
    /// Asks for the plans of one job, or of all that can run.
    pub(super) async fn make(
        service: &dyn Service,
        job: Option<JobName>,
        trial: &Trial,
    ) -> Result<Self, Failure> {
        let names = match job {
            Some(job) => vec![job],
            None => service.jobs().await?,
        };
        let alone = names.len() == 1;
        let mut plans = Self {
            trial: !trial.is_empty(),
            jobs: Vec::new(),
            stay: 0,
            go: 0,
        };
        for job in names {
            let (plan, failure) = match service.retention(&job, trial).await {
                Ok(plan) => (plan, None),
                Err(failure) if alone || failure.code.class() == Class::Cancelled => {
                    return Err(failure);
                }
                // What is wrong with one job keeps no other from its plan.
                Err(failure) => (None, Some(failure)),
            };
            if let Some(plan) = &plan {
                let snapshots = plan
                    .verdicts
                    .iter()
                    .filter(|verdict| show::is_snapshot(verdict.end));
                let (go, stay): (Vec<_>, Vec<_>) = snapshots.partition(|verdict| verdict.goes());
                plans.go += go.len();
                plans.stay += stay.len();
            }
            plans.jobs.push(JobPlan { job, plan, failure });
        }
        Ok(plans)
    }
    /// The worst of what kept jobs from a plan.
    pub(super) fn exit(&self) -> Exit {
        let failures = self.jobs.iter().filter_map(|job| job.failure.as_ref());
        failures.fold(Exit::DONE, |exit, failure| {
            exit.worse(Exit::of(failure.code))
        })
    }
}
