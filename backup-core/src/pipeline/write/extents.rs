//! The extents of a stream that is being written: merged, and kept on disk, since a large stream
//! that changed all over has millions of them.

use std::io::{self, Read as _, Write as _};

use crate::{format::Extent, repo::chunks::Spool};

const RECORD_LEN: usize = 20;

/// Extents in the making.
#[derive(Debug)]
pub(super) struct ExtentWriter {
    spool: Spool,
    last: Option<Extent>,
    count: u64,
}

/// The extents of a whole stream.
#[derive(Debug)]
pub(super) struct Extents {
    spool: Spool,
    count: u64,
}

impl ExtentWriter {
    pub(super) fn new(spool: Spool) -> Self {
        Self {
            spool,
            last: None,
            count: 0,
        }
    }

    /// Adds an extent; gives the one before it, if that has ended.
    pub(super) fn push(&mut self, extent: Extent) -> io::Result<Option<Extent>> {
        if let Some(last) = &mut self.last
            && last.pack == extent.pack
            && last.offset + last.length == extent.offset
        {
            last.length += extent.length;
            return Ok(None);
        }
        let ended = self.last.replace(extent);
        self.store(ended)?;
        Ok(ended)
    }

    /// All of them, and the last.
    pub(super) fn finish(mut self) -> io::Result<(Extents, Option<Extent>)> {
        let last = self.last.take();
        self.store(last)?;
        let extents = Extents {
            spool: self.spool,
            count: self.count,
        };
        Ok((extents, last))
    }

    fn store(&mut self, extent: Option<Extent>) -> io::Result<()> {
        let Some(extent) = extent else {
            return Ok(());
        };
        let narrow = |value: u64| u32::try_from(value).map_err(io::Error::other);
        let mut record = [0; RECORD_LEN];
        record[..4].copy_from_slice(&narrow(extent.pack)?.to_le_bytes());
        record[4..12].copy_from_slice(&extent.offset.to_le_bytes());
        record[12..].copy_from_slice(&extent.length.to_le_bytes());
        self.count += 1;
        self.spool.write_all(&record)
    }
}

impl Extents {
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Gives each, in order.
    pub(super) fn each<E: From<io::Error>>(
        self,
        mut take: impl FnMut(Extent) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut reader = self.spool.into_reader()?;
        let mut record = [0; RECORD_LEN];
        for _ in 0..self.count {
            reader.read_exact(&mut record)?;
            let (pack, rest) = record.split_first_chunk::<4>().expect("20 bytes");
            let (offset, rest) = rest.split_first_chunk::<8>().expect("16 bytes");
            let (length, _) = rest.split_first_chunk::<8>().expect("8 bytes");
            take(Extent {
                pack: u64::from(u32::from_le_bytes(*pack)),
                offset: u64::from_le_bytes(*offset),
                length: u64::from_le_bytes(*length),
            })?;
        }
        Ok(())
    }
}
