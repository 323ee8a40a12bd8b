//! Rules about the source tree that no lint knows. Each rule is a function from a file's text to
//! the complaints about it; a test of its own shows that the rule can fail.

mod layers;
mod packages;
mod people;
mod text;
mod tree;

use tree::{Source, tracked};

/// Runs a rule over the tracked files with this ending; fails with every complaint at once.
fn check(ending: &str, rule: impl Fn(&Source) -> Vec<String>) {
    let files: Vec<Source> = tracked()
        .into_iter()
        .filter(|file| file.path.ends_with(ending))
        .collect();
    assert!(
        !files.is_empty(),
        "no tracked file ends in {ending}: is this a git checkout?"
    );
    let complaints: Vec<String> = files.iter().flat_map(&rule).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn imports_of_the_engine_point_down() {
    check(".rs", |file| layers::complaints(&file.path, &file.text));
}

#[test]
fn the_daemon_knows_no_administrators_key() {
    check(".rs", |file| people::complaints(&file.path, &file.text));
}

#[test]
fn packages_depend_on_what_they_may() {
    check("Cargo.toml", |file| {
        packages::dependency_complaints(&file.path, &file.text)
    });
}

#[test]
fn packages_share_the_lints() {
    check("Cargo.toml", |file| {
        packages::lint_complaints(&file.path, &file.text)
    });
}

#[test]
fn nothing_is_left_open_or_switched_off() {
    check(".rs", |file| {
        text::marker_complaints(&file.path, &file.text)
    });
}

#[test]
fn imports_are_named() {
    check(".rs", |file| text::glob_complaints(&file.path, &file.text));
}

#[test]
fn module_files_hold_no_code() {
    check("/mod.rs", |file| {
        text::module_complaints(&file.path, &file.text)
    });
}

#[test]
fn files_stay_readable() {
    check(".rs", |file| {
        text::length_complaints(&file.path, &file.text)
    });
}

#[test]
fn no_path_of_a_developers_machine() {
    check("", |file| text::machine_complaints(&file.path, &file.text));
}
