//! What a program complains: a thread of its own keeps the end of it.
//!
//! What the program has started in a session of its own (an `ssh` that stays connected, a daemon)
//! may hold standard error open for days. So once the program has ended, nobody waits for more
//! than a moment; the thread reads on, for whoever writes there must neither block nor be killed.

use std::{
    fmt,
    io::{self, Read},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, sync_channel},
    },
    thread,
    time::Duration,
};

use backup_model::{Code, Failure};

/// How much of standard error is kept: its end, where programs say why they gave up.
pub(super) const STDERR_BYTES: usize = 64 * 1024;
/// How many lines of it a message quotes.
const QUOTED_LINES: usize = 5;
/// How long what was said last may be on its way.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What a program wrote to standard error: the last 64 KiB. Displayed as its last lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stderr(pub String);

impl Stderr {
    /// Whether it wrote nothing.
    pub fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// Its lines, without empty ones.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.0
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
    }

    /// What a program said although it succeeded, as a warning with a cause per line.
    pub(crate) fn warning(&self, code: Code, program: &str) -> Option<Failure> {
        (!self.is_empty()).then(|| Failure {
            code,
            message: format!("`{program}` succeeded and had something to say"),
            causes: self.lines().map(str::to_owned).collect(),
        })
    }
}

impl fmt::Display for Stderr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let skipped = self.lines().count().saturating_sub(QUOTED_LINES);
        for line in self.lines().skip(skipped) {
            write!(f, ": {line}")?;
        }
        Ok(())
    }
}

/// A program's standard error, being read; of some programs with standard output.
#[derive(Debug)]
pub(super) struct Complaints {
    kept: Arc<Mutex<Vec<u8>>>,
    /// Closed when there will be no more.
    more: Receiver<()>,
}

impl Complaints {
    pub(super) fn listen(pipe: impl Read + Send + 'static) -> io::Result<Self> {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let (open, more) = sync_channel(1);
        let keeper = Arc::clone(&kept);
        thread::Builder::new()
            .name("child-err".to_owned())
            .spawn(move || {
                keep_end(pipe, &keeper);
                drop(open);
            })?;
        Ok(Self { kept, more })
    }

    /// What was said by a program that has ended.
    pub(super) fn last(&self) -> Stderr {
        // Nothing is ever sent: it ends with the pipe or with the time.
        self.more.recv_timeout(LAST_WORDS).ok();
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let start = kept.len().saturating_sub(STDERR_BYTES);
        Stderr(String::from_utf8_lossy(&kept[start..]).into_owned())
    }
}

fn keep_end(mut pipe: impl Read, kept: &Mutex<Vec<u8>>) {
    let mut piece = [0; 4096];
    loop {
        let read = match pipe.read(&mut piece) {
            Ok(0) => return,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&piece[..read]);
        if kept.len() > 2 * STDERR_BYTES {
            let before = kept.len() - STDERR_BYTES;
            kept.drain(..before);
        }
    }
}
