//! A stored chunk and a stored pack, in memory and as fixed-size bytes.

use backup_model::Digest;

use crate::chunk::ChunkId;

/// The position of a chunk that the previous run did not have.
pub const NO_POSITION: u32 = u32::MAX;

/// A stored pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackInfo {
    /// Its digest.
    pub sha256: Digest,
    /// Its stored size.
    pub size: u64,
    /// The digest of its head.
    pub head: Digest,
    /// Its decompressed size.
    pub plain: u64,
}

/// Where a chunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The pack, as a number in the index.
    pub pack: u32,
    /// Where it begins in the decompressed pack.
    pub offset: u32,
    /// Its length.
    pub length: u32,
}

/// A stored chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: ChunkId,
    /// Where it is.
    pub place: Place,
    /// Where the previous run met it first, counted over all of its streams; else
    /// [`NO_POSITION`].
    pub position: u32,
}

impl Record {
    /// The length of its bytes.
    pub(super) const LEN: usize = 32;

    pub(super) fn to_bytes(self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        let (id, numbers) = out.split_at_mut(16);
        id.copy_from_slice(&self.id.0);
        let Place {
            pack,
            offset,
            length,
        } = self.place;
        let (words, _) = numbers.as_chunks_mut::<4>();
        for (to, from) in words.iter_mut().zip([pack, offset, length, self.position]) {
            *to = from.to_le_bytes();
        }
        out
    }

    pub(super) fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let mut fields = Fields(bytes);
        Self {
            id: ChunkId(fields.take()),
            place: Place {
                pack: fields.u32(),
                offset: fields.u32(),
                length: fields.u32(),
            },
            position: fields.u32(),
        }
    }
}

impl PackInfo {
    /// The length of its bytes.
    pub(super) const LEN: usize = 32 + 8 + 32 + 8;

    pub(super) fn to_bytes(self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        let parts = [
            &self.sha256.0[..],
            &self.size.to_le_bytes(),
            &self.head.0,
            &self.plain.to_le_bytes(),
        ];
        let mut rest = &mut out[..];
        for part in parts {
            let (to, behind) = rest.split_at_mut(part.len());
            to.copy_from_slice(part);
            rest = behind;
        }
        out
    }

    pub(super) fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let mut fields = Fields(bytes);
        Self {
            sha256: Digest(fields.take()),
            size: fields.u64(),
            head: Digest(fields.take()),
            plain: fields.u64(),
        }
    }
}

/// Fields taken one after the other from bytes whose tag has been checked. What is behind the end
/// reads as zeros, which only bytes that this program never wrote can have.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl Fields<'_> {
    pub(super) fn take<const N: usize>(&mut self) -> [u8; N] {
        let Some((field, rest)) = self.0.split_first_chunk::<N>() else {
            self.0 = &[];
            return [0; N];
        };
        self.0 = rest;
        *field
    }

    pub(super) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    pub(super) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }
}
