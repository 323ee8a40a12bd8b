//! The journal of a run: which packs the store has acknowledged and what is in them, so that a
//! first backup that was interrupted goes on where it was.
//!
//! ```text
//! header   magic 8 · repository 16 · epoch 8 · seq 8 · nonce of the session 16
//!          · job: length 1, text · tag 32
//! frame    length of the content 4 · content · tag 32
//! content  pack 80, as in the index · per chunk: id 16 · offset 4 · length 4
//! ```
//!
//! A tag is keyed BLAKE3 over number of the frame (the header is 0), the tag before and the
//! content. So what is cut or changed ends the journal there, and everything before counts. The
//! key comes from the host's dedup secret: whoever could forge a journal has that secret already.

use std::{
    fs::File,
    io::{self, BufReader, Read, Write as _},
    path::Path,
};

use backup_model::{JobName, Nonce, RepositoryId, Seq};

use super::{
    fault::{DamagedPage, IndexFault},
    next::replace,
    record::{Fields, PackInfo},
};
use crate::chunk::{ChunkId, DedupSecret};

const MAGIC: &[u8; 8] = b"bkjournl";
const PART_LEN: usize = 16 + 4 + 4;
const TAG_LEN: usize = 32;
/// More than the chunks of a pack ever take; bounds the memory of a reader.
const MAX_CONTENT: usize = 64 << 20;

/// What a journal belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalHead {
    /// The repository.
    pub repository: RepositoryId,
    /// The epoch of all packs in it.
    pub epoch: u64,
    /// The job.
    pub job: JobName,
    /// The number of the run.
    pub seq: Seq,
    /// The nonce of its session.
    pub nonce: Nonce,
}

/// A chunk in a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its id.
    pub id: ChunkId,
    /// Where it begins in the decompressed pack.
    pub offset: u32,
    /// Its length.
    pub length: u32,
}

/// A pack that the store has, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The pack.
    pub pack: PackInfo,
    /// Its chunks.
    pub parts: Vec<Part>,
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    file: File,
    chain: Chain,
}

impl Journal {
    /// Puts a new journal in the place of the one at `path`, with what is to be taken over from
    /// it. Whatever fails or crashes, there is the old one or the new one.
    pub fn create(
        path: &Path,
        head: &JournalHead,
        secret: &DedupSecret,
        earlier: impl IntoIterator<Item = Frame>,
    ) -> io::Result<Self> {
        let mut chain = Chain::new(secret);
        let mut content = head.to_bytes();
        let tag = chain.next(&content);
        content.extend_from_slice(&tag);
        let file = replace(path, |mut file| {
            file.write_all(&content)?;
            for frame in earlier {
                file.write_all(&chain.seal(&frame.pack, &frame.parts)?)?;
            }
            file.try_clone()
        })?;
        Ok(Self { file, chain })
    }

    /// Adds a pack that the store has acknowledged, and returns when that is durable. After an
    /// error the journal ends before it.
    pub fn append(&mut self, pack: &PackInfo, parts: &[Part]) -> io::Result<()> {
        let frame = self.chain.seal(pack, parts)?;
        self.file.write_all(&frame)?;
        self.file.sync_data()
    }

    /// Opens the journal at `path` if it is of this repository, epoch and job.
    pub fn read(
        path: &Path,
        secret: &DedupSecret,
        repository: RepositoryId,
        epoch: u64,
        job: &JobName,
    ) -> Result<JournalReader, IndexFault> {
        let file = File::open(path).map_err(IndexFault::of)?;
        let mut file = BufReader::with_capacity(64 << 10, file);
        let mut chain = Chain::new(secret);
        let head = JournalHead::read(&mut file, &mut chain)?;
        if head.repository != repository {
            return Err(IndexFault::OtherRepository);
        }
        if head.epoch != epoch {
            return Err(IndexFault::OtherEpoch);
        }
        if head.job != *job {
            return Err(IndexFault::OtherJob);
        }
        Ok(JournalReader { file, chain, head })
    }
}

/// Yields what a journal holds, frame by frame, up to the first that is not whole.
#[derive(Debug)]
pub struct JournalReader {
    file: BufReader<File>,
    chain: Chain,
    head: JournalHead,
}

impl JournalReader {
    /// What it belongs to.
    pub fn head(&self) -> &JournalHead {
        &self.head
    }

    /// `None` for whatever is no frame: what an interrupted run left half written.
    fn frame(&mut self) -> Option<Frame> {
        let len = usize::try_from(u32::from_le_bytes(read_array(&mut self.file)?)).ok()?;
        let content_len = (PackInfo::LEN..=MAX_CONTENT)
            .contains(&len)
            .then_some(len)?;
        let mut content = Vec::new();
        // Grows with what there is, not with what the length says.
        (&mut self.file)
            .take(content_len as u64)
            .read_to_end(&mut content)
            .ok()?;
        let tag = read_array(&mut self.file)?;
        if content.len() != content_len || !same(&self.chain.next(&content), &tag) {
            return None;
        }
        let (pack, parts) = content.split_first_chunk()?;
        let (parts, rest) = parts.as_chunks::<PART_LEN>();
        rest.is_empty().then(|| Frame {
            pack: PackInfo::from_bytes(pack),
            parts: parts.iter().map(Part::from_bytes).collect(),
        })
    }
}

impl Iterator for JournalReader {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        let frame = self.frame();
        if frame.is_none() {
            // Nothing behind a broken frame counts.
            self.chain.end();
        }
        frame
    }
}

impl JournalHead {
    fn to_bytes(&self) -> Vec<u8> {
        let job = self.job.as_str().as_bytes();
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&self.repository.0);
        out.extend_from_slice(&self.epoch.to_le_bytes());
        out.extend_from_slice(&self.seq.0.to_le_bytes());
        out.extend_from_slice(&self.nonce.0);
        out.extend(u8::try_from(job.len()));
        out.extend_from_slice(job);
        out
    }

    fn read(file: &mut impl Read, chain: &mut Chain) -> Result<Self, IndexFault> {
        let cut = || IndexFault::Damaged(DamagedPage(0));
        let fixed: [u8; 57] = read_array(file).ok_or_else(cut)?;
        let mut fields = Fields(&fixed);
        if fields.take() != *MAGIC {
            return Err(IndexFault::OtherVersion);
        }
        let repository = RepositoryId(fields.take());
        let epoch = fields.u64();
        let seq = Seq(fields.u64());
        let nonce = Nonce(fields.take());
        let [job_len] = fields.take();
        let mut job = vec![0; usize::from(job_len)];
        file.read_exact(&mut job).map_err(|_| cut())?;
        let tag = read_array(file).ok_or_else(cut)?;
        if !same(&chain.next(&[&fixed[..], &job].concat()), &tag) {
            return Err(cut());
        }
        let job = std::str::from_utf8(&job).map_err(|_| cut())?;
        Ok(Self {
            repository,
            epoch,
            job: job.parse().map_err(|_| cut())?,
            seq,
            nonce,
        })
    }
}

impl Part {
    fn to_bytes(self) -> [u8; PART_LEN] {
        let mut out = [0; PART_LEN];
        out[..16].copy_from_slice(&self.id.0);
        out[16..20].copy_from_slice(&self.offset.to_le_bytes());
        out[20..].copy_from_slice(&self.length.to_le_bytes());
        out
    }

    fn from_bytes(bytes: &[u8; PART_LEN]) -> Self {
        let mut fields = Fields(bytes);
        Self {
            id: ChunkId(fields.take()),
            offset: fields.u32(),
            length: fields.u32(),
        }
    }
}

/// Ties each frame to all before it.
struct Chain {
    key: [u8; 32],
    number: u64,
    tag: [u8; TAG_LEN],
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl Chain {
    fn new(secret: &DedupSecret) -> Self {
        Self {
            key: *blake3::keyed_hash(&secret.index_key(), b"journal").as_bytes(),
            number: 0,
            tag: [0; TAG_LEN],
        }
    }

    fn next(&mut self, content: &[u8]) -> [u8; TAG_LEN] {
        let tag = blake3::Hasher::new_keyed(&self.key)
            .update(&self.number.to_le_bytes())
            .update(&self.tag)
            .update(content)
            .finalize();
        self.number += 1;
        self.tag = *tag.as_bytes();
        self.tag
    }

    /// A whole frame.
    fn seal(&mut self, pack: &PackInfo, parts: &[Part]) -> io::Result<Vec<u8>> {
        let len = PackInfo::LEN + parts.len() * PART_LEN;
        let stored_len = u32::try_from(len).map_err(io::Error::other)?;
        if len > MAX_CONTENT {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        let mut out = Vec::with_capacity(4 + len + TAG_LEN);
        out.extend_from_slice(&stored_len.to_le_bytes());
        out.extend_from_slice(&pack.to_bytes());
        for part in parts {
            out.extend_from_slice(&part.to_bytes());
        }
        let tag = self.next(&out[4..]);
        out.extend_from_slice(&tag);
        Ok(out)
    }

    /// No frame fits any more.
    fn end(&mut self) {
        self.number = u64::MAX / 2;
    }
}

fn same(one: &[u8; TAG_LEN], other: &[u8; TAG_LEN]) -> bool {
    // `blake3::Hash` compares in constant time.
    blake3::Hash::from_bytes(*one) == blake3::Hash::from_bytes(*other)
}

fn read_array<const N: usize>(file: &mut impl Read) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes).ok()?;
    Some(bytes)
}
