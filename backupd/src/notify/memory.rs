//! What people were told, kept over a restart: `notify.json` in the state folder. Losing it means
//! that they are told once more.

use std::{fs, io, io::Write as _, path::Path};

use super::Told;

const FILE: &str = "notify.json";

/// What was kept; nothing if that cannot be had.
pub(super) fn read(state: &Path) -> Told {
    match fs::read(state.join(FILE)) {
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            tracing::warn!(%error, "what people were told is not readable: they are told again");
            Told::default()
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Told::default(),
        Err(error) => {
            tracing::warn!(%error, "what people were told cannot be read: they are told again");
            Told::default()
        }
    }
}

/// Keeps it: as a whole, or what was there before.
pub(super) fn write(state: &Path, told: &Told) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(state)?;
    file.write_all(&serde_json::to_vec(told)?)?;
    file.as_file().sync_all()?;
    file.persist(state.join(FILE))?;
    fs::File::open(state)?.sync_all()
}
