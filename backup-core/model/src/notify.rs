//! Who is told when something changes: kinds of channels, what there is to tell, and how delivery
//! stands.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// How a channel delivers.
    ChannelKind {
        /// A JSON document is posted.
        Webhook = "webhook",
        /// A message to a topic of an ntfy server.
        Ntfy = "ntfy",
        /// Mail, handed to a server.
        Smtp = "smtp",
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
    /// When a digest was last sent, or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Instant>"))]
    pub last_digest: Option<Timestamp>,
    /// When something was last given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Instant>"))]
    pub last_failed: Option<Timestamp>,
    /// Why; it never names the address, which is a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}
