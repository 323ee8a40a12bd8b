//! Inside the engine, imports point down only.

/// Where a module stands; higher may use lower. Modules of one rank do not know each other.
const RANKS: &[(&str, u8)] = &[
    ("ops", 7),
    ("source", 6),
    ("sink", 6),
    ("postgres", 5),
    ("pipeline", 5),
    ("repo", 4),
    ("store", 3),
    ("child", 2),
    ("chunk", 2),
    ("codec", 2),
    ("crypt", 2),
    ("format", 1),
    ("retention", 1),
];

fn rank(module: &str) -> Option<u8> {
    RANKS
        .iter()
        .find(|(name, _)| *name == module)
        .map(|(_, rank)| *rank)
}

/// What is wrong with the imports of this file of `backup-core/src`.
pub(crate) fn complaints(path: &str, text: &str) -> Vec<String> {
    // A test may use what it likes to make its input: it is no part of the engine.
    if path.ends_with("/tests.rs") {
        return Vec::new();
    }
    let Some(inside) = path.strip_prefix("backup-core/src/") else {
        return Vec::new();
    };
    let module = inside
        .split('/')
        .next()
        .unwrap_or(inside)
        .trim_end_matches(".rs");
    if module == "lib" {
        return Vec::new();
    }
    let Some(own) = rank(module) else {
        return vec![format!(
            "{path}: module `{module}` has no rank: give it one in tests/tidy/layers.rs"
        )];
    };
    // Comments may name whatever they like.
    let code: Vec<&str> = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or(line))
        .collect();
    used_modules(&code.join("\n"))
        .into_iter()
        .filter(|used| used != module)
        .filter_map(|used| match rank(&used) {
            Some(other) if other < own => None,
            Some(_) => Some(format!(
                "{path}: `{module}` must not use `crate::{used}`: imports point down only"
            )),
            None => Some(format!(
                "{path}: `crate::{used}` is no ranked module: see tests/tidy/layers.rs"
            )),
        })
        .collect()
}

/// The top-level modules that a text names by `crate::…`, also `use crate::{a, b::c}`.
fn used_modules(code: &str) -> Vec<String> {
    let mut used = Vec::new();
    for (at, found) in code.match_indices("crate::") {
        // `$crate::` in a macro counts; `other_crate::` does not.
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + found.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            used.extend(group_heads(group));
        } else {
            used.push(first_name(rest));
        }
    }
    used.sort();
    used.dedup();
    used
}

/// The first names in `a, b::{c, d}, e}…`.
fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut heads) = (0_u32, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                heads.push(first_name(group[start..at].trim()));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    heads.retain(|head| !head.is_empty());
    heads
}

fn first_name(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn downwards_is_fine() {
        let text =
            "use crate::{store::Key, format::{self, Record}};\nfn f() { crate::codec::pack() }";
        assert_eq!(
            complaints("backup-core/src/repo/open.rs", text),
            Vec::<String>::new()
        );
        assert_eq!(
            complaints("backup-core/src/repo/open.rs", "use crate::repo::trust;"),
            Vec::<String>::new()
        );
        assert_eq!(
            complaints("backupd/src/lib.rs", "use crate::anything;"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn upwards_sideways_and_unranked_are_not() {
        let bad = [
            ("backup-core/src/store/mod.rs", "use crate::repo::Repo;"),
            (
                "backup-core/src/store/mod.rs",
                "use crate::{format::A,\n    ops::B};",
            ),
            (
                "backup-core/src/chunk/mod.rs",
                "fn f() { crate::codec::frame() }",
            ),
            ("backup-core/src/source/files.rs", "use crate::sink::Sink;"),
            ("backup-core/src/format/mod.rs", "use crate::Secret;"),
            ("backup-core/src/helper/mod.rs", ""),
        ];
        for (path, text) in bad {
            assert_eq!(complaints(path, text).len(), 1, "{path}: {text}");
        }
    }
}
