//! What the service puts on record that works for somebody at a shell. Whoever asks the daemon is
//! put on record there.

use std::fmt::Display;

use backup_model::{Code, Failure, SnapshotName};
use backupd_audit::Act;
use futures::future::BoxFuture;

use super::Direct;
use crate::audit::Audit;

impl Direct {
    /// The same, and what it changes is on record as done by somebody. For whoever is not recorded
    /// elsewhere, as those are who ask the daemon.
    #[must_use]
    pub fn recorded(self, by: String) -> Self {
        Self {
            by: Some(by),
            ..self
        }
    }

    pub(super) fn audit_log(&self) -> Result<&Audit, Failure> {
        self.access.audit.as_ref().ok_or_else(|| {
            let text = "without a configuration there is no audit log";
            Failure::new(Code::Usage, text)
        })
    }

    /// Does something with its beginning and its end on record, if it is recorded here.
    pub(super) async fn on_record<T>(
        &self,
        action: &str,
        object: impl Display,
        work: BoxFuture<'_, Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let act = Act::new("", action, object.to_string());
        self.on_record_as(act, work).await
    }

    /// The same, of which more is known than who does it.
    pub(super) async fn on_record_as<T>(
        &self,
        act: Act,
        work: BoxFuture<'_, Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let (Some(by), Some(audit)) = (&self.by, &self.access.audit) else {
            return work.await;
        };
        let act = Act {
            actor: by.clone(),
            client: Some(concat!("backupctl ", env!("CARGO_PKG_VERSION")).to_owned()),
            ..act
        };
        audit.around(act, work).await
    }
}

/// Several snapshots as one object.
pub(super) fn listed(names: &[SnapshotName]) -> String {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    names.join(" ")
}
