//! What no trust record may say, however rightly it is signed.

use std::collections::BTreeSet;

use super::{AcceptedRuns, Administrator, AdministratorKind, Epoch, Role, TrustRecord, Writer};

pub(super) fn broken_rule(trust: &TrustRecord) -> Option<&'static str> {
    let mut keys = BTreeSet::new();
    if !trust.writers.iter().all(|w| keys.insert(w.key.key_id())) {
        return Some("two writers have one key");
    }
    let numbers = trust.epochs.iter().map(|epoch| epoch.number);
    if trust.epochs.is_empty() || !numbers.eq(1..=trust.epochs.len() as u64) {
        return Some("epochs are not numbered from 1");
    }
    let mut recipients = BTreeSet::new();
    if !trust.epochs.iter().all(|e| recipients.insert(&e.recipient)) {
        return Some("two epochs have one recipient");
    }
    let of_administrators = trust.administrators.iter().find_map(of_administrator);
    let of_epochs = || trust.epochs.iter().find_map(|epoch| of_epoch(trust, epoch));
    let of_writers = || trust.writers.iter().find_map(of_writer);
    of_administrators
        .or_else(|| names(trust))
        .or_else(of_epochs)
        .or_else(of_writers)
}

fn names(trust: &TrustRecord) -> Option<&'static str> {
    let mut names = BTreeSet::new();
    if !trust.administrators.iter().all(|a| names.insert(&a.name)) {
        return Some("two administrators have one name");
    }
    let mut names = BTreeSet::new();
    let mut in_office = trust.writers.iter().filter(|w| w.removed.is_none());
    (!in_office.all(|w| names.insert(&w.name))).then_some("two writers in office have one name")
}

fn of_administrator(administrator: &Administrator) -> Option<&'static str> {
    let passphrase = administrator.kind == AdministratorKind::Passphrase;
    (administrator.recipient.is_none() != passphrase)
        .then_some("an administrator has no recipient, or one beside a passphrase")
}

fn of_epoch(trust: &TrustRecord, epoch: &Epoch) -> Option<&'static str> {
    let mut owners = BTreeSet::new();
    let known = |file: &super::KeyFile| trust.administrator(&file.administrator).is_some();
    if !epoch.keys.iter().all(known) {
        return Some("a key file is of nobody who is an administrator");
    }
    (!epoch.keys.iter().all(|f| owners.insert(&f.administrator)))
        .then_some("an administrator has two key files for an epoch")
}

fn of_writer(writer: &Writer) -> Option<&'static str> {
    let has = |role| writer.roles.iter().filter(|&&r| r == role).count();
    let counts = [Role::Write, Role::Maintain, Role::Prove].map(has);
    if writer.roles.is_empty() || counts.iter().any(|&count| count > 1) {
        return Some("a writer has no role, or one twice");
    }
    let removal = writer.removed.as_ref()?;
    let accepted = &removal.accepted;
    if !accepted.runs.array_windows().all(|[a, b]| a.job < b.job) {
        return Some("what counts of a removed writer is not sorted by job");
    }
    let sorted = |of_job: &AcceptedRuns| of_job.runs.array_windows().all(|[a, b]| a.0 < b.0);
    if !accepted.runs.iter().all(sorted) {
        return Some("the runs that count of a removed writer are not sorted");
    }
    let whole = accepted.forget.is_some() || accepted.prune.is_some();
    (whole && !writer.maintains_all())
        .then_some("a removed writer has a forget or prune and was no maintainer")
}
