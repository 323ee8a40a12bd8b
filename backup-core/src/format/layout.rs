//! Object keys: the one place that spells and reads the names in a repository; those of trust and
//! its key files are `backup-keys`', whose users need no engine.

pub use backup_keys::names::{KEYS, REPOSITORY, TRUST, canary, key_file, parse_key_file, trust};
use backup_keys::names::{number, parse_canary};
use backup_model::{Digest, JobName, Nonce, Seq};

/// The folder of packs.
pub const PACKS: &str = "packs";
/// The folder of sessions.
pub const SESSIONS: &str = "sessions";
/// The folder of snapshot records.
pub const SNAPSHOTS: &str = "snapshots";
/// The folder of recipes.
pub const RECIPES: &str = "recipes";
/// The folder of refs.
pub const REFS: &str = "refs";
/// The folder of forgets.
pub const FORGET: &str = "forget";
/// The folder of pins.
pub const PINS: &str = "pins";
/// The folder of prunes.
pub const PRUNE: &str = "prune";

/// `packs/<2 hex>/<sha256>.zst.age`
pub fn pack(sha256: &Digest) -> String {
    let name = sha256.to_string();
    let folder: String = name.chars().take(2).collect();
    format!("{PACKS}/{folder}/{name}.zst.age")
}

/// `recipes/<sha256>.zst.age`
pub fn recipe(sha256: &Digest) -> String {
    format!("{RECIPES}/{sha256}.zst.age")
}

/// `refs/<sha256>.zst`
pub fn refs(sha256: &Digest) -> String {
    format!("{REFS}/{sha256}.zst")
}

/// `sessions/<job>/<seq>.json`
pub fn session(job: &JobName, seq: Seq) -> String {
    format!("{SESSIONS}/{job}/{seq}.json")
}

/// `snapshots/<job>/<seq>.json`
pub fn snapshot(job: &JobName, seq: Seq) -> String {
    format!("{SNAPSHOTS}/{job}/{seq}.json")
}

/// `forget/<version>.json`
pub fn forget(version: u64) -> String {
    format!("{FORGET}/{version}.json")
}

/// `pins/<id>.json`
pub fn pin(id: &Nonce) -> String {
    format!("{PINS}/{id}.json")
}

/// `prune/<generation>/plan.json`
pub fn plan(generation: u64) -> String {
    format!("{PRUNE}/{generation}/plan.json")
}

/// `prune/<generation>/final.json`
pub fn final_(generation: u64) -> String {
    format!("{PRUNE}/{generation}/final.json")
}

/// `prune/<generation>/done.json`
pub fn done(generation: u64) -> String {
    format!("{PRUNE}/{generation}/done.json")
}

/// The version in a key that [`trust`] gave.
pub fn parse_trust(key: &str) -> Option<u64> {
    numbered(TRUST, key)
}

/// The version in a key that [`forget`] gave.
pub fn parse_forget(key: &str) -> Option<u64> {
    numbered(FORGET, key)
}

/// `<folder>/<number>.json`, in the one spelling of a number from 1.
fn numbered(folder: &str, key: &str) -> Option<u64> {
    let rest = key.strip_prefix(folder)?.strip_prefix('/')?;
    number(rest.strip_suffix(".json")?)
}

/// The generation in a key that [`plan`], [`final_`] or [`done`] gave.
pub fn parse_prune(key: &str) -> Option<u64> {
    let rest = key.strip_prefix(PRUNE)?.strip_prefix('/')?;
    let (generation, file) = rest.split_once('/')?;
    let generation = number(generation)?;
    ["plan.json", "final.json", "done.json"]
        .contains(&file)
        .then_some(generation)
}

/// The id in a key that [`pin`] gave.
pub fn parse_pin(key: &str) -> Option<Nonce> {
    let rest = key.strip_prefix(PINS)?.strip_prefix('/')?;
    rest.strip_suffix(".json")?.parse().ok()
}

/// The digest in a key that [`recipe`] gave.
pub fn parse_recipe(key: &str) -> Option<Digest> {
    let rest = key.strip_prefix(RECIPES)?.strip_prefix('/')?;
    rest.strip_suffix(".zst.age")?.parse().ok()
}

/// The digest in a key that [`refs`] gave.
pub fn parse_refs(key: &str) -> Option<Digest> {
    let rest = key.strip_prefix(REFS)?.strip_prefix('/')?;
    rest.strip_suffix(".zst")?.parse().ok()
}

/// Whether a key is one of ours in its spelling. What is not is foreign, and left alone.
pub fn is_ours(key: &str) -> bool {
    key == REPOSITORY
        || parse_trust(key).is_some()
        || parse_canary(key).is_some()
        || parse_key_file(key).is_some()
        || parse_pack(key).is_some()
        || parse_recipe(key).is_some()
        || parse_refs(key).is_some()
        || parse_run(SESSIONS, key).is_some()
        || parse_run(SNAPSHOTS, key).is_some()
        || parse_forget(key).is_some()
        || parse_pin(key).is_some()
        || parse_prune(key).is_some()
}

/// Whether a key is of a probe: no part of a repository.
pub fn is_probe(key: &str) -> bool {
    key.starts_with("probe/")
}

/// The digest in a key that [`pack`] gave.
pub fn parse_pack(key: &str) -> Option<Digest> {
    let name = key.rsplit('/').next()?.strip_suffix(".zst.age")?;
    let digest = name.parse().ok()?;
    (pack(&digest) == key).then_some(digest)
}

/// Job and number in a key below `folder` that [`session`] or [`snapshot`] gave.
pub fn parse_run(folder: &str, key: &str) -> Option<(JobName, Seq)> {
    let rest = key.strip_prefix(folder)?.strip_prefix('/')?;
    let (job, seq) = rest.strip_suffix(".json")?.split_once('/')?;
    Some((job.parse().ok()?, seq.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_spelled_and_not_otherwise() {
        let digest = Digest([0xa5; 32]);
        assert_eq!(parse_pack(&pack(&digest)), Some(digest));
        let misplaced = pack(&digest).replacen("/a5/", "/a6/", 1);
        assert_eq!(parse_pack(&misplaced), None);
        let job: JobName = "webui".parse().unwrap();
        let key = snapshot(&job, Seq(41));
        assert_eq!(key, "snapshots/webui/000041.json");
        assert_eq!(parse_run(SNAPSHOTS, &key), Some((job, Seq(41))));
        assert_eq!(parse_run(SNAPSHOTS, "snapshots/webui/41.json"), None);
        assert_eq!(parse_run(SNAPSHOTS, "snapshots/webui/000041.json#1"), None);
        assert_eq!(parse_trust("trust/12.json"), Some(12));
        assert_eq!(parse_trust("trust/012.json"), None);
        assert_eq!(parse_trust("trust/0.json"), None);
        assert_eq!(parse_forget(&forget(7)), Some(7));
        for key in [plan(3), final_(3), done(3)] {
            assert_eq!(parse_prune(&key), Some(3));
        }
        assert_eq!(parse_prune("prune/3/other.json"), None);
        assert_eq!(parse_prune("prune/03/plan.json"), None);
        let id = Nonce([0xa5; 16]);
        assert_eq!(parse_pin(&pin(&id)), Some(id));
        assert_eq!(parse_recipe(&recipe(&digest)), Some(digest));
        assert_eq!(parse_refs(&refs(&digest)), Some(digest));
    }

    #[test]
    fn ours_is_what_this_module_spells() {
        let digest = Digest([0xa5; 32]);
        let job: JobName = "webui".parse().unwrap();
        for ours in [
            REPOSITORY.to_owned(),
            trust(1),
            key_file(1, &job, 2),
            canary(1),
            pack(&digest),
            recipe(&digest),
            refs(&digest),
            session(&job, Seq(1)),
            snapshot(&job, Seq(1)),
            forget(1),
            pin(&Nonce([1; 16])),
            plan(1),
            final_(1),
            done(1),
        ] {
            assert!(is_ours(&ours), "{ours}");
            assert!(!is_ours(&format!("{ours}#1")), "{ours}#1");
            assert!(!is_ours(&format!("x/{ours}")), "x/{ours}");
        }
        for foreign in [
            "keys/1/x.age",
            "keys/x/admin-1.age",
            "lost+found",
            "packs/x",
        ] {
            assert!(!is_ours(foreign), "{foreign}");
        }
    }
}
