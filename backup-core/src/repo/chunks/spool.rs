//! Bytes that are written once and then read back once: in memory while they are few, else in a
//! file that has no name and goes with the process.

use std::{
    fs::File,
    io::{self, BufReader, Cursor, Read, Seek as _, Write},
    path::{Path, PathBuf},
};

const BUFFER: usize = 64 << 10;

/// A spool that is being written.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    buffer: Vec<u8>,
    file: Option<File>,
    len: u64,
}

impl Spool {
    /// An empty one; its file, if it comes to that, is made in `folder`.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            buffer: Vec::new(),
            file: None,
            len: 0,
        }
    }

    /// The bytes that were written.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All of it, from the beginning.
    pub fn into_reader(mut self) -> io::Result<SpoolReader> {
        let Some(mut file) = self.file.take() else {
            return Ok(SpoolReader(From::Memory(Cursor::new(self.buffer))));
        };
        file.write_all(&self.buffer)?;
        file.rewind()?;
        let reader = BufReader::with_capacity(BUFFER, file);
        Ok(SpoolReader(From::File(reader)))
    }

    fn file(&mut self) -> io::Result<&mut File> {
        if self.file.is_none() {
            self.file = Some(tempfile::tempfile_in(&self.folder)?);
        }
        self.file
            .as_mut()
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.buffer.len() + bytes.len() > BUFFER {
            let buffer = std::mem::take(&mut self.buffer);
            let file = self.file()?;
            file.write_all(&buffer)?;
            self.buffer = buffer;
            self.buffer.clear();
        }
        if bytes.len() > BUFFER {
            self.file()?.write_all(bytes)?;
        } else {
            self.buffer.extend_from_slice(bytes);
        }
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A spool that is being read.
#[derive(Debug)]
pub struct SpoolReader(From);

#[derive(Debug)]
enum From {
    Memory(Cursor<Vec<u8>>),
    File(BufReader<File>),
}

impl Read for SpoolReader {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            From::Memory(reader) => reader.read(to),
            From::File(reader) => reader.read(to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_pieces_the_whole_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        for sizes in [
            &[][..],
            &[1],
            &[BUFFER],
            &[BUFFER + 1],
            &[BUFFER, 1],
            &[10, 3 * BUFFER, 10, BUFFER - 5, 20],
        ] {
            let mut spool = Spool::new(folder.path());
            let mut all = Vec::new();
            for (at, &size) in sizes.iter().enumerate() {
                let piece = vec![u8::try_from(at).unwrap(); size];
                spool.write_all(&piece).unwrap();
                all.extend(piece);
            }
            assert_eq!(spool.len(), all.len() as u64);
            let mut read = Vec::new();
            spool.into_reader().unwrap().read_to_end(&mut read).unwrap();
            assert!(read == all, "{sizes:?}");
        }
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error_of_the_write() {
        let mut spool = Spool::new(Path::new("/proc/self/absent"));
        spool.write_all(&[0; 100]).unwrap();
        assert!(spool.write_all(&vec![0; 2 * BUFFER]).is_err());
    }
}
