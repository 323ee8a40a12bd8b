//! Bytes per second, shared by all connections of a store.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// A limit: who wants to move bytes is told how long to wait first.
#[derive(Debug)]
pub(super) struct Pace {
    per_sec: u64,
    /// When everything that was allowed so far will have been moved.
    free: Mutex<Instant>,
}

impl Pace {
    pub(super) fn new(per_sec: u64) -> Self {
        Self {
            per_sec: per_sec.max(1),
            free: Mutex::new(Instant::now()),
        }
    }

    /// Takes a turn for some bytes; they may be moved after the time that comes back.
    pub(super) fn take(&self, bytes: usize) -> Duration {
        self.take_at(Instant::now(), bytes)
    }

    fn take_at(&self, now: Instant, bytes: usize) -> Duration {
        // A thread that died holding the lock left a valid time behind.
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = (*free).max(now);
        *free = turn + Duration::from_secs_f64(bytes as f64 / self.per_sec as f64);
        turn - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_add_up_and_idle_time_is_not_saved() {
        let pace = Pace::new(1000);
        let now = Instant::now();
        assert_eq!(pace.take_at(now, 500), Duration::ZERO);
        assert_eq!(pace.take_at(now, 500), Duration::from_millis(500));
        assert_eq!(pace.take_at(now, 1), Duration::from_secs(1));
        let later = now + Duration::from_mins(1);
        assert_eq!(pace.take_at(later, 2000), Duration::ZERO);
        assert_eq!(pace.take_at(later, 1), Duration::from_secs(2));
    }
}
