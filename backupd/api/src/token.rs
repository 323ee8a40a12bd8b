//! Tokens: who may ask a daemon for what.
//!
//! A token is made where it will be used: the daemon gets only the digest of its secret half, and
//! so has no answer in which a secret could stand.

use std::{fmt, str::FromStr};

use backup_model::Digest;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What one may do. Each stands for itself; `admin` has all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// See jobs, snapshots, repositories, tasks.
    Status,
    /// Run jobs.
    Run,
    /// Verify.
    Verify,
    /// Look into snapshots and restore.
    Restore,
    /// Hold, release, forget, prune.
    Retention,
    /// All of it, and tokens.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 6] = [
        Self::Status,
        Self::Run,
        Self::Verify,
        Self::Restore,
        Self::Retention,
        Self::Admin,
    ];

    /// The word in requests and files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Run => "run",
            Self::Verify => "verify",
            Self::Restore => "restore",
            Self::Retention => "retention",
            Self::Admin => "admin",
        }
    }
}

/// What somebody may do, all told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Scopes(pub Vec<Scope>);

impl Scopes {
    /// Whether this is allowed.
    pub fn allow(&self, scope: Scope) -> bool {
        self.0.contains(&scope) || self.0.contains(&Scope::Admin)
    }
}

/// A token as whoever uses it has it: `bk_<id>_<64 hexadecimal digits>`.
#[derive(Clone, Debug)]
pub struct TokenText {
    /// What the daemon calls it: 16 hexadecimal digits.
    pub id: String,
    secret: SecretString,
}

/// A text that is no token. It does not say what the text was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token: bk_<id>_<secret>")]
pub struct InvalidToken;

impl TokenText {
    /// A new token.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut id = [0_u8; 8];
        getrandom::fill(&mut id)?;
        Self::renew(&HEXLOWER.encode(&id))
    }

    /// Another secret for the token of this id.
    pub fn renew(id: &str) -> Result<Self, getrandom::Error> {
        let mut bytes = zeroize::Zeroizing::new([0_u8; 32]);
        getrandom::fill(&mut *bytes)?;
        Ok(Self {
            id: id.to_owned(),
            secret: HEXLOWER.encode(&*bytes).into(),
        })
    }

    /// What the daemon may know of the secret.
    pub fn digest(&self) -> Digest {
        Digest(Sha256::digest(self.secret.expose_secret()).into())
    }

    /// The whole token, to be kept or sent.
    pub fn whole(&self) -> SecretString {
        format!("bk_{}_{}", self.id, self.secret.expose_secret()).into()
    }
}

impl FromStr for TokenText {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let hex = |text: &str, len| {
            let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            text.len() == len && text.bytes().all(digit)
        };
        text.strip_prefix("bk_")
            .and_then(|rest| rest.split_once('_'))
            .filter(|(id, secret)| hex(id, 16) && hex(secret, 64))
            .map(|(id, secret)| Self {
                id: id.to_owned(),
                secret: secret.into(),
            })
            .ok_or(InvalidToken)
    }
}

/// Asks for a token.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Its id, drawn by whoever made it.
    pub id: String,
    /// What it is for, in somebody's words.
    pub label: String,
    /// What it allows.
    pub scopes: Scopes,
    /// When it ends.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub expires: Timestamp,
    /// The digest of its secret.
    pub secret: NewSecret,
}

/// What the daemon learns of a new secret: the SHA-256 of its 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct NewSecret(pub Digest);

/// Asks for another secret in the place of a token's.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// The new secret's digest.
    pub secret: NewSecret,
    /// How long the old secret still counts, in seconds.
    pub overlap_secs: u32,
    /// When the token ends now.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub expires: Timestamp,
}

/// A token in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TokenInfo {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub label: String,
    /// What it allows.
    pub scopes: Scopes,
    /// When it was made.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub created: Timestamp,
    /// When it ends.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub expires: Timestamp,
    /// Until when a former secret still counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Instant>"))]
    pub former_until: Option<Timestamp>,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_one_spelling_and_does_not_show_itself() {
        let made = TokenText::generate().unwrap();
        let whole = made.whole();
        let read: TokenText = whole.expose_secret().parse().unwrap();
        assert_eq!((&read.id, read.digest()), (&made.id, made.digest()));
        assert!(!format!("{read:?}").contains(&whole.expose_secret()[20..]));
        let text = whole.expose_secret();
        for bad in [
            "",
            "bk_",
            &text[..83],
            &text.to_uppercase(),
            &format!("{text} "),
        ] {
            assert!(bad.parse::<TokenText>().is_err(), "{bad}");
        }
    }
}
