//! A kit comes back as it was.

use proptest::{
    prelude::{ProptestConfig, any},
    prop_assert_eq, prop_assume, proptest,
};
use secrecy::{ExposeSecret as _, SecretString};

use super::world::{SCRIPT, lines_of, manual, parse, world};
use crate::{
    AdministratorKind,
    administrator::{Access, IdentityError},
    kit::{Kit, KitKey, KitKeyError},
};

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever texts are in it, a kit comes back as it was.
    #[test]
    fn every_kit_comes_back(
        location in "[!-~äé☂][ -~äé☂]{0,60}[!-~]",
        storage in proptest::collection::vec("[!-~]{1,20}( [!-~]{1,20}){0,3}", 0..4),
        place in "[a-z#]{1,9}( [#0-9a-z]{1,9}){0,4}",
        here in any::<bool>(),
    ) {
        prop_assume!(!location.contains("  "));
        let w = world();
        let key = if here { w.kit.key.clone() } else { KitKey::Elsewhere(place.into()) };
        let storage: Vec<_> = storage.into_iter().map(SecretString::from).collect();
        let kit = Kit { location: location.clone(), storage, key, ..w.kit };
        let text = lines_of(&kit);
        let back = parse(&text).unwrap();
        prop_assert_eq!(&back.location, &location);
        prop_assert_eq!(lines_of(&back), text);
    }
}
