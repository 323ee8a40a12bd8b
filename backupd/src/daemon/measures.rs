//! What metrics say of a repository, out of what was seen of it and what the ledger knows.

use std::collections::BTreeMap;

use backup_model::Level;
use jiff::Timestamp;

use crate::{
    ledger::{Verified, VerifyOutcome},
    metrics::RepositoryFacts,
    status::{Known, Seen},
};

/// The facts of one repository.
pub(super) fn repository(
    name: &str,
    seen: &BTreeMap<String, Seen>,
    known: &Known,
) -> RepositoryFacts {
    let seen = seen.get(name);
    let snapshots = seen.and_then(|seen| seen.snapshots.as_ref());
    let verified = known.verified.get(name).map_or(&[][..], Vec::as_slice);
    let kit = seen.and_then(|seen| seen.kit.as_ref());
    let proven = |one: &Verified| one.outcome != VerifyOutcome::Damaged && one.good.is_some();
    let coverage = snapshots.filter(|all| !all.is_empty()).map(|all| {
        let good = all.iter().filter(|snapshot| {
            let mut of = verified
                .iter()
                .filter(|one| one.snapshot == snapshot.snapshot);
            // What was good before it was made is another repository's of this name.
            of.any(|one| proven(one) && one.good >= Some(snapshot.created))
        });
        good.count() as f64 / all.len() as f64
    });
    let mut levels: BTreeMap<Level, Timestamp> = BTreeMap::new();
    for (level, at) in verified
        .iter()
        .filter_map(|one| Some((one.level, one.good?)))
    {
        let last = levels.entry(level).or_insert(at);
        *last = at.max(*last);
    }
    RepositoryFacts {
        name: name.to_owned(),
        snapshots: snapshots.map(|all| all.len() as u64),
        stored_bytes: seen.and_then(|seen| seen.stored).map(|(bytes, _)| bytes),
        readable: seen.map(|seen| seen.unreadable.is_none()),
        conditional: known.conditional.get(name).copied(),
        kit_confirmed: kit.map(|kit| kit.confirmed().unwrap_or(Timestamp::UNIX_EPOCH)),
        verified: levels
            .into_iter()
            .map(|(level, at)| (level.as_str().to_owned(), at))
            .collect(),
        coverage,
    }
}
