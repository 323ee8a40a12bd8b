//! TLS of the API: a certificate from files, or one that the daemon made itself; and how another
//! takes its place while connections go on.

mod certificate;
mod made;
mod pair;

#[cfg(test)]
pub(super) use certificate::Looked;
pub(super) use certificate::{Watch, acceptor};
pub(super) use made::Made;
pub(super) use pair::fingerprint;
