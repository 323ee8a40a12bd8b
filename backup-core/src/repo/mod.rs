//! A repository: who is trusted in it, what its jobs have done, and the protocol of a run.

pub mod chunks;
mod error;
mod host;
mod init;
mod open;
mod run;
mod runs;
mod sign;
mod snapshot;
mod unlock;

pub use error::RepoError;
pub use host::{Host, HostError, JobLock};
pub use init::{AdministratorKey, NewRepository, WriterKey, init, new_repository_id};
pub use open::{Repository, TrustRoot};
pub use run::{CommitFacts, Run, RunLimits};
pub use runs::{JobRuns, RunRecord, RunState};
pub(crate) use snapshot::{check_object, sized_object};
pub use snapshot::{load_recipe, load_refs};
pub use unlock::unlock;
