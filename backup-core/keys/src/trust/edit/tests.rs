use backup_model::{Digest, JobName, RepositoryId, Seq};
use jiff::Timestamp;
use proptest::{
    prelude::{ProptestConfig, any},
    prop_assert, prop_assert_eq, proptest,
};

use super::{Edit, EditError, KeyFileName, NewAdministrator, NewKeyFile, NewKeys, NewWriter};
use crate::{
    Accepted, AcceptedRun, AcceptedRuns, Administrator, AdministratorKind, CanaryFile, Epoch,
    KeyFile, LastForget, PrunePart, PublicKey, Role, SecretKey, TrustRecord, Writer,
};

fn now() -> Timestamp {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

fn name(text: &str) -> JobName {
    text.parse().unwrap()
}

fn digest(byte: u8) -> Digest {
    Digest([byte; 32])
}

fn key() -> PublicKey {
    SecretKey::generate().unwrap().public().clone()
}

fn edit() -> Edit {
    Edit {
        prev: digest(1),
        now: now(),
    }
}

fn file(epoch: u64, tested: bool) -> NewKeyFile {
    NewKeyFile {
        epoch,
        number: 1,
        size: 300,
        sha256: digest(7),
        tested,
    }
}

fn canary() -> CanaryFile {
    CanaryFile {
        size: 300,
        sha256: digest(8),
        opens_to: digest(9),
    }
}

/// `ann`, tested, opens epoch 1; `host` writes and maintains.
fn first() -> TrustRecord {
    TrustRecord {
        repository: RepositoryId([1; 16]),
        version: 1,
        prev: digest(0),
        created: now(),
        administrators: vec![Administrator {
            name: name("ann"),
            kind: AdministratorKind::X25519,
            recipient: Some("age1ann".to_owned()),
            added: now(),
        }],
        epochs: vec![Epoch {
            number: 1,
            recipient: "age1epoch1".to_owned(),
            created: now(),
            canary: canary(),
            keys: vec![KeyFile {
                administrator: name("ann"),
                number: 1,
                size: 300,
                sha256: digest(2),
                tested: Some(now()),
            }],
        }],
        writers: vec![Writer {
            name: name("host"),
            key: key(),
            roles: vec![Role::Write, Role::Maintain],
            jobs: None,
            from: now(),
            until: None,
            removed: None,
        }],
    }
}

fn bob(tested: bool) -> NewAdministrator {
    NewAdministrator {
        name: name("bob"),
        kind: AdministratorKind::Ssh,
        recipient: Some("ssh-ed25519 bob".to_owned()),
        files: vec![file(1, tested)],
    }
}

fn epoch(number: u64, files: &[(&str, bool)]) -> NewKeys {
    let of = |&(who, tested): &(&str, bool)| (name(who), file(number, tested));
    NewKeys {
        number,
        recipient: format!("age1epoch{number}"),
        canary: canary(),
        files: files.iter().map(of).collect(),
    }
}

fn writer(called: &str) -> NewWriter {
    NewWriter {
        name: name(called),
        key: key(),
        roles: vec![Role::Write],
        jobs: Some(vec![name("webui")]),
        from: now(),
        until: None,
    }
}

#[test]
fn a_newcomer_stays_when_the_founder_goes_once_he_has_shown_what_he_opens() {
    let trust = first();
    let two = trust.add_administrator(edit(), &bob(false)).unwrap();
    assert_eq!((two.version, two.prev, trust.version), (2, digest(1), 1));
    let gone = |trust: &TrustRecord| trust.remove_administrator(edit(), &name("ann"));
    let last_tested = EditError::LastTested {
        administrator: name("ann"),
        epoch: 1,
    };
    assert_eq!(gone(&trust).unwrap_err(), last_tested);
    assert_eq!(gone(&two).unwrap_err(), last_tested);
    let his = KeyFileName {
        epoch: 1,
        administrator: name("bob"),
        number: 1,
    };
    let tested = two.mark_tested(edit(), &[his]).unwrap();
    let without = gone(&tested).unwrap();
    assert_eq!(without.files.len(), 1);
    assert_eq!(without.files[0].administrator, name("ann"));
    assert!(without.trust.administrator(&name("ann")).is_none());
    assert!(!without.trust.epochs[0].opened_by(&name("ann")));
    assert!(without.trust.epochs[0].opened_by(&name("bob")));
    assert_eq!(without.trust.broken_rule(), None);
}

#[test]
fn an_untested_one_goes_while_a_tested_one_stays() {
    let two = first().add_administrator(edit(), &bob(false)).unwrap();
    let without = two.remove_administrator(edit(), &name("bob")).unwrap();
    assert_eq!(without.trust.administrators.len(), 1);
}

#[test]
fn nobody_goes_who_alone_opens_an_old_epoch() {
    let trust = first()
        .new_epoch(edit(), &epoch(2, &[("ann", true)]))
        .unwrap()
        .add_administrator(
            edit(),
            &NewAdministrator {
                files: vec![file(2, true)],
                ..bob(true)
            },
        )
        .unwrap();
    let refused = trust.remove_administrator(edit(), &name("ann"));
    assert_eq!(
        refused.unwrap_err(),
        EditError::LastTested {
            administrator: name("ann"),
            epoch: 1
        }
    );
    let more = trust
        .open_more(edit(), &name("bob"), &[file(1, true)])
        .unwrap();
    more.remove_administrator(edit(), &name("ann")).unwrap();
}

#[test]
fn what_is_no_newcomer_is_refused_and_says_why() {
    let trust = first();
    let called = |called: &str| NewAdministrator {
        name: name(called),
        ..bob(true)
    };
    let with = |recipient: Option<&str>| NewAdministrator {
        recipient: recipient.map(ToOwned::to_owned),
        ..bob(true)
    };
    let files = |files: Vec<NewKeyFile>| NewAdministrator { files, ..bob(true) };
    let passphrase = NewAdministrator {
        kind: AdministratorKind::Passphrase,
        ..bob(true)
    };
    let twice = EditError::KeyFileTwice {
        administrator: name("bob"),
        epoch: 1,
        number: 1,
    };
    let table = [
        (called("ann"), EditError::NameTaken(name("ann"))),
        (
            with(Some("age1ann")),
            EditError::RecipientTaken(name("ann")),
        ),
        (with(Some("age1epoch1")), EditError::EpochRecipient(1)),
        (with(None), EditError::Recipient),
        (passphrase, EditError::Recipient),
        (files(vec![]), EditError::NoKeyFile(1)),
        (files(vec![file(2, true)]), EditError::NoEpoch(2)),
        (files(vec![file(1, true), file(1, true)]), twice),
    ];
    for (new, error) in table {
        assert_eq!(trust.add_administrator(edit(), &new), Err(error));
    }
    let stranger = trust.remove_administrator(edit(), &name("bob"));
    let nobody = EditError::NoAdministrator(name("bob"));
    assert_eq!(stranger.unwrap_err(), nobody);
    let more = trust.open_more(edit(), &name("bob"), &[file(1, true)]);
    assert_eq!(more, Err(nobody));
}

#[test]
fn a_new_epoch_is_the_next_one_and_somebody_has_shown_to_open_it() {
    let trust = first();
    let next = trust
        .new_epoch(edit(), &epoch(2, &[("ann", true)]))
        .unwrap();
    assert_eq!(next.current_epoch().map(|e| e.number), Some(2));
    assert_eq!(next.epoch(1), trust.epoch(1));
    let with = |recipient: &str| NewKeys {
        recipient: recipient.to_owned(),
        ..epoch(2, &[("ann", true)])
    };
    let elsewhere = NewKeys {
        files: vec![(name("ann"), file(1, true))],
        ..epoch(2, &[])
    };
    let table = [
        (epoch(3, &[("ann", true)]), EditError::NotNext(1)),
        (epoch(1, &[("ann", true)]), EditError::NotNext(1)),
        (with("age1epoch1"), EditError::NotNext(1)),
        (with("age1ann"), EditError::RecipientTaken(name("ann"))),
        (epoch(2, &[]), EditError::Untested),
        (epoch(2, &[("ann", false)]), EditError::Untested),
        (
            epoch(2, &[("bob", true)]),
            EditError::NoAdministrator(name("bob")),
        ),
        (elsewhere, EditError::NoEpoch(1)),
    ];
    for (new, error) in table {
        assert_eq!(trust.new_epoch(edit(), &new), Err(error));
    }
}

#[test]
fn a_key_file_that_a_crash_left_is_passed_over() {
    let trust = first();
    let stored = |number| KeyFileName {
        epoch: 1,
        administrator: name("bob"),
        number,
    };
    let epoch = trust.epoch(1).unwrap();
    assert_eq!(epoch.next_file(&name("bob"), []), stored(1));
    let other = KeyFileName {
        epoch: 2,
        ..stored(9)
    };
    assert_eq!(
        epoch.next_file(&name("bob"), [stored(2), stored(1), other]),
        stored(3)
    );
    assert_eq!(epoch.next_file(&name("ann"), []).number, 2);
}

#[test]
fn of_two_who_change_trust_at_once_both_want_the_same_version() {
    let trust = first();
    let bobs = trust.add_administrator(edit(), &bob(true)).unwrap();
    let carl = NewAdministrator {
        name: name("carl"),
        recipient: Some("ssh-ed25519 carl".to_owned()),
        ..bob(true)
    };
    let carls = trust.add_administrator(edit(), &carl).unwrap();
    assert_eq!(bobs.version, carls.version);
    assert_ne!(bobs, carls);
    // The one whose put was refused starts over from what he finds.
    let both = bobs.add_administrator(edit(), &carl).unwrap();
    assert_eq!((both.version, both.administrators.len()), (3, 3));
}

#[test]
fn what_is_no_writer_is_refused_and_says_why() {
    let (root, trust) = (key(), first());
    let hosts = trust.writers[0].key.clone();
    let later: Timestamp = "2026-11-26T12:00:00Z".parse().unwrap();
    let with = |change: fn(&mut NewWriter)| {
        let mut new = writer("second");
        change(&mut new);
        new
    };
    let keyed = |key: &PublicKey| NewWriter {
        key: key.clone(),
        ..writer("second")
    };
    let times = NewWriter {
        from: later,
        until: Some(now()),
        ..writer("second")
    };
    let table = [
        (keyed(&root), EditError::RootKey),
        (keyed(&hosts), EditError::KeyTaken(name("host"))),
        (writer("host"), EditError::NameTaken(name("host"))),
        (with(|new| new.roles.clear()), EditError::Roles),
        (with(|new| new.roles.push(Role::Write)), EditError::Roles),
        (with(|new| new.jobs = Some(vec![])), EditError::Jobs),
        (
            with(|new| new.jobs = new.jobs.take().map(|jobs| [jobs.clone(), jobs].concat())),
            EditError::Jobs,
        ),
        (
            times,
            EditError::Times {
                from: later,
                until: now(),
            },
        ),
    ];
    for (new, error) in table {
        assert_eq!(trust.add_writer(edit(), &root, &new), Err(error));
    }
    let next = trust.add_writer(edit(), &root, &writer("second")).unwrap();
    assert!(next.writers[1].may(Role::Write, &name("webui")));
    assert!(!next.writers[1].may(Role::Write, &name("other")));
    assert!(!next.writers[1].may(Role::Maintain, &name("webui")));
}

fn accepted() -> Accepted {
    let runs = |job: &str, last| AcceptedRuns {
        job: name(job),
        runs: [1, last].map(|seq| AcceptedRun(Seq(seq), digest(5))).into(),
    };
    Accepted {
        runs: vec![runs("webui", 4), runs("etc", 9)],
        forget: Some(LastForget {
            version: 2,
            sha256: digest(6),
        }),
        prune: None,
    }
}

#[test]
fn a_removed_writer_leaves_what_was_accepted() {
    let trust = first();
    let next = trust
        .remove_writer(edit(), &name("host"), &accepted())
        .unwrap();
    let host = &next.writers[0];
    let counts = |job, seq, byte| host.counts(&name(job), Seq(seq), digest(byte));
    assert!(counts("webui", 1, 5) && counts("webui", 4, 5) && counts("etc", 9, 5));
    assert!(!counts("webui", 2, 5) && !counts("webui", 5, 5) && !counts("other", 1, 5));
    assert!(!counts("webui", 1, 6) && !counts("webui", 4, 6));
    assert!(host.forget_counts(2) && !host.forget_counts(3));
    assert!(!host.prune_counts(1, PrunePart::Plan, digest(1)));
    assert_eq!(next.pinned_forget(), accepted().forget);
    assert_eq!(next.broken_rule(), None);
    let again = next.remove_writer(edit(), &name("host"), &accepted());
    let removed = EditError::Removed {
        name: name("host"),
        at: now(),
    };
    assert_eq!(again, Err(removed));
    let unknown = next.remove_writer(edit(), &name("nobody"), &accepted());
    assert_eq!(unknown, Err(EditError::NoWriter(name("nobody"))));
}

#[test]
fn a_removal_that_cannot_be_true_is_refused() {
    let root = key();
    let trust = first().add_writer(edit(), &root, &writer("w")).unwrap();
    let foreign = trust.remove_writer(edit(), &name("w"), &accepted());
    let not_its = EditError::NotItsJob {
        name: name("w"),
        job: name("etc"),
    };
    assert_eq!(foreign, Err(not_its));
    let mut twice = accepted();
    twice.runs.push(twice.runs[0].clone());
    let twice = trust.remove_writer(edit(), &name("host"), &twice);
    assert_eq!(twice, Err(EditError::JobTwice(name("webui"))));
    // One who never maintained leaves no forget, whatever is there.
    let only = Accepted {
        runs: Vec::new(),
        ..accepted()
    };
    let next = trust.remove_writer(edit(), &name("w"), &only).unwrap();
    assert_eq!(next.pinned_forget(), None);
}

#[test]
fn a_writer_is_narrowed_by_another_key_under_its_name() {
    let (root, trust) = (key(), first());
    let new = writer("host");
    let next = trust
        .replace_writer(edit(), &root, &name("host"), &accepted(), &new)
        .unwrap();
    assert_eq!((next.version, next.writers.len()), (2, 2));
    assert_eq!(next.broken_rule(), None);
    let host = next.writer_named(&name("host")).unwrap();
    assert_eq!(host.key, new.key);
    assert!(!host.maintains_all());
    // Its next removal takes the one in office, and an old key never comes back.
    let none = Accepted::default();
    let gone = next.remove_writer(edit(), &name("host"), &none).unwrap();
    assert!(gone.writer_named(&name("host")).is_none());
    let old = NewWriter {
        key: trust.writers[0].key.clone(),
        ..writer("host")
    };
    let back = gone.add_writer(edit(), &root, &old);
    assert_eq!(back, Err(EditError::KeyTaken(name("host"))));
}

fn any_edit(trust: &TrustRecord, root: &PublicKey, which: u8, who: u8) -> Option<TrustRecord> {
    let called = ["ann", "bob", "carl"][usize::from(who % 3)];
    let tested = who.is_multiple_of(2);
    let current = trust.current_epoch()?.number;
    let result = match which % 6 {
        0 => trust.add_administrator(
            edit(),
            &NewAdministrator {
                name: name(called),
                recipient: Some(format!("age1{called}{}", trust.version)),
                files: vec![file(current, tested)],
                ..bob(tested)
            },
        ),
        1 => trust
            .remove_administrator(edit(), &name(called))
            .map(|without| without.trust),
        2 => trust.new_epoch(edit(), &epoch(current + 1, &[(called, tested)])),
        3 => trust.open_more(edit(), &name(called), &[file(u64::from(who % 4), tested)]),
        4 => trust.replace_writer(
            edit(),
            root,
            &name("host"),
            &Accepted::default(),
            &writer("host"),
        ),
        _ => trust.add_writer(edit(), root, &writer(called)),
    };
    result.ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is done in whatever order: the record stays sound, versions have no gap, and every
    /// epoch keeps somebody who has shown to open it.
    #[test]
    fn no_order_of_edits_loses_an_epoch(edits in proptest::collection::vec(any::<(u8, u8)>(), 1..40)) {
        let (root, mut trust) = (key(), first());
        for (which, who) in edits {
            let Some(next) = any_edit(&trust, &root, which, who) else {
                continue;
            };
            prop_assert_eq!(next.version, trust.version + 1);
            prop_assert_eq!(next.broken_rule(), None);
            for epoch in &next.epochs {
                prop_assert!(epoch.keys.iter().any(|file| file.tested.is_some()));
            }
            trust = next;
        }
    }
}
