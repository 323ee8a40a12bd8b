//! The text of age's keys: what prefix it has, and what is wrong with it in words that help whoever
//! typed it.
//!
//! Nothing of the text is repeated: it may be a secret.

use age_core::primitives::bech32_decode;
use bech32::primitives::decode::{
    CharError, CheckedHrpstringError, ChecksumError, UncheckedHrpstringError,
};

/// What is wrong with a text that should be bech32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextFault {
    /// Some letters are capitals and some are not.
    #[error("capitals and small letters are mixed")]
    MixedCase,
    /// A character that no key has, a blank for example.
    #[error("it holds a character that no key has")]
    Character,
    /// Shorter than any of its kind.
    #[error("it is cut short")]
    Cut,
    /// Longer than any of its kind.
    #[error("something stands behind its end")]
    TooLong,
    /// A character is another.
    #[error("its checksum does not hold: a character is wrong, missing or too much")]
    Checksum,
    /// The checksum holds, but no such key exists.
    #[error("its checksum holds, but it is no point of the curve")]
    Value,
}

/// Length of an X25519 recipient, `age1…`.
const RECIPIENT_LEN: usize = 62;
/// Length of an X25519 identity, `AGE-SECRET-KEY-1…`.
const IDENTITY_LEN: usize = 74;

/// The prefix of a bech32 text, in small letters, if its checksum holds.
pub(crate) fn prefix(text: &str) -> Result<String, TextFault> {
    let fault = |error| match error {
        CheckedHrpstringError::Parse(UncheckedHrpstringError::Char(error)) => match error {
            CharError::MixedCase => TextFault::MixedCase,
            CharError::MissingSeparator | CharError::NothingAfterSeparator => TextFault::Cut,
            _ => TextFault::Character,
        },
        CheckedHrpstringError::Checksum(ChecksumError::InvalidLength) => TextFault::Cut,
        CheckedHrpstringError::Checksum(_) => TextFault::Checksum,
        _ => TextFault::Character,
    };
    bech32_decode(text, fault, |_| Ok(()), |hrp, _| Ok(hrp.to_lowercase()))
        .map_err(|fault| of_length(text, fault))
}

/// A checksum that does not hold because the text was cut, or has something behind it, says so.
fn of_length(text: &str, fault: TextFault) -> TextFault {
    let small = text.to_ascii_lowercase();
    let plain = if small.starts_with("age-secret-key-1") {
        IDENTITY_LEN
    } else if small.starts_with("age1") && !small.get(4..).is_some_and(|rest| rest.contains('1')) {
        RECIPIENT_LEN
    } else {
        return fault;
    };
    match (fault, text.len()) {
        (TextFault::Checksum, len) if len < plain => TextFault::Cut,
        (TextFault::Checksum, len) if len > plain => TextFault::TooLong,
        _ => fault,
    }
}
