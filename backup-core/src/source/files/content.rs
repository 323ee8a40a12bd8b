//! The content of one file: what of it is stored, and reading exactly that.

use std::{fmt, fs::File, io, os::unix::fs::FileExt as _};

use rustix::fs::{Stat, fstat};
use tokio_util::sync::CancellationToken;

use super::{
    FilesError,
    open::{mtime, size},
    sparse,
};
use crate::format::pax::{Region, sparse_map};

/// How much of a file is read at once.
const PIECE_BYTES: usize = 256 * 1024;

/// What of a file is stored. Known before it is read, for the header says it.
pub(super) struct Layout {
    pub(super) stat: Stat,
    pub(super) sparse: bool,
    /// Where the data of a sparse file belongs; part of what is stored.
    pub(super) map: Vec<u8>,
    regions: Vec<Region>,
}

impl Layout {
    pub(super) fn of(file: &File, stat: Stat) -> Self {
        let holes = sparse::regions(file, &stat);
        let whole = Region {
            offset: 0,
            length: size(&stat),
        };
        Self {
            stat,
            sparse: holes.is_some(),
            map: holes.as_deref().map(sparse_map).unwrap_or_default(),
            regions: holes.unwrap_or_else(|| vec![whole]),
        }
    }

    /// Bytes of the file that are read.
    pub(super) fn data_bytes(&self) -> u64 {
        self.regions.iter().map(|region| region.length).sum()
    }

    /// Bytes of the archive between header and padding.
    pub(super) fn stored_bytes(&self) -> u64 {
        self.map.len() as u64 + self.data_bytes()
    }
}

/// Why content is not what the file held at one moment.
#[derive(Debug)]
pub(super) enum Fault {
    /// It ended before its end; the rest is zeros.
    Shorter,
    /// It was written to.
    Changed,
    /// It could not be read; the rest is zeros.
    Unreadable(io::Error),
}

impl Fault {
    /// Whether reading it again may give it whole.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Shorter | Self::Changed => true,
            Self::Unreadable(_) => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shorter => f.write_str("became shorter while it was read"),
            Self::Changed => f.write_str("changed while it was read"),
            Self::Unreadable(error) => error.fmt(f),
        }
    }
}

/// Reads files with one buffer.
pub(super) struct Reader<'a> {
    cancel: &'a CancellationToken,
    piece: Vec<u8>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(cancel: &'a CancellationToken) -> Self {
        Self {
            cancel,
            piece: vec![0; PIECE_BYTES],
        }
    }

    /// Gives exactly the layout's data bytes to `take`, and says what was not as it should be.
    pub(super) fn read(
        &mut self,
        file: &File,
        layout: &Layout,
        take: &mut dyn FnMut(&[u8]) -> Result<(), FilesError>,
    ) -> Result<Option<Fault>, FilesError> {
        let mut fault = None;
        for region in &layout.regions {
            let mut at = region.offset;
            let end = region.offset + region.length;
            while at < end {
                if self.cancel.is_cancelled() {
                    return Err(FilesError::Cancelled);
                }
                let most = usize::try_from(end - at).unwrap_or(usize::MAX);
                let piece = &mut self.piece[..most.min(PIECE_BYTES)];
                let got = match fault {
                    None => file.read_at(piece, at),
                    Some(_) => Ok(piece.len()),
                };
                let got = match got {
                    Ok(got) if got > 0 => got,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Ok(_) => zeros(&mut fault, piece, Fault::Shorter),
                    Err(error) => zeros(&mut fault, piece, Fault::Unreadable(error)),
                };
                take(&piece[..got])?;
                at += got as u64;
            }
        }
        Ok(fault.or_else(|| changed(file, &layout.stat).then_some(Fault::Changed)))
    }
}

fn changed(file: &File, stat: &Stat) -> bool {
    fstat(file).is_ok_and(|now| size(&now) != size(stat) || mtime(&now) != mtime(stat))
}

/// From here on the content is zeros.
fn zeros(fault: &mut Option<Fault>, piece: &mut [u8], reason: Fault) -> usize {
    *fault = Some(reason);
    piece.fill(0);
    piece.len()
}
