//! The probe: does this store keep a second writer from creating an object that is there?
//!
//! Stores that speak S3 may ignore `If-None-Match: *` and answer 200. What a probe leaves behind
//! is below `probe/`, which is no part of a repository: objects of a few bytes, deleted where
//! that is allowed, and one of a fixed name that stays, so that asking again costs one request.

use bytes::Bytes;
use futures::future::join_all;
use jiff::Timestamp;

use super::{Store, StoreError};

/// Where probes put their objects.
const FOLDER: &str = "probe/";
/// The object that stays.
const STANDING: &str = "probe/create";
/// How many create the same object at once.
const RACERS: u8 = 8;
/// How often. A store that looks first and writes later may get one race right by luck.
const RACES: usize = 3;

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Whether creating an object that is there was refused.
    pub honoured: bool,
    /// How many of eight that created the same object at once were told that they did it: the
    /// worst of several races. Without answers that got lost it is 1 on a store that can be
    /// trusted.
    pub winners: usize,
}

impl Probe {
    /// Whether several writers may use the store.
    pub fn is_good(self) -> bool {
        self.honoured && self.winners <= 1
    }
}

pub(super) fn is_probe(key: &str) -> bool {
    key.starts_with(FOLDER)
}

/// Asks the store in full: once after another, and several at once.
pub async fn probe(store: &Store) -> Result<Probe, StoreError> {
    let honoured = is_create_refused(store).await?;
    let mut winners = 0;
    for _ in 0..RACES {
        winners = winners.max(race(store).await?);
    }
    Ok(Probe { honoured, winners })
}

/// Asks the store whether it refuses to create what is there: one request where it does.
pub async fn is_create_refused(store: &Store) -> Result<bool, StoreError> {
    // The first may find the object of an earlier probe; the second surely finds one.
    for _ in 0..2 {
        if !created(store, STANDING, 0).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The time by the store's clock: that of an object written just now.
pub async fn store_time(store: &Store) -> Result<Timestamp, StoreError> {
    let key = fresh_key()?;
    match store.create(&key, Bytes::from_static(b"?")).await {
        Err(error) if !error.is_already_exists() => return Err(error),
        // Nobody else has this key: it is ours, and an answer got lost.
        Ok(()) | Err(_) => {}
    }
    let time = store.modified(&key).await;
    drop(store.delete(&key).await);
    time?.ok_or_else(|| StoreError::vanished(&key))
}

fn fresh_key() -> Result<String, StoreError> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(|_| StoreError::random())?;
    Ok(format!(
        "{FOLDER}{}",
        data_encoding::HEXLOWER.encode(&nonce)
    ))
}

async fn race(store: &Store) -> Result<usize, StoreError> {
    let key = fresh_key()?;
    let outcomes = join_all((0..RACERS).map(|racer| created(store, &key, racer))).await;
    // Not everybody may delete, and nobody has to: what stays is small and means nothing.
    drop(store.delete(&key).await);
    let mut winners = 0;
    for outcome in outcomes {
        winners += usize::from(outcome?);
    }
    Ok(winners)
}

/// Whether the store says that this put created the object.
async fn created(store: &Store, key: &str, racer: u8) -> Result<bool, StoreError> {
    let bytes = Bytes::from(vec![racer]);
    match store.create(key, bytes).await {
        Ok(()) => Ok(true),
        Err(error) if error.is_already_exists() => Ok(false),
        Err(error) => Err(error),
    }
}
