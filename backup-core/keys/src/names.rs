//! The names of the objects that trust is made of: the one place that spells and reads them.

use backup_model::JobName;

/// The first object of a repository.
pub const REPOSITORY: &str = "repository.json";
/// The folder of trust records.
pub const TRUST: &str = "trust";
/// The folder of key files.
pub const KEYS: &str = "keys";

/// `trust/<version>.json`
pub fn trust(version: u64) -> String {
    format!("{TRUST}/{version}.json")
}

/// `keys/<epoch>/<administrator>-<number>.age`
pub fn key_file(epoch: u64, administrator: &JobName, number: u64) -> String {
    format!("{KEYS}/{epoch}/{administrator}-{number}.age")
}

/// `keys/<epoch>/canary.age`
pub fn canary(epoch: u64) -> String {
    format!("{KEYS}/{epoch}/canary.age")
}

/// Epoch, administrator and number in a name that [`key_file`] gave.
pub fn parse_key_file(key: &str) -> Option<(u64, JobName, u64)> {
    let rest = key.strip_prefix(KEYS)?.strip_prefix('/')?;
    let (epoch, file) = rest.split_once('/')?;
    let (name, count) = file.strip_suffix(".age")?.rsplit_once('-')?;
    Some((number(epoch)?, name.parse().ok()?, number(count)?))
}

/// The epoch in a name that [`canary`] gave.
pub fn parse_canary(key: &str) -> Option<u64> {
    let epoch = key.strip_prefix(KEYS)?.strip_prefix('/')?;
    number(epoch.strip_suffix("/canary.age")?)
}

/// The number, from 1, that a part of a name is in its one spelling.
pub fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    // Beyond, JSON's numbers are not exact; and nobody counts that far.
    ((1..1 << 53).contains(&number) && number.to_string() == text).then_some(number)
}
