//! What anybody may know who may ask: the public side of a repository's keys, and what the
//! configuration says.

use backup_core::repo::{Repository, kit_proof};
use backup_keys::{Administrator, Role, TrustRecord, Writer, kit::KitStanding};
use backup_model::{
    AdministratorInfo, ConfigurationReport, ConfiguredJob, ConfiguredRepository, ConfiguredSource,
    EpochInfo, Failure, JobName, KeysReport, KitInfo, WriterInfo,
};
use jiff::Timestamp;

use super::{Access, Place};
use crate::config::{JobConfig, SourceKind};

/// The public side of a repository's keys, and how its recovery kit stands here.
pub(crate) fn keys(
    access: &Access,
    place: &Place,
    repository: &Repository,
    now: Timestamp,
) -> Result<KeysReport, Failure> {
    let proof = kit_proof(&access.state, repository.id())
        .map_err(|error| Failure::from_error(error.code(), &error))?;
    let trust = repository.trust();
    let standing = KitStanding::of(proof.as_ref(), trust, &place.url.shown(), now);
    let epochs = trust.epochs.iter().map(|epoch| EpochInfo {
        number: epoch.number,
        recipient: epoch.recipient.clone(),
        created: epoch.created,
    });
    let administrators = trust.administrators.iter();
    Ok(KeysReport {
        repository: place.name.clone(),
        trust: trust.version,
        administrators: administrators.map(|it| administrator(trust, it)).collect(),
        epochs: epochs.collect(),
        writers: trust.writers.iter().map(writer).collect(),
        kit: kit(&standing, proof.map(|proof| proof.at)),
    })
}

fn administrator(trust: &TrustRecord, administrator: &Administrator) -> AdministratorInfo {
    let name = &administrator.name;
    let opened = || trust.epochs.iter().filter(|epoch| epoch.opened_by(name));
    let newest = opened().next_back();
    let mut files = newest.into_iter().flat_map(|epoch| &epoch.keys);
    let file = files.find(|file| file.administrator == *name);
    AdministratorInfo {
        name: name.to_string(),
        kind: administrator.kind.to_string(),
        recipient: administrator.recipient.clone(),
        added: administrator.added,
        opens: opened().map(|epoch| epoch.number).collect(),
        tested: file.and_then(|file| file.tested),
    }
}

fn writer(writer: &Writer) -> WriterInfo {
    let jobs = writer.jobs.as_ref();
    let roles = writer.roles.iter().copied().map(role);
    WriterInfo {
        name: writer.name.to_string(),
        key: writer.key.to_string(),
        roles: roles.map(str::to_owned).collect(),
        jobs: jobs.map(|jobs| jobs.iter().map(ToString::to_string).collect()),
        from: writer.from,
        until: writer.until,
        removed: writer.removed.as_ref().map(|removal| removal.at),
    }
}

/// The word for a role.
pub const fn role(role: Role) -> &'static str {
    match role {
        Role::Write => "write",
        Role::Maintain => "maintain",
        Role::Prove => "prove",
    }
}

fn kit(standing: &KitStanding, proved: Option<Timestamp>) -> KitInfo {
    let (text, until) = match standing {
        KitStanding::Unconfirmed => ("none was proved from this machine".to_owned(), None),
        KitStanding::Lapsed(why) => (why.to_string(), None),
        KitStanding::Old(_) => ("it was last proved more than a year ago".to_owned(), None),
        KitStanding::Confirmed(until) => ("proved".to_owned(), Some(*until)),
    };
    KitInfo {
        at_risk: standing.at_risk(),
        standing: text,
        proved,
        until,
    }
}

/// What the configuration says.
pub(super) fn configuration(access: &Access) -> ConfigurationReport {
    let repositories = access.places.iter().map(|place| ConfiguredRepository {
        name: place.name.clone(),
        url: place.url.shown(),
        trust: place.trust.clone(),
    });
    ConfigurationReport {
        repositories: repositories.collect(),
        jobs: access.jobs.iter().map(|(name, it)| job(name, it)).collect(),
    }
}

fn job(name: &JobName, config: &JobConfig) -> ConfiguredJob {
    let sources = config.sources.iter().map(|source| {
        let (kind, reads) = match &source.kind {
            SourceKind::Postgres(postgres) => {
                ("postgres", vec![postgres.connection.dbname.clone()])
            }
            SourceKind::Files(files) => {
                let paths = files.paths.iter().map(|path| path.display().to_string());
                ("files", paths.collect())
            }
            // Its arguments may tell what is nobody's business.
            SourceKind::Command(command) => ("command", vec![command.program.clone()]),
        };
        ConfiguredSource {
            name: source.name.as_str().to_owned(),
            kind: kind.to_owned(),
            reads,
        }
    });
    ConfiguredJob {
        name: name.clone(),
        repository: config.repository.as_str().to_owned(),
        schedule: config.timing.as_ref().map(|it| it.schedule.to_string()),
        rpo_secs: config.rpo.map(|rpo| rpo.as_secs()),
        limit_secs: config.limit.map(|limit| limit.as_secs()),
        retention: config.retention.clone(),
        sources: sources.collect(),
    }
}
