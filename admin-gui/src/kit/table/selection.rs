//! Which rows are chosen. By what they are and not by where they stand: rows that arrive or are
//! sorted anew never change what somebody has chosen.

use std::collections::BTreeSet;

/// How many rows can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One at most.
    Single,
    /// Any number.
    Multi,
}

/// How far a click or a key reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// This row alone.
    Only,
    /// This row too, or no longer.
    Toggle,
    /// All rows from where the last choice began.
    Through,
}

/// The chosen rows, and the row on which the keyboard stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection<K> {
    cursor: Option<K>,
    anchor: Option<K>,
    chosen: BTreeSet<K>,
}

impl<K> Default for Selection<K> {
    fn default() -> Self {
        Self {
            cursor: None,
            anchor: None,
            chosen: BTreeSet::new(),
        }
    }
}

impl<K: Clone + Ord> Selection<K> {
    /// The row on which the keyboard stands.
    pub fn cursor(&self) -> Option<&K> {
        self.cursor.as_ref()
    }

    /// Whether a row is chosen.
    pub fn contains(&self, key: &K) -> bool {
        self.chosen.contains(key)
    }

    /// The chosen rows.
    pub fn chosen(&self) -> impl ExactSizeIterator<Item = &K> {
        self.chosen.iter()
    }

    /// How many are chosen.
    pub fn len(&self) -> usize {
        self.chosen.len()
    }

    /// Whether none is chosen.
    pub fn is_empty(&self) -> bool {
        self.chosen.is_empty()
    }

    /// Chooses none.
    pub fn clear(&mut self) {
        self.chosen.clear();
        self.anchor = None;
    }

    /// Chooses one row, as a program that leads somewhere does.
    pub fn choose(&mut self, key: K) {
        self.chosen = BTreeSet::from([key.clone()]);
        self.anchor = Some(key.clone());
        self.cursor = Some(key);
    }

    /// Lets the keyboard stand on a row, and chooses nothing.
    pub fn go(&mut self, key: K) {
        self.cursor = Some(key);
    }

    /// Chooses all of these, or none if all of them are chosen already.
    pub fn toggle_all(&mut self, keys: impl IntoIterator<Item = K>) {
        let all: BTreeSet<K> = keys.into_iter().collect();
        if all.is_subset(&self.chosen) {
            self.chosen.retain(|key| !all.contains(key));
        } else {
            self.chosen.extend(all);
        }
    }

    /// Forgets rows that are no longer there.
    pub fn retain(&mut self, there: impl Fn(&K) -> bool) {
        self.chosen.retain(&there);
        for place in [&mut self.cursor, &mut self.anchor] {
            if place.as_ref().is_some_and(|key| !there(key)) {
                *place = None;
            }
        }
    }

    /// Somebody clicked a row or went to it. `key_of` tells which row stands at a place, `rows` how
    /// many there are.
    pub fn pick(
        &mut self,
        place: usize,
        reach: Reach,
        mode: Mode,
        rows: usize,
        key_of: impl Fn(usize) -> K,
    ) {
        let key = key_of(place);
        match (mode, reach) {
            (Mode::Single, _) | (Mode::Multi, Reach::Only) => return self.choose(key),
            (Mode::Multi, Reach::Toggle) => {
                if !self.chosen.remove(&key) {
                    self.chosen.insert(key.clone());
                }
                self.anchor = Some(key.clone());
            }
            (Mode::Multi, Reach::Through) => {
                let start = self
                    .anchor
                    .as_ref()
                    .and_then(|anchor| (0..rows).find(|at| key_of(*at) == *anchor))
                    .unwrap_or(place);
                self.chosen = (start.min(place)..=start.max(place)).map(&key_of).collect();
                self.anchor = Some(key_of(start));
            }
        }
        self.cursor = Some(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [&str; 5] = ["a", "b", "c", "d", "e"];

    fn pick(selection: &mut Selection<&'static str>, place: usize, reach: Reach, mode: Mode) {
        selection.pick(place, reach, mode, ROWS.len(), |at| ROWS[at]);
    }

    fn chosen(selection: &Selection<&'static str>) -> Vec<&'static str> {
        selection.chosen().copied().collect()
    }

    #[test]
    fn one_takes_the_place_of_the_other() {
        let mut selection = Selection::default();
        for reach in [Reach::Only, Reach::Toggle, Reach::Through] {
            pick(&mut selection, 1, reach, Mode::Single);
            pick(&mut selection, 3, reach, Mode::Single);
            assert_eq!(chosen(&selection), ["d"]);
        }
    }

    #[test]
    fn through_begins_where_the_last_choice_began() {
        let mut selection = Selection::default();
        pick(&mut selection, 3, Reach::Only, Mode::Multi);
        pick(&mut selection, 1, Reach::Through, Mode::Multi);
        assert_eq!(chosen(&selection), ["b", "c", "d"]);
        pick(&mut selection, 4, Reach::Through, Mode::Multi);
        assert_eq!(chosen(&selection), ["d", "e"]);
        assert_eq!(selection.cursor(), Some(&"e"));
    }

    #[test]
    fn through_without_a_beginning_is_one_row() {
        let mut selection = Selection::default();
        pick(&mut selection, 2, Reach::Through, Mode::Multi);
        assert_eq!(chosen(&selection), ["c"]);
    }

    #[test]
    fn toggle_adds_and_takes_away() {
        let mut selection = Selection::default();
        pick(&mut selection, 0, Reach::Toggle, Mode::Multi);
        pick(&mut selection, 4, Reach::Toggle, Mode::Multi);
        pick(&mut selection, 0, Reach::Toggle, Mode::Multi);
        assert_eq!(chosen(&selection), ["e"]);
        selection.toggle_all(ROWS);
        assert_eq!(selection.len(), 5);
        selection.toggle_all(ROWS);
        assert!(selection.is_empty());
    }

    #[test]
    fn rows_that_go_are_forgotten_and_others_stay_chosen() {
        let mut selection = Selection::default();
        pick(&mut selection, 0, Reach::Only, Mode::Multi);
        pick(&mut selection, 3, Reach::Through, Mode::Multi);
        selection.retain(|key| *key != "d");
        assert_eq!(chosen(&selection), ["a", "b", "c"]);
        assert_eq!(selection.cursor(), None);
    }
}
