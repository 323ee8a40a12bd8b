//! Object keys: the one place that spells and reads the names in a repository.

use backup_model::{Digest, JobName, Seq};

/// The first object of a repository.
pub const REPOSITORY: &str = "repository.json";
/// The folder of trust records.
pub const TRUST: &str = "trust";
/// The folder of packs.
pub const PACKS: &str = "packs";
/// The folder of sessions.
pub const SESSIONS: &str = "sessions";
/// The folder of snapshot records.
pub const SNAPSHOTS: &str = "snapshots";
/// Folders that only newer programs write; while they hold anything, this one must not write.
pub const NEWER: [&str; 2] = ["forget", "prune"];

/// `trust/<version>.json`
pub fn trust(version: u64) -> String {
    format!("{TRUST}/{version}.json")
}

/// `keys/<epoch>/<administrator>-<number>.age`
pub fn key_file(epoch: u64, administrator: &JobName, number: u64) -> String {
    format!("keys/{epoch}/{administrator}-{number}.age")
}

/// `keys/<epoch>/canary.age`
pub fn canary(epoch: u64) -> String {
    format!("keys/{epoch}/canary.age")
}

/// `packs/<2 hex>/<sha256>.zst.age`
pub fn pack(sha256: &Digest) -> String {
    let name = sha256.to_string();
    let folder: String = name.chars().take(2).collect();
    format!("{PACKS}/{folder}/{name}.zst.age")
}

/// `recipes/<sha256>.zst.age`
pub fn recipe(sha256: &Digest) -> String {
    format!("recipes/{sha256}.zst.age")
}

/// `refs/<sha256>.zst`
pub fn refs(sha256: &Digest) -> String {
    format!("refs/{sha256}.zst")
}

/// `sessions/<job>/<seq>.json`
pub fn session(job: &JobName, seq: Seq) -> String {
    format!("{SESSIONS}/{job}/{seq}.json")
}

/// `snapshots/<job>/<seq>.json`
pub fn snapshot(job: &JobName, seq: Seq) -> String {
    format!("{SNAPSHOTS}/{job}/{seq}.json")
}

/// The version in a key that [`trust`] gave.
pub fn parse_trust(key: &str) -> Option<u64> {
    let version = key
        .strip_prefix("trust/")?
        .strip_suffix(".json")?
        .parse()
        .ok()?;
    (trust(version) == key).then_some(version)
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
    }
}
