//! What the operations that look into folders share: entries as they are shown, and results that
//! flow from the thread that reads to whoever asked.

use backup_model::{EntryInfo, EntryKind};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::OpError;
use crate::{
    format::{Node, NodeKind, RecipeStream},
    pipeline::on_thread,
};

/// Results that wait for whoever asked.
const WAITING: usize = 256;

/// Where the results of an operation go, one by one.
pub(super) type Give<'a, T> = &'a mut dyn FnMut(T) -> Result<(), OpError>;

/// Runs `work` on a thread; what it gives is reported here.
pub(super) async fn flow<T: Send + 'static, R: Send + 'static>(
    thread: &str,
    report: &mut (dyn FnMut(T) + Send),
    work: impl FnOnce(Give<'_, T>) -> Result<R, OpError> + Send + 'static,
) -> Result<R, OpError> {
    let (sender, mut results) = mpsc::channel(WAITING);
    let work = on_thread(thread, move || {
        work(&mut |result| sender.blocking_send(result).map_err(|_| OpError::Cancelled))
    });
    let reporting = async {
        while let Some(result) = results.recv().await {
            report(result);
        }
    };
    let (done, ()) = tokio::join!(work, reporting);
    done?
}

/// An entry as it is shown.
pub(super) fn entry_info(
    stream: &RecipeStream,
    node: &Node,
    digest: backup_model::Digest,
) -> EntryInfo {
    let (kind, target) = match &node.kind {
        NodeKind::File { .. } => (EntryKind::File, None),
        NodeKind::Directory => (EntryKind::Directory, None),
        NodeKind::Symlink { target } => (EntryKind::Symlink, Some(target)),
        NodeKind::Hardlink { target } => (EntryKind::Hardlink, Some(target)),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let is_text = std::str::from_utf8(&node.path).is_ok();
    let nanos = i32::try_from(node.mtime.nanos).unwrap_or(0);
    EntryInfo {
        stream: stream.line.name.clone(),
        path: text(&node.path),
        path_hex: (!is_text).then(|| HEXLOWER.encode(&node.path)),
        kind,
        size_bytes: node.size,
        mode: node.mode,
        uid: node.uid,
        gid: node.gid,
        modified: Timestamp::new(node.mtime.secs, nanos).ok(),
        target: target.map(|target| text(target)),
        digest,
    }
}
