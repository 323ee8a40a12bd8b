//! The extraction: takes member after member and makes each in the tree.

use std::{
    collections::BTreeMap, ffi::OsStr, fs::File, io, io::Read, os::unix::ffi::OsStrExt as _,
    os::unix::fs::FileExt as _, path::Path,
};

use backup_model::{Code, Failure};
use tokio_util::sync::CancellationToken;

use super::{
    error::{DirectoryError, failed},
    member::{Member, MemberKind},
    reader::Reader,
    tree::{Attributes, NotMade, Tree},
};
use crate::format::pax::Region;

/// How much of a file is written at once.
const PIECE_BYTES: usize = 256 * 1024;

/// Set-user-id, set-group-id and sticky.
const SETID_BITS: u32 = 0o7000;

/// What to bring back beside content, modes and times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtractOptions {
    /// Owners and groups, by their numbers.
    pub numeric_owner: bool,
    /// Set-user-id, set-group-id and sticky bits.
    pub keep_setid: bool,
}

/// What was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extracted {
    /// Entries of the archive, without its end.
    pub entries: u64,
    /// Bytes of files, with their holes.
    pub bytes: u64,
    /// Entries that lost set-id or sticky bits.
    pub dropped_setid: u64,
    /// What is not as it was.
    pub warnings: Vec<Failure>,
}

/// Other names for files of an archive, by the name that they have in it. A hard link to such a
/// file links to its other name, or is that name itself.
pub type Renames = BTreeMap<Vec<u8>, Vec<u8>>;

/// Makes everything that the archive holds beneath `tree`, and reads the archive to its end.
pub(super) fn extract(
    tree: &mut Tree,
    shown: &Path,
    tar: &mut dyn Read,
    (options, renames): (ExtractOptions, &Renames),
    cancel: &CancellationToken,
) -> Result<Extracted, DirectoryError> {
    let mut reader = Reader::new(tar);
    let mut extractor = Extractor {
        tree,
        shown,
        options,
        renames,
        cancel,
        done: Extracted::default(),
        buffer: vec![0; PIECE_BYTES],
    };
    let result = extractor.members(&mut reader);
    if let Err(DirectoryError::Refused { .. }) = result {
        // The caller's digest of the whole tells damage from malice; this error stays the first.
        drop(reader.drain());
    }
    result?;
    extractor.complete()?;
    Ok(extractor.done)
}

struct Extractor<'a> {
    tree: &'a mut Tree,
    /// The folder's path, for messages.
    shown: &'a Path,
    options: ExtractOptions,
    renames: &'a Renames,
    cancel: &'a CancellationToken,
    done: Extracted,
    buffer: Vec<u8>,
}

impl Extractor<'_> {
    fn members(&mut self, reader: &mut Reader<'_>) -> Result<(), DirectoryError> {
        while let Some(member) = reader.next()? {
            self.check_cancelled()?;
            if let Some(member) = self.renamed(member) {
                self.member(member, reader)?;
                self.done.entries += 1;
            }
        }
        Ok(())
    }

    /// The member under its other name; `None` for the link that is this name.
    fn renamed(&self, mut member: Member) -> Option<Member> {
        let other = match &member.kind {
            MemberKind::File { .. } => self.renames.get(&member.path),
            MemberKind::Hardlink { target } => self.renames.get(target),
            MemberKind::Directory | MemberKind::Symlink { .. } => None,
        };
        let Some(other) = other else {
            return Some(member);
        };
        match &mut member.kind {
            MemberKind::Hardlink { .. } if *other == member.path => return None,
            MemberKind::Hardlink { target } => target.clone_from(other),
            _ => member.path.clone_from(other),
        }
        Some(member)
    }

    fn member(&mut self, member: Member, reader: &mut Reader<'_>) -> Result<(), DirectoryError> {
        let attributes = self.attributes(&member);
        let path = member.path;
        let made = match member.kind {
            MemberKind::File { sparse } => {
                return self.file(&path, sparse, attributes, reader);
            }
            MemberKind::Directory => self.tree.folder(&path, attributes),
            MemberKind::Symlink { target } => self.tree.symlink(&path, target, attributes),
            MemberKind::Hardlink { target } => self.tree.hard_link(&path, &target),
        };
        made.map_err(|why| self.not_made("make", &path, why))
    }

    fn file(
        &mut self,
        path: &[u8],
        sparse: Option<u64>,
        attributes: Attributes,
        reader: &mut Reader<'_>,
    ) -> Result<(), DirectoryError> {
        let file = self
            .tree
            .file(path)
            .map_err(|why| self.not_made("make", path, why))?;
        let whole = Region {
            offset: 0,
            length: reader.left(),
        };
        let size = sparse.unwrap_or(whole.length);
        let regions = match sparse {
            Some(size) => reader.sparse_map(size)?,
            None => vec![whole],
        };
        for region in regions {
            self.region(&file, path, region, reader)?;
        }
        if sparse.is_some() {
            file.set_len(size).map_err(failed("write", self.at(path)))?;
        }
        self.done.bytes += size;
        self.tree
            .finish(&file, attributes)
            .map_err(|why| self.not_made("set owner, mode and time of", path, why))
    }

    fn region(
        &mut self,
        file: &File,
        path: &[u8],
        region: Region,
        reader: &mut Reader<'_>,
    ) -> Result<(), DirectoryError> {
        let mut at = region.offset;
        let end = region.offset + region.length;
        while at < end {
            self.check_cancelled()?;
            let most = usize::try_from(end - at).unwrap_or(usize::MAX);
            let piece = &mut self.buffer[..most.min(PIECE_BYTES)];
            reader.content(piece)?;
            let written = file.write_all_at(piece, at);
            at += piece.len() as u64;
            written.map_err(failed("write", self.at(path)))?;
        }
        Ok(())
    }

    fn attributes(&mut self, member: &Member) -> Attributes {
        let mut mode = member.mode;
        let link = matches!(
            member.kind,
            MemberKind::Symlink { .. } | MemberKind::Hardlink { .. }
        );
        if mode & SETID_BITS != 0 && !self.options.keep_setid && !link {
            mode &= !SETID_BITS;
            self.done.dropped_setid += 1;
        }
        Attributes {
            mode,
            owner: self
                .options
                .numeric_owner
                .then_some((member.uid, member.gid)),
            mtime: Some(member.mtime),
        }
    }

    fn complete(&mut self) -> Result<(), DirectoryError> {
        let completed = self.tree.complete();
        completed.map_err(|(path, why)| self.not_made("finish", &path, why))?;
        let dropped = self.done.dropped_setid;
        if dropped > 0 {
            let text = format!("{dropped} entries lost their set-id or sticky bits");
            self.done
                .warnings
                .push(Failure::new(Code::TargetRefused, text));
        }
        let refused = self.tree.owners_refused;
        if refused > 0 {
            let text = format!("{refused} entries could not be given their owner");
            self.done
                .warnings
                .push(Failure::new(Code::TargetRefused, text));
        }
        Ok(())
    }

    fn check_cancelled(&self) -> Result<(), DirectoryError> {
        if self.cancel.is_cancelled() {
            Err(DirectoryError::Cancelled)
        } else {
            Ok(())
        }
    }

    fn not_made(&self, action: &'static str, path: &[u8], why: NotMade) -> DirectoryError {
        match why {
            NotMade::Fault(fault) => DirectoryError::Refused {
                path: String::from_utf8_lossy(path).into_owned(),
                fault,
            },
            NotMade::System(error) => failed::<io::Error>(action, self.at(path))(error),
        }
    }

    fn at(&self, path: &[u8]) -> std::path::PathBuf {
        self.shown.join(OsStr::from_bytes(path))
    }
}
