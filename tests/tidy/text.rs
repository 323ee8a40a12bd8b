//! Rules about the text of single files. What is looked for is put together from pieces, so that
//! this file does not complain about itself.

/// Non-test code beyond this is more than one idea.
const LINES_MAX: usize = 600;

fn at_line(path: &str, number: usize, what: &str) -> String {
    format!("{path}:{}: {what}", number + 1)
}

/// Tests switched off, code not written, notes to oneself.
pub(crate) fn marker_complaints(path: &str, text: &str) -> Vec<String> {
    let needles = [
        concat!("#[ign", "ore"),
        concat!("tod", "o!"),
        concat!("unimplem", "ented!"),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
    ];
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for needle in needles.iter().filter(|needle| line.contains(*needle)) {
            found.push(at_line(
                path,
                number,
                &format!("`{needle}` does not belong in a finished tree"),
            ));
        }
    }
    found
}

/// `use …::*` hides where a name comes from; only a `mod tests` may take in its parent.
pub(crate) fn glob_complaints(path: &str, text: &str) -> Vec<String> {
    let tests_file = is_test(path);
    let mut in_tests = tests_file;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.trim();
        in_tests |= code.starts_with("mod tests {");
        if line.starts_with('}') {
            in_tests = tests_file;
        }
        let is_use = code.starts_with("use ")
            || code.starts_with("pub use ")
            || code.starts_with("pub(crate) use ");
        let glob = is_use && (code.contains("::*") || code.contains("{*"));
        if glob && !(in_tests && code == concat!("use super", "::*;")) {
            found.push(at_line(
                path,
                number,
                "name what is imported instead of `*`",
            ));
        }
    }
    found
}

/// A `mod.rs` is a table of contents: docs, modules, re-exports.
pub(crate) fn module_complaints(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = false; // inside a `use` or an attribute of several lines
    for (number, line) in text.lines().enumerate() {
        let code = line.trim();
        if open {
            open = !(code.ends_with(';') || code.ends_with(']'));
            continue;
        }
        let is_module = ["mod ", "pub mod ", "pub(crate) mod ", "pub(super) mod "]
            .iter()
            .any(|s| code.starts_with(s));
        let is_use = ["use ", "pub use ", "pub(crate) use ", "pub(super) use "]
            .iter()
            .any(|s| code.starts_with(s));
        let is_attribute = code.starts_with("#[") || code.starts_with("#![");
        if code.is_empty() || code.starts_with("//") || (is_module && code.ends_with(';')) {
            continue;
        }
        if is_use || is_attribute {
            open = !(code.ends_with(';') || code.ends_with(']'));
        } else {
            found.push(at_line(
                path,
                number,
                "code in a mod.rs: move it to a file with a name",
            ));
        }
    }
    found
}

/// A long file holds more than one idea. In-file tests are not counted.
pub(crate) fn length_complaints(path: &str, text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .take_while(|line| !line.starts_with("mod tests {"))
        .count();
    if is_test(path) || lines <= LINES_MAX {
        return Vec::new();
    }
    vec![format!(
        "{path}: {lines} lines, more than {LINES_MAX}: what in it is an idea of its own?"
    )]
}

/// Paths that exist on one developer's machine only.
pub(crate) fn machine_complaints(path: &str, text: &str) -> Vec<String> {
    let needles = [concat!("/", "work/"), concat!("/", "root/")];
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for needle in needles {
            // Inside a longer path the same letters mean nothing.
            let hit = line.match_indices(needle).any(|(at, _)| {
                !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-})".contains(c))
            });
            if hit {
                found.push(at_line(
                    path,
                    number,
                    &format!("`{needle}` is a path of one machine"),
                ));
            }
        }
    }
    found
}

fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.starts_with("tests/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_found() {
        for bad in [
            concat!("#[ign", "ore]"),
            concat!("tod", "o!()"),
            concat!("// TO", "DO later"),
            concat!("// FIX", "ME"),
        ] {
            assert_eq!(marker_complaints("a.rs", bad).len(), 1, "{bad}");
        }
        assert_eq!(marker_complaints("a.rs", "let todos = 1;").len(), 0);
    }

    #[test]
    fn globs_are_found() {
        for bad in [
            "use crate::*;",
            "pub use a::b::*;",
            "use a::{*};",
            "use super::*;",
            "mod tests {\n use a::*;\n}",
        ] {
            assert_eq!(glob_complaints("src/a.rs", bad).len(), 1, "{bad}");
        }
        assert_eq!(
            glob_complaints("src/a.rs", "mod tests {\n    use super::*;\n}").len(),
            0
        );
        assert_eq!(
            glob_complaints("src/a.rs", "mod tests {\n}\nuse super::*;").len(),
            1
        );
        assert_eq!(glob_complaints("src/a/tests.rs", "use super::*;").len(), 0);
    }

    #[test]
    fn code_in_a_module_file_is_found() {
        for bad in ["fn f() {}", "pub struct A;", "mod a {", "const A: u8 = 1;"] {
            assert_eq!(module_complaints("a/mod.rs", bad).len(), 1, "{bad}");
        }
        let fine =
            "//! Docs.\n\n#[cfg(test)]\nmod tests;\npub mod a;\npub use a::{\n    B,\n    C,\n};\n";
        assert_eq!(module_complaints("a/mod.rs", fine), Vec::<String>::new());
    }

    #[test]
    fn long_files_are_found() {
        assert_eq!(length_complaints("src/a.rs", &"x\n".repeat(601)).len(), 1);
        assert_eq!(length_complaints("src/a.rs", &"x\n".repeat(600)).len(), 0);
        assert_eq!(
            length_complaints(
                "src/a.rs",
                &format!("x\nmod tests {{\n{}}}", "y\n".repeat(900))
            )
            .len(),
            0
        );
        assert_eq!(
            length_complaints("src/a/tests.rs", &"x\n".repeat(601)).len(),
            0
        );
    }

    #[test]
    fn machine_paths_are_found() {
        for bad in [
            concat!("see /", "work/x"),
            concat!("\"/", "root/.ssh\""),
            concat!("=/", "work/"),
        ] {
            assert_eq!(machine_complaints("a.md", bad).len(), 1, "{bad}");
        }
        assert_eq!(
            machine_complaints("a.md", concat!("$HOME/", "work/x and a/", "root/b")).len(),
            0
        );
    }
}
