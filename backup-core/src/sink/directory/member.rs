//! One member of a tar: its headers, checked and put together. No I/O.

use std::collections::BTreeMap;

use tar::Header;

use super::error::TarFault;
use crate::format::{
    FileTime, MAX_PATH_BYTES, check_path,
    pax::{parse_number, parse_time},
};

/// What a member is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum MemberKind {
    /// A file; with its real size when the content begins with a map of its data.
    File {
        sparse: Option<u64>,
    },
    Directory,
    Symlink {
        target: Vec<u8>,
    },
    Hardlink {
        target: Vec<u8>,
    },
}

/// A member, before its content.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) path: Vec<u8>,
    pub(super) kind: MemberKind,
    /// Bytes of content in the archive.
    pub(super) stored: u64,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mtime: FileTime,
}

type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// The name that the old header gives.
pub(super) fn header_path(header: &Header) -> Vec<u8> {
    header.path_bytes().into_owned()
}

/// Whether it is ustar and its checksum is right.
pub(super) fn check_header(header: &Header) -> Result<(), TarFault> {
    let bytes = header.as_bytes();
    let blank =
        |(at, &byte): (usize, &u8)| u64::from(if (148..156).contains(&at) { b' ' } else { byte });
    let sum: u64 = bytes.iter().enumerate().map(blank).sum();
    let ustar = header.as_ustar().ok_or(TarFault::Header)?;
    if octal(&ustar.cksum)? == sum {
        Ok(())
    } else {
        Err(TarFault::Header)
    }
}

/// The size field.
pub(super) fn header_size(header: &Header) -> Result<u64, TarFault> {
    octal(&header.as_old().size)
}

impl Member {
    /// Puts a header and the records before it together.
    pub(super) fn new(header: &Header, records: &Records) -> Result<Self, TarFault> {
        let realsize = sparse_size(records)?;
        let name_key: &[u8] = if realsize.is_some() {
            b"GNU.sparse.name"
        } else {
            b"path"
        };
        let path = match records.get(name_key) {
            Some(path) => path.clone(),
            None => header_path(header),
        };
        check_path(&path).map_err(TarFault::Path)?;
        let target = || match records.get(&b"linkpath"[..]) {
            Some(target) => target.clone(),
            None => until_nul(&header.as_old().linkname).to_vec(),
        };
        let stored = stored(header, records)?;
        let kind = match header.as_old().linkflag[0] {
            b'0' => MemberKind::File { sparse: realsize },
            b'5' => MemberKind::Directory,
            b'2' => MemberKind::Symlink {
                target: symlink_target(target())?,
            },
            b'1' => {
                let target = target();
                check_path(&target).map_err(TarFault::Path)?;
                MemberKind::Hardlink { target }
            }
            other => return Err(TarFault::Kind(other)),
        };
        if !matches!(kind, MemberKind::File { .. }) && stored > 0 {
            return Err(TarFault::Content);
        }
        if !matches!(kind, MemberKind::File { .. }) && realsize.is_some() {
            return Err(TarFault::Sparse);
        }
        let old = header.as_old();
        let mode = u32::try_from(octal(&old.mode)?).map_err(|_| TarFault::Header)?;
        if mode > 0o7777 {
            return Err(TarFault::Header);
        }
        let mtime = match records.get(&b"mtime"[..]) {
            Some(text) => parse_time(text).map_err(TarFault::Pax)?,
            None => FileTime {
                secs: i64::try_from(octal(&old.mtime)?).map_err(|_| TarFault::Header)?,
                nanos: 0,
            },
        };
        Ok(Self {
            path,
            kind,
            stored,
            mode,
            uid: id(records, b"uid", &old.uid)?,
            gid: id(records, b"gid", &old.gid)?,
            mtime,
        })
    }
}

/// A size in a record must be the header's, or one that the header cannot say.
fn stored(header: &Header, records: &Records) -> Result<u64, TarFault> {
    let old = header_size(header)?;
    let Some(text) = records.get(&b"size"[..]) else {
        return Ok(old);
    };
    let size = parse_number(text).map_err(TarFault::Pax)?;
    let too_big = size > 0o777_7777_7777 && size < 1 << 53 && old == 0;
    if size == old || too_big {
        Ok(size)
    } else {
        Err(TarFault::Size)
    }
}

/// The real size of a file in GNU sparse format 1.0; other sparse formats are refused.
fn sparse_size(records: &Records) -> Result<Option<u64>, TarFault> {
    let known: [&[u8]; 4] = [
        b"GNU.sparse.major",
        b"GNU.sparse.minor",
        b"GNU.sparse.name",
        b"GNU.sparse.realsize",
    ];
    let mut keys = records.keys().filter(|key| key.starts_with(b"GNU.sparse."));
    if records.keys().all(|key| !key.starts_with(b"GNU.sparse.")) {
        return Ok(None);
    }
    let all_known = keys.all(|key| known.contains(&key.as_slice()));
    let [Some(b"1"), Some(b"0"), Some(_), Some(size)] =
        known.map(|key| records.get(key).map(Vec::as_slice))
    else {
        return Err(TarFault::Sparse);
    };
    let size = parse_number(size).map_err(TarFault::Pax)?;
    if all_known && size < 1 << 53 && !records.contains_key(&b"path"[..]) {
        Ok(Some(size))
    } else {
        Err(TarFault::Sparse)
    }
}

fn symlink_target(target: Vec<u8>) -> Result<Vec<u8>, TarFault> {
    if target.is_empty() || target.len() > MAX_PATH_BYTES || target.contains(&0) {
        Err(TarFault::Symlink)
    } else {
        Ok(target)
    }
}

fn id(records: &Records, key: &[u8], field: &[u8]) -> Result<u32, TarFault> {
    let value = match records.get(key) {
        Some(text) => parse_number(text).map_err(TarFault::Pax)?,
        None => octal(field)?,
    };
    // The last one means "leave as it is" to the system.
    u32::try_from(value)
        .ok()
        .filter(|&id| id != u32::MAX)
        .ok_or(TarFault::Header)
}

/// Plain octal digits up to a NUL or space; GNU's binary numbers are not POSIX.
fn octal(field: &[u8]) -> Result<u64, TarFault> {
    let end = field.iter().position(|&byte| byte == 0 || byte == b' ');
    let (digits, rest) = field.split_at(end.unwrap_or(field.len()));
    let clean = !digits.is_empty()
        && digits.iter().all(|digit| (b'0'..=b'7').contains(digit))
        && rest.iter().all(|&byte| byte == 0 || byte == b' ');
    if !clean {
        return Err(TarFault::Header);
    }
    Ok(digits
        .iter()
        .fold(0, |value, digit| value << 3 | u64::from(digit - b'0')))
}

fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or(field)
}
