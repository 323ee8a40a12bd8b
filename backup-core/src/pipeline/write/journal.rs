//! The journal of a run in use: notes the packs that are stored. A fault ends it and is told
//! afterwards; all that it costs is time, should this run break off.

use std::{
    io,
    sync::{Mutex, PoisonError},
};

use crate::repo::chunks::{Journal, PackInfo, Part};

/// Takes notes from any thread.
#[derive(Debug)]
pub struct RunJournal(Mutex<io::Result<Journal>>);

impl RunJournal {
    /// Writes to a journal, if it could be made.
    pub fn new(journal: io::Result<Journal>) -> Self {
        Self(Mutex::new(journal))
    }

    /// Notes a pack that the store has, and what is in it. Blocks.
    pub fn note(&self, pack: &PackInfo, parts: &[Part]) {
        let mut journal = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(open) = &mut *journal
            && let Err(fault) = open.append(pack, parts)
        {
            *journal = Err(fault);
        }
    }

    /// Why there are no more notes, if so.
    pub fn fault(&self) -> Option<String> {
        let journal = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        journal.as_ref().err().map(ToString::to_string)
    }
}
