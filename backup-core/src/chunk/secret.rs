//! The dedup secret and what is derived from it: gear table, chunk ids, the index's checksum key.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretBox};

/// A secret of one writer and epoch, 32 random bytes.
pub struct DedupSecret(SecretBox<[u8; 32]>);

impl fmt::Debug for DedupSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DedupSecret")
    }
}

/// The id of a chunk: 16 bytes of a keyed BLAKE3 hash. Two chunks of one host that differ have
/// one id with a chance of 2^-64 after 2^32 chunks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChunkId(pub [u8; 16]);

impl fmt::Debug for ChunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChunkId")
    }
}

impl DedupSecret {
    /// A secret from its bytes.
    pub fn new(bytes: Box<[u8; 32]>) -> Self {
        Self(SecretBox::new(bytes))
    }

    /// A key for one purpose; the context keeps purposes apart.
    fn derive(&self, context: &str) -> [u8; 32] {
        blake3::derive_key(context, self.0.expose_secret())
    }

    /// The key of chunk ids.
    pub fn id_key(&self) -> [u8; 32] {
        self.derive("backupd 2026 chunk id")
    }

    /// The key of the local index's checksum.
    pub fn index_key(&self) -> [u8; 32] {
        self.derive("backupd 2026 local index")
    }

    /// All 256 entries of the gear table.
    pub fn gear_table(&self) -> GearTable {
        let mut bytes = [0; 256 * 8];
        blake3::Hasher::new_derive_key("backupd 2026 gear table")
            .update(self.0.expose_secret())
            .finalize_xof()
            .fill(&mut bytes);
        let mut table = [0; 256];
        let (entries, _) = bytes.as_chunks::<8>();
        for (to, from) in table.iter_mut().zip(entries) {
            *to = u64::from_le_bytes(*from);
        }
        GearTable(table)
    }
}

impl ChunkId {
    /// The id of a chunk under a key from [`DedupSecret::id_key`].
    pub fn of(key: &[u8; 32], chunk: &[u8]) -> Self {
        let hash = blake3::keyed_hash(key, chunk);
        let (head, _) = hash.as_bytes().as_chunks::<16>();
        Self(head.first().copied().unwrap_or_default())
    }
}

/// A random number for each byte value, from which boundaries follow.
#[derive(Clone)]
pub struct GearTable(pub(super) [u64; 256]);

impl GearTable {
    /// The hash after one more byte: `h = (h << 1) + gear[byte]`.
    #[inline]
    pub(super) fn roll(&self, hash: u64, byte: u8) -> u64 {
        let gear = self.0.get(usize::from(byte)).copied();
        (hash << 1).wrapping_add(gear.unwrap_or_default())
    }

    /// The hash after two more bytes.
    #[inline]
    pub(super) fn roll_two(&self, hash: u64, first: u8, second: u8) -> u64 {
        // What the two add does not depend on the hash.
        let added = self.roll(self.roll(0, first), second);
        (hash << 2).wrapping_add(added)
    }
}

impl fmt::Debug for GearTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GearTable")
    }
}
