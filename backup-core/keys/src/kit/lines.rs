//! Numbered lines, each with a check of its own, and one check of all: `07 root RWQ… 3fa9c1`.
//!
//! The check of a line is the first six digits of the SHA-256 of the line before it. The last line,
//! `end`, has the first sixteen of all lines before it: none is missing, and all are of one kit.
//! What stands in a line that does not hold is not repeated: it may be a secret.

use std::fmt;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::KitValue;

/// No kit is longer, with the script that it ends in.
const MAX_TEXT: usize = 1 << 20;
/// No line is longer.
pub(super) const MAX_VALUE: usize = 1024;
/// The name of the last line.
const END: &str = "end";

/// Why a kit cannot be read: every line that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct KitError {
    /// The faults, from the first line to the last; never empty.
    pub faults: Vec<LineFault>,
}

impl fmt::Display for KitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a whole recovery kit: ")?;
        for (at, fault) in self.faults.iter().enumerate() {
            let between = if at == 0 { "" } else { "; " };
            write!(f, "{between}line {}: {}", fault.line, fault.fault)?;
        }
        Ok(())
    }
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFault {
    /// The line of the file, from 1.
    pub line: usize,
    /// What is wrong.
    pub fault: KitFault,
}

/// What can be wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KitFault {
    /// A byte order mark, UTF-16, or far too long.
    #[error("this is no plain text, or far too long")]
    NotPlain,
    /// No line of a kit in it.
    #[error("there is no line of a kit in it")]
    Empty,
    /// It does not begin with a number.
    #[error("it does not begin with its number")]
    NoNumber,
    /// It has less than number, name, value and check.
    #[error("it is cut: a line has a number, a name, a value and a check of six digits")]
    Cut,
    /// Its check does not hold.
    #[error("its check does not hold: a character is wrong, missing or too much")]
    Check,
    /// A line was left out, or stands elsewhere.
    #[error("it is line number {found} of the kit where number {expected} should be")]
    Order {
        /// What should be here.
        expected: usize,
        /// What is.
        found: usize,
    },
    /// The last line is missing.
    #[error("the kit stops before its last line, `end`")]
    NoEnd,
    /// Each line holds, but they do not belong together.
    #[error("its lines hold one by one, but they are not all of one kit")]
    OtherLines,
    /// A kit of a later program.
    #[error("it is a kit of form {0}, which is newer than this program")]
    Newer(u64),
    /// Another line should be here.
    #[error("`{expected}` should be here, not `{found}`")]
    Unexpected {
        /// The name that should be here.
        expected: &'static str,
        /// The name that is.
        found: String,
    },
    /// Its value is none.
    #[error("the value of `{field}` is no {what}")]
    Value {
        /// The line's name.
        field: &'static str,
        /// What it should be.
        what: KitValue,
    },
}

/// A line that holds.
pub(super) struct Line {
    /// The line of the file.
    pub(super) at: usize,
    pub(super) field: String,
    pub(super) value: Zeroizing<String>,
}

/// Writes lines.
pub(super) fn write(fields: &[(&str, &str)]) -> Zeroizing<String> {
    // Nothing is moved while it grows, so no copy of a secret stays behind.
    let room: usize = fields.iter().map(|(f, v)| f.len() + v.len() + 16).sum();
    let mut text = Zeroizing::new(String::with_capacity(room + 64));
    let mut all = Sha256::new();
    for (at, (field, value)) in fields.iter().enumerate() {
        push(&mut text, &mut all, at + 1, field, value);
    }
    let whole = hex(&all.clone().finalize(), 16);
    push(&mut text, &mut all, fields.len() + 1, END, &whole);
    text
}

fn push(text: &mut String, all: &mut Sha256, number: usize, field: &str, value: &str) {
    let start = text.len();
    for part in [&format!("{number:02}"), " ", field, " ", value] {
        text.push_str(part);
    }
    let check = check(all, &text[start..]);
    text.push(' ');
    text.push_str(&check);
    text.push('\n');
}

/// The check of a line, which is added to the check of all.
fn check(all: &mut Sha256, line: &str) -> String {
    all.update(line.as_bytes());
    all.update(b"\n");
    hex(&Sha256::digest(line.as_bytes()), 6)
}

fn hex(digest: &[u8], digits: usize) -> String {
    let mut text = data_encoding::HEXLOWER.encode(digest);
    text.truncate(digits);
    text
}

/// Reads lines up to the last one; what stands behind that is not the kit's.
pub(super) fn read(text: &str) -> Result<Vec<Line>, Vec<LineFault>> {
    let fault = |line, fault| vec![LineFault { line, fault }];
    if text.len() > MAX_TEXT || text.starts_with('\u{feff}') || text.contains('\0') {
        return Err(fault(1, KitFault::NotPlain));
    }
    let (mut lines, mut faults, mut expected) = (Vec::new(), Vec::new(), 1);
    let mut all = Sha256::new();
    let mut last = 1;
    for (at, line) in text.lines().enumerate() {
        let (at, line) = (at + 1, line.trim());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        last = at;
        let before = all.clone();
        match read_line(&mut all, line) {
            Err(fault) => faults.push(LineFault { line: at, fault }),
            Ok((found, field, value)) => {
                if found != expected {
                    let fault = KitFault::Order { expected, found };
                    faults.push(LineFault { line: at, fault });
                    expected = found;
                }
                if field == END {
                    let whole = hex(&before.finalize(), 16);
                    if faults.is_empty() && *value != whole {
                        return Err(fault(at, KitFault::OtherLines));
                    }
                    return if faults.is_empty() {
                        Ok(lines)
                    } else {
                        Err(faults)
                    };
                }
                lines.push(Line { at, field, value });
            }
        }
        expected += 1;
    }
    let ends = if lines.is_empty() && faults.is_empty() {
        KitFault::Empty
    } else {
        KitFault::NoEnd
    };
    faults.push(LineFault {
        line: last,
        fault: ends,
    });
    Err(faults)
}

type Parts = (usize, String, Zeroizing<String>);

/// Reads a line that somebody may have typed: any blanks, and its check in any case.
fn read_line(all: &mut Sha256, line: &str) -> Result<Parts, KitFault> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [number, field, value @ .., found] = &words[..] else {
        return Err(if begins_with_number(&words) {
            KitFault::Cut
        } else {
            KitFault::NoNumber
        });
    };
    if !begins_with_number(&words) {
        return Err(KitFault::NoNumber);
    }
    let number: usize = number.parse().map_err(|_| KitFault::NoNumber)?;
    if value.is_empty() || found.len() != 6 {
        return Err(KitFault::Cut);
    }
    let value = Zeroizing::new(value.join(" "));
    let normal = Zeroizing::new(format!("{number:02} {field} {}", *value));
    if check(all, &normal) != found.to_ascii_lowercase() {
        return Err(KitFault::Check);
    }
    Ok((number, (*field).to_owned(), value))
}

fn begins_with_number(words: &[&str]) -> bool {
    let first = words.first().unwrap_or(&"");
    (1..=4).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_digit())
}
