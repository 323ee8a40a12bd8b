//! Parts of a stream: its extents and its entries, cut to ranges of its bytes.
//!
//! Ranges are sorted, do not touch, and begin and end where entries do.

use std::{ops::Range, vec};

use crate::{
    format::{Entry, Extent},
    repo::RepoError,
};

/// The extents of some ranges of a stream.
#[derive(Debug)]
pub(super) struct Cut<I> {
    extents: I,
    parts: vec::IntoIter<Range<u64>>,
    /// The rest of the current range.
    part: Option<Range<u64>>,
    /// The rest of the current extent, and where in the stream it begins.
    extent: Option<Extent>,
    at: u64,
}

impl<I> Cut<I> {
    pub(super) fn new(extents: I, parts: Vec<Range<u64>>) -> Self {
        Self {
            extents,
            parts: parts.into_iter(),
            part: None,
            extent: None,
            at: 0,
        }
    }
}

impl<I: Iterator<Item = Result<Extent, RepoError>>> Iterator for Cut<I> {
    type Item = Result<Extent, RepoError>;

    fn next(&mut self) -> Option<Self::Item> {
        let part = self.part.take().or_else(|| self.parts.next())?;
        loop {
            let extent = match self.extent.take() {
                Some(extent) => extent,
                None => match self.extents.next()? {
                    Ok(extent) => extent,
                    Err(error) => return Some(Err(error)),
                },
            };
            let end = self.at.saturating_add(extent.length);
            if end <= part.start {
                self.at = end;
                continue;
            }
            let from = part.start.saturating_sub(self.at);
            let to = part.end.min(end) - self.at;
            let piece = Extent {
                offset: extent.offset + from,
                length: to - from,
                ..extent
            };
            if to < extent.length {
                self.extent = Some(Extent {
                    offset: extent.offset + to,
                    length: extent.length - to,
                    ..extent
                });
            }
            self.at += to;
            if self.at < part.end {
                self.part = Some(self.at..part.end);
            }
            return Some(Ok(piece));
        }
    }
}

/// The entries that are inside of some ranges.
#[derive(Debug)]
pub(super) struct InParts<I> {
    entries: I,
    parts: vec::IntoIter<Range<u64>>,
    part: Option<Range<u64>>,
    at: u64,
}

impl<I> InParts<I> {
    pub(super) fn new(entries: I, parts: Vec<Range<u64>>) -> Self {
        Self {
            entries,
            parts: parts.into_iter(),
            part: None,
            at: 0,
        }
    }
}

impl<I: Iterator<Item = Result<Entry, RepoError>>> Iterator for InParts<I> {
    type Item = Result<Entry, RepoError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let part = match self.part.take() {
                Some(part) if self.at < part.end => part,
                _ => self.parts.next()?,
            };
            let start = part.start;
            self.part = Some(part);
            let entry = match self.entries.next()? {
                Ok(entry) => entry,
                Err(error) => return Some(Err(error)),
            };
            let inside = self.at >= start;
            self.at = self.at.saturating_add(entry.length);
            if inside {
                return Some(Ok(entry));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use backup_model::Digest;

    use super::*;

    fn extent(pack: u64, offset: u64, length: u64) -> Extent {
        Extent {
            pack,
            offset,
            length,
        }
    }

    #[test]
    fn extents_are_cut_to_ranges() {
        let extents = [extent(0, 0, 10), extent(1, 50, 10), extent(0, 90, 5)];
        let cut = |parts: &[Range<u64>]| -> Vec<Extent> {
            let cut = Cut::new(extents.into_iter().map(Ok), parts.to_vec());
            cut.map(Result::unwrap).collect()
        };
        assert_eq!(cut(&[]), []);
        assert_eq!(cut(std::slice::from_ref(&(0..25))), extents);
        assert_eq!(
            cut(&[3..4, 8..12, 15..25]),
            [
                extent(0, 3, 1),
                extent(0, 8, 2),
                extent(1, 50, 2),
                extent(1, 55, 5),
                extent(0, 90, 5)
            ]
        );
        assert_eq!(cut(std::slice::from_ref(&(20..21))), [extent(0, 90, 1)]);
    }

    #[test]
    fn entries_are_those_inside() {
        let entry = |length| {
            Ok(Entry {
                length,
                sha256: Digest([0; 32]),
                node: None,
            })
        };
        let inside = |parts: &[Range<u64>]| -> Vec<u64> {
            let entries = [entry(1), entry(2), entry(3), entry(4)];
            let inside = InParts::new(entries.into_iter(), parts.to_vec());
            inside.map(|entry| entry.unwrap().length).collect()
        };
        assert_eq!(inside(&[]), [0; 0]);
        assert_eq!(inside(&[0..1, 3..6]), [1, 3]);
        assert_eq!(inside(std::slice::from_ref(&(1..10))), [2, 3, 4]);
    }
}
