//! How many copies of a job's data there are, and whether one misfortune takes them all: three
//! copies, two kinds of place, one of them elsewhere.

use std::{net::IpAddr, path::PathBuf};

use backup_model::HealthItem;
use rustix::fs::{stat, statfs};
use tokio::task;

use crate::{
    config::{JobConfig, RepositoryUrl, SourceKind},
    service::{Access, Place},
};

const ID: &str = "copies";

/// File systems that are on another machine: NFS, CIFS, SMB2, Ceph, AFS.
const ELSEWHERE: [u32; 5] = [0x6969, 0xff53_4d42, 0xfe53_4d42, 0x00c3_6400, 0x5346_414f];
/// One of some program, which may keep its files anywhere.
const FUSE: u32 = 0x6573_5546;

/// Whether a host or an address is this machine's own.
pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Where something is kept, as far as can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Where {
    /// On this machine, in a file system of this number.
    Here(u64),
    /// On this machine, and that is all that is known.
    Machine,
    /// On another one.
    Elsewhere,
    /// Nobody can tell.
    Somewhere,
}

pub(super) async fn check(access: &Access) -> Vec<HealthItem> {
    let access = access.clone();
    let look = task::spawn_blocking(move || {
        let jobs = access.jobs.iter();
        jobs.map(|(name, job)| {
            let place = access.places_of(Some(name)).next();
            let sources: Vec<Where> = sources(job);
            let kept = place.map_or(Where::Somewhere, repository);
            let repository = job.repository.as_str();
            judge(&format!("job {name}"), repository, &sources, kept)
        })
        .collect()
    });
    look.await.unwrap_or_default()
}

fn sources(job: &JobConfig) -> Vec<Where> {
    let mut all = Vec::new();
    for source in &job.sources {
        match &source.kind {
            SourceKind::Files(files) => all.extend(files.paths.iter().map(path)),
            SourceKind::Postgres(postgres) => {
                let host = &postgres.connection.host;
                let near = host.starts_with('/') || is_loopback(host);
                all.push(if near {
                    Where::Machine
                } else {
                    Where::Elsewhere
                });
            }
            // It runs here, and may fetch from anywhere.
            SourceKind::Command(_) => all.push(Where::Somewhere),
        }
    }
    all
}

fn repository(place: &Place) -> Where {
    match &place.url {
        RepositoryUrl::Folder(folder) => path(folder),
        RepositoryUrl::S3(_) => {
            let endpoint = place.s3.as_ref().and_then(|s3| s3.endpoint.as_ref());
            let endpoint = endpoint.map(ToString::to_string).unwrap_or_default();
            let near = http::Uri::try_from(endpoint).is_ok_and(|uri| {
                uri.host()
                    .is_some_and(|host| is_loopback(host.trim_matches(['[', ']'])))
            });
            // A server here, or a way to one elsewhere.
            if near {
                Where::Somewhere
            } else {
                Where::Elsewhere
            }
        }
    }
}

fn path(path: &PathBuf) -> Where {
    let (Ok(system), Ok(facts)) = (statfs(path), stat(path)) else {
        return Where::Somewhere;
    };
    // Of several widths and signs, by architecture; the numbers have 32 bits.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the low 32 bits are the number"
    )]
    let kind = system.f_type as u32;
    match kind {
        FUSE => Where::Somewhere,
        kind if ELSEWHERE.contains(&kind) => Where::Elsewhere,
        _ => Where::Here(facts.st_dev),
    }
}

/// A job has its source and its repository: what matters is that they are not lost together.
fn judge(object: &str, repository: &str, sources: &[Where], kept: Where) -> HealthItem {
    let fix = "Back up into a bucket or a folder of another machine: backupctl init --repository s3://BUCKET/PREFIX";
    let near = |it: &Where| matches!(it, Where::Here(_) | Where::Machine);
    match kept {
        Where::Somewhere => {
            let why =
                format!("whether {repository} is on another machine cannot be told from here");
            HealthItem::unknown(
                ID,
                object,
                why,
                "Look where it is, and keep a copy elsewhere.",
            )
        }
        Where::Here(_) | Where::Machine if sources.contains(&kept) => {
            let evidence = format!(
                "2 copies, in one file system: the source and {repository} are lost together"
            );
            HealthItem::at_risk(ID, object, evidence, fix)
        }
        Where::Here(_) | Where::Machine if sources.iter().any(near) => {
            let evidence = format!(
                "2 copies, on one machine: the source and {repository} may be lost together"
            );
            HealthItem::at_risk(ID, object, evidence, fix)
        }
        Where::Here(_) | Where::Machine if sources.contains(&Where::Somewhere) => {
            let why = "whether the source is on this machine cannot be told";
            HealthItem::unknown(
                ID,
                object,
                why,
                "Look where it is, and keep a copy elsewhere.",
            )
        }
        Where::Here(_) | Where::Machine => {
            let evidence = format!("2 copies: the source elsewhere, and {repository} here");
            HealthItem::ok(ID, object, evidence)
        }
        Where::Elsewhere => {
            let evidence = format!("2 copies: the source, and {repository} on another machine");
            HealthItem::ok(ID, object, evidence)
        }
    }
}

#[cfg(test)]
mod tests {
    use backup_model::HealthState;

    use super::*;

    #[test]
    fn copies_that_one_misfortune_takes_are_a_risk() {
        let (one, two) = (Where::Here(1), Where::Here(2));
        for (sources, kept, state) in [
            (&[one][..], one, HealthState::AtRisk),
            (&[two, one], one, HealthState::AtRisk),
            (&[two], one, HealthState::AtRisk),
            (&[Where::Machine], one, HealthState::AtRisk),
            (&[Where::Somewhere], one, HealthState::Unknown),
            (&[Where::Elsewhere], one, HealthState::Ok),
            (&[one, Where::Machine], Where::Elsewhere, HealthState::Ok),
            (&[one], Where::Somewhere, HealthState::Unknown),
        ] {
            let item = judge("job a", "main", sources, kept);
            assert_eq!(item.state, state, "{sources:?} {kept:?}: {item:?}");
        }
        assert!(
            judge("j", "m", &[one], one)
                .evidence
                .contains("one file system")
        );
        assert!(
            judge("j", "m", &[two], one)
                .evidence
                .contains("one machine")
        );
    }

    #[test]
    fn a_folder_is_here_and_one_that_is_gone_is_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let here = path(&folder.path().to_owned());
        assert!(matches!(here, Where::Here(_)), "{here:?}");
        assert_eq!(path(&folder.path().join("gone")), Where::Somewhere);
    }

    #[test]
    fn loopback_is_here() {
        for (host, near) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("127.8.9.1", true),
            ("::1", true),
            ("db", false),
            ("10.0.0.1", false),
            ("*", false),
            ("", false),
        ] {
            assert_eq!(is_loopback(host), near, "{host}");
        }
    }
}
