//! What time it is: the only place that asks.

use jiff::Timestamp;

/// Now.
#[expect(clippy::disallowed_methods, reason = "time comes from here")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
