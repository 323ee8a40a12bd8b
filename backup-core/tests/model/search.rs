//! Breadth first through all states: whatever is found is found by the shortest way.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash as _, Hasher};

use crate::configuration::Configuration;
use crate::invariants::Invariant;
use crate::liveness;
use crate::state::State;
use crate::step::{Step, Steps};

/// Every how manieth quiet state is gone on from.
const QUIET_SAMPLED: usize = 8;

/// What a search came to.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) states: usize,
    pub(crate) depth: usize,
    pub(crate) quiet: usize,
    pub(crate) violation: Option<(Invariant, Vec<Step>)>,
}

/// A state seen, by its fingerprint, and the one it was first reached from.
type Seen = HashMap<u64, u64, BuildHasherDefault<AsIs>>;

pub(crate) fn search(configuration: &Configuration) -> Found {
    let first = State::first(configuration);
    let mut seen = Seen::default();
    seen.insert(fingerprint(&first), 0);
    let mut level = vec![(fingerprint(&first), first)];
    let (mut depth, mut quiet) = (0, 0);
    while !level.is_empty() {
        let mut next_level = Vec::new();
        for (from, state) in &level {
            let steps = Steps::all(state, configuration);
            assert!(!steps.0.is_empty() || state.is_quiet(), "stuck: {state:?}");
            for (_, next) in steps.0 {
                let to = fingerprint(&next);
                if seen.contains_key(&to) {
                    continue;
                }
                seen.insert(to, *from);
                if let Some(invariant) = next.broken(configuration) {
                    let way = way(&seen, to, configuration);
                    return Found {
                        states: seen.len(),
                        depth,
                        quiet,
                        violation: Some((invariant, way)),
                    };
                }
                if next.is_quiet() {
                    quiet += 1;
                    // Of so many that differ so little, some are enough.
                    if configuration.mutant.is_none() && quiet % QUIET_SAMPLED == 0 {
                        liveness::check(&next, configuration);
                    }
                }
                next_level.push((to, next));
            }
        }
        depth += 1;
        level = next_level;
    }
    Found {
        states: seen.len(),
        depth,
        quiet,
        violation: None,
    }
}

/// The steps that lead to a state.
fn way(seen: &Seen, to: u64, configuration: &Configuration) -> Vec<Step> {
    let first = State::first(configuration);
    let mut prints = vec![to];
    while let Some(from) = prints
        .last()
        .and_then(|last| seen.get(last))
        .filter(|from| **from != 0)
    {
        prints.push(*from);
    }
    let mut state = first;
    let mut way = Vec::new();
    for print in prints.iter().rev().skip(1) {
        let steps = Steps::all(&state, configuration);
        let (step, next) = steps
            .0
            .into_iter()
            .find(|(_, next)| fingerprint(next) == *print)
            .expect("it was reached from there");
        way.push(step);
        state = next;
    }
    way
}

fn fingerprint(state: &State) -> u64 {
    let mut hasher = Mix(0x9e37_79b9_7f4a_7c15);
    state.hash(&mut hasher);
    hasher.finish()
}

/// Multiply and fold.
struct Mix(u64);

impl Hasher for Mix {
    #[inline]
    fn write_u64(&mut self, word: u64) {
        let product =
            u128::from(self.0 ^ word).wrapping_mul(0x9fb2_1c65_1e98_df25_9e37_79b9_7f4a_7c15);
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }

    #[inline]
    fn write_u8(&mut self, byte: u8) {
        self.write_u64(u64::from(byte));
    }

    #[inline]
    fn write_u16(&mut self, word: u16) {
        self.write_u64(u64::from(word));
    }

    #[inline]
    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Fingerprints need no hashing.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }

    fn write(&mut self, _bytes: &[u8]) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
