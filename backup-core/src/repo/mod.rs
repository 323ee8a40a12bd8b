//! A repository: who is trusted in it, what its jobs have done, and the protocol of a run.

mod accepted;
pub mod chunks;
mod error;
mod forgotten;
mod host;
mod init;
mod kit_proof;
mod open;
mod pins;
mod prove;
mod prunes;
mod run;
mod runs;
mod seen;
mod sign;
mod snapshot;
mod unended;
mod unlock;

pub use error::RepoError;
pub use forgotten::{Dead, Forgotten};
pub use host::{Host, HostError, JobLock};
pub use init::{AdministratorKey, NewRepository, WriterKey, init, new_repository_id};
pub use kit_proof::{kit_proof, write_kit_proof};
pub use open::{Repository, TrustRoot};

pub(crate) use accepted::Found;
pub(crate) use pins::StoredPin;
pub use prove::prove;
pub(crate) use prunes::{Begun, NewestPrune};
pub use run::{CommitFacts, Run, RunLimits};
pub use runs::{JobRuns, RunRecord, RunState};
pub use seen::Memory;
pub(crate) use snapshot::{check_object, load_pinned_refs, parse_refs_object, sized_object};
pub use snapshot::{load_recipe, load_refs};
pub use unended::Unended;
pub(crate) use unended::{Outcome, end_unended};
pub use unlock::unlock;
