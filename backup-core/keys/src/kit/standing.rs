//! Whether a kit was proved, and whether the proof still says something.

use backup_model::KitProof;
use jiff::{SignedDuration, Timestamp};

use super::Kit;
use crate::TrustRecord;

/// A proof is good for a year.
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

/// How a kit stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KitStanding {
    /// Nobody proved one.
    Unconfirmed,
    /// One was proved, but says nothing any more.
    Lapsed(Lapse),
    /// One was proved more than a year ago.
    Old(Timestamp),
    /// One was proved, and this is when that must be done again.
    Confirmed(Timestamp),
}

/// Why a proof says nothing any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Lapse {
    /// It is of another repository.
    #[error("the kit that was proved is of another repository")]
    OtherRepository,
    /// The repository is elsewhere now.
    #[error("the repository has another address than the kit that was proved")]
    Moved,
    /// The kit's key is not an administrator's any more.
    #[error("the key of the kit that was proved was removed or changed")]
    KeyChanged,
    /// The current epoch is not for it.
    #[error("the key of the kit that was proved does not open epoch {0}")]
    LeftOut(u64),
}

impl KitStanding {
    /// How it stands, by what was written down when one was proved.
    pub fn of(
        confirmation: Option<&KitProof>,
        trust: &TrustRecord,
        location: &str,
        now: Timestamp,
    ) -> Self {
        let Some(proof) = confirmation else {
            return Self::Unconfirmed;
        };
        if let Some(lapse) = lapse(proof, trust, location) {
            return Self::Lapsed(lapse);
        }
        match proof.at.checked_add(YEAR) {
            Ok(until) if now < until => Self::Confirmed(until),
            Ok(_) | Err(_) => Self::Old(proof.at),
        }
    }

    /// When one was proved, if that says something still.
    pub fn confirmed(&self) -> Option<Timestamp> {
        match self {
            Self::Confirmed(until) => until.checked_sub(YEAR).ok(),
            Self::Old(at) => Some(*at),
            Self::Unconfirmed | Self::Lapsed(_) => None,
        }
    }

    /// Whether somebody should prove a kit.
    pub fn at_risk(&self) -> bool {
        !matches!(self, Self::Confirmed(_))
    }
}

fn lapse(proof: &KitProof, trust: &TrustRecord, location: &str) -> Option<Lapse> {
    let name = &proof.administrator;
    if proof.repository != trust.repository {
        return Some(Lapse::OtherRepository);
    }
    if proof.location != location {
        return Some(Lapse::Moved);
    }
    if trust
        .administrator(name)
        .is_none_or(|a| a.added != proof.added)
    {
        return Some(Lapse::KeyChanged);
    }
    let left_out = trust.current_epoch().filter(|epoch| !epoch.opened_by(name));
    left_out.map(|epoch| Lapse::LeftOut(epoch.number))
}

impl Kit {
    /// What to write down once its key opened the canaries; none if the repository does not know
    /// its administrator.
    pub fn confirmation(&self, trust: &TrustRecord, now: Timestamp) -> Option<KitProof> {
        let administrator = trust.administrator(&self.administrator)?;
        Some(KitProof {
            at: now,
            repository: self.repository,
            location: self.location.clone(),
            administrator: self.administrator.clone(),
            added: administrator.added,
        })
    }
}
