//! Reading streams back: fetch packs, check them against the recipe, open, decompress.
//!
//! A pack is checked by size and SHA-256 before anything of it is decrypted, and every byte is
//! authenticated by age before zstd sees it. The packs used last and a few of their blocks are
//! kept, so that memory stays flat however often extents jump.

use std::{
    collections::VecDeque,
    io::{self, Read},
    sync::Arc,
};

use backup_keys::Identity;
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::{
    codec::{BlockPlace, decompress_block, read_seek_table},
    crypt,
    format::{Extent, ObjectRef, PackLine, layout},
    repo::{RepoError, check_object},
    store::{Store, StoreError},
};

const KEPT_PACKS: usize = 2;
const KEPT_BLOCKS: usize = 8;

type Fetched = Result<Option<Bytes>, StoreError>;

/// Asks the store for objects on behalf of threads that may block.
#[derive(Clone, Debug)]
pub struct Fetcher(mpsc::Sender<(String, oneshot::Sender<Fetched>)>);

impl Fetcher {
    /// Must be called on a tokio runtime; its task ends with the last clone.
    pub fn spawn(store: Store) -> Self {
        let (sender, mut requests) = mpsc::channel::<(String, oneshot::Sender<Fetched>)>(1);
        tokio::spawn(async move {
            while let Some((key, answer)) = requests.recv().await {
                // A dropped receiver means that nobody waits any more.
                drop(answer.send(store.find(&key).await));
            }
        });
        Self(sender)
    }

    fn fetch(&self, key: &str) -> Result<Bytes, RepoError> {
        let missing = || RepoError::ObjectMissing(key.to_owned());
        let (answer, fetched) = oneshot::channel();
        self.0
            .blocking_send((key.to_owned(), answer))
            .map_err(|_| missing())?;
        fetched
            .blocking_recv()
            .map_err(|_| missing())??
            .ok_or_else(missing)
    }
}

/// An opened pack: its blocks still compressed.
#[derive(Debug)]
struct Pack {
    number: u64,
    key: String,
    plain: Vec<u8>,
    blocks: Vec<BlockPlace>,
}

/// A decompressed block and where it is.
type Block = ((u64, u64), Arc<Vec<u8>>);

/// Opens packs of one snapshot.
#[derive(Debug)]
pub struct PackReader {
    fetcher: Fetcher,
    identity: Identity,
    lines: Arc<Vec<PackLine>>,
    packs: VecDeque<Arc<Pack>>,
    blocks: VecDeque<Block>,
}

impl PackReader {
    /// Reads packs with the identity of their epoch.
    pub fn new(fetcher: Fetcher, identity: Identity, lines: Arc<Vec<PackLine>>) -> Self {
        Self {
            fetcher,
            identity,
            lines,
            packs: VecDeque::new(),
            blocks: VecDeque::new(),
        }
    }

    /// The decompressed block that holds `offset` of a pack, and where the block begins.
    fn block(&mut self, number: u64, offset: u64) -> Result<(u64, Arc<Vec<u8>>), RepoError> {
        let pack = self.pack(number)?;
        let after = pack.blocks.partition_point(|b| b.plain_start <= offset);
        let place = after
            .checked_sub(1)
            .and_then(|index| pack.blocks.get(index))
            .ok_or_else(|| RepoError::rule(&pack.key, "it does not hold what the recipe says"))?;
        let id = (number, place.plain_start);
        if let Some((_, block)) = self.blocks.iter().find(|(kept, _)| *kept == id) {
            return Ok((place.plain_start, Arc::clone(block)));
        }
        let frame = pack.plain.get(place.start..place.start + place.len);
        let block = decompress_block(frame.unwrap_or_default(), place.plain_len)
            .map(Arc::new)
            .map_err(|source| RepoError::Decompress {
                key: pack.key.clone(),
                source,
            })?;
        self.blocks.truncate(KEPT_BLOCKS - 1);
        self.blocks.push_front((id, Arc::clone(&block)));
        Ok((place.plain_start, block))
    }

    fn pack(&mut self, number: u64) -> Result<Arc<Pack>, RepoError> {
        if let Some(at) = self.packs.iter().position(|pack| pack.number == number) {
            let pack = self.packs.remove(at).expect("it was just found there");
            self.packs.push_front(Arc::clone(&pack));
            return Ok(pack);
        }
        let lines = Arc::clone(&self.lines);
        let line = usize::try_from(number)
            .ok()
            .and_then(|index| lines.get(index))
            .ok_or_else(|| RepoError::rule("recipe", "an extent names no pack"))?;
        // Make room first: the new pack needs it.
        self.packs.truncate(KEPT_PACKS - 1);
        let pack = Arc::new(self.open(number, line)?);
        self.packs.push_front(Arc::clone(&pack));
        Ok(pack)
    }

    fn open(&self, number: u64, line: &PackLine) -> Result<Pack, RepoError> {
        let key = layout::pack(&line.sha256);
        let bytes = self.fetcher.fetch(&key)?;
        let expected = ObjectRef {
            sha256: line.sha256,
            size: line.size,
        };
        check_object(&key, &bytes, expected)?;
        let decrypt = |source| RepoError::Decrypt {
            key: key.clone(),
            source,
        };
        if crypt::head_digest(&bytes).map_err(decrypt)? != line.head {
            return Err(RepoError::rule(
                &key,
                "its head is not the one in the recipe",
            ));
        }
        let plain = crypt::open(&bytes, self.identity.as_age()).map_err(decrypt)?;
        let blocks =
            read_seek_table(&plain, line.plain).map_err(|source| RepoError::Decompress {
                key: key.clone(),
                source,
            })?;
        Ok(Pack {
            number,
            key,
            plain,
            blocks,
        })
    }
}

/// A stream's bytes, extent by extent. Errors carry a [`RepoError`].
#[derive(Debug)]
pub struct StreamReader<'a> {
    packs: &'a mut PackReader,
    extents: std::vec::IntoIter<Extent>,
    current: Option<Extent>,
}

impl<'a> StreamReader<'a> {
    /// Reads the stream of these extents.
    pub fn new(packs: &'a mut PackReader, extents: Vec<Extent>) -> Self {
        Self {
            packs,
            extents: extents.into_iter(),
            current: None,
        }
    }
}

impl Read for StreamReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(extent) = self.current.take().or_else(|| self.extents.next()) else {
            return Ok(0);
        };
        let (start, block) = self
            .packs
            .block(extent.pack, extent.offset)
            .map_err(io::Error::other)?;
        let from = usize::try_from(extent.offset - start).unwrap_or(usize::MAX);
        let wanted = usize::try_from(extent.length).unwrap_or(usize::MAX);
        let available = block.get(from..).unwrap_or_default();
        let taken = available.len().min(wanted).min(buffer.len());
        if taken == 0 && !buffer.is_empty() {
            let error = RepoError::rule("recipe", "an extent reaches beyond its pack");
            return Err(io::Error::other(error));
        }
        buffer[..taken].copy_from_slice(&available[..taken]);
        let rest = extent.length - taken as u64;
        if rest > 0 {
            self.current = Some(Extent {
                pack: extent.pack,
                offset: extent.offset + taken as u64,
                length: rest,
            });
        }
        Ok(taken)
    }
}
