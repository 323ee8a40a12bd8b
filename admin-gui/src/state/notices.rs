//! What the window has told: shown for a while, and kept in a list.

use jiff::{SignedDuration, Timestamp};

use super::Place;
use crate::kit::Mark;

/// So long it stays in sight.
pub(super) const IN_SIGHT: SignedDuration = SignedDuration::from_secs(8);
/// So many are kept; the oldest go first.
const KEPT: usize = 200;

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Its number, which none other has.
    pub number: u64,
    /// When it came.
    pub at: Timestamp,
    /// How good it is.
    pub mark: Mark,
    /// What it says.
    pub text: String,
    /// Where the thing is shown that it is about, if it is about one.
    pub about: Option<Place>,
    /// Somebody has closed it.
    closed: bool,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    all: Vec<Notice>,
    next: u64,
    seen: u64,
}

impl Notices {
    pub(super) fn tell(&mut self, mark: Mark, text: String, about: Option<Place>, now: Timestamp) {
        let number = self.next;
        self.next += 1;
        self.all.push(Notice {
            number,
            at: now,
            mark,
            text,
            about,
            closed: false,
        });
        let surplus = self.all.len().saturating_sub(KEPT);
        self.all.drain(..surplus);
    }

    pub(super) fn close(&mut self, number: u64) {
        let found = self.all.iter_mut().find(|notice| notice.number == number);
        if let Some(notice) = found {
            notice.closed = true;
        }
    }

    pub(super) fn see(&mut self) {
        self.seen = self.next;
    }

    /// The newest first.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &Notice> {
        self.all.iter().rev()
    }

    /// How many came since somebody last looked at the list.
    pub fn unseen(&self) -> u64 {
        self.next - self.seen
    }

    /// Those to be shown now. What went wrong is not among them: it stays where it happened, and
    /// in the list.
    pub fn in_sight(&self, now: Timestamp) -> impl Iterator<Item = &Notice> {
        self.all.iter().filter(move |notice| {
            let young = now.duration_since(notice.at) < IN_SIGHT;
            young && !notice.closed && notice.mark != Mark::Failed
        })
    }
}
