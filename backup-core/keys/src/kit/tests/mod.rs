//! Kits are made, written, broken, read, printed and proved.

mod broken;
mod page;
mod proof;

use backup_model::Digest;

use super::{lines::Line, *};
use crate::{
    Administrator, CanaryFile, Epoch, Identity, KeyFile, NewEpoch, RepositoryRecord, SecretKey,
    TrustRecord,
    administrator::{Access, IdentityError},
};

const SCRIPT: &str = "#!/bin/sh\necho restored \"$@\"\n";

fn manual(program: &[String]) -> Manual<'_> {
    Manual {
        program,
        script: SCRIPT,
    }
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

struct World {
    kit: Kit,
    identity: Identity,
    epoch: NewEpoch,
    repository: RepositoryRecord,
    trust: TrustRecord,
    key_file: Vec<u8>,
}

fn digest(bytes: &[u8]) -> Digest {
    use sha2::Digest as _;
    Digest(sha2::Sha256::digest(bytes).into())
}

fn world() -> World {
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

fn lines_of(kit: &Kit) -> String {
    kit.lines().unwrap().expose_secret().to_owned()
}

fn parse(text: &str) -> Result<Kit, KitError> {
    Kit::parse(&SecretString::from(text))
}

fn faults(text: &str) -> Vec<(usize, KitFault)> {
    let faults = parse(text).unwrap_err().faults.into_iter();
    faults.map(|fault| (fault.line, fault.fault)).collect()
}

#[test]
fn a_kit_comes_back_from_its_file_and_opens_the_canary() {
    let w = world();
    let file = w.kit.to_text(manual(&["backupctl list".into()])).unwrap();
    assert!(file.expose_secret().ends_with(SCRIPT));
    let kit = Kit::parse(&file).unwrap();
    assert_eq!(lines_of(&kit), lines_of(&w.kit));
    assert_eq!(kit.matches(&w.repository, &w.trust), Ok(()));
    let identity = kit.identity(&Access::none()).unwrap();
    let epoch = &w.trust.epochs[0];
    let opened = epoch.prove(
        &kit.administrator,
        &identity,
        &w.key_file,
        &w.epoch.canary.file,
    );
    assert_eq!(opened.unwrap().recipient(), w.epoch.recipient);
}

#[test]
fn what_somebody_typed_is_taken_with_other_blanks_and_capitals() {
    let w = world();
    let mut typed = String::new();
    for line in lines_of(&w.kit).lines() {
        let (rest, check) = line.rsplit_once(' ').unwrap();
        let rest = rest.trim_start_matches('0').replacen(' ', "   ", 2);
        typed.push_str(&format!("\t{rest}  {} \r\n\r\n", check.to_uppercase()));
    }
    assert_eq!(lines_of(&parse(&typed).unwrap()), lines_of(&w.kit));
}

#[test]
fn a_key_that_is_elsewhere_or_locked_comes_back_too() {
    let w = world();
    let mut recipient = age::scrypt::Recipient::new("open sesame".into());
    recipient.set_work_factor(2);
    let plain = w.identity.to_file_text("ann");
    let locked = age::encrypt_and_armor(&recipient, plain.expose_secret().as_bytes()).unwrap();
    let kit = Kit {
        key: KitKey::Here(locked.as_str().into()),
        ..w.kit.clone()
    };
    let back = parse(&lines_of(&kit)).unwrap();
    let KitKey::Here(text) = &back.key else {
        panic!("the key is not there");
    };
    assert_eq!(text.expose_secret().trim_end(), locked.trim_end());
    let needs = back.identity(&Access::none()).unwrap_err();
    assert!(
        matches!(needs, KitKeyError::Identity(at) if at.source == IdentityError::NeedsPassphrase)
    );

    let elsewhere = Kit {
        kind: AdministratorKind::Passphrase,
        recipient: None,
        storage: Vec::new(),
        key: KitKey::Elsewhere("in the safe, envelope 3".into()),
        ..w.kit
    };
    let back = parse(&lines_of(&elsewhere)).unwrap();
    assert!(!back.is_secret());
    assert_eq!(lines_of(&back), lines_of(&elsewhere));
    let none = back.identity(&Access::none()).unwrap_err();
    assert_eq!(none, KitKeyError::Elsewhere);
}
