//! What is computed of an answer, once for each answer and not for each frame.

/// The last of what was computed, and of what.
#[derive(Debug)]
pub(super) struct Once<K, V>(Option<(K, V)>);

impl<K, V> Default for Once<K, V> {
    fn default() -> Self {
        Self(None)
    }
}

impl<K: PartialEq, V> Once<K, V> {
    /// What comes of `key`, made if the last was of another one.
    pub(super) fn get(&mut self, key: K, make: impl FnOnce() -> V) -> &V {
        let kept = self.0.take().filter(|(of, _)| *of == key);
        let (_, value) = self.0.insert(kept.unwrap_or_else(|| (key, make())));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_anew_for_another_answer_only() {
        let mut once = Once::default();
        assert_eq!(*once.get(1, || "one"), "one");
        assert_eq!(*once.get(1, || "again"), "one");
        assert_eq!(*once.get(2, || "two"), "two");
        assert_eq!(*once.get(1, || "back"), "back");
    }
}
