//! Whether the configuration's files have changed: watches their folders, and says so once a change
//! has come to rest. Editors write files in steps, and half a file is not what anybody meant.

use std::{collections::BTreeSet, ffi::OsStr, path::PathBuf, time::Duration};

use notify::{Event, EventKind, RecursiveMode, Watcher as _};
use tokio::{sync::mpsc, time};

/// So long after the last change, it has come to rest.
const REST: Duration = Duration::from_millis(300);

/// Watches folders; dropped, it ends.
#[derive(Debug)]
pub struct Changes {
    changed: mpsc::Receiver<()>,
    /// Something has changed, and has not come to rest yet.
    unrest: bool,
    _watcher: notify::RecommendedWatcher,
}

impl Changes {
    /// Watches the folders of these files, and `conf.d` beside the first.
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
            unrest: false,
            _watcher: watcher,
        })
    }

    /// Waits for a change to come to rest. Dropped before it has, it is waited for again the next
    /// time: no change is lost.
    pub async fn next(&mut self) {
        if !self.unrest && self.changed.recv().await.is_none() {
            return std::future::pending().await;
        }
        self.unrest = true;
        while time::timeout(REST, self.changed.recv()).await.is_ok() {}
        self.unrest = false;
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
        // Whoever waits may have to do something else in between.
        fs::write(&file, "4").unwrap();
        let heard = time::timeout(limit, changes.changed.recv()).await;
        heard.unwrap().unwrap();
        changes.unrest = true;
        assert!(time::timeout(Duration::ZERO, changes.next()).await.is_err());
        time::timeout(limit, changes.next()).await.unwrap();
    }
}
