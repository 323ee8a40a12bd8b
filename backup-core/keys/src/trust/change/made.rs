//! A change of trust that is ready: what to store, in this order, and what may go then.

use std::collections::BTreeSet;

use backup_model::{Digest, JobName, KeyObject, TrustChange};

use crate::{Epoch, KeyFile, TrustRecord, names};

/// A change of trust, ready to be stored: the objects first, then the record, which commits, and
/// last the deletions. Whoever dies in between leaves files that count for nothing.
#[derive(Clone, Debug)]
pub struct Change {
    /// Key files and canaries that the record lists and the one before did not.
    pub objects: Vec<KeyObject>,
    /// The next trust record.
    pub trust: TrustRecord,
    /// The same, signed, as it is stored.
    pub record: String,
    /// What no later record may name as its predecessor but this.
    pub digest: Digest,
    /// Objects that the record lists no more.
    pub unlisted: Vec<String>,
    /// What there is to tell, as far as it is known before anything was stored.
    pub report: TrustChange,
}

/// Key files and canaries that a record lists, by name, with size and SHA-256.
pub(super) fn listed(trust: &TrustRecord) -> impl Iterator<Item = (String, u64, Digest)> {
    trust.epochs.iter().flat_map(|epoch| {
        let canary = &epoch.canary;
        let canary = (names::canary(epoch.number), canary.size, canary.sha256);
        let files = epoch.keys.iter().map(|file| {
            let name = names::key_file(epoch.number, &file.administrator, file.number);
            (name, file.size, file.sha256)
        });
        std::iter::once(canary).chain(files)
    })
}

/// What a record lists no more.
pub(super) fn unlisted(old: &TrustRecord, new: &TrustRecord) -> Vec<String> {
    let still: BTreeSet<String> = listed(new).map(|(name, ..)| name).collect();
    let before = listed(old).map(|(name, ..)| name);
    before.filter(|name| !still.contains(name)).collect()
}

/// What differs between two records, to be told.
pub(super) fn told(old: &TrustRecord, new: &TrustRecord) -> TrustChange {
    let files = |trust: &TrustRecord, number| trust.epoch(number).map(|e| e.keys.clone());
    let epochs = new.epochs.iter();
    let changed = epochs.filter(|epoch| files(old, epoch.number).as_ref() != Some(&epoch.keys));
    let changed: Vec<&Epoch> = changed.collect();
    let tested = |epoch: &Epoch| {
        let before = files(old, epoch.number).unwrap_or_default();
        let shown = |file: &&KeyFile| file.tested.is_some() && !before.contains(*file);
        epoch.keys.iter().any(|file| shown(&file))
    };
    let begun = new.epochs.iter().filter(|e| old.epoch(e.number).is_none());
    let left_out = begun.flat_map(|epoch| without_key(new, epoch)).collect();
    TrustChange {
        trust: new.version,
        epochs: changed.iter().map(|epoch| epoch.number).collect(),
        tested: changed.iter().any(|epoch| tested(epoch)),
        left_out,
        left: Vec::new(),
        unread: Vec::new(),
    }
}

/// Administrators who have no key file for an epoch.
fn without_key(trust: &TrustRecord, epoch: &Epoch) -> Vec<JobName> {
    let names = trust.administrators.iter().map(|it| it.name.clone());
    names.filter(|name| !epoch.opened_by(name)).collect()
}
