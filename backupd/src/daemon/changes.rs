//! Whether the configuration's files have changed: watches their folders, and says so once a change
//! has come to rest. Editors write files in steps, and half a file is not what anybody meant.
//!
//! Whoever waits may stop waiting at any time and come back: no change is lost by that.

use std::{collections::BTreeSet, ffi::OsStr, path::PathBuf, time::Duration};

use notify::{Event, EventKind, RecursiveMode, Watcher as _};
use tokio::{
    sync::mpsc,
    time::{self, Instant},
};

/// So long after the last change, it has come to rest.
const REST: Duration = Duration::from_millis(300);

/// Watches folders; dropped, it ends.
#[derive(Debug)]
pub struct Changes {
    changed: mpsc::Receiver<()>,
    /// When the change that was heard last has come to rest; none once it was told.
    rests_at: Option<Instant>,
    _watcher: notify::RecommendedWatcher,
}

impl Changes {
    /// Watches the folders of these files, and `conf.d` beside the first. Read them after this:
    /// what changed before nobody has seen.
    pub fn watch(files: &[PathBuf]) -> Result<Self, notify::Error> {
        // One word is enough: whoever hears it looks at everything.
        let (tell, changed) = mpsc::channel(1);
        let ours = files.to_vec();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // What was lost may have been a change.
            if event.is_ok_and(|event| !matters(&event, &ours)) {
                return;
            }
            tell.try_send(()).ok();
        })?;
        let beside = files.first().map(|main| main.with_file_name("conf.d"));
        let folders = files.iter().filter_map(|file| file.parent());
        let mut folders: BTreeSet<PathBuf> = folders.map(PathBuf::from).collect();
        folders.extend(beside.filter(|folder| folder.is_dir()));
        for folder in &folders {
            watcher.watch(folder, RecursiveMode::NonRecursive)?;
        }
        Ok(Self {
            changed,
            rests_at: None,
            _watcher: watcher,
        })
    }

    /// Waits for a change to come to rest.
    pub async fn next(&mut self) {
        loop {
            let heard = if let Some(at) = self.rests_at {
                let Ok(heard) = time::timeout_at(at, self.changed.recv()).await else {
                    self.rests_at = None;
                    return;
                };
                heard
            } else {
                self.changed.recv().await
            };
            if heard.is_none() {
                return std::future::pending().await;
            }
            self.rests_at = Some(Instant::now() + REST);
        }
    }
}

/// Whether an event may be about the configuration. Other things lie in its folders, the daemon's
/// own log among them, and reading changes nothing.
fn matters(event: &Event, files: &[PathBuf]) -> bool {
    let ours = |path: &PathBuf| {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        // `..data` is the link that Kubernetes swaps when a mounted configuration changes.
        files.contains(path)
            || path.extension() == Some(OsStr::new("toml"))
            || ["conf.d", "..data"].contains(&name)
    };
    !matches!(event.kind, EventKind::Access(_))
        && (event.need_rescan() || event.paths.iter().any(ours))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Written, replaced by another, or put beside it: each is a change, and nothing else is.
    #[tokio::test]
    async fn changes_of_the_configuration_are_heard_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(&file, "1").unwrap();
        let mut changes = Changes::watch(std::slice::from_ref(&file)).unwrap();
        let limit = Duration::from_mins(1);
        fs::write(&file, "2").unwrap();
        time::timeout(limit, changes.next()).await.unwrap();
        let new = folder.path().join("config.new");
        fs::write(&new, "3").unwrap();
        fs::rename(&new, &file).unwrap();
        time::timeout(limit, changes.next()).await.unwrap();
        fs::write(folder.path().join("log"), "a line").unwrap();
        fs::read(&file).unwrap();
        let quiet = time::timeout(Duration::from_millis(500), changes.next()).await;
        assert!(quiet.is_err());
        fs::create_dir(folder.path().join("conf.d")).unwrap();
        time::timeout(limit, changes.next()).await.unwrap();
    }

    /// As in the daemon, which has other things to do meanwhile.
    #[tokio::test]
    async fn a_change_is_heard_by_whoever_stops_waiting_and_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(&file, "1").unwrap();
        let mut changes = Changes::watch(std::slice::from_ref(&file)).unwrap();
        fs::write(&file, "2").unwrap();
        let mut waits = 0;
        let heard = async {
            while time::timeout(REST / 5, changes.next()).await.is_err() {
                waits += 1;
            }
        };
        time::timeout(Duration::from_mins(1), heard).await.unwrap();
        assert!(waits > 0);
    }
}
