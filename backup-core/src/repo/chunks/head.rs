//! The header page: what an index belongs to and where its sections are.

use std::{fs::File, io, os::unix::fs::FileExt as _};

use backup_model::{Digest, JobName, RepositoryId};

use super::{
    fault::{DamagedPage, IndexFault},
    pages::{CONTENT, PAGE, Page, PageKey, PagedFile, Section, Span},
    record::Fields,
};
use crate::chunk::DedupSecret;

const MAGIC: &[u8; 8] = b"bkindex1";
const JOB_LEN: usize = 64;

/// What an index belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexHead {
    /// The repository.
    pub repository: RepositoryId,
    /// The epoch of all packs in it.
    pub epoch: u64,
    /// The job.
    pub job: JobName,
    /// The digest of the commit that it was written after.
    pub record: Digest,
}

/// What is where in the file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Layout {
    pub(super) new_bytes: u64,
    pub(super) packs: Span,
    pub(super) streams: Span,
    pub(super) order: Span,
    pub(super) records: Span,
    pub(super) listings: Span,
}

impl Layout {
    /// The first page behind all sections.
    pub(super) fn end_page(&self) -> u64 {
        self.spans()
            .iter()
            .map(|span| span.end_page())
            .max()
            .unwrap_or(1)
    }

    fn spans(&self) -> [Span; 5] {
        [
            self.packs,
            self.streams,
            self.order,
            self.records,
            self.listings,
        ]
    }
}

/// The sealed header page of a new file.
pub(super) fn write(head: &IndexHead, layout: &Layout, nonce: &[u8; 16], key: &PageKey) -> Page {
    let job = head.job.as_str().as_bytes();
    let mut job_field = [0; JOB_LEN];
    job_field[..job.len()].copy_from_slice(job);
    let mut out = Vec::with_capacity(PAGE);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(nonce);
    out.extend_from_slice(&head.repository.0);
    out.extend_from_slice(&head.epoch.to_le_bytes());
    out.extend_from_slice(&head.record.0);
    out.extend(u8::try_from(job.len()));
    out.extend_from_slice(&job_field);
    out.extend_from_slice(&layout.new_bytes.to_le_bytes());
    for span in layout.spans() {
        out.extend_from_slice(&span.first_page.to_le_bytes());
        out.extend_from_slice(&span.len.to_le_bytes());
    }
    let mut page = [0; PAGE];
    page[..out.len()].copy_from_slice(&out);
    key.seal(&mut page, Section::Header, 0);
    page
}

/// Checks the header page of a file against what it should belong to.
pub(super) fn read(
    file: File,
    head: &IndexHead,
    secret: &DedupSecret,
) -> Result<(PagedFile, Layout), IndexFault> {
    let mut start = [0; 24];
    file.read_exact_at(&mut start, 0)
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => IndexFault::Damaged(DamagedPage(0)),
            _ => IndexFault::Io(error),
        })?;
    let mut fields = Fields(&start);
    if fields.take() != *MAGIC {
        return Err(IndexFault::OtherVersion);
    }
    let file = PagedFile::new(file, PageKey::new(&secret.index_key(), &fields.take()));
    let mut page = [0; PAGE];
    file.read(Section::Header, 0, &mut page)
        .map_err(IndexFault::of)?;
    let mut fields = Fields(&page[start.len()..CONTENT]);
    if fields.take() != head.repository.0 {
        return Err(IndexFault::OtherRepository);
    }
    if fields.u64() != head.epoch {
        return Err(IndexFault::OtherEpoch);
    }
    let record: [u8; 32] = fields.take();
    let [job_len] = fields.take();
    let job: [u8; JOB_LEN] = fields.take();
    if job.get(..usize::from(job_len)) != Some(head.job.as_str().as_bytes()) {
        return Err(IndexFault::OtherJob);
    }
    if record != head.record.0 {
        return Err(IndexFault::OtherRecord);
    }
    let new_bytes = fields.u64();
    let mut span = || Span {
        first_page: fields.u64(),
        len: fields.u64(),
    };
    let layout = Layout {
        new_bytes,
        packs: span(),
        streams: span(),
        order: span(),
        records: span(),
        listings: span(),
    };
    Ok((file, layout))
}
