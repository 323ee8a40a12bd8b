//! What pax says beside the old tar header: extended records, times with a fraction, and the map
//! of GNU sparse format 1.0.
//!
//! Pure bytes, in both directions, with one spelling each. The reading half takes hostile input.

#![cfg_attr(
    not(test),
    warn(
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects
    )
)]

use std::collections::BTreeMap;

use backup_model::Code;

use super::FileTime;

/// The most data regions that a sparse file may have in an archive.
pub const MAX_REGIONS: usize = 1 << 16;

/// The size of a block of tar.
pub const BLOCK_BYTES: u64 = 512;

/// A run of data in a sparse file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Where it starts in the file.
    pub offset: u64,
    /// How long it is.
    pub length: u64,
}

/// Why bytes are not what pax asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PaxFault {
    /// Not a sequence of `<length> <key>=<value>` lines.
    #[error("an extended header is malformed")]
    Records,
    /// A key stands there twice.
    #[error("an extended header has a key twice")]
    Twice,
    /// Not seconds with at most nine digits of fraction.
    #[error("a time is malformed")]
    Time,
    /// Not a number in plain decimal digits.
    #[error("a number is malformed")]
    Number,
}

impl PaxFault {
    /// The stable code.
    pub fn code(self) -> Code {
        match self {
            Self::Records | Self::Twice | Self::Time | Self::Number => Code::Damaged,
        }
    }
}

/// Appends the record `<length> <key>=<value>` with its line feed.
pub fn push_record(out: &mut Vec<u8>, key: &str, value: &[u8]) {
    let rest = key.len().saturating_add(value.len()).saturating_add(3);
    let mut total = rest;
    // The length counts its own digits: two rounds settle it.
    while total != rest.saturating_add(total.to_string().len()) {
        total = rest.saturating_add(total.to_string().len());
    }
    out.extend_from_slice(total.to_string().as_bytes());
    out.push(b' ');
    out.extend_from_slice(key.as_bytes());
    out.push(b'=');
    out.extend_from_slice(value);
    out.push(b'\n');
}

/// Reads all records of an extended header.
pub fn parse_records(mut bytes: &[u8]) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, PaxFault> {
    let mut records = BTreeMap::new();
    while !bytes.is_empty() {
        let (digits, _) = split(bytes, b' ').ok_or(PaxFault::Records)?;
        let length = parse_number(digits).map_err(|_| PaxFault::Records)?;
        let length = usize::try_from(length).map_err(|_| PaxFault::Records)?;
        let (record, rest) = bytes.split_at_checked(length).ok_or(PaxFault::Records)?;
        let (_, body) = split(record, b' ').ok_or(PaxFault::Records)?;
        let (key, value) = split(body, b'=').ok_or(PaxFault::Records)?;
        let value = value.strip_suffix(b"\n").ok_or(PaxFault::Records)?;
        if key.is_empty() {
            return Err(PaxFault::Records);
        }
        if records.insert(key.to_vec(), value.to_vec()).is_some() {
            return Err(PaxFault::Twice);
        }
        bytes = rest;
    }
    Ok(records)
}

/// A time as pax writes it: `1700000000.000000001`, `-0.5` with nine digits.
pub fn time_text(time: FileTime) -> String {
    match (time.secs, time.nanos) {
        (secs, 0) => secs.to_string(),
        (secs @ 0.., nanos) => format!("{secs}.{nanos:09}"),
        (secs, nanos) => format!(
            "-{}.{:09}",
            secs.saturating_add(1).unsigned_abs(),
            1_000_000_000_u32.saturating_sub(nanos)
        ),
    }
}

/// Reads a time with at most nine digits of fraction.
pub fn parse_time(text: &[u8]) -> Result<FileTime, PaxFault> {
    let (negative, text) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = split(text, b'.').unwrap_or((text, b"0"));
    let whole = parse_number(whole)
        .ok()
        .and_then(|secs| i64::try_from(secs).ok())
        .filter(|&secs| secs < 1 << 53)
        .ok_or(PaxFault::Time)?;
    if fraction.is_empty() || fraction.len() > 9 {
        return Err(PaxFault::Time);
    }
    let mut digits = fraction.to_vec();
    digits.resize(9, b'0');
    let nanos = parse_number(&digits)
        .ok()
        .and_then(|nanos| u32::try_from(nanos).ok())
        .ok_or(PaxFault::Time)?;
    Ok(match (negative, nanos) {
        (false, _) => FileTime { secs: whole, nanos },
        (true, 0) => FileTime {
            secs: whole.saturating_neg(),
            nanos,
        },
        (true, _) => FileTime {
            secs: whole.saturating_neg().saturating_sub(1),
            nanos: 1_000_000_000_u32.saturating_sub(nanos),
        },
    })
}

/// Reads plain decimal digits, and nothing else.
pub fn parse_number(text: &[u8]) -> Result<u64, PaxFault> {
    std::str::from_utf8(text)
        .ok()
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .ok_or(PaxFault::Number)
}

/// The map of a sparse file, padded to whole blocks: it comes before the data.
pub fn sparse_map(regions: &[Region]) -> Vec<u8> {
    let mut map = format!("{}\n", regions.len()).into_bytes();
    for region in regions {
        map.extend_from_slice(format!("{}\n{}\n", region.offset, region.length).as_bytes());
    }
    map.resize(map.len().next_multiple_of(512), 0);
    map
}

/// Splits at the first `at`, which is in neither half.
fn split(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let index = bytes.iter().position(|&byte| byte == at)?;
    let (head, tail) = bytes.split_at_checked(index)?;
    Some((head, tail.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_its_own_length() {
        for len in [0, 1, 88, 89, 90, 91, 92, 93, 984, 985, 986, 987, 4096] {
            let mut out = Vec::new();
            push_record(&mut out, "path", &vec![b'\n'; len]);
            push_record(&mut out, "size", b"1");
            let records = parse_records(&out).unwrap();
            assert_eq!(records[&b"path"[..]].len(), len);
            assert_eq!(records[&b"size"[..]], b"1");
        }
        for bad in [
            "9 path=a",
            "11 path=a\n",
            "x path=a\n",
            "5 a=\n\n",
            "5 =1\n",
        ] {
            assert_eq!(
                parse_records(bad.as_bytes()),
                Err(PaxFault::Records),
                "{bad}"
            );
        }
        assert_eq!(parse_records(b"6 a=1\n6 a=2\n"), Err(PaxFault::Twice));
    }

    #[test]
    fn times_before_1970_and_between_seconds_come_back() {
        for (secs, nanos, text) in [
            (1_700_000_000, 1, "1700000000.000000001"),
            (0, 0, "0"),
            (-1, 0, "-1"),
            (-1, 500_000_000, "-0.500000000"),
            (-2, 999_999_999, "-1.000000001"),
        ] {
            let time = FileTime { secs, nanos };
            assert_eq!(time_text(time), text);
            assert_eq!(parse_time(text.as_bytes()), Ok(time));
        }
        for bad in ["", "-", ".5", "1.", "1.0000000001", "+1", "1e3", "--1"] {
            assert_eq!(parse_time(bad.as_bytes()), Err(PaxFault::Time), "{bad}");
        }
    }
}
