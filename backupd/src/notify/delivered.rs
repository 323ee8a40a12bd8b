//! What became of each channel's messages, kept over a restart in `channels/` of the state folder:
//! one that has been silent for weeks is no worse for that.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use backup_model::ChannelState;
use tempfile::NamedTempFile;

use crate::config::ChannelName;

/// Where a channel's state is kept.
pub(super) fn file(state: &Path, name: &ChannelName) -> PathBuf {
    state.join("channels").join(format!("{name}.json"))
}

/// What was kept; nothing if that cannot be had, or was of another kind of channel.
pub(super) fn read(file: &Path, new: ChannelState) -> ChannelState {
    let kept = fs::read(file).ok();
    let kept = kept.and_then(|bytes| serde_json::from_slice::<ChannelState>(&bytes).ok());
    kept.filter(|kept| kept.name == new.name && kept.kind == new.kind)
        .unwrap_or(new)
}

/// Keeps it: as a whole, or what was there before.
pub(super) fn write(file: &Path, state: &ChannelState) -> io::Result<()> {
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder)?;
    let mut new = NamedTempFile::new_in(folder)?;
    new.write_all(&serde_json::to_vec(state)?)?;
    new.persist(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use backup_model::ChannelKind;

    use super::*;

    #[test]
    fn what_was_kept_is_read_by_the_same_channel_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(folder.path(), &"ops".parse().unwrap());
        let new = |kind| ChannelState {
            name: "ops".to_owned(),
            kind,
            last_delivered: None,
            last_failed: None,
            last_digest: None,
            failure: None,
        };
        assert_eq!(read(&file, new(ChannelKind::Ntfy)), new(ChannelKind::Ntfy));
        let known = ChannelState {
            last_delivered: Some("2026-11-25T12:00:00Z".parse().unwrap()),
            ..new(ChannelKind::Ntfy)
        };
        write(&file, &known).unwrap();
        assert_eq!(read(&file, new(ChannelKind::Ntfy)), known);
        let other = new(ChannelKind::Webhook);
        assert_eq!(read(&file, other.clone()), other);
        fs::write(&file, "{").unwrap();
        assert_eq!(read(&file, other.clone()), other);
    }
}
