//! How long certificates count: the daemon's own, and by the same measure those of others.

use std::path::{Path, PathBuf};

use backup_model::{HealthItem, Span};
use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use tokio::task;
use x509_parser::parse_x509_certificate;

use crate::{
    config::{Listen, ServerConfig},
    service::Access,
};

pub(super) const OBJECT: &str = "the daemon's certificate";
const ID: &str = "certificate";

/// Certificates of the web count for weeks, and are renewed a month before their end.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

/// From when until when a certificate counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

impl Term {
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let (_, parsed) = parse_x509_certificate(certificate).ok()?;
        let validity = parsed.validity();
        Some(Self {
            from: Timestamp::from_second(validity.not_before.timestamp()).ok()?,
            until: Timestamp::from_second(validity.not_after.timestamp()).ok()?,
        })
    }
}

/// The daemon's own certificate, where it answers by TLS.
pub(super) async fn check(access: &Access, now: Timestamp) -> Option<HealthItem> {
    let server = access.watched.server.as_ref()?;
    let path = file(server, &access.state)?;
    let shown = path.display().to_string();
    let read = task::spawn_blocking(move || {
        let certificate = CertificateDer::from_pem_file(&path);
        let certificate = certificate.map_err(|error| error.to_string())?;
        Term::of(&certificate).ok_or_else(|| "it is none".to_owned())
    });
    let read = read.await.unwrap_or_else(|error| Err(error.to_string()));
    let fix = format!("Put another one into {shown}; the daemon takes it over by itself.");
    Some(match read {
        Ok(term) => judge(OBJECT, term, &fix, now),
        Err(why) => {
            let why = format!("{shown}: {why}");
            let fix = "See what the daemon's log says of it: journalctl -u backupd";
            HealthItem::unknown(ID, OBJECT, why, fix)
        }
    })
}

fn file(server: &ServerConfig, state: &Path) -> Option<PathBuf> {
    let by_tls = |listen: &Listen| matches!(listen, Listen::Https(_));
    server.listen.iter().any(by_tls).then(|| {
        let own = server.tls.as_ref().map(|tls| tls.certificate.clone());
        own.unwrap_or_else(|| state.join("tls").join("certificate.pem"))
    })
}

pub(super) fn judge(object: &str, term: Term, fix: &str, now: Timestamp) -> HealthItem {
    let left = term.until.duration_since(now);
    let day = term.until.strftime("%Y-%m-%d");
    let item = if left <= SignedDuration::ZERO {
        let evidence = format!("it ended {} ago, on {day}", Span(-left));
        HealthItem::breached(ID, object, evidence, fix)
    } else if now < term.from {
        let begins = Span(term.from.duration_since(now));
        let evidence = format!("it begins to count in {begins} only");
        HealthItem::breached(ID, object, evidence, fix)
    } else {
        let evidence = format!("it counts for {}, until {day}", Span(left));
        if left < SOON {
            HealthItem::at_risk(ID, object, evidence, fix)
        } else {
            HealthItem::ok(ID, object, evidence)
        }
    };
    item.with("left_days", left.as_hours() / 24)
}

#[cfg(test)]
mod tests {
    use backup_model::HealthState;

    use super::*;

    #[test]
    fn a_certificate_is_judged_by_the_days_that_are_left() {
        let day = 24 * 3_600;
        let at = |secs: i64| Timestamp::from_second(1_790_000_000 + secs).unwrap();
        let term = Term {
            from: at(0),
            until: at(90 * day),
        };
        for (now, state) in [
            (-1, HealthState::Breached),
            (0, HealthState::Ok),
            (76 * day, HealthState::Ok),
            (76 * day + 1, HealthState::AtRisk),
            (90 * day - 1, HealthState::AtRisk),
            (90 * day, HealthState::Breached),
            (400 * day, HealthState::Breached),
        ] {
            assert_eq!(judge("c", term, "Renew it.", at(now)).state, state, "{now}");
        }
        assert_eq!(judge("c", term, "", at(0)).numbers["left_days"], 90);
    }
}
