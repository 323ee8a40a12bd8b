//! Whether the configuration's files have changed: watches their folders, and says so once a change
//! has come to rest. Editors write files in steps, and half a file is not what anybody meant.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use notify::{Event, EventKind, RecursiveMode, Watcher as _};
use tokio::{sync::mpsc, time};

/// So long after the last change, it has come to rest.
const REST: Duration = Duration::from_millis(300);

/// Watches folders; dropped, it ends.
#[derive(Debug)]
pub struct Changes {
    changed: mpsc::Receiver<()>,
    _watcher: notify::RecommendedWatcher,
}

impl Changes {
    /// Watches the folders of these files, and `conf.d` beside the first.
    pub fn watch(files: &[PathBuf]) -> Result<Self, notify::Error> {
        // One word is enough: whoever hears it looks at everything.
        let (tell, changed) = mpsc::channel(1);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let read_only = event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_)));
            if !read_only {
                tell.try_send(()).ok();
            }
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
            _watcher: watcher,
        })
    }

    /// Waits for a change to come to rest.
    pub async fn next(&mut self) {
        if self.changed.recv().await.is_none() {
            return std::future::pending().await;
        }
        while time::timeout(REST, self.changed.recv()).await.is_ok() {}
    }
}
