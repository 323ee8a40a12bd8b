//! What is put on record of what people and the schedule do, and how that is read and checked.
//!
//! The log is files; here it is asked from code that must not wait for a disk.

use std::sync::Arc;

use backup_core::{ops, repo::Repository};
use backup_model::{AuditCheck, AuditOutcome, AuditPage, AuditQuery, Class, Code, Digest, Failure};
use backupd_audit::{Act, AuditError, AuditLog, Head, check};
use tokio::task;

use crate::{clock, config::AuditConfig};

/// The audit log of this host. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Audit(Arc<AuditLog>);

impl Audit {
    /// The one of a configuration.
    pub fn new(config: &AuditConfig, state: &std::path::Path) -> Self {
        let (folder, keys) = (config.folder.clone(), state.join("pseudonyms"));
        let log = AuditLog::new(folder, keys, config.keep, config.pseudonym_keep);
        Self(Arc::new(log))
    }

    /// Puts something on record. When this returns, it is durable.
    pub async fn record(&self, act: Act) -> Result<(), Failure> {
        self.ask(move |log| log.record(act, clock::now())).await
    }

    /// Does something with its beginning and its end on record. Without the first it is not done;
    /// without the second it is done all the same, and that is said.
    pub async fn around<T>(
        &self,
        act: Act,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.record(act.clone()).await?;
        let done = work.await;
        self.ended(&act, done.as_ref().err()).await;
        done
    }

    /// Puts on record how something ended that began.
    pub async fn ended(&self, act: &Act, failure: Option<&Failure>) {
        let outcome = failure.map_or(AuditOutcome::Done, outcome);
        let details = failure.map(|failure| failure.code.as_str().to_owned());
        self.came_to(act, outcome, details).await;
    }

    /// The same with its outcome.
    pub async fn came_to(&self, act: &Act, outcome: AuditOutcome, details: Option<String>) {
        let ended = self.record(act.came_to(outcome, details)).await;
        if let Err(failure) = ended {
            let (code, causes) = (failure.code.as_str(), failure.causes.join(": "));
            let (action, object) = (&act.action, &act.object);
            tracing::error!(
                code,
                causes,
                action,
                object,
                "its end is not on record: {}",
                failure.message
            );
        }
    }

    /// The digest of the last entry, if there is one.
    pub async fn head(&self) -> Result<Option<Digest>, Failure> {
        self.ask(AuditLog::head).await
    }

    /// A page of entries.
    pub async fn list(&self, query: &AuditQuery) -> Result<AuditPage, Failure> {
        let query = query.clone();
        self.ask(move |log| log.list(&query)).await
    }

    /// Whether the log is as it was written, by itself and by what snapshots say of it.
    pub async fn check(&self, heads: Vec<Head>) -> Result<AuditCheck, Failure> {
        self.ask(move |log| check(log.folder(), heads)).await
    }

    /// Removes what has been kept for long enough.
    pub async fn discard(&self) -> Result<(), Failure> {
        self.ask(|log| log.discard(clock::now())).await
    }

    /// The log itself, for whoever copies its lines.
    pub fn log(&self) -> &AuditLog {
        &self.0
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&AuditLog) -> Result<T, AuditError> + Send + 'static,
    ) -> Result<T, Failure> {
        let log = Arc::clone(&self.0);
        let answered = task::spawn_blocking(move || question(&log)).await;
        let answered = answered.map_err(|error| Failure::from_error(Code::Bug, &error))?;
        answered.map_err(|error| Failure::from_error(error.code(), &error))
    }
}

/// What a failure is on record.
pub fn outcome(failure: &Failure) -> AuditOutcome {
    match failure.code.class() {
        Class::Denied | Class::Invalid => AuditOutcome::Refused,
        _ => AuditOutcome::Failed,
    }
}

/// What the snapshots of a repository that this host made say of its log.
pub async fn heads(repository: &Repository, by: [u8; 8]) -> Result<Vec<Head>, Failure> {
    let named = ops::audit_heads(repository, by).await;
    let named = named.map_err(|error| error.to_failure())?;
    let heads = named.into_iter().map(|(snapshot, created, digest)| Head {
        snapshot,
        created,
        digest,
    });
    Ok(heads.collect())
}
