//! Who is told when something changes: kinds of channels, what there is to tell, and how delivery
//! stands.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::InvalidId;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$each])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Every one, in the order of this list.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word for it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let mut known = Self::ALL.iter().copied();
                known
                    .find(|each| each.as_str() == text)
                    .ok_or_else(|| InvalidId::new(text, concat!("one of: ", $($word, " ",)*)))
            }
        }
    };
}

words! {
    /// How a channel delivers.
    ChannelKind {
        /// A JSON document is posted.
        Webhook = "webhook",
        /// A message to a topic of an ntfy server.
        Ntfy = "ntfy",
        /// Pings to healthchecks.io, or what speaks its language.
        Healthchecks = "healthchecks",
    }
}

words! {
    /// What there is to tell.
    EventKind {
        /// A job is breached.
        Breached = "breached",
        /// A job is at risk.
        AtRisk = "at-risk",
        /// The last run of a job made no snapshot.
        Failed = "failed",
        /// A verification found damage.
        Damage = "damage",
        /// A run is due and does not begin.
        Missed = "missed",
        /// No recovery kit counts.
        KitUnconfirmed = "kit-unconfirmed",
        /// The configuration cannot be used; an older one is in force.
        ConfigInvalid = "config-invalid",
        /// Something else is wrong with the daemon itself.
        Fault = "fault",
        /// One of these is over.
        Recovered = "recovered",
    }
}

/// How the delivery of a channel stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChannelState {
    /// Its name in the configuration.
    pub name: String,
    /// How it delivers.
    pub kind: ChannelKind,
    /// When something was last delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Instant>"))]
    pub last_delivered: Option<Timestamp>,
    /// When something was last given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Instant>"))]
    pub last_failed: Option<Timestamp>,
    /// Why; it never names the address, which is a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}
