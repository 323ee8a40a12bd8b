//! What known programs keep in their folders that no backup needs.
//!
//! Only what can be downloaded or computed again is left out; what nobody but a user could make
//! again is kept, whatever folder it is in.

use backup_core::source::files::Pattern;

/// What to leave out of one program's folder.
#[derive(Debug)]
pub(crate) struct Preset {
    name: &'static str,
    patterns: &'static [&'static str],
}

const PRESETS: &[Preset] = &[Preset {
    name: "open-webui",
    // In its `cache` are downloaded models and spoken answers, but also images that chats show:
    // those are kept. An SQLite database that is in use needs its `-wal`, which holds what was
    // committed last; `-shm` is an index of that and is made again.
    patterns: &[
        "**/cache/embedding/models/**",
        "**/cache/whisper/models/**",
        "**/cache/tiktoken/**",
        "**/cache/audio/speech/**",
        "*.db-shm",
        "*.sqlite3-shm",
    ],
}];

/// The preset of this name.
pub(crate) fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// All names.
pub(crate) fn names() -> Vec<&'static str> {
    PRESETS.iter().map(|preset| preset.name).collect()
}

impl Preset {
    /// Its patterns.
    pub(crate) fn patterns(&self) -> Vec<Pattern> {
        let parsed = self.patterns.iter().map(|text| text.parse());
        parsed
            .map(|pattern| pattern.expect("the tests parse all presets"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_preset_can_be_used_and_keeps_what_users_made() {
        assert!(PRESETS.iter().all(|preset| !preset.patterns().is_empty()));
        let webui = find("open-webui").unwrap().patterns();
        let left_out = |path: &str| {
            let path = Path::new("/srv/open-webui").join(path);
            webui.iter().any(|pattern| pattern.leaves_out(&path))
        };
        for path in [
            "cache/embedding/models/x",
            "cache/whisper/models/base/model.bin",
            "cache/audio/speech/1.mp3",
            "webui.db-shm",
            "vector_db/chroma.sqlite3-shm",
        ] {
            assert!(left_out(path), "{path}");
        }
        for path in [
            "webui.db",
            "webui.db-wal",
            "uploads/a.pdf",
            "cache/image/generations/1.png",
            "vector_db/chroma.sqlite3",
        ] {
            assert!(!left_out(path), "{path}");
        }
    }
}
