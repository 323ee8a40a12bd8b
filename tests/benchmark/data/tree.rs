//! Data set F: a tree of text, JSON, binaries and copies of them.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use super::{random::Random, words::Words};
use crate::{error::BenchError, options::Options};

/// At scale 1. With the sizes below they are 1.6 GB.
const FILES: u64 = 32_666;
/// A leaf folder holds so many.
const FILES_IN_FOLDER: u64 = 40;
/// Leaf folders below one folder.
const FOLDERS_IN_FOLDER: u64 = 12;
/// The oldest file: 2025-01-01. Later ones follow by the minute.
const OLDEST: Duration = Duration::from_hours(482_136);

/// Makes the tree, unless it is there.
pub(crate) fn make_tree(options: &Options, folder: &Path) -> Result<PathBuf, BenchError> {
    let whole = folder.join(format!("F-{}-{}", options.scale, options.seed));
    make_whole(&whole, |folder| {
        let words = Words::new(options.seed);
        let mut random = Random::new(options.seed, 2);
        let mut made: Vec<PathBuf> = Vec::new();
        for number in 0..options.scale.of(FILES) {
            let leaf = number / FILES_IN_FOLDER;
            let parent = folder.join(format!(
                "{}-{:03}/{}-{leaf:04}",
                words.word(&mut Random::new(options.seed, leaf / FOLDERS_IN_FOLDER)),
                leaf / FOLDERS_IN_FOLDER,
                words.word(&mut Random::new(options.seed, leaf)),
            ));
            fs::create_dir_all(&parent).map_err(BenchError::io("make", &parent))?;
            let (ending, content) = content(&mut random, &words, &made)?;
            let path = parent.join(format!("{}-{number}.{ending}", words.word(&mut random)));
            write(&path, &content, number)?;
            made.push(path);
        }
        Ok(())
    })?;
    Ok(whole)
}

/// Makes a folder whole or not at all: one that is there is complete.
pub(super) fn make_whole(
    whole: &Path,
    fill: impl FnOnce(&Path) -> Result<(), BenchError>,
) -> Result<(), BenchError> {
    if whole.exists() {
        return Ok(());
    }
    let mut growing = whole.as_os_str().to_owned();
    growing.push(".part");
    let growing = PathBuf::from(growing);
    if growing.exists() {
        fs::remove_dir_all(&growing).map_err(BenchError::io("remove", &growing))?;
    }
    fs::create_dir_all(&growing).map_err(BenchError::io("make", &growing))?;
    fill(&growing)?;
    fs::rename(&growing, whole).map_err(BenchError::io("name", whole))
}

/// What a file holds: half of them text, a quarter JSON, an eighth binaries, an eighth copies.
fn content(
    random: &mut Random,
    words: &Words,
    made: &[PathBuf],
) -> Result<(&'static str, Vec<u8>), BenchError> {
    Ok(match random.below(8) {
        7 if !made.is_empty() => {
            let original = &made[random.place(made.len())];
            let bytes = fs::read(original).map_err(BenchError::io("read", original))?;
            ("copy", bytes)
        }
        0..=1 => ("json", json(random, words)),
        2 => ("bin", binary(random)),
        kind => {
            let mut text = String::new();
            let length = random.size(1_000, 16_000);
            words.write(random, length, &mut text);
            (if kind < 5 { "md" } else { "txt" }, text.into_bytes())
        }
    })
}

fn json(random: &mut Random, words: &Words) -> Vec<u8> {
    let length = random.size(2_000, 64_000);
    let mut text = "[\n".to_owned();
    while text.len() < length {
        text.push_str(&format!(
            "  {{\"id\": {}, \"name\": \"{} {}\", \"enabled\": {}, \"tags\": [\"{}\", \"{}\"]}},\n",
            random.below(1 << 40),
            words.word(random),
            words.word(random),
            random.below(2) == 0,
            words.word(random),
            words.word(random),
        ));
    }
    text.push_str("  null\n]\n");
    text.into_bytes()
}

/// Half of them are as pictures are; the others repeat themselves, as programs do.
fn binary(random: &mut Random) -> Vec<u8> {
    let mut bytes = vec![0; random.size(32_000, 1_000_000)];
    random.fill(&mut bytes);
    if random.below(2) == 0 {
        for at in 8_192..bytes.len() {
            if at % 32 < 24 {
                bytes[at] = bytes[at - 8_192];
            }
        }
    }
    bytes
}

fn write(path: &Path, content: &[u8], number: u64) -> Result<(), BenchError> {
    fs::write(path, content).map_err(BenchError::io("write", path))?;
    let mode = if number.is_multiple_of(50) {
        0o755
    } else {
        0o644
    };
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(BenchError::io("set the mode of", path))?;
    let modified = UNIX_EPOCH + OLDEST + Duration::from_mins(number);
    File::options()
        .append(true)
        .open(path)
        .and_then(|file| file.set_modified(modified))
        .map_err(BenchError::io("set the time of", path))
}
