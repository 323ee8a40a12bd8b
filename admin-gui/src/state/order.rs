//! What to restore, and where: what a draft comes to, what the daemon plans, and what it begins.

use std::path::PathBuf;

use backup_model::SnapshotName;

/// A restore, but for what opens the data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order {
    /// The snapshot.
    pub snapshot: SnapshotName,
    /// These streams only; empty for all that have a target.
    pub streams: Vec<String>,
    /// These files and folders only; empty for all.
    pub paths: Vec<PathBuf>,
    /// The new folder for files.
    pub folder: Option<PathBuf>,
    /// The new database, where databases are restored.
    pub database: Option<NewDatabase>,
    /// Everything goes back to where it was; then neither folder nor database is named.
    pub in_place: bool,
    /// What somebody has typed to say yes to that.
    pub confirm: Option<String>,
    /// The job is backed up once more before anything is replaced.
    pub safety_backup: bool,
    /// Everything belongs to the connection's user.
    pub no_owner: bool,
    /// Owners of files come back by number.
    pub numeric_owner: bool,
    /// Set-uid, set-gid and sticky bits come back.
    pub keep_setid: bool,
    /// For default names: `YYYYMMDD_HHMMSS`.
    pub stamp: String,
}

/// Where a database goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NewDatabase {
    /// Its name; by default made of the old one and the time.
    pub name: Option<String>,
    /// The server, as a URL without a password; by default the job's own.
    pub server: Option<String>,
}

impl Order {
    /// The same in a terminal.
    pub fn command(&self) -> String {
        let mut words = vec![format!("backupctl restore {}", self.snapshot)];
        if self.in_place {
            words.push("--in-place".to_owned());
            let confirm = self.confirm.as_deref();
            words.extend(confirm.map(|name| format!("--confirm {}", quoted(name))));
        }
        if let Some(folder) = &self.folder {
            words.push(format!("--to-folder {}", quoted(&folder.to_string_lossy())));
        }
        if let Some(database) = &self.database {
            words.push(match &database.name {
                Some(name) => format!("--to-database={}", quoted(name)),
                None => "--to-database".to_owned(),
            });
            let server = database.server.as_deref();
            words.extend(server.map(|server| format!("--server {}", quoted(server))));
        }
        let streams = self.streams.iter();
        words.extend(streams.map(|stream| format!("--stream {}", quoted(stream))));
        let paths = self.paths.iter();
        words.extend(paths.map(|path| format!("--path {}", quoted(&path.to_string_lossy()))));
        let flags = [
            (self.in_place && !self.safety_backup, "--no-safety-backup"),
            (self.no_owner, "--no-owner"),
            (self.numeric_owner, "--numeric-owner"),
            (self.keep_setid, "--keep-setid"),
        ];
        let set = flags.into_iter().filter(|(is_set, _)| *is_set);
        words.extend(set.map(|(_, flag)| flag.to_owned()));
        words.push("--identity admin.key".to_owned());
        words.join(" ")
    }
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@=+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
