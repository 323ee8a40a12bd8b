//! Failed sign-ins: each is said once, and whoever goes on failing is made to wait.
//!
//! They are counted by source and id together, and only wrong tokens are ever refused for it: a
//! secret of 256 bits is not guessed, so a right one is let in at any time, and nobody can lock
//! out anybody. What this saves is work and log lines.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// So many may fail before anybody waits.
const FREE: u32 = 5;
const LONGEST: Duration = Duration::from_mins(1);
/// Pairs of source and id that are remembered.
const MOST: usize = 4096;

/// A failed sign-in as one line of the log, flat, for programs that ban by address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthFailure {
    /// Where it came from.
    pub source: String,
    /// The token's id, if it was one.
    pub id: Option<String>,
}

impl fmt::Display for AuthFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.id.as_deref().unwrap_or("-");
        write!(f, "event=auth_failure srcip={} user={user}", self.source)
    }
}

#[derive(Debug)]
struct Count {
    failed: u32,
    until: Instant,
}

/// What has failed lately.
#[derive(Debug, Default)]
pub(in crate::http) struct Failures(Mutex<HashMap<(String, Option<String>), Count>>);

/// What to do about a failed sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Verdict {
    /// Say that it failed.
    Refuse,
    /// Say only to come back after so many seconds.
    Wait(u64),
}

impl Failures {
    pub(in crate::http) fn count(&self, failure: &AuthFailure, now: Instant) -> Verdict {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (failure.source.clone(), failure.id.clone());
        if counts.len() >= MOST && !counts.contains_key(&key) {
            // Those whose time is over go first; then whoever is nearest to it.
            counts.retain(|_, count| now < count.until);
            let first = counts.iter().min_by_key(|(_, count)| count.until);
            let first = first.map(|(key, _)| key.clone());
            if let Some(first) = first.filter(|_| counts.len() >= MOST) {
                counts.remove(&first);
            }
        }
        let count = counts.entry(key).or_insert(Count {
            failed: 0,
            until: now,
        });
        if count.failed > FREE && now < count.until {
            return Verdict::Wait((count.until - now).as_secs() + 1);
        }
        if count.failed > FREE && now > count.until + LONGEST {
            count.failed = 0;
        }
        count.failed += 1;
        let over = count.failed.saturating_sub(FREE + 1).min(6);
        count.until = now + LONGEST.min(Duration::from_secs(1 << over));
        Verdict::Refuse
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(source: &str, id: &str) -> AuthFailure {
        AuthFailure {
            source: source.to_owned(),
            id: Some(id.to_owned()),
        }
    }

    #[test]
    fn whoever_goes_on_failing_waits_longer_and_nobody_else_does() {
        let failures = Failures::default();
        let now = Instant::now();
        let after = |secs| now + Duration::from_secs(secs);
        for _ in 0..=FREE {
            assert_eq!(failures.count(&from("a", "x"), now), Verdict::Refuse);
        }
        assert_eq!(failures.count(&from("a", "x"), now), Verdict::Wait(2));
        assert_eq!(failures.count(&from("a", "y"), now), Verdict::Refuse);
        assert_eq!(failures.count(&from("b", "x"), now), Verdict::Refuse);
        assert_eq!(failures.count(&from("a", "x"), after(2)), Verdict::Refuse);
        assert_eq!(failures.count(&from("a", "x"), after(2)), Verdict::Wait(3));
        assert_eq!(failures.count(&from("a", "x"), after(200)), Verdict::Refuse);
        assert_eq!(failures.count(&from("a", "x"), after(200)), Verdict::Refuse);
    }

    #[test]
    fn a_storm_of_ids_takes_bounded_room() {
        let failures = Failures::default();
        let now = Instant::now();
        for n in 0..2 * MOST {
            failures.count(&from("a", &n.to_string()), now);
        }
        assert_eq!(failures.0.lock().unwrap().len(), MOST);
    }

    #[test]
    fn the_line_of_the_log_is_flat() {
        let line = from("192.0.2.7", "0123456789abcdef").to_string();
        let expected = "event=auth_failure srcip=192.0.2.7 user=0123456789abcdef";
        assert_eq!(line, expected);
    }
}
