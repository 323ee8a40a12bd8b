//! What is no kit is refused, line by line, and nothing of it shown.

use proptest::{
    prelude::{ProptestConfig, any},
    prop_assert, prop_assert_eq, prop_assume, proptest,
    sample::Index,
};

use super::world::{faults, lines_of, manual, parse, time, world};
use crate::kit::{
    Kit, KitFault, KitValue, PageError,
    lines::{self, Line},
};

#[test]
fn each_broken_line_is_named_and_nothing_of_it_shown() {
    let w = world();
    let good = lines_of(&w.kit);
    let lines: Vec<&str> = good.lines().collect();
    let key = lines.iter().position(|l| l.contains("key AGE-")).unwrap();
    let with = |at: usize, line: &str| {
        let mut lines = lines.clone();
        lines[at] = line;
        lines.join("\n")
    };
    let without = |at: usize| [&lines[..at], &lines[at + 1..]].concat().join("\n");
    let swapped = lines[key].replace("SECRET", "SECRTE");
    let two = with(1, "02 made yesterday ffffff").replace(lines[key], &swapped);
    let order = |expected, found| KitFault::Order { expected, found };
    let table = [
        (String::new(), vec![(1, KitFault::Empty)]),
        ("# only\n\n# words\n".into(), vec![(1, KitFault::Empty)]),
        (format!("\u{feff}{good}"), vec![(1, KitFault::NotPlain)]),
        (" ".repeat(2 << 20), vec![(1, KitFault::NotPlain)]),
        ("1\0k\0".into(), vec![(1, KitFault::NotPlain)]),
        (
            with(3, &lines[3].replace("0101", "0110")),
            vec![(4, KitFault::Check)],
        ),
        (two, vec![(2, KitFault::Check), (key + 1, KitFault::Check)]),
        (
            with(4, "location s3://vault 123456"),
            vec![(5, KitFault::NoNumber)],
        ),
        (with(4, "hello"), vec![(5, KitFault::NoNumber)]),
        (with(4, "05 location"), vec![(5, KitFault::Cut)]),
        (with(4, "05 location s3://vault"), vec![(5, KitFault::Cut)]),
        (
            with(4, "99999999999999999999999 a b c"),
            vec![(5, KitFault::NoNumber)],
        ),
        (without(4), vec![(5, order(5, 6))]),
        (
            without(lines.len() - 1),
            vec![(lines.len() - 1, KitFault::NoEnd)],
        ),
        (
            with(4, &format!("{}\n{}", lines[4], lines[4])),
            vec![(6, order(6, 5))],
        ),
    ];
    for (text, expected) in table {
        assert_eq!(faults(&text), expected, "{text}");
        let shown = format!("{0} {0:?}", parse(&text).unwrap_err());
        assert!(
            !shown.contains("SECR") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}

#[test]
fn a_line_of_another_kit_holds_by_itself_but_not_with_the_others() {
    let w = world();
    let good = lines_of(&w.kit);
    let other = Kit {
        made: time("2027-11-22T02:30:00Z"),
        ..w.kit
    };
    let mut lines: Vec<&str> = good.lines().collect();
    let foreign = lines_of(&other);
    lines[1] = foreign.lines().nth(1).unwrap();
    let found = faults(&lines.join("\n"));
    assert_eq!(found, [(lines.len(), KitFault::OtherLines)]);
}

/// The fields of a good kit, to be changed.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn good() -> Self {
        let good = lines_of(&world().kit);
        let read = lines::read(&good).unwrap_or_default();
        let pair = |line: &Line| (line.field.clone(), (*line.value).clone());
        Self(read.iter().map(pair).collect())
    }

    fn index(&self, name: &str) -> usize {
        self.0.iter().position(|field| field.0 == name).unwrap()
    }

    fn write(&self) -> String {
        let fields = self.0.iter().map(|(f, v)| (f.as_str(), v.as_str()));
        let fields: Vec<_> = fields.collect();
        lines::write(&fields).to_string()
    }
}

fn set(name: &str, value: &str) -> String {
    let mut fields = Fields::good();
    let at = fields.index(name);
    value.clone_into(&mut fields.0[at].1);
    fields.write()
}

fn rename(name: &str, to: &str) -> String {
    let mut fields = Fields::good();
    let at = fields.index(name);
    to.clone_into(&mut fields.0[at].0);
    fields.write()
}

fn at(name: &str) -> usize {
    Fields::good().index(name) + 1
}

#[test]
fn values_that_hold_and_say_nothing_sensible_are_named() {
    let table = [
        ("kit", "0", KitValue::Number),
        ("kit", "one", KitValue::Number),
        ("made", "today", KitValue::Time),
        ("repository", "1", KitValue::RepositoryId),
        ("root", "RWx", KitValue::PublicKey),
        ("administrator", "ann", KitValue::Administrator),
        ("administrator", "ann gpg", KitValue::Administrator),
        ("administrator", "Ann x25519", KitValue::Administrator),
        ("opens", "1 age1x", KitValue::Epoch),
        ("opens", "x age1x", KitValue::Epoch),
    ];
    for (field, text, what) in table {
        let fault = KitFault::Value { field, what };
        assert_eq!(faults(&set(field, text)), [(at(field), fault)], "{text}");
    }
    assert_eq!(faults(&set("kit", "2")), [(1, KitFault::Newer(2))]);
}

#[test]
fn lines_that_hold_and_stand_in_the_wrong_place_are_named() {
    let mut doubled = Fields::good();
    doubled.0.push(("key-at".into(), "safe".into()));
    let mut cut = Fields::good();
    cut.0.truncate(3);
    let table = [
        (
            rename("location", "place"),
            at("location"),
            "location",
            "place",
        ),
        (rename("recipient", "x"), at("recipient"), "recipient", "x"),
        (rename("opens", "open"), at("opens"), "opens", "open"),
        (rename("key", "kex"), at("key"), "key", "kex"),
        (doubled.write(), at("key") + 1, "end", "key-at"),
        (cut.write(), 4, "repository", "end"),
        (
            set("administrator", "ann passphrase"),
            at("recipient"),
            "opens",
            "recipient",
        ),
    ];
    for (text, line, expected, found) in table {
        let found = found.to_owned();
        let fault = KitFault::Unexpected { expected, found };
        assert_eq!(faults(&text), [(line, fault)], "{text}");
    }
}

#[test]
fn what_cannot_stand_in_a_line_is_refused_when_it_is_written() {
    let w = world();
    let long = "x".repeat(2000);
    for location in ["", " s3://x", "two  blanks", "a\nb", "a\u{7f}b", &long] {
        let kit = Kit {
            location: location.to_owned(),
            ..w.kit.clone()
        };
        let fault = KitFault::Value {
            field: "location",
            what: KitValue::Text,
        };
        assert_eq!(kit.lines().unwrap_err().faults[0].fault, fault);
        assert!(matches!(kit.to_page(manual(&[])), Err(PageError::Kit(_))));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever character is another: the line is named, and no other.
    #[test]
    fn every_wrong_character_is_found(at in any::<Index>(), other in "[!-\"$-~]") {
        let good = lines_of(&world().kit);
        let places: Vec<usize> = good
            .char_indices()
            .filter(|(_, c)| c.is_ascii_graphic())
            .map(|(at, _)| at)
            .collect();
        let at = *at.get(&places);
        prop_assume!(!good[at..=at].eq_ignore_ascii_case(&other));
        let bad = format!("{}{other}{}", &good[..at], &good[at + 1..]);
        let line = good[..at].matches('\n').count() + 1;
        match parse(&bad) {
            Err(error) => prop_assert_eq!(error.faults[0].line, line, "{}", error),
            Ok(_) => prop_assert!(false, "line {} was taken: {}", line, bad),
        }
    }

    /// Whatever is read, nothing breaks.
    #[test]
    fn no_text_breaks_the_reader(text in "([0-9]{1,3} [a-z]{1,9} \\PC{0,20} [0-9a-f]{6}\n?|\\PC{0,20}\n){0,12}") {
        prop_assert!(parse(&text).is_err());
    }
}
