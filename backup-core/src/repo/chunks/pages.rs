//! A file of 4 KiB pages, each with a keyed tag over its content, its section and its number. A
//! page that was changed, moved or taken from another file does not check.
//!
//! The tag is the keyed BLAKE3 hash of exactly one page: the content, and in the place of the tag
//! section and number, 8 bytes each, and zeros. Four whole hash blocks go through vector
//! instructions side by side, which halves the price of a look-up.

use std::{
    fmt,
    fs::File,
    io::{self, BufRead, Read, Write},
    os::unix::fs::FileExt as _,
    sync::Arc,
};

use super::fault::DamagedPage;

/// The bytes of a page.
pub(super) const PAGE: usize = 4096;
/// The bytes of content in a page.
pub(super) const CONTENT: usize = PAGE - TAG;
const TAG: usize = 32;
/// Pages that a sequential reader fetches at once.
const READ_AHEAD: usize = 16;

pub(super) type Page = [u8; PAGE];

/// What a page is for. Pages of one section are never taken for those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Header = 0,
    Packs = 1,
    Streams = 2,
    Order = 3,
    Records = 4,
    Listings = 5,
    Seen = 6,
}

/// The key of all tags of one file.
#[derive(Clone)]
pub(super) struct PageKey([u8; 32]);

impl fmt::Debug for PageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageKey")
    }
}

impl PageKey {
    /// The key of the file with this nonce.
    pub(super) fn new(index_key: &[u8; 32], nonce: &[u8; 16]) -> Self {
        let mut text = *b"pages of ................";
        let at = text.len() - nonce.len();
        text[at..].copy_from_slice(nonce);
        Self(*blake3::keyed_hash(index_key, &text).as_bytes())
    }

    pub(super) fn seal(&self, page: &mut Page, section: Section, number: u64) {
        let tag = self.tag(page, section, number);
        page[CONTENT..].copy_from_slice(tag.as_bytes());
    }

    /// Checks a page, and spoils the place of its tag.
    fn check(&self, page: &mut Page, section: Section, number: u64) -> Result<(), DamagedPage> {
        let mut tag = [0; TAG];
        tag.copy_from_slice(&page[CONTENT..]);
        // `blake3::Hash` compares in constant time.
        if self.tag(page, section, number) == tag {
            Ok(())
        } else {
            Err(DamagedPage(number))
        }
    }

    fn tag(&self, page: &mut Page, section: Section, number: u64) -> blake3::Hash {
        let place = &mut page[CONTENT..];
        place.fill(0);
        place[..8].copy_from_slice(&(section as u64).to_le_bytes());
        place[8..16].copy_from_slice(&number.to_le_bytes());
        blake3::keyed_hash(&self.0, page)
    }
}

/// An open file of pages.
#[derive(Debug)]
pub(super) struct PagedFile {
    file: File,
    key: PageKey,
}

impl PagedFile {
    pub(super) fn new(file: File, key: PageKey) -> Self {
        Self { file, key }
    }

    /// Reads and checks one page. A damaged one, also one behind the end, is an error that holds
    /// a [`DamagedPage`].
    pub(super) fn read(&self, section: Section, number: u64, page: &mut Page) -> io::Result<()> {
        self.read_many(section, number, std::slice::from_mut(page))
    }

    fn read_many(&self, section: Section, first: u64, pages: &mut [Page]) -> io::Result<()> {
        let at = first
            .checked_mul(PAGE as u64)
            .ok_or_else(|| damaged(DamagedPage(first)))?;
        self.file
            .read_exact_at(pages.as_flattened_mut(), at)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => damaged(DamagedPage(first)),
                _ => error,
            })?;
        for (page, number) in pages.iter_mut().zip(first..) {
            self.key.check(page, section, number).map_err(damaged)?;
        }
        Ok(())
    }
}

fn damaged(page: DamagedPage) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, page)
}

/// Where a section is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// Its first page.
    pub(super) first_page: u64,
    /// The bytes of its content.
    pub(super) len: u64,
}

impl Span {
    /// The first page behind it.
    pub(super) fn end_page(self) -> u64 {
        self.first_page
            .saturating_add(self.len.div_ceil(CONTENT as u64))
    }
}

/// Writes one section, page after page.
#[derive(Debug)]
pub(super) struct PagedWriter<'a, W> {
    out: W,
    key: &'a PageKey,
    section: Section,
    span: Span,
    next: u64,
    page: Box<Page>,
    filled: usize,
}

impl<'a, W: Write> PagedWriter<'a, W> {
    /// `out` stands where `first_page` begins.
    pub(super) fn new(out: W, key: &'a PageKey, section: Section, first_page: u64) -> Self {
        Self {
            out,
            key,
            section,
            span: Span { first_page, len: 0 },
            next: first_page,
            page: Box::new([0; PAGE]),
            filled: 0,
        }
    }

    /// Fills the last page with zeros and says where the section is.
    pub(super) fn finish(mut self) -> io::Result<Span> {
        if self.filled > 0 {
            self.page[self.filled..].fill(0);
            self.put()?;
        }
        self.out.flush()?;
        Ok(self.span)
    }

    fn put(&mut self) -> io::Result<()> {
        self.key.seal(&mut self.page, self.section, self.next);
        self.out.write_all(&self.page[..])?;
        self.next += 1;
        self.filled = 0;
        Ok(())
    }
}

impl<W: Write> Write for PagedWriter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(CONTENT - self.filled);
        self.page[self.filled..self.filled + count].copy_from_slice(&bytes[..count]);
        self.filled += count;
        self.span.len += count as u64;
        if self.filled == CONTENT {
            self.put()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Reads one section, or a part of it, page after page. A damaged page is an error that holds a
/// [`DamagedPage`].
#[derive(Debug)]
pub struct PagedReader {
    file: Arc<PagedFile>,
    section: Section,
    next: u64,
    /// Content that has not been fetched, from the beginning of page `next`.
    unread: u64,
    pages: Vec<Page>,
    /// Content in `pages`, and how much of it was taken.
    filled: usize,
    taken: usize,
}

impl PagedReader {
    /// A reader of all of it.
    pub(super) fn new(file: Arc<PagedFile>, section: Section, span: Span) -> Self {
        Self {
            file,
            section,
            next: span.first_page,
            unread: span.len,
            pages: Vec::new(),
            filled: 0,
            taken: 0,
        }
    }

    /// A reader of `len` bytes from `at` on.
    pub(super) fn part(
        file: Arc<PagedFile>,
        section: Section,
        span: Span,
        at: u64,
        len: u64,
    ) -> io::Result<Self> {
        let skip = at % CONTENT as u64;
        let from = Span {
            first_page: span.first_page + at / CONTENT as u64,
            len: skip + len,
        };
        let mut reader = Self::new(file, section, from);
        if len > 0 {
            reader.fill_buf()?;
            reader.consume(usize::try_from(skip).unwrap_or(CONTENT));
        }
        Ok(reader)
    }

    /// The next record of `N` bytes, of which pages hold a whole number.
    pub(super) fn next_record<const N: usize>(&mut self) -> io::Result<Option<[u8; N]>> {
        let record = self.fill_buf()?.first_chunk::<N>().copied();
        if record.is_some() {
            self.consume(N);
        }
        Ok(record)
    }
}

impl BufRead for PagedReader {
    /// The rest of the page that is being read.
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.filled && self.unread > 0 {
            let missing = self.unread.div_ceil(CONTENT as u64);
            let count = usize::try_from(missing).map_or(READ_AHEAD, |n| n.min(READ_AHEAD));
            self.pages.resize(count, [0; PAGE]);
            self.file
                .read_many(self.section, self.next, &mut self.pages)?;
            let content = (count * CONTENT) as u64;
            self.filled = usize::try_from(content.min(self.unread)).unwrap_or(0);
            self.unread -= self.filled as u64;
            self.next += count as u64;
            self.taken = 0;
        }
        let (page, at) = (self.taken / CONTENT, self.taken % CONTENT);
        let end = CONTENT.min(self.filled - page * CONTENT);
        Ok(self.pages.get(page).map_or(&[], |page| &page[at..end]))
    }

    fn consume(&mut self, count: usize) {
        self.taken = self.filled.min(self.taken + count);
    }
}

impl Read for PagedReader {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let from = self.fill_buf()?;
        let count = from.len().min(to.len());
        to[..count].copy_from_slice(&from[..count]);
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(content: &[u8], key: &PageKey) -> (Vec<u8>, Span) {
        let mut out = vec![0; PAGE];
        let mut writer = PagedWriter::new(&mut out, key, Section::Listings, 1);
        writer.write_all(content).unwrap();
        let span = writer.finish().unwrap();
        (out, span)
    }

    fn open(bytes: &[u8], key: &PageKey) -> Arc<PagedFile> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Arc::new(PagedFile::new(file, key.clone()))
    }

    #[test]
    fn any_length_comes_back_and_so_does_any_part() {
        let key = PageKey::new(&[1; 32], &[2; 16]);
        for len in [0, 1, CONTENT - 1, CONTENT, CONTENT + 1, 40 * CONTENT + 7] {
            let content: Vec<u8> = (0..=250_u8).cycle().take(len).collect();
            let (bytes, span) = write(&content, &key);
            assert_eq!(bytes.len() as u64, span.end_page() * PAGE as u64);
            let file = open(&bytes, &key);
            let mut read = Vec::new();
            PagedReader::new(Arc::clone(&file), Section::Listings, span)
                .read_to_end(&mut read)
                .unwrap();
            assert_eq!(read, content);
            let at = len / 2;
            let mut part = Vec::new();
            PagedReader::part(file, Section::Listings, span, at as u64, (len - at) as u64)
                .unwrap()
                .read_to_end(&mut part)
                .unwrap();
            assert_eq!(part, content[at..]);
        }
    }

    #[test]
    fn a_page_counts_in_its_own_file_section_and_place_only() {
        let key = PageKey::new(&[1; 32], &[2; 16]);
        let (bytes, _) = write(&[7; 2 * CONTENT], &key);
        let mut page = [0; PAGE];
        let file = open(&bytes, &key);
        file.read(Section::Listings, 1, &mut page).unwrap();
        assert!(page[..CONTENT].iter().all(|&byte| byte == 7));
        assert!(file.read(Section::Records, 1, &mut page).is_err());
        assert!(file.read(Section::Listings, 3, &mut page).is_err());
        assert!(file.read(Section::Listings, u64::MAX, &mut page).is_err());
        let mut swapped = bytes.clone();
        swapped[PAGE..].rotate_left(PAGE);
        let file_swapped = open(&swapped, &key);
        assert!(file_swapped.read(Section::Listings, 1, &mut page).is_err());
        let other = PageKey::new(&[1; 32], &[3; 16]);
        let file_other = open(&bytes, &other);
        assert!(file_other.read(Section::Listings, 1, &mut page).is_err());
        for at in (PAGE..2 * PAGE).step_by(61) {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            let error = open(&bad, &key)
                .read(Section::Listings, 1, &mut page)
                .unwrap_err();
            assert_eq!(error.downcast::<DamagedPage>().unwrap(), DamagedPage(1));
        }
    }
}
