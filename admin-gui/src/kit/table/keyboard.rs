//! Where the keys lead in a list of rows.

use egui::{Key, Modifiers};

/// A step through the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is what its name says")]
pub enum Move {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
}

impl Move {
    /// The step that a key asks for.
    pub const fn of_key(key: Key, modifiers: Modifiers) -> Option<Self> {
        if modifiers.alt || modifiers.command {
            return None;
        }
        Some(match key {
            Key::ArrowUp => Self::Up,
            Key::ArrowDown => Self::Down,
            Key::PageUp => Self::PageUp,
            Key::PageDown => Self::PageDown,
            Key::Home => Self::First,
            Key::End => Self::Last,
            _ => return None,
        })
    }
}

/// Where a step leads among `rows` rows of which `page` are seen. The first step into a table goes
/// to its first row, or its last if it was upwards; no step leaves the table.
pub fn moved(from: Option<usize>, step: Move, rows: usize, page: usize) -> Option<usize> {
    let last = rows.checked_sub(1)?;
    // One row of the page before stays in sight.
    let page = page.saturating_sub(1).max(1);
    let Some(from) = from else {
        return Some(match step {
            Move::Up | Move::Last => last,
            Move::Down | Move::PageUp | Move::PageDown | Move::First => 0,
        });
    };
    Some(match step {
        Move::Up => from.saturating_sub(1),
        Move::Down => (from + 1).min(last),
        Move::PageUp => from.saturating_sub(page),
        Move::PageDown => (from + page).min(last),
        Move::First => 0,
        Move::Last => last,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stay_inside() {
        for (from, step, to) in [
            (None, Move::Down, 0),
            (None, Move::Up, 6),
            (Some(0), Move::Up, 0),
            (Some(0), Move::Down, 1),
            (Some(6), Move::Down, 6),
            (Some(0), Move::PageDown, 3),
            (Some(5), Move::PageDown, 6),
            (Some(2), Move::PageUp, 0),
            (Some(3), Move::First, 0),
            (Some(3), Move::Last, 6),
        ] {
            assert_eq!(moved(from, step, 7, 4), Some(to), "{from:?} {step:?}");
        }
    }

    #[test]
    fn an_empty_table_has_nowhere_to_go_and_a_low_one_still_moves() {
        assert_eq!(moved(None, Move::Down, 0, 4), None);
        assert_eq!(moved(Some(3), Move::Last, 0, 4), None);
        assert_eq!(moved(Some(0), Move::PageDown, 7, 0), Some(1));
    }

    #[test]
    fn keys_with_command_belong_to_others() {
        assert_eq!(Move::of_key(Key::End, Modifiers::NONE), Some(Move::Last));
        assert_eq!(Move::of_key(Key::End, Modifiers::SHIFT), Some(Move::Last));
        assert_eq!(Move::of_key(Key::End, Modifiers::COMMAND), None);
        assert_eq!(Move::of_key(Key::A, Modifiers::NONE), None);
    }
}
