//! The table: what is done, who refuses it, and which object and rule each of them is told.

use backup_core::format::layout;
use futures::future::LocalBoxFuture;

use crate::{
    data,
    keeping::{self, Signed},
    roots, runs,
    stage::{Stage, record},
    victim::{
        By::{
            self, Backup, Begin, Check, Data, List, Memory, Next, Open, Prune, Restore, Storage,
            Warning,
        },
        Seen,
    },
};

type Attack = for<'a> fn(&'a Stage, &'a mut Seen) -> LocalBoxFuture<'a, ()>;

/// One attack.
pub(crate) struct Script {
    pub(crate) name: &'static str,
    /// Does it; who is refused in the course of it, says so.
    pub(crate) attack: Attack,
    /// Who refuses: these and nobody else. Whoever is not here is unharmed.
    pub(crate) by: &'static [By],
    /// What each of them names.
    pub(crate) object: fn(&Stage) -> String,
    /// What each of them says of it: this, or what comes after a `|`.
    pub(crate) rule: &'static str,
}

/// Nobody builds on a job's newest record that is not valid, so the next backup is refused too.
const ALL: &[By] = &[List, Check, Storage, Data, Restore, Prune, Backup];
/// It is in the way of no new backup.
const READERS: &[By] = &[List, Check, Storage, Data, Restore, Prune];
/// A backup counts on nothing that is stored as long as nobody knows what a prune deletes.
const PRUNE: &[By] = &[Check, Prune, Warning];

const NOT_SIGNED: &str = "not a signed record: not five lines";
const UNKNOWN: &str = "it is signed by a key that is not trusted";
const NO_MAINTAINER: &str =
    "the key `late` may not sign this: it does not have the role `maintain`";

/// A row of the table.
macro_rules! row {
    ($name:literal, $attack:expr, $by:expr, $object:expr, $rule:expr) => {
        Script {
            name: $name,
            attack: $attack,
            by: $by,
            object: $object,
            rule: $rule,
        }
    };
}

/// All of them.
pub(crate) fn scripts() -> impl Iterator<Item = Script> {
    let runs = [forged_runs(), moved_runs()];
    let kept = [forgets(), prunes()];
    let all = [data(), roots()].into_iter().chain(runs).chain(kept);
    all.flatten()
}

fn data() -> Vec<Script> {
    vec![
        row!(
            "forged pack, same size",
            |s, _| Box::pin(data::forged_pack(s)),
            // The next backup takes its chunks for what they were, and says the same when read.
            &[Storage, Data, Restore, Next],
            Stage::pack,
            "SHA-256"
        ),
        row!(
            "pack swapped with another",
            |s, _| Box::pin(data::swapped_pack(s)),
            &[Check, Storage, Data, Restore],
            Stage::pack,
            "bytes expected"
        ),
        row!(
            "pack that nobody names",
            |s, _| Box::pin(data::pack_of_nobody(s)),
            &[],
            |_| "packs/".to_owned(),
            ""
        ),
        row!(
            "forged recipe",
            |s, _| Box::pin(data::forged_recipe(s)),
            &[Check, Storage, Data, Restore],
            |s| layout::recipe(&s.etc(2).commit.recipe.sha256),
            "bytes expected"
        ),
        row!(
            "forged refs",
            |s, _| Box::pin(data::forged_refs(s)),
            // A restore needs none.
            &[Check, Storage, Data, Prune],
            |s| layout::refs(&s.etc(2).commit.refs.sha256),
            "bytes expected"
        ),
    ]
}

fn forged_runs() -> Vec<Script> {
    let fourth = |_: &Stage| record("etc", 4);
    vec![
        row!(
            "commit by an unknown key",
            |s, _| Box::pin(runs::by_stranger(s)),
            ALL,
            fourth,
            UNKNOWN
        ),
        row!(
            "commit by a key of another job",
            |s, _| Box::pin(runs::by_other_job(s)),
            ALL,
            fourth,
            "the key `clerk` may not sign this"
        ),
        row!(
            "commit by a removed key",
            |s, _| Box::pin(runs::by_removed(s)),
            READERS,
            fourth,
            "the key `late` was removed without it"
        ),
        row!(
            "run by an expired key",
            |s, seen| Box::pin(runs::by_expired(s, seen)),
            &[Begin],
            |s| s.stolen.late.public().to_string(),
            "may not back up etc: it has expired"
        ),
        row!(
            "run by a key of the future",
            |s, seen| Box::pin(runs::by_future(s, seen)),
            &[Begin],
            |s| s.stolen.early.public().to_string(),
            "may not back up etc: it is not valid yet"
        ),
        row!(
            "fence, not signed",
            |s, _| Box::pin(runs::fence_unsigned(s)),
            ALL,
            fourth,
            NOT_SIGNED
        ),
        row!(
            "fence by a mere prover",
            |s, _| Box::pin(runs::fence_of_wrong_role(s)),
            ALL,
            fourth,
            "the key `prover` may not sign this"
        ),
    ]
}

fn moved_runs() -> Vec<Script> {
    vec![
        row!(
            "commit moved to another job",
            |s, _| Box::pin(runs::moved_to_other_job(s)),
            READERS,
            |_| record("srv", 2),
            "snapshots/etc/000002.json`, not as"
        ),
        row!(
            "commit moved to another number",
            |s, _| Box::pin(runs::moved_to_other_number(s)),
            ALL,
            |_| record("etc", 3),
            "snapshots/etc/000002.json`, not as"
        ),
        row!(
            "old commit replayed",
            |s, _| Box::pin(runs::replayed(s)),
            ALL,
            |_| record("etc", 4),
            "snapshots/etc/000001.json`, not as"
        ),
        row!(
            "old commit signed again by a writer",
            |s, _| Box::pin(runs::signed_again(s)),
            READERS,
            |_| record("etc", 4),
            "it does not follow the record before"
        ),
        row!(
            "old data in a writer's new commit",
            |s, _| Box::pin(runs::replayed_by_a_writer(s)),
            &[Check, Storage, Data, Restore, Prune],
            |_| "etc/000004".to_owned(),
            "of another run than"
        ),
        row!(
            "newest commit deleted",
            |s, _| Box::pin(runs::newest_deleted(s)),
            // To others, with its session, it looks like a run that died.
            &[Memory, Restore],
            |_| "etc/000003".to_owned(),
            "was here when this machine last looked, and is gone|it has no end yet"
        ),
        row!(
            "middle commit deleted",
            |s, _| Box::pin(runs::middle_deleted(s)),
            READERS,
            |_| record("etc", 2),
            "is missing"
        ),
    ]
}

fn roots() -> Vec<Script> {
    let root = |_: &Stage| layout::REPOSITORY.to_owned();
    vec![
        row!(
            "format changed",
            |s, _| Box::pin(roots::format_changed(s)),
            &[Open],
            root,
            "has format 7; this program knows format 0"
        ),
        row!(
            "settings changed",
            |s, _| Box::pin(roots::settings_changed(s)),
            &[Open],
            root,
            "not signed by RW"
        ),
        row!(
            "repository.json of another root",
            |s, _| Box::pin(roots::other_root(s)),
            &[Open],
            root,
            ", not by RW"
        ),
        row!(
            "newest trust deleted",
            |s, _| Box::pin(roots::newest_trust_deleted(s)),
            ALL,
            |_| layout::trust(2),
            "which is not there"
        ),
        row!(
            "old trust over the newest",
            |s, _| Box::pin(roots::old_trust_over_new(s)),
            &[Open],
            |_| layout::trust(2),
            "trust/1.json`, not as"
        ),
        row!(
            "whole repository rolled back",
            |s, _| Box::pin(roots::rolled_back(s)),
            &[Memory, Restore],
            |_| "etc/000003".to_owned(),
            "was here when this machine last looked, and is gone|has no snapshot"
        ),
        row!(
            "fork: another run of the same number",
            |s, _| Box::pin(roots::forked(s)),
            &[Memory],
            |_| record("etc", 3),
            "is not the one that this machine has seen here"
        ),
        row!(
            "trust signed by another root",
            |s, _| Box::pin(roots::trust_of_other_root(s)),
            &[Open],
            |_| layout::trust(3),
            "not signed by RW"
        ),
        row!(
            "trust signed by a writer",
            |s, _| Box::pin(roots::trust_by_a_writer(s)),
            &[Open],
            |_| layout::trust(3),
            "not signed by RW"
        ),
    ]
}

fn forgets() -> Vec<Script> {
    let forget = |_: &Stage| layout::forget(1);
    vec![
        row!(
            "forget, not signed",
            |s, _| Box::pin(keeping::forget(s, Signed::No)),
            ALL,
            forget,
            NOT_SIGNED
        ),
        row!(
            "forget by an unknown key",
            |s, _| Box::pin(keeping::forget(s, Signed::Stranger)),
            ALL,
            forget,
            UNKNOWN
        ),
        row!(
            "forget by a mere writer",
            |s, _| Box::pin(keeping::forget(s, Signed::Writer)),
            ALL,
            forget,
            NO_MAINTAINER
        ),
        row!(
            "forgotten record put back",
            |s, _| Box::pin(keeping::put_back(s)),
            &[Check, Restore],
            |_| "etc/000001".to_owned(),
            "was forgotten"
        ),
    ]
}

fn prunes() -> Vec<Script> {
    let plan = |_: &Stage| layout::plan(1);
    let (last, done) = (|_: &Stage| layout::final_(1), |_: &Stage| layout::done(1));
    vec![
        row!(
            "plan, not signed",
            |s, _| Box::pin(keeping::plan(s, Signed::No)),
            PRUNE,
            plan,
            NOT_SIGNED
        ),
        row!(
            "plan by a mere writer",
            |s, _| Box::pin(keeping::plan(s, Signed::Writer)),
            PRUNE,
            plan,
            NO_MAINTAINER
        ),
        row!(
            "final, not signed",
            |s, _| Box::pin(keeping::last(s, Signed::No)),
            PRUNE,
            last,
            NOT_SIGNED
        ),
        row!(
            "final by a mere writer",
            |s, _| Box::pin(keeping::last(s, Signed::Writer)),
            PRUNE,
            last,
            NO_MAINTAINER
        ),
        row!(
            "done, not signed",
            |s, _| Box::pin(keeping::done(s, Signed::No)),
            PRUNE,
            done,
            NOT_SIGNED
        ),
        row!(
            "done by a mere writer",
            |s, _| Box::pin(keeping::done(s, Signed::Writer)),
            PRUNE,
            done,
            NO_MAINTAINER
        ),
    ]
}
