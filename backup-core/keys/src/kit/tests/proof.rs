//! Whether a kit belongs to a repository, opens it, and was proved.

use backup_model::{Digest, KitProof, RepositoryId};

use super::world::{time, world};
use crate::{
    EpochError, Identity, ProofError, SecretKey, TrustRecord,
    administrator::Access,
    kit::{Kit, KitKey, KitKeyError, KitMismatch, KitStanding, Lapse},
};

#[test]
fn a_kit_of_something_else_is_refused_and_says_how_it_differs() {
    let w = world();
    let (id, name) = (RepositoryId([2; 16]), w.kit.administrator.clone());
    let other_root = SecretKey::generate().unwrap().public().clone();
    let stranger = Identity::generate().recipient().to_string();
    let kit = |change: &dyn Fn(&mut Kit)| {
        let mut kit = w.kit.clone();
        change(&mut kit);
        kit.matches(&w.repository, &w.trust)
    };
    let trust = |change: &dyn Fn(&mut TrustRecord)| {
        let mut trust = w.trust.clone();
        change(&mut trust);
        w.kit.matches(&w.repository, &trust)
    };
    let table = [
        (
            kit(&|kit| kit.repository = id),
            KitMismatch::Repository {
                kit: id,
                found: w.repository.repository,
            },
        ),
        (
            kit(&|kit| kit.root = other_root.clone()),
            KitMismatch::Root {
                kit: other_root.clone(),
                found: w.kit.root.clone(),
            },
        ),
        (
            kit(&|kit| kit.opens.push((2, stranger.clone()))),
            KitMismatch::NoEpoch(2),
        ),
        (
            kit(&|kit| kit.opens[0].1 = stranger.clone()),
            KitMismatch::OtherEpoch(1),
        ),
        (
            kit(&|kit| kit.recipient = Some(stranger.clone())),
            KitMismatch::OtherKey(name.clone()),
        ),
        (
            trust(&|trust| trust.administrators.clear()),
            KitMismatch::NoAdministrator(name.clone()),
        ),
        (
            trust(&|trust| trust.epochs[0].keys.clear()),
            KitMismatch::LeftOut(1),
        ),
    ];
    for (found, expected) in table {
        assert_eq!(found, Err(expected));
    }
    let mixed = Kit {
        key: KitKey::Here(Identity::generate().to_file_text("x")),
        ..w.kit
    };
    let other = mixed.identity(&Access::none()).unwrap_err();
    assert!(matches!(other, KitKeyError::Other { .. }));
}

#[test]
fn a_canary_is_opened_by_the_right_files_and_key_only() {
    let w = world();
    let (epoch, ann) = (&w.trust.epochs[0], &w.kit.administrator);
    let (file, canary) = (&w.key_file[..], &w.epoch.canary.file[..]);
    epoch.prove(ann, &w.identity, file, canary).unwrap();
    let bob = "bob".parse().unwrap();
    let stranger = Identity::generate();
    let result = epoch.prove(&bob, &w.identity, file, canary);
    assert!(matches!(result, Err(ProofError::NoKeyFile(_))));
    let result = epoch.prove(ann, &w.identity, canary, canary);
    assert!(matches!(result, Err(ProofError::OtherKeyFile)));
    let result = epoch.prove(ann, &w.identity, file, file);
    assert!(matches!(result, Err(ProofError::OtherCanary)));
    let result = epoch.prove(ann, &stranger, file, canary);
    assert!(matches!(
        result,
        Err(ProofError::KeyFile(EpochError::NoMatch))
    ));
    let mut wrong = epoch.clone();
    wrong.canary.opens_to = Digest([3; 32]);
    let result = wrong.prove(ann, &w.identity, file, canary);
    assert!(matches!(result, Err(ProofError::CanaryText)));
}

#[test]
fn a_proof_is_good_for_a_year_and_while_nothing_changes() {
    let w = world();
    let proof = w
        .kit
        .confirmation(&w.trust, time("2026-11-25T00:00:00Z"))
        .unwrap();
    let json = serde_json::to_string(&proof).unwrap();
    assert_eq!(serde_json::from_str::<KitProof>(&json).unwrap(), proof);
    let here = w.kit.location.as_str();
    let standing = |trust: &TrustRecord, location: &str, now: &str| {
        KitStanding::of(Some(&proof), trust, location, time(now))
    };
    let until = time("2027-11-25T00:00:00Z");
    let good = standing(&w.trust, here, "2027-11-24T23:59:59Z");
    assert_eq!(good, KitStanding::Confirmed(until));
    assert!(!good.at_risk());
    let old = standing(&w.trust, here, "2027-11-25T00:00:00Z");
    assert_eq!(old, KitStanding::Old(proof.at));
    let none = KitStanding::of(None, &w.trust, here, proof.at);
    assert_eq!(none, KitStanding::Unconfirmed);
    assert!(old.at_risk() && none.at_risk());
    let lapsed = |change: &dyn Fn(&mut TrustRecord)| {
        let mut trust = w.trust.clone();
        change(&mut trust);
        standing(&trust, here, "2026-11-26T00:00:00Z")
    };
    let later = time("2026-12-01T00:00:00Z");
    let table = [
        (
            standing(&w.trust, "/elsewhere", "2026-11-26T00:00:00Z"),
            Lapse::Moved,
        ),
        (
            lapsed(&|t| t.repository = RepositoryId([9; 16])),
            Lapse::OtherRepository,
        ),
        (lapsed(&|t| t.administrators.clear()), Lapse::KeyChanged),
        (
            lapsed(&|t| t.administrators[0].added = later),
            Lapse::KeyChanged,
        ),
        (lapsed(&|t| t.epochs[0].keys.clear()), Lapse::LeftOut(1)),
    ];
    for (found, lapse) in table {
        assert_eq!(found, KitStanding::Lapsed(lapse));
    }
}
