//! The audit log as far as it was read, the newest entry first and none left out: its newest
//! entries, which are asked for again and again, and older ones, a page at a time.

use backup_model::{AuditEntry, AuditPage};

use super::Question;

/// What was read of the audit log.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    entries: Vec<AuditEntry>,
    /// What the next older page is asked by; none at the first entry.
    next: Option<u64>,
    /// The older page that is waited for.
    wanted: Option<u64>,
}

impl Trail {
    /// The entries, the newest first.
    pub fn entries(&self) -> &[AuditEntry] {
        &self.entries
    }

    /// Whether there are older entries.
    pub const fn has_older(&self) -> bool {
        self.next.is_some()
    }

    /// By what the older page is asked that is waited for.
    pub const fn wanted(&self) -> Option<u64> {
        self.wanted
    }

    pub(super) fn want_older(&mut self) {
        self.wanted = self.wanted.or(self.next);
    }

    pub(super) fn hear(&mut self, question: &Question, page: &AuditPage) {
        match question {
            Question::Audit(None) => self.newest(page),
            Question::Audit(Some(before)) if self.wanted == Some(*before) => self.older(page),
            _ => {}
        }
    }

    /// Puts what is new on top. Where it does not meet what was read before, entries between them
    /// are missing, or it is another log: then what was read is forgotten.
    fn newest(&mut self, page: &AuditPage) {
        let meets = self.entries.first();
        let new = meets.and_then(|known| page.entries.iter().position(|entry| entry == known));
        match new {
            Some(new) => {
                self.entries
                    .splice(..0, page.entries[..new].iter().cloned());
            }
            None => {
                *self = Self {
                    entries: page.entries.clone(),
                    next: page.next,
                    wanted: None,
                };
            }
        }
    }

    fn older(&mut self, page: &AuditPage) {
        let oldest = self.entries.last().map_or(u64::MAX, |entry| entry.seq);
        let older = page.entries.iter().filter(|entry| entry.seq < oldest);
        self.entries.extend(older.cloned());
        self.next = page.next;
        self.wanted = None;
    }
}

#[cfg(test)]
mod tests {
    use backup_model::{AuditOutcome, Digest};
    use jiff::Timestamp;

    use super::*;

    fn page(seqs: std::ops::RangeInclusive<u64>) -> AuditPage {
        let first = *seqs.start();
        let entries = seqs.rev().map(|seq| AuditEntry {
            seq,
            time: Timestamp::UNIX_EPOCH,
            actor: "schedule".to_owned(),
            action: "backup".to_owned(),
            object: "webui".to_owned(),
            outcome: AuditOutcome::Done,
            details: None,
            session: None,
            client: None,
            source: None,
            prev: Digest([0; 32]),
        });
        AuditPage {
            entries: entries.collect(),
            next: (first > 1).then_some(first),
        }
    }

    fn seqs(trail: &Trail) -> Vec<u64> {
        trail.entries().iter().map(|entry| entry.seq).collect()
    }

    fn newest(trail: &mut Trail, page: &AuditPage) {
        trail.hear(&Question::Audit(None), page);
    }

    #[test]
    fn new_entries_and_older_pages_leave_no_gap() {
        let mut trail = Trail::default();
        newest(&mut trail, &page(7..=9));
        trail.want_older();
        assert_eq!(trail.wanted(), Some(7));
        // What is new meanwhile pushes the newest page upwards.
        newest(&mut trail, &page(9..=11));
        trail.hear(&Question::Audit(Some(7)), &page(4..=6));
        assert_eq!(seqs(&trail), [11, 10, 9, 8, 7, 6, 5, 4]);
        trail.want_older();
        trail.hear(&Question::Audit(Some(4)), &page(1..=3));
        assert_eq!(seqs(&trail).last(), Some(&1));
        assert!(!trail.has_older());
        trail.want_older();
        assert_eq!(trail.wanted(), None);
    }

    #[test]
    fn a_page_that_does_not_meet_the_others_begins_anew() {
        let mut trail = Trail::default();
        newest(&mut trail, &page(4..=6));
        trail.want_older();
        newest(&mut trail, &page(8..=9));
        assert_eq!(seqs(&trail), [9, 8]);
        assert_eq!(trail.wanted(), None);
        // Nobody waits for it any more.
        trail.hear(&Question::Audit(Some(4)), &page(1..=3));
        assert_eq!(seqs(&trail), [9, 8]);
    }
}
