//! What is said about a walk: what could not be read, and what was left out on purpose.
//!
//! All is counted; examples are kept while they fit. They become part of one line of the recipe,
//! which readers take only up to a limit: a folder of unreadable files with long names must not
//! make a snapshot unreadable.

use std::fmt::Display;

use backup_model::{FilesFacts, TooLarge, Unreadable};

/// How many things of a kind are listed by name.
const MAX_EXAMPLES: usize = 1000;

/// How long the lists of both kinds may be as JSON, each.
const MAX_LIST_BYTES: usize = 400 << 10;

/// Collects the facts of a source.
pub(super) struct Listed {
    facts: FilesFacts,
    unreadable_bytes: usize,
    too_large_bytes: usize,
}

impl Listed {
    pub(super) fn new(roots: Vec<String>) -> Self {
        Self {
            facts: FilesFacts {
                roots,
                ..FilesFacts::default()
            },
            unreadable_bytes: 0,
            too_large_bytes: 0,
        }
    }

    pub(super) fn unreadable(&mut self, path: &[u8], error: impl Display) {
        self.facts.unreadable += 1;
        let example = Unreadable {
            path: shown(path),
            error: error.to_string(),
        };
        push(
            &mut self.facts.examples,
            &mut self.unreadable_bytes,
            example,
        );
    }

    pub(super) fn too_large(&mut self, path: &[u8], size_bytes: u64) {
        self.facts.too_large += 1;
        let example = TooLarge {
            path: shown(path),
            size_bytes,
        };
        let examples = &mut self.facts.too_large_examples;
        push(examples, &mut self.too_large_bytes, example);
    }

    pub(super) fn excluded(&mut self) {
        self.facts.excluded += 1;
    }

    pub(super) fn into_facts(self) -> FilesFacts {
        self.facts
    }
}

fn push<T: serde::Serialize>(examples: &mut Vec<T>, used: &mut usize, example: T) {
    if examples.len() == MAX_EXAMPLES {
        return;
    }
    // What cannot be written needs no room.
    *used += serde_json::to_vec(&example).map_or(0, |json| json.len() + 1);
    if *used <= MAX_LIST_BYTES {
        examples.push(example);
    }
}

fn shown(path: &[u8]) -> String {
    format!("/{}", String::from_utf8_lossy(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_stay_within_a_line() {
        let mut listed = Listed::new(Vec::new());
        let path = [1; 4000];
        for _ in 0..3000 {
            listed.unreadable(&path, "no");
            listed.too_large(b"a", 7);
            listed.excluded();
        }
        let facts = listed.into_facts();
        assert_eq!((facts.unreadable, facts.too_large), (3000, 3000));
        assert_eq!(facts.excluded, 3000);
        assert_eq!(facts.too_large_examples.len(), MAX_EXAMPLES);
        assert!(!facts.examples.is_empty());
        assert!(serde_json::to_vec(&facts).unwrap().len() < 900 << 10);
    }

    #[test]
    fn facts_of_an_older_program_are_read() {
        let text = r#"{"examples":[],"roots":["/srv"],"unreadable":0}"#;
        let facts: FilesFacts = serde_json::from_str(text).unwrap();
        assert_eq!((facts.excluded, facts.too_large), (0, 0));
    }
}
