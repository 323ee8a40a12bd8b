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

/// How often a file is read that changes meanwhile.
const ATTEMPTS: u32 = 3;

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

/// Reads a file until it held still meanwhile, a few times at most. Gives what was stored last.
///
/// Of one that outgrows `most_bytes` only as much as before is read: it is growing, and said to be.
pub(super) fn settle(
    file: &File,
    mut layout: Layout,
    most_bytes: u64,
    mut read: impl FnMut(&Layout) -> Result<Option<Fault>, FilesError>,
) -> Result<(Layout, Option<Fault>), FilesError> {
    let mut attempt = 1;
    loop {
        let fault = read(&layout)?;
        if attempt == ATTEMPTS || !fault.as_ref().is_some_and(Fault::may_pass) {
            return Ok((layout, fault));
        }
        attempt += 1;
        if let Ok(now) = fstat(file) {
            let now = Layout::of(file, now);
            if now.data_bytes() <= most_bytes {
                layout = now;
            }
        }
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

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// Reads a file of five bytes; each time but the last few something happens to it meanwhile.
    fn read_while(happens: &mut dyn FnMut(u32, &Path)) -> (Vec<u8>, u64, Option<String>, u32) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "first").unwrap();
        let file = File::open(&path).unwrap();
        let layout = Layout::of(&file, fstat(&file).unwrap());
        let cancel = CancellationToken::new();
        let mut reader = Reader::new(&cancel);
        let (mut whole, mut times) = (Vec::new(), 0);
        let (layout, fault) = settle(&file, layout, 10, |layout| {
            whole.clear();
            times += 1;
            happens(times, &path);
            reader.read(&file, layout, &mut |piece| {
                whole.extend_from_slice(piece);
                Ok(())
            })
        })
        .unwrap();
        let said = fault.map(|fault| fault.to_string());
        (whole, layout.stored_bytes(), said, times)
    }

    #[test]
    fn a_file_is_read_again_until_it_holds_still() {
        let still = read_while(&mut |_, _| ());
        assert_eq!(still, (b"first".to_vec(), 5, None, 1));
        let longer = read_while(&mut |time, path| {
            if time == 1 {
                fs::write(path, "second one").unwrap();
            }
        });
        assert_eq!(longer, (b"second one".to_vec(), 10, None, 2));
        let shorter = read_while(&mut |time, path| {
            if time == 1 {
                fs::write(path, "2").unwrap();
            }
        });
        assert_eq!(shorter, (b"2".to_vec(), 1, None, 2));
    }

    #[test]
    fn a_file_that_never_holds_still_is_said_to_change() {
        let said = Some("changed while it was read".to_owned());
        let restless = read_while(&mut |time, path| {
            fs::write(path, &b"abcdefgh"[..4 + time as usize]).unwrap();
        });
        // Each time the size of the time before is read; the last is one byte ahead of it.
        assert_eq!(restless, (b"abcdef".to_vec(), 6, said.clone(), 3));
        let growing = read_while(&mut |_, path| fs::write(path, [b'x'; 11]).unwrap());
        assert_eq!(growing, (b"xxxxx".to_vec(), 5, said, 3));
    }
}
