//! Reads a tar block by block: members, their content, and the end with nothing after it.

use std::{
    collections::BTreeMap,
    io::{self, BufReader, Read},
};

use tar::Header;

use super::{
    error::{DirectoryError, TarFault},
    member::{Member, check_header, header_path, header_size},
};
use crate::format::pax::{MAX_REGIONS, Region, parse_number, parse_records};

const BLOCK: usize = 512;

/// The longest extended header: two paths and some numbers.
const MAX_PAX_BYTES: u64 = 64 * 1024;

/// A tar that is being read, positioned in a member's content or before a header.
pub(super) struct Reader<'a> {
    inner: BufReader<&'a mut dyn Read>,
    /// Content of the open member that was not read yet.
    left: u64,
    padding: usize,
    /// The path of the open member, for messages.
    path: Vec<u8>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(inner: &'a mut dyn Read) -> Self {
        Self {
            inner: BufReader::with_capacity(64 * 1024, inner),
            left: 0,
            padding: 0,
            path: Vec::new(),
        }
    }

    /// Something is wrong with the open member.
    pub(super) fn refused(&self, fault: TarFault) -> DirectoryError {
        DirectoryError::Refused {
            path: String::from_utf8_lossy(&self.path).into_owned(),
            fault,
        }
    }

    /// The next member, or `None` after the whole archive was read.
    pub(super) fn next(&mut self) -> Result<Option<Member>, DirectoryError> {
        if self.left > 0 {
            return Err(self.refused(TarFault::Content));
        }
        self.skip_padding()?;
        let mut records = None;
        loop {
            let block = self.block()?;
            if block == [0; BLOCK] {
                if records.is_some() {
                    return Err(self.refused(TarFault::PaxPlace));
                }
                self.end()?;
                return Ok(None);
            }
            let header = Header::from_byte_slice(&block);
            self.path = header_path(header);
            check_header(header).map_err(|fault| self.refused(fault))?;
            if header.as_old().linkflag[0] == b'x' {
                if records.is_some() {
                    return Err(self.refused(TarFault::PaxPlace));
                }
                records = Some(self.records(header)?);
                continue;
            }
            let records = records.unwrap_or_default();
            let member = Member::new(header, &records).map_err(|fault| self.refused(fault))?;
            self.path.clone_from(&member.path);
            self.open(member.stored);
            return Ok(Some(member));
        }
    }

    /// Reads content of the open member; all of `piece`, which must not be more than is left.
    pub(super) fn content(&mut self, piece: &mut [u8]) -> Result<(), DirectoryError> {
        let left = self.left.checked_sub(piece.len() as u64);
        self.left = left.ok_or_else(|| self.refused(TarFault::Size))?;
        self.exact(piece)
    }

    /// Content that was not read yet.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Reads the map that the content of a sparse file begins with.
    pub(super) fn sparse_map(&mut self, realsize: u64) -> Result<Vec<Region>, DirectoryError> {
        let mut lines = Lines::default();
        let count = self.number(&mut lines)?;
        if count > MAX_REGIONS as u64 {
            return Err(self.refused(TarFault::Sparse));
        }
        let mut regions = Vec::new();
        let mut end = 0;
        for _ in 0..count {
            let offset = self.number(&mut lines)?;
            let length = self.number(&mut lines)?;
            let fits = offset.checked_add(length).filter(|&sum| sum <= realsize);
            match fits {
                Some(sum) if offset >= end => end = sum,
                _ => return Err(self.refused(TarFault::Sparse)),
            }
            regions.push(Region { offset, length });
        }
        let data: u64 = regions.iter().map(|region| region.length).sum();
        if data != self.left {
            return Err(self.refused(TarFault::Sparse));
        }
        Ok(regions)
    }

    /// Reads what is left, whatever it is.
    pub(super) fn drain(mut self) -> io::Result<u64> {
        io::copy(&mut self.inner, &mut io::sink())
    }

    fn number(&mut self, lines: &mut Lines) -> Result<u64, DirectoryError> {
        loop {
            if let Some(line) = lines.next() {
                return parse_number(&line).map_err(|_| self.refused(TarFault::Sparse));
            }
            if lines.pending() > 20 || self.left < BLOCK as u64 {
                return Err(self.refused(TarFault::Sparse));
            }
            let mut block = [0; BLOCK];
            self.content(&mut block)?;
            lines.push(&block);
        }
    }

    fn records(&mut self, header: &Header) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, DirectoryError> {
        let size = header_size(header).map_err(|fault| self.refused(fault))?;
        if size > MAX_PAX_BYTES {
            return Err(self.refused(TarFault::PaxPlace));
        }
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        self.open(size);
        self.content(&mut bytes)?;
        self.skip_padding()?;
        parse_records(&bytes).map_err(|fault| self.refused(TarFault::Pax(fault)))
    }

    fn open(&mut self, size: u64) {
        let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
        self.left = size;
        self.padding = (BLOCK - over) % BLOCK;
    }

    fn skip_padding(&mut self) -> Result<(), DirectoryError> {
        let mut block = [0; BLOCK];
        let padding = std::mem::take(&mut self.padding);
        self.exact(&mut block[..padding])
    }

    fn block(&mut self) -> Result<[u8; BLOCK], DirectoryError> {
        let mut block = [0; BLOCK];
        self.exact(&mut block)?;
        Ok(block)
    }

    /// The second zero block, and zeros or nothing to the end of the stream.
    fn end(&mut self) -> Result<(), DirectoryError> {
        self.path.clear();
        if self.block()? != [0; BLOCK] {
            return Err(self.refused(TarFault::AfterEnd));
        }
        let mut rest = vec![0; 64 * 1024];
        loop {
            match self.inner.read(&mut rest) {
                Ok(0) => return Ok(()),
                Ok(got) if rest[..got].iter().all(|&byte| byte == 0) => {}
                Ok(_) => return Err(self.refused(TarFault::AfterEnd)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(DirectoryError::Read(error)),
            }
        }
    }

    fn exact(&mut self, bytes: &mut [u8]) -> Result<(), DirectoryError> {
        self.inner
            .read_exact(bytes)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => self.refused(TarFault::Cut),
                _ => DirectoryError::Read(error),
            })
    }
}

/// Lines out of blocks.
#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
    at: usize,
}

impl Lines {
    fn push(&mut self, block: &[u8]) {
        self.bytes.drain(..std::mem::take(&mut self.at));
        self.bytes.extend_from_slice(block);
    }

    fn pending(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn next(&mut self) -> Option<Vec<u8>> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|&byte| byte == b'\n')?;
        let line = rest[..end].to_vec();
        self.at += end + 1;
        Some(line)
    }
}
