//! The ledger's file: who may open it, whether it can be believed, and what becomes of one that
//! cannot.
//!
//! One daemon writes it, and holds `ledger.lock` beside it for as long as it lives: a lock of the
//! system, which no crash leaves behind. Others may read meanwhile; SQLite's WAL keeps them out of
//! each other's way. A file that is damaged, cut, not ours or of a newer program is moved aside
//! and never deleted: it may be all that tells why.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Seek as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    process,
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::{LedgerError, schema};
use crate::clock;

const NAME: &str = "ledger.sqlite";

/// What SQLite keeps beside the file. Both go where the file goes: a WAL without its file is
/// nothing, and a new file with an old WAL is damage.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// A page of the file in bytes, and the smallest that SQLite knows.
const PAGE: u64 = 4_096;
const PAGE_MIN: u64 = 512;

/// How long a call waits for a reader's checkpoint or another program's hold on the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A ledger that could not be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Where it is now.
    pub to: PathBuf,
    /// What was wrong with it.
    pub why: String,
}

/// The right to write to a state folder: to its ledger, and to what else one daemon alone may
/// change. Held until it is dropped.
#[derive(Debug)]
pub struct Claim {
    state: PathBuf,
    _lock: File,
}

/// An open ledger. It blocks: for the async side see the handle.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) file: Connection,
    /// Marks the runs of this daemon's life.
    pub(super) daemon: String,
    inode: u64,
}

/// A ledger that was opened for writing.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) book: Book,
    /// What was there and could not be believed.
    pub(super) moved: Option<Moved>,
    /// Whether it is a new one.
    pub(super) made: bool,
}

impl Claim {
    /// Takes it for a program that is no daemon. What is made as another user, the daemon of the
    /// folder's owner could neither read nor lock.
    pub fn take_beside(state: &Path) -> Result<Self, LedgerError> {
        let own = rustix::process::geteuid().as_raw();
        match fs::metadata(state) {
            Ok(found) if found.uid() != own => {
                return Err(LedgerError::Foreign {
                    state: state.to_owned(),
                    owner: found.uid(),
                });
            }
            // One that is not there is made.
            Ok(_) | Err(_) => {}
        }
        Self::take(state)
    }

    /// Takes the lock, or says who has it.
    pub(super) fn take(state: &Path) -> Result<Self, LedgerError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(state)
            .map_err(io_error(state))?;
        let path = state.join("ledger.lock");
        let mut lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(io_error(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let hint = fs::read_to_string(&path);
                return Err(LedgerError::InUse {
                    state: state.to_owned(),
                    pid: hint.ok().and_then(|text| text.trim().parse().ok()),
                });
            }
            Err(TryLockError::Error(source)) => return Err(LedgerError::Io { path, source }),
        }
        // Only a hint for whoever comes second; who is refused without it, too.
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "{}", process::id()))
            .ok();
        Ok(Self {
            state: state.to_owned(),
            _lock: lock,
        })
    }

    pub(super) fn path(&self) -> PathBuf {
        self.state.join(NAME)
    }

    /// Opens the ledger. One that cannot be believed is moved aside and made anew.
    pub(super) fn open(&self, daemon: &str, now: Timestamp) -> Result<Opened, LedgerError> {
        let path = self.path();
        let mut moved = None;
        loop {
            create_private(&path)?;
            match attempt(&path, now)? {
                Attempt::Good { file, made } => {
                    let book = book(file, daemon, &path)?;
                    return Ok(Opened { book, moved, made });
                }
                Attempt::Broken(why) if moved.is_none() => {
                    let to = move_aside(&path, now)?;
                    moved = Some(Moved { to, why });
                }
                Attempt::Broken(why) => {
                    let source = io::Error::other(why);
                    return Err(LedgerError::Io { path, source });
                }
            }
        }
    }

    /// Whether the open file is still the one that lies in the state folder.
    pub(super) fn is_of(&self, book: &Book) -> bool {
        fs::metadata(self.path()).is_ok_and(|found| found.ino() == book.inode)
    }
}

impl Book {
    /// Opens the ledger of a state folder for reading, beside a daemon or without one.
    pub(super) fn read(state: &Path) -> Result<Self, LedgerError> {
        let path = state.join(NAME);
        match fs::metadata(&path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(LedgerError::Missing(path));
            }
            Err(source) => return Err(LedgerError::Io { path, source }),
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let file = Connection::open_with_flags(&path, flags)?;
        file.busy_timeout(BUSY_TIMEOUT)?;
        let (found, known) = (schema::version(&file)?, schema::newest());
        if found > known {
            return Err(LedgerError::Newer { found, known });
        }
        if found == 0 {
            return Err(LedgerError::Missing(path));
        }
        book(file, "", &path)
    }
}

fn book(file: Connection, daemon: &str, path: &Path) -> Result<Book, LedgerError> {
    Ok(Book {
        file,
        daemon: daemon.to_owned(),
        inode: fs::metadata(path).map_err(io_error(path))?.ino(),
    })
}

enum Attempt {
    Good {
        file: Connection,
        /// Whether there was nothing in it.
        made: bool,
    },
    /// The file itself is at fault.
    Broken(String),
}

fn attempt(path: &Path, now: Timestamp) -> Result<Attempt, LedgerError> {
    let found = fs::metadata(path).map_err(io_error(path))?;
    if found.is_dir() {
        return Ok(Attempt::Broken("it is a folder".to_owned()));
    }
    // SQLite takes less than the smallest page for nothing, and writes over it.
    if (1..PAGE_MIN).contains(&found.len()) {
        return Ok(Attempt::Broken("it is cut within its header".to_owned()));
    }
    // The rest of a cut page it takes for zeros. While there is a WAL, that may hold the page whole.
    let wal = fs::metadata(with_ending(path, "-wal")).is_ok_and(|wal| wal.len() > 0);
    if !wal && !found.len().is_multiple_of(PAGE) {
        return Ok(Attempt::Broken("it is cut within a page".to_owned()));
    }
    match open_checked(path, now) {
        Ok(attempt) => Ok(attempt),
        Err(error) if error.condemns_the_file() => {
            let why =
                std::error::Error::source(&error).map_or_else(String::new, ToString::to_string);
            Ok(Attempt::Broken(why))
        }
        Err(error) => Err(error),
    }
}

/// SQLite makes files that everybody can read, and gives its companions the mode of the file.
fn create_private(path: &Path) -> Result<(), LedgerError> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(LedgerError::Io {
            path: path.to_owned(),
            source,
        }),
    }
}

fn open_checked(path: &Path, now: Timestamp) -> Result<Attempt, LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut file = Connection::open_with_flags(path, flags)?;
    file.busy_timeout(BUSY_TIMEOUT)?;
    let (version, known) = (schema::version(&file)?, schema::newest());
    if version > known {
        let why = format!("it is of version {version}, and this program knows {known}");
        return Ok(Attempt::Broken(why));
    }
    let foreign = || -> rusqlite::Result<bool> {
        let application: i64 = file.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let things: i64 =
            file.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        Ok(things > 0 && application != schema::APPLICATION)
    };
    if foreign()? {
        return Ok(Attempt::Broken(
            "it is a database of something else".to_owned(),
        ));
    }
    let sound: String = file.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if sound != "ok" {
        return Ok(Attempt::Broken(sound));
    }
    // SQLite opens what it may not write without a word.
    if file.is_readonly("main")? {
        return Err(LedgerError::ReadOnly);
    }
    // Counts for a file that is made; one that has pages keeps them.
    file.pragma_update(None, "page_size", PAGE.cast_signed())?;
    file.pragma_update(None, "journal_mode", "wal")?;
    // What was acknowledged survives a loss of power, too: a due time that was forgotten would be
    // run twice. Progress is written once a second, so the price is one fsync a second.
    file.pragma_update(None, "synchronous", "full")?;
    file.pragma_update(None, "foreign_keys", true)?;
    let made = version == 0;
    schema::migrate(&mut file, now.as_millisecond())?;
    Ok(Attempt::Good { file, made })
}

fn move_aside(path: &Path, now: Timestamp) -> Result<PathBuf, LedgerError> {
    let mut to = with_ending(path, &format!(".broken-{}", clock::stamp(now)));
    let mut again = 1;
    while fs::symlink_metadata(&to).is_ok() {
        again += 1;
        to = with_ending(path, &format!(".broken-{}-{again}", clock::stamp(now)));
    }
    for companion in COMPANIONS {
        let from = with_ending(path, companion);
        match fs::rename(&from, with_ending(&to, companion)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(LedgerError::Io { path: from, source }),
        }
    }
    fs::rename(path, &to).map_err(io_error(path))?;
    Ok(to)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> LedgerError {
    let path = path.to_owned();
    |source| LedgerError::Io { path, source }
}
