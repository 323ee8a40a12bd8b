//! The memory that packs may take while they are filled, finished and uploaded, all together.
//!
//! A pack takes its share before it begins and gives it back when it is stored. Whoever waits
//! must hold no share that depends on its own going on; a lane sees to that.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes that can be taken and come back.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    free: Mutex<usize>,
    freed: Condvar,
}

/// A share of a budget, given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    of: Budget,
    bytes: usize,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Shared {
            free: Mutex::new(bytes),
            freed: Condvar::new(),
        }))
    }

    /// A share, if it is free now.
    pub(super) fn try_take(&self, bytes: usize) -> Option<Share> {
        let mut free = self.lock();
        *free = free.checked_sub(bytes)?;
        Some(Share {
            of: self.clone(),
            bytes,
        })
    }

    /// A share, as soon as it is free.
    pub(super) fn take(&self, bytes: usize) -> Share {
        let mut free = self.lock();
        while *free < bytes {
            free = self
                .0
                .freed
                .wait(free)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *free -= bytes;
        Share {
            of: self.clone(),
            bytes,
        }
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.0.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        *self.of.lock() += self.bytes;
        self.of.0.freed.notify_all();
    }
}
