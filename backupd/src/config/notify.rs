//! Who is told when something changes, as it was configured.

use std::collections::BTreeSet;

use backup_model::{ChannelKind, EventKind, JobName};

use lettre::message::Mailbox;

use super::SecretRef;
use crate::schedule::Schedule;

/// A way to tell somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelConfig {
    /// How it delivers.
    pub kind: ChannelKind,
    /// Where to: whoever knows it can write there, so it is a secret.
    pub url: SecretRef,
    /// What opens it, where something does.
    pub token: Option<SecretRef>,
    /// What is told.
    pub events: BTreeSet<EventKind>,
    /// About which jobs; all if none are named.
    pub jobs: Option<BTreeSet<JobName>>,
    /// When to tell how everything stands, whether or not anything has changed.
    pub digest: Option<Schedule>,
    /// From whom and to whom, of mail.
    pub mail: Option<MailConfig>,
}

/// What stands on a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailConfig {
    /// The sender.
    pub from: Mailbox,
    /// Who gets it: at least one.
    pub to: Vec<Mailbox>,
}

impl ChannelConfig {
    /// Whether it is told of this job.
    pub fn is_about(&self, job: &JobName) -> bool {
        self.jobs.as_ref().is_none_or(|jobs| jobs.contains(job))
    }
}
