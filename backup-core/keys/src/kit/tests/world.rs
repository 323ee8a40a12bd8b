//! A repository's trust, its files, and a kit that opens it.

use backup_model::{Digest, JobName, RepositoryId};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    Administrator, AdministratorKind, CanaryFile, Epoch, Identity, KeyFile, NewEpoch,
    RepositoryRecord, SecretKey, TrustRecord,
    kit::{Kit, KitError, KitFault, KitKey, Manual},
};

pub(super) const SCRIPT: &str = "#!/bin/sh\necho restored \"$@\"\n";

pub(super) fn manual(program: &[String]) -> Manual<'_> {
    Manual {
        program,
        script: SCRIPT,
    }
}

pub(super) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) struct World {
    pub(super) kit: Kit,
    pub(super) identity: Identity,
    pub(super) epoch: NewEpoch,
    pub(super) repository: RepositoryRecord,
    pub(super) trust: TrustRecord,
    pub(super) key_file: Vec<u8>,
}

pub(super) fn digest(bytes: &[u8]) -> Digest {
    use sha2::Digest as _;
    Digest(sha2::Sha256::digest(bytes).into())
}

pub(super) fn world() -> World {
    let identity = Identity::generate();
    let id = RepositoryId([1; 16]);
    let epoch = NewEpoch::generate(id, 1).unwrap();
    let key_file = epoch.wrap_for(&identity.recipient()).unwrap();
    let root = SecretKey::generate().unwrap().public().clone();
    let made = time("2026-11-22T02:30:00Z");
    let name: JobName = "ann".parse().unwrap();
    let recipient = Some(identity.recipient().to_string());
    let repository = RepositoryRecord {
        format: 0,
        repository: id,
        created: made,
        root: root.clone(),
        pack_bytes: 16 << 20,
        block_bytes: 1 << 20,
    };
    let trust = TrustRecord {
        repository: id,
        version: 1,
        prev: Digest([0; 32]),
        created: made,
        administrators: vec![Administrator {
            name: name.clone(),
            kind: AdministratorKind::X25519,
            recipient: recipient.clone(),
            added: made,
        }],
        epochs: vec![Epoch {
            number: 1,
            recipient: epoch.recipient.to_string(),
            created: made,
            canary: CanaryFile {
                size: epoch.canary.file.len() as u64,
                sha256: digest(&epoch.canary.file),
                opens_to: epoch.canary.opens_to,
            },
            keys: vec![KeyFile {
                administrator: name.clone(),
                number: 1,
                size: key_file.len() as u64,
                sha256: digest(&key_file),
                tested: None,
            }],
        }],
        writers: Vec::new(),
    };
    let kit = Kit {
        made,
        program: "0.1.0".to_owned(),
        repository: id,
        location: "s3://vault/back ups <&é>".to_owned(),
        storage: vec!["access key AKIA1".into(), "secret key hunter2".into()],
        root,
        administrator: name,
        kind: AdministratorKind::X25519,
        recipient,
        opens: vec![(1, epoch.recipient.to_string())],
        key: KitKey::Here(identity.to_file_text("ann")),
    };
    World {
        kit,
        identity,
        epoch,
        repository,
        trust,
        key_file,
    }
}

pub(super) fn lines_of(kit: &Kit) -> String {
    kit.lines().unwrap().expose_secret().to_owned()
}

pub(super) fn parse(text: &str) -> Result<Kit, KitError> {
    Kit::parse(&SecretString::from(text))
}

pub(super) fn faults(text: &str) -> Vec<(usize, KitFault)> {
    let faults = parse(text).unwrap_err().faults.into_iter();
    faults.map(|fault| (fault.line, fault.fault)).collect()
}
