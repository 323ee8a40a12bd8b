//! Looking through the names of a snapshot, some thousands in each frame, so that no frame waits
//! for a million of them.

use crate::state::{Tree, TreePlace};

/// So many names are looked at in one frame: about two milliseconds.
const STEP: usize = 50_000;
/// Whoever finds more than this looks for something else.
const MOST: usize = 10_000;

/// A search, as far as it has come.
#[derive(Debug, Default)]
pub(super) struct Search {
    query: String,
    next: usize,
    found: Vec<TreePlace>,
}

impl Search {
    /// Goes on, from the beginning for other words; says whether there is more to do.
    pub(super) fn step(&mut self, tree: &Tree, query: &str) -> bool {
        if self.query != query {
            *self = Self {
                query: query.to_owned(),
                ..Self::default()
            };
        }
        let until = (self.next + STEP).min(tree.count());
        for at in self.next..until {
            // The root, which has no name, is at the place before the first.
            let Ok(place) = TreePlace::try_from(at + 1) else {
                break;
            };
            if self.found.len() < MOST && tree.matches(place, query) {
                self.found.push(place);
            }
        }
        self.next = until;
        self.left(tree) > 0
    }

    /// What was found so far.
    pub(super) fn found(&self) -> &[TreePlace] {
        &self.found
    }

    /// How many names are still to be looked at.
    pub(super) fn left(&self, tree: &Tree) -> usize {
        if self.found.len() >= MOST {
            return 0;
        }
        tree.count().saturating_sub(self.next)
    }
}
