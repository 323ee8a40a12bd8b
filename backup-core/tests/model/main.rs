//! The protocol of backup, forget, read and prune as an explicit-state model: every order in which
//! its actors can take their steps, with crashes, lost answers, and puts and deletes that arrive
//! late. The protocol must lose nothing, and each of its rules must be needed: left out, it is
//! found by a violation, of which the steps are printed.
//!
//! `BACKUPD_MODEL=large` searches further, for minutes and with some gigabytes of memory.

#![expect(
    clippy::print_stdout,
    reason = "the figures and schedules are the point"
)]
#![expect(
    clippy::cast_possible_truncation,
    reason = "a state is small, so its numbers are bytes"
)]

mod configuration;
mod forgetter;
mod invariants;
mod liveness;
mod pruner;
mod reader;
mod search;
mod state;
mod step;
mod store;
mod writer;

use configuration::Configuration;
use search::{Found, search};

#[expect(
    clippy::disallowed_methods,
    reason = "a test is told how far to go by its environment"
)]
fn large() -> bool {
    std::env::var("BACKUPD_MODEL").is_ok_and(|size| size == "large")
}

/// The configuration of this name.
fn whole(name: &str) {
    let named = configuration::WHOLE
        .into_iter()
        .find(|(each, _)| each.name == name);
    let (mut configuration, more) = named.expect("there is one");
    if large() {
        configuration.left = more;
    }
    nothing_lost(&configuration);
}

fn nothing_lost(configuration: &Configuration) {
    let found = search(configuration);
    println!(
        "{}: {} states, {} steps deep, {} quiet, 0 violations ({:?})",
        configuration.name, found.states, found.depth, found.quiet, configuration.left
    );
    if found.violation.is_some() {
        print_schedule(&found);
    }
    let invariant = found.violation.as_ref().map(|(invariant, _)| invariant);
    assert!(invariant.is_none(), "{}: {invariant:?}", configuration.name);
}

fn print_schedule(found: &Found) {
    if let Some((invariant, way)) = &found.violation {
        for step in way {
            println!("    {step}");
        }
        println!("    => {invariant}");
    }
}

#[test]
fn one_writer() {
    whole("one writer");
}

#[test]
fn three_runs() {
    whole("three runs");
}

#[test]
fn two_writers_of_a_job() {
    whole("two writers of a job");
}

#[test]
fn two_jobs() {
    whole("two jobs");
}

#[test]
fn two_pruners() {
    whole("two pruners");
}

#[test]
fn two_readers() {
    whole("two readers");
}

#[test]
fn two_packs_a_run() {
    whole("two packs a run");
}

#[test]
fn holds_and_releases() {
    whole("holds");
}

/// Two rules of which one is enough: each alone is not needed, which is said here so that nobody
/// relies on it unknowingly.
#[test]
fn one_of_two_guards_of_pins_is_enough() {
    for configuration in configuration::SPARE {
        nothing_lost(&configuration);
    }
}

#[test]
fn every_mutant_is_caught() {
    let mutants = configuration::mutants();
    let found: Vec<_> = mutants.iter().map(search).collect();
    for (configuration, found) in mutants.iter().zip(&found) {
        let caught = found.violation.as_ref().map_or_else(
            || "NOT CAUGHT".to_owned(),
            |(invariant, way)| format!("{invariant}, after {} steps", way.len()),
        );
        println!(
            "{:<32} {caught} ({} states)",
            configuration.name, found.states
        );
    }
    for (configuration, found) in mutants.iter().zip(&found) {
        println!("\n{}", configuration.name);
        print_schedule(found);
    }
    let missed: Vec<_> = mutants
        .iter()
        .zip(&found)
        .filter(|(_, found)| found.violation.is_none())
        .map(|(configuration, _)| configuration.name)
        .collect();
    assert!(missed.is_empty(), "not caught: {missed:?}");
}
