//! Data set R: one file that does not compress.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

use super::{random::Random, tree::make_whole};
use crate::{error::BenchError, options::Options};

/// At scale 1.
const BYTES: u64 = 1 << 30;
const PIECE_BYTES: u64 = 1 << 20;

/// Makes the folder with the file, unless it is there.
pub(crate) fn make_noise(options: &Options, folder: &Path) -> Result<PathBuf, BenchError> {
    let whole = folder.join(format!("R-{}-{}", options.scale, options.seed));
    make_whole(&whole, |folder| {
        let path = folder.join("noise");
        let mut file = File::create_new(&path).map_err(BenchError::io("make", &path))?;
        let mut random = Random::new(options.seed, 3);
        let mut piece = vec![0; 1 << 20];
        let mut left = options.scale.of(BYTES);
        while left > 0 {
            let length = left.min(PIECE_BYTES);
            piece.truncate(usize::try_from(length).expect("at most a MiB"));
            random.fill(&mut piece);
            file.write_all(&piece)
                .map_err(BenchError::io("write", &path))?;
            left -= length;
        }
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .map_err(BenchError::io("set the mode of", &path))
    })?;
    Ok(whole)
}
