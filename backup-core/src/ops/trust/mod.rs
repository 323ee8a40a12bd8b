//! Changes of trust: who may open epochs, who may sign, and what new data is encrypted to.
//!
//! What is refused, `backup-keys` says; here is the order in which things are stored. Letting in:
//! what a record names is stored first. Putting out: the record first. So whoever dies in between
//! leaves what counts for nothing, and each operation can be begun again.

mod administrators;
mod authority;
mod epochs;
mod test;
mod writers;

pub use authority::Authority;
pub use test::test_key;
