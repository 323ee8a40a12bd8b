//! The local index: from chunk id to where the chunk is stored. A cache, never the truth.
//!
//! It is tied to repository, epoch, job and the record that it was written after, and carries a
//! keyed checksum over all of itself. Whatever does not fit exactly is thrown away whole; the
//! next backup is then full, and right.

use std::{collections::HashMap, sync::Arc};

use backup_model::Digest;

use super::chunks::{IndexHead, PackInfo, Place};
use crate::chunk::{ChunkId, DedupSecret};

const MAGIC: &[u8; 8] = b"bkindex0";
const PACK_LEN: usize = 32 + 8 + 32 + 8;
const ENTRY_LEN: usize = 16 + 4 + 4 + 4;
const MAC_LEN: usize = 32;

/// An index in memory.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// The packs.
    pub packs: Vec<Arc<PackInfo>>,
    /// The chunks.
    pub chunks: HashMap<ChunkId, Place>,
}

impl Index {
    /// Writes it for its head.
    pub fn to_bytes(&self, head: &IndexHead, secret: &DedupSecret) -> Vec<u8> {
        let mut out = head_bytes(head);
        let mut chunks: Vec<_> = self.chunks.iter().collect();
        chunks.sort_unstable_by_key(|(id, _)| **id);
        out.extend_from_slice(&(self.packs.len() as u64).to_le_bytes());
        out.extend_from_slice(&(chunks.len() as u64).to_le_bytes());
        for pack in &self.packs {
            out.extend_from_slice(&pack.sha256.0);
            out.extend_from_slice(&pack.size.to_le_bytes());
            out.extend_from_slice(&pack.head.0);
            out.extend_from_slice(&pack.plain.to_le_bytes());
        }
        for (id, place) in chunks {
            out.extend_from_slice(&id.0);
            out.extend_from_slice(&place.pack.to_le_bytes());
            out.extend_from_slice(&place.offset.to_le_bytes());
            out.extend_from_slice(&place.length.to_le_bytes());
        }
        let mac = blake3::keyed_hash(&secret.index_key(), &out);
        out.extend_from_slice(mac.as_bytes());
        out
    }

    /// Reads it back; `None` unless every byte is as it was written for just this head.
    pub fn from_bytes(bytes: &[u8], head: &IndexHead, secret: &DedupSecret) -> Option<Self> {
        let (content, mac) = bytes.split_last_chunk::<MAC_LEN>()?;
        // `blake3::Hash` compares in constant time.
        if blake3::keyed_hash(&secret.index_key(), content) != *mac {
            return None;
        }
        let rest = content.strip_prefix(&head_bytes(head)[..])?;
        let (packs, rest) = rest.split_first_chunk::<8>()?;
        let (chunks, rest) = rest.split_first_chunk::<8>()?;
        let packs = usize::try_from(u64::from_le_bytes(*packs)).ok()?;
        let chunks = usize::try_from(u64::from_le_bytes(*chunks)).ok()?;
        let (packs, rest) = rest.split_at_checked(packs.checked_mul(PACK_LEN)?)?;
        if rest.len() != chunks.checked_mul(ENTRY_LEN)? {
            return None;
        }
        Some(Self {
            packs: packs
                .as_chunks::<PACK_LEN>()
                .0
                .iter()
                .map(|pack| read_pack(pack).map(Arc::new))
                .collect::<Option<_>>()?,
            chunks: rest
                .as_chunks::<ENTRY_LEN>()
                .0
                .iter()
                .map(read_entry)
                .collect::<Option<_>>()?,
        })
    }

    /// Forgets the chunks of all packs that `keep` does not confirm.
    pub fn retain_packs(&mut self, mut keep: impl FnMut(&PackInfo) -> bool) {
        let kept: Vec<bool> = self.packs.iter().map(|pack| keep(pack)).collect();
        self.chunks
            .retain(|_, place| kept.get(place.pack as usize).copied().unwrap_or(false));
    }
}

fn head_bytes(head: &IndexHead) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&head.repository.0);
    out.extend_from_slice(&head.epoch.to_le_bytes());
    out.extend_from_slice(&head.record.0);
    out.extend_from_slice(&(head.job.as_str().len() as u64).to_le_bytes());
    out.extend_from_slice(head.job.as_str().as_bytes());
    out
}

fn read_pack(bytes: &[u8; PACK_LEN]) -> Option<PackInfo> {
    let (sha256, rest) = bytes.split_first_chunk::<32>()?;
    let (size, rest) = rest.split_first_chunk::<8>()?;
    let (head, rest) = rest.split_first_chunk::<32>()?;
    let (plain, _) = rest.split_first_chunk::<8>()?;
    Some(PackInfo {
        sha256: Digest(*sha256),
        size: u64::from_le_bytes(*size),
        head: Digest(*head),
        plain: u64::from_le_bytes(*plain),
    })
}

fn read_entry(bytes: &[u8; ENTRY_LEN]) -> Option<(ChunkId, Place)> {
    let (id, rest) = bytes.split_first_chunk::<16>()?;
    let (pack, rest) = rest.split_first_chunk::<4>()?;
    let (offset, rest) = rest.split_first_chunk::<4>()?;
    let (length, _) = rest.split_first_chunk::<4>()?;
    Some((
        ChunkId(*id),
        Place {
            pack: u32::from_le_bytes(*pack),
            offset: u32::from_le_bytes(*offset),
            length: u32::from_le_bytes(*length),
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use backup_model::RepositoryId;

    #[test]
    fn only_the_index_of_this_head_secret_and_bytes_is_read() {
        let secret = DedupSecret::new(Box::new([1; 32]));
        let head = IndexHead {
            repository: RepositoryId([2; 16]),
            epoch: 1,
            job: "webui".parse().unwrap(),
            record: Digest([3; 32]),
        };
        let mut index = Index::default();
        index.packs.push(Arc::new(PackInfo {
            sha256: Digest([4; 32]),
            size: 5,
            head: Digest([6; 32]),
            plain: 7,
        }));
        let place = Place {
            pack: 0,
            offset: 1,
            length: 2,
        };
        index.chunks.insert(ChunkId([8; 16]), place);
        let bytes = index.to_bytes(&head, &secret);
        let read = Index::from_bytes(&bytes, &head, &secret).unwrap();
        assert_eq!((read.packs, read.chunks), (index.packs, index.chunks));
        let other_secret = DedupSecret::new(Box::new([9; 32]));
        assert!(Index::from_bytes(&bytes, &head, &other_secret).is_none());
        let other_heads = [
            IndexHead {
                epoch: 2,
                ..head.clone()
            },
            IndexHead {
                record: Digest([0; 32]),
                ..head.clone()
            },
            IndexHead {
                job: "other".parse().unwrap(),
                ..head.clone()
            },
            IndexHead {
                repository: RepositoryId([0; 16]),
                ..head.clone()
            },
        ];
        for other in other_heads {
            assert!(Index::from_bytes(&bytes, &other, &secret).is_none());
        }
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            assert!(
                Index::from_bytes(&bad, &head, &secret).is_none(),
                "byte {at}"
            );
            assert!(Index::from_bytes(&bytes[..at], &head, &secret).is_none());
        }
    }
}
