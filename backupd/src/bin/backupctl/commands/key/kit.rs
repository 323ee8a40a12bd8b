//! How the repository's recovery kit stands, as far as this machine knows.

use backup_core::repo::kit_proof;
use backup_keys::kit::KitStanding;
use backup_model::Failure;
use backupd::clock;
use jiff::Timestamp;
use serde::Serialize;

use super::open::Opened;
use crate::show;

/// Whether a kit was proved from here, and whether that still says something.
#[derive(Debug, Serialize)]
pub(super) struct KitRow {
    /// Nobody could restore with what is known here.
    at_risk: bool,
    /// Why, in words; or until when it is not.
    standing: String,
    /// When it was proved, if it was.
    proved: Option<Timestamp>,
}

impl KitRow {
    pub(super) fn of(opened: &Opened) -> Result<Self, Failure> {
        let proof = kit_proof(&opened.access.state, opened.repository.id())
            .map_err(|error| Failure::from_error(error.code(), &error))?;
        let trust = opened.repository.trust();
        let standing = KitStanding::of(proof.as_ref(), trust, &opened.location, clock::now());
        Ok(Self {
            at_risk: standing.at_risk(),
            standing: match standing {
                KitStanding::Unconfirmed => "none was proved from this machine".to_owned(),
                KitStanding::Lapsed(why) => why.to_string(),
                KitStanding::Old(at) => format!("it was last proved {}", show::time(at)),
                KitStanding::Confirmed(until) => format!("proved, until {}", show::time(until)),
            },
            proved: proof.map(|proof| proof.at),
        })
    }

    pub(super) fn line(&self) -> String {
        if self.at_risk {
            let next = "backupctl kit create, then kit confirm";
            format!("recovery kit: at risk, {}; next: {next}", self.standing)
        } else {
            format!("recovery kit: {}", self.standing)
        }
    }
}
