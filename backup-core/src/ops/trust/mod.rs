//! Changes of trust: who may open epochs, who may sign, and what new data is encrypted to.
//!
//! What a change is, and what is refused, `backup-keys` says; here is what it needs to know of a
//! repository, and the order in which things are stored. Letting in: what a record names is stored
//! first. Putting out: the record first. So whoever dies in between leaves what counts for nothing,
//! and each operation can be begun again.

mod authority;
mod known;
mod stored;
mod test;
mod writers;

pub use authority::Authority;
pub use known::{TrustTexts, known_trust, trust_texts};
pub use stored::change_trust;
pub use test::test_key;
