//! What somebody means who types a few letters: every word must be found, and what is found where
//! people look first comes first. Pure: the same letters over the same entries, the same order.

use super::entries::Entry;

/// The program itself: in each command, and so in none.
const PROGRAM: &str = "backupctl";

/// Where in `entries` those are that are meant, the most likely first. Without a word all of them
/// are.
pub(super) fn rank(entries: &[Entry], typed: &str) -> Vec<usize> {
    let typed = typed.to_lowercase();
    let words: Vec<&str> = typed
        .split_whitespace()
        .filter(|word| *word != PROGRAM)
        .collect();
    let scores = entries.iter().enumerate().filter_map(|(at, entry)| {
        let score = score(entry, &words)?;
        Some(((score, entry.off.is_some(), entry.rank, at), at))
    });
    let mut found: Vec<_> = scores.collect();
    found.sort_unstable();
    found.into_iter().map(|(_, at)| at).collect()
}

/// How far from the first thought an entry is; none if a word is not in it.
fn score(entry: &Entry, words: &[&str]) -> Option<u32> {
    if words.is_empty() {
        return Some(0);
    }
    let title = entry.title.to_lowercase();
    let command = entry.command.trim_start_matches(PROGRAM);
    let more = format!("{} {command}", entry.also).to_lowercase();
    words.iter().map(|word| distance(&title, &more, word)).sum()
}

fn distance(title: &str, more: &str, word: &str) -> Option<u32> {
    if title.starts_with(word) {
        Some(0)
    } else if begins_a_word(title, word) {
        Some(1)
    } else if begins_a_word(more, word) {
        Some(2)
    } else if abbreviates(title, word) {
        Some(3)
    } else if title.contains(word) {
        Some(4)
    } else {
        None
    }
}

fn begins_a_word(text: &str, word: &str) -> bool {
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(char::is_alphanumeric))
}

/// Whether letters stand in a text in this order, each beside the one before or at the beginning of
/// a word: `bugit` is `back up gitea-db`.
fn abbreviates(text: &str, letters: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let begins = |at: usize| at == 0 || !text[at - 1].is_alphanumeric();
    // Where in the text the letters that were read so far can end.
    let mut ends: Option<Vec<usize>> = None;
    for letter in letters.chars() {
        let follows = |at: usize| match &ends {
            None => begins(at),
            Some(ends) => {
                let mut ends = ends.iter();
                ends.any(|&end| at == end + 1 || (at > end && begins(at)))
            }
        };
        let next = (0..text.len()).filter(|&at| text[at] == letter && follows(at));
        ends = Some(next.collect());
    }
    ends.is_some_and(|ends| !ends.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{kit::Icon, state::Act, views::palette::entries::Does};

    fn entry(title: &str, also: &'static str, command: &str, rank: u8) -> Entry {
        Entry {
            icon: Icon::Jobs,
            title: title.to_owned(),
            also,
            command: format!("backupctl {command}"),
            does: Does::Ask(Act::Refresh.into()),
            off: None,
            state: None,
            rank,
        }
    }

    fn all() -> Vec<Entry> {
        vec![
            entry("Go to Overview", "open", "status", 1),
            entry("Open gitea-db", "job", "run list --job gitea-db", 0),
            entry("Back up gitea-db", "run now", "backup gitea-db", 4),
            entry("Verify gitea-db", "check", "verify gitea-db", 5),
            entry("Open webui-db", "job", "run list --job webui-db", 3),
            entry("Back up webui-db", "run now", "backup webui-db", 4),
            entry(
                "Pause webui-db for 4 hours",
                "stop",
                "job pause webui-db",
                6,
            ),
        ]
    }

    fn found(typed: &str) -> Vec<String> {
        let all = all();
        let found = rank(&all, typed).into_iter();
        found.map(|at| all[at].title.clone()).collect()
    }

    #[test]
    fn without_a_word_the_likely_comes_first() {
        let found = found("  ");
        assert_eq!(found.len(), all().len());
        assert_eq!(found[..2], ["Open gitea-db", "Go to Overview"]);
    }

    #[test]
    fn each_word_must_be_found_in_any_order() {
        assert_eq!(found("gitea back"), ["Back up gitea-db"]);
        assert_eq!(found("back gitea"), ["Back up gitea-db"]);
        assert_eq!(found("Gitea-DB ver"), ["Verify gitea-db"]);
        assert_eq!(found("gitea nothing"), [""; 0]);
    }

    #[test]
    fn the_beginning_counts_more_than_the_middle() {
        // What opens it begins with the letters, what goes there is only called so too.
        let open = ["Open gitea-db", "Open webui-db", "Go to Overview"];
        assert_eq!(found("open"), open);
        assert_eq!(found("v")[0], "Verify gitea-db");
        assert_eq!(found("tea")[0], "Open gitea-db");
    }

    #[test]
    fn commands_of_the_terminal_are_known_too() {
        assert_eq!(found("backupctl job pause"), ["Pause webui-db for 4 hours"]);
        let back_up = ["Back up gitea-db", "Back up webui-db"];
        assert_eq!(found("backup"), back_up);
    }

    #[test]
    fn beginnings_of_words_are_enough() {
        assert_eq!(found("bugit"), ["Back up gitea-db"]);
        assert_eq!(found("vgd"), ["Verify gitea-db"]);
        assert_eq!(found("gto"), ["Go to Overview"]);
        assert_eq!(found("bgw"), [""; 0]);
        assert_eq!(found("x"), [""; 0]);
    }

    #[test]
    fn what_cannot_be_done_stands_behind_what_can() {
        let mut all = all();
        all[2].off = Some("The daemon does not answer");
        assert_eq!(rank(&all, "back up"), [5, 2]);
    }

    #[test]
    fn letters_of_any_script_are_letters() {
        let all = [entry("Open Überwachung", "", "status", 0)];
        assert_eq!(rank(&all, "über"), [0]);
        assert_eq!(rank(&all, "wach"), [0]);
        assert_eq!(rank(&all, "ß\u{202e}"), [0; 0]);
    }
}
