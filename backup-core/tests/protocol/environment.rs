//! What those who run the tests ask for.

/// The value of an environment variable.
#[expect(
    clippy::disallowed_methods,
    reason = "a test is told how far to go by its environment"
)]
pub(crate) fn asked(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
