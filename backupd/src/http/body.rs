//! Bodies of requests: read within limits of size and time, taken apart strictly, and wiped, for
//! they may hold identities.
//!
//! Two readers that understand one body differently are how checks are walked around; so nothing
//! is read that has two meanings: no key twice, no field that nobody knows, no NUL.

use std::{collections::HashSet, fmt, time::Duration};

use axum::body::Body;
use backup_model::Code;
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use serde::{
    Deserializer,
    de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};
use zeroize::Zeroizing;

use super::error::Refused;

/// The largest body.
pub(super) const LARGEST: usize = 1 << 20;
/// How deep it may be nested.
const DEEPEST: usize = 32;

/// A body as it came.
pub(super) type Raw = Zeroizing<Vec<u8>>;

/// Reads the body of a request that must be JSON, and must have arrived after so long.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    patience: Duration,
) -> Result<Raw, Refused> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let plain = ["application/json", "application/json; charset=utf-8"];
    if !plain.contains(&kind.to_ascii_lowercase().as_str()) {
        let text = "a body must be application/json, in UTF-8";
        return Err(Refused::new(Code::MediaType, text));
    }
    if headers.contains_key(header::CONTENT_ENCODING) {
        let text = "a body must not be compressed";
        return Err(Refused::new(Code::MediaType, text));
    }
    let read = tokio::time::timeout(patience, collect(body)).await;
    read.unwrap_or_else(|_| {
        let text = format!("the body did not come within {} s", patience.as_secs());
        Err(Refused::new(Code::TimeOut, text))
    })
}

async fn collect(mut body: Body) -> Result<Raw, Refused> {
    // Grown in place, it would leave copies behind; so it doubles by hand, and wipes what it was.
    let mut whole = Zeroizing::new(Vec::with_capacity(16 << 10));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refused::new(Code::Usage, "the body broke off"))?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        let needed = whole.len() + data.len();
        if needed > LARGEST {
            let text = format!("a body has at most {LARGEST} bytes");
            return Err(Refused::new(Code::TooLarge, text));
        }
        if needed > whole.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.next_power_of_two()));
            larger.extend_from_slice(&whole);
            whole = larger;
        }
        whole.extend_from_slice(data);
    }
    Ok(whole)
}

/// Takes a body apart.
pub(super) fn parse<T: DeserializeOwned>(raw: &[u8]) -> Result<T, Refused> {
    let mut checked = serde_json::Deserializer::from_slice(raw);
    Strict { depth: 0 }
        .deserialize(&mut checked)
        .and_then(|()| checked.end())
        .and_then(|()| serde_json::from_slice(raw))
        .map_err(|error| {
            // Not its text: that may repeat what was in the body.
            let place = format!("line {}, column {}", error.line(), error.column());
            let what = match error.classify() {
                serde_json::error::Category::Data => "the body is not what belongs here",
                _ => "the body is not plain JSON",
            };
            let why = safe_words(&error);
            Refused::new(Code::Usage, format!("{what}, at {place}{why}"))
        })
}

/// What is wrong in words of the program, for the kinds of errors whose words are all its own or
/// names of fields: no values.
fn safe_words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let safe = [
        "unknown field",
        "missing field",
        "unknown variant",
        "duplicate key",
        "nested",
    ];
    let text = text.split(" at line ").next().unwrap_or_default();
    if safe.iter().any(|words| text.starts_with(words)) && text.len() < 400 {
        format!(": {text}")
    } else {
        String::new()
    }
}

/// Goes through JSON and keeps nothing of it but the keys of the objects that it is in.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > DEEPEST {
            return Err(E::custom(format_args!("nested deeper than {DEEPEST}")));
        }
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        if text.contains('\0') {
            return Err(E::custom("a text with NUL"));
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        while list.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !keys.insert(key) {
                return Err(A::Error::custom("duplicate key"));
            }
            map.next_value_seed(inner)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use backupd_api::{EpochKeys, NewToken, PruneRequest, TaskRequest};

    use super::*;

    #[track_caller]
    fn refused<T: DeserializeOwned + fmt::Debug>(body: &[u8]) -> String {
        parse::<T>(body).unwrap_err().0.message
    }

    #[test]
    fn what_has_two_meanings_or_none_is_refused() {
        let fine = br#"{"prune":{"repository":"main","grace_secs":1}}"#;
        parse::<TaskRequest>(fine).unwrap();
        let deep = [b"[".repeat(33), b"]".repeat(33)].concat();
        for (body, says) in [
            (
                &br#"{"prune":{"repository":"a","repository":"b","grace_secs":1}}"#[..],
                "duplicate key",
            ),
            (
                br#"{"backup":{"job":"a"},"backup":{"job":"b"}}"#,
                "duplicate key",
            ),
            (
                br#"{"prune":{"repository":"a","grace_secs":1,"force":true}}"#,
                "unknown field `force`",
            ),
            (br#"{"format-disk":{"job":"a"}}"#, "unknown variant"),
            (
                br#"{"prune":{"repository":"a"}}"#,
                "missing field `grace_secs`",
            ),
            (
                br#"{"prune":{"repository":"a","grace_secs":1e999}}"#,
                "not plain JSON",
            ),
            (
                br#"{"prune":{"repository":"a","grace_secs":NaN}}"#,
                "not plain JSON",
            ),
            (
                br#"{"prune":{"repository":"a","grace_secs":18446744073709551616}}"#,
                "not what belongs",
            ),
            (
                br#"{"prune":{"repository":"a","grace_secs":-1}}"#,
                "not what belongs",
            ),
            (b"{\"backup\":{\"job\":\"\xff\"}}", "not plain JSON"),
            (br#"{"backup":{"job":"\ud800"}}"#, "not plain JSON"),
            (br#"{"backup":{"job":"a\u0000"}}"#, "not what belongs"),
            (br#"{"backup":{"job":"../a"}}"#, "not what belongs"),
            (br#"{"backup":{"job":"a"}} x"#, "not plain JSON"),
            (
                br#"{"verify":{"selection":{"select":"all","x":1},"level":"data"}}"#,
                "not what belongs",
            ),
            (
                br#"{"verify":{"selection":{"select":"all"},"level":"deep"}}"#,
                "unknown variant",
            ),
            (&deep, "nested deeper than 32"),
            (b"", "not plain JSON"),
        ] {
            let said = refused::<TaskRequest>(body);
            assert!(
                said.contains(says),
                "{}: {said}",
                String::from_utf8_lossy(body)
            );
        }
    }

    #[test]
    fn a_refusal_repeats_no_value() {
        let secret = "AGE-SECRET-KEY-1QQQ";
        for body in [
            format!(r#"{{"unwrapped_by":"a","identities":["x",{{"{secret}":1}}]}}"#),
            format!(r#"{{"unwrapped_by":"a","identities":"{secret}"}}"#),
            format!(r#"{{"unwrapped_by":{{"a":"{secret}"}},"identities":[]}}"#),
        ] {
            assert!(
                !refused::<EpochKeys>(body.as_bytes()).contains(secret),
                "{body}"
            );
        }
        let body = format!(r#"{{"id":"a","label":"b","scopes":["status"],"expires":"{secret}"}}"#);
        assert!(!refused::<NewToken>(body.as_bytes()).contains(secret));
        assert!(parse::<PruneRequest>(b"{\"repository\":\"a\",\"grace_secs\":0}").is_ok());
    }
}
