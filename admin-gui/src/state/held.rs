//! The last good answer to each question, with its age: what was known stays in sight while it is
//! asked again, and when asking fails.

use backup_model::Failure;
use jiff::{SignedDuration, Timestamp};

use super::Answer;

/// What is known of one question.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    /// The last good answer, and when it came.
    value: Option<(Answer, Timestamp)>,
    /// Why the last try failed; none once one went well.
    failure: Option<Failure>,
    /// Since when an answer is waited for.
    asked: Option<Timestamp>,
    /// When the last try ended, good or bad.
    tried: Option<Timestamp>,
    /// Something has happened since: whatever its age, it is not current.
    stale: bool,
}

/// How long to leave a question alone that failed.
const AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(10);

impl Held {
    /// Whether it should be asked now, if an answer may be so old.
    pub(super) fn is_due(&self, age: SignedDuration, now: Timestamp) -> bool {
        if self.asked.is_some() {
            return false;
        }
        let Some(tried) = self.tried else {
            return true;
        };
        let age = if self.failure.is_some() {
            AFTER_FAILURE
        } else {
            age
        };
        self.stale || now < tried || now.duration_since(tried) >= age
    }

    pub(super) fn asked(&mut self, now: Timestamp) {
        self.asked = Some(now);
        self.stale = false;
    }

    pub(super) fn answered(&mut self, answer: Result<Answer, Failure>, now: Timestamp) {
        self.asked = None;
        self.tried = Some(now);
        match answer {
            Ok(answer) => {
                self.value = Some((answer, now));
                self.failure = None;
            }
            Err(failure) => self.failure = Some(failure),
        }
    }

    /// Nobody will answer any more, and what is known may be of yesterday.
    pub(super) fn lost(&mut self) {
        self.asked = None;
        self.stale = true;
    }

    pub(super) fn expire(&mut self) {
        self.stale = true;
    }

    pub(super) const fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    pub(super) fn view<'a, T>(
        &'a self,
        as_kind: impl FnOnce(&'a Answer) -> Option<&'a T>,
    ) -> View<'a, T> {
        let known = self.value.as_ref();
        View {
            value: known.and_then(|(answer, _)| as_kind(answer)),
            at: known.map(|(_, at)| *at),
            failure: self.failure.as_ref(),
            asked: self.asked,
        }
    }
}

/// What a screen gets to see of an answer.
#[derive(Clone, Copy, Debug)]
pub struct View<'a, T> {
    /// The last good answer.
    pub value: Option<&'a T>,
    /// When it came.
    pub at: Option<Timestamp>,
    /// Why the last try failed, where it did.
    pub failure: Option<&'a Failure>,
    /// Since when an answer is waited for.
    pub asked: Option<Timestamp>,
}

impl<T> View<'_, T> {
    /// Of a question that nobody has asked.
    pub(super) const fn none() -> Self {
        Self {
            value: None,
            at: None,
            failure: None,
            asked: None,
        }
    }

    /// Nothing is known yet, and nothing went wrong: the first answer is on its way.
    pub fn is_first(&self) -> bool {
        self.value.is_none() && self.failure.is_none()
    }
}
