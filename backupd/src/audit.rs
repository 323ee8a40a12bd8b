//! What is put on record of what people and the schedule do, and how that is read and checked.
//!
//! The log is files; here it is asked from code that must not wait for a disk.

use std::{fmt, path::Path, sync::Arc, time::Duration};

use backup_core::{ops, repo::Repository};
use backup_model::{AuditCheck, AuditOutcome, AuditPage, AuditQuery, Class, Code, Digest, Failure};
use backupd_audit::{Act, AuditError, AuditLog, Head};
use tokio::{task, time::timeout};

use crate::{clock, config::AuditConfig};

/// A disk that takes longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is not done off the record: whatever lets somebody in, or gives up for good what is stored
/// or held. All else goes on where the log cannot be written: to stop, to revoke, to make room and
/// to restore is what a full disk calls for.
const NEVER_UNSEEN: [&str; 8] = [
    "token.add",
    "token.rotate",
    "trust.change",
    "kit.confirm",
    "forget",
    "release",
    "key",
    "kit",
];

/// The audit log of this host. Clones are the same one.
#[derive(Clone)]
pub struct Audit {
    log: Arc<AuditLog>,
    tell: Arc<dyn Fn(&Failure) + Send + Sync>,
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Audit").field(&self.log).finish()
    }
}

impl Audit {
    /// The one of a configuration.
    pub fn new(config: &AuditConfig, state: &Path) -> Self {
        let (folder, keys) = (config.folder.clone(), state.join("pseudonyms"));
        let log = AuditLog::new(folder, keys, config.keep, config.pseudonym_keep);
        Self {
            log: Arc::new(log),
            tell: Arc::new(|failure| {
                let (code, causes) = (failure.code.as_str(), failure.causes.join(": "));
                tracing::error!(code, causes, "{}", failure.message);
            }),
        }
    }

    /// The same, which tells somebody else of what could not be put on record.
    #[must_use]
    pub fn telling(self, tell: impl Fn(&Failure) + Send + Sync + 'static) -> Self {
        Self {
            tell: Arc::new(tell),
            ..self
        }
    }

    /// Puts something on record. When this returns, it is durable.
    pub async fn record(&self, act: Act) -> Result<(), Failure> {
        self.soon(move |log| log.record(act, clock::now())).await
    }

    /// Puts on record that something begins. An error is one for which it must not.
    pub async fn begins(&self, act: &Act) -> Result<(), Failure> {
        let Err(failure) = self.record(act.clone()).await else {
            return Ok(());
        };
        if is_never_unseen(&act.action) {
            return Err(failure);
        }
        self.miss(act, failure);
        Ok(())
    }

    /// Does something with its beginning and its end on record.
    pub async fn around<T>(
        &self,
        act: Act,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.begins(&act).await?;
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

    /// The same with its outcome. What is done is done: if it cannot be written, that is told.
    pub async fn came_to(&self, act: &Act, outcome: AuditOutcome, details: Option<String>) {
        let act = act.came_to(outcome, details);
        if let Err(failure) = self.record(act.clone()).await {
            self.miss(&act, failure);
        }
    }

    fn miss(&self, act: &Act, failure: Failure) {
        let (action, object, outcome) = (&act.action, &act.object, act.outcome);
        let text = format!("`{action}` of {object} is not on record ({outcome})");
        (self.tell)(&Failure::new(failure.code, text).because(failure));
    }

    /// The digest of the last entry, if there is one.
    pub async fn head(&self) -> Result<Option<Digest>, Failure> {
        self.soon(AuditLog::head).await
    }

    /// A page of entries.
    pub async fn list(&self, query: &AuditQuery) -> Result<AuditPage, Failure> {
        let query = query.clone();
        self.ask(move |log| log.list(&query)).await
    }

    /// Whether the log is as it was written, by itself and by what snapshots say of it.
    pub async fn check(&self, heads: Vec<Head>) -> Result<AuditCheck, Failure> {
        self.ask(move |log| log.check(heads, clock::now())).await
    }

    /// Removes what has been kept for long enough.
    pub async fn discard(&self) -> Result<(), Failure> {
        self.soon(|log| log.discard(clock::now())).await
    }

    /// The log itself, for whoever copies its lines.
    pub fn log(&self) -> &AuditLog {
        &self.log
    }

    /// Asks something that must not take long.
    async fn soon<T: Send + 'static>(
        &self,
        question: impl FnOnce(&AuditLog) -> Result<T, AuditError> + Send + 'static,
    ) -> Result<T, Failure> {
        timeout(PATIENCE, self.ask(question))
            .await
            .unwrap_or_else(|_| {
                let secs = PATIENCE.as_secs();
                let folder = self.log.folder().display();
                let text = format!("the audit log in {folder} did not answer within {secs} s");
                Err(Failure::new(Code::AuditLog, text))
            })
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&AuditLog) -> Result<T, AuditError> + Send + 'static,
    ) -> Result<T, Failure> {
        let log = Arc::clone(&self.log);
        let answered = task::spawn_blocking(move || question(&log)).await;
        let answered = answered.map_err(|error| Failure::from_error(Code::Bug, &error))?;
        answered.map_err(|error| Failure::from_error(error.code(), &error))
    }
}

fn is_never_unseen(action: &str) -> bool {
    let mut listed = NEVER_UNSEEN.iter();
    listed.any(|listed| {
        let rest = action.strip_prefix(listed);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
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
