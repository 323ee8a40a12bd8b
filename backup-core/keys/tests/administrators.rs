//! Every kind of key that an administrator can have, and everything that is none.

#[cfg(test)]
mod tests {
    use std::{
        error::Error as _, fs::Permissions, os::unix::fs::PermissionsExt as _, path::PathBuf,
        process::Command, sync::Arc,
    };

    use age_core::primitives::bech32_encode;
    use backup_keys::{
        AdministratorKind, EpochError, Identity, NewEpoch, OpensKeyFiles as _, SecretKey,
        TextFault,
        administrator::{
            Access, AdministratorIdentity, AdministratorRecipient, Ask, AtLine, IdentityError,
            PluginError, PluginPrograms, Question, RecipientError, check_together,
        },
        canary_digest, open_epoch_key,
    };
    use backup_model::RepositoryId;
    use bech32::Hrp;
    use secrecy::{ExposeSecret as _, SecretString};

    const PASSPHRASE: &str = "open sesame";

    fn fixture(name: &str) -> PathBuf {
        let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        dir.join("tests/fixtures").join(name)
    }

    fn read(name: &str) -> String {
        std::fs::read_to_string(fixture(name)).unwrap()
    }

    /// Answers every question for a secret with one word, if it has one.
    struct Says(Option<&'static str>);

    impl Ask for Says {
        fn secret(&self, _: &Question) -> Option<SecretString> {
            self.0.map(SecretString::from)
        }

        fn public(&self, _: &str) -> Option<String> {
            None
        }

        fn confirm(&self, _: &str, _: &str, _: Option<&str>) -> Option<bool> {
            None
        }

        fn message(&self, _: &str) {}
    }

    fn says(word: &'static str) -> Access {
        let plugins = PluginPrograms::allow(vec![fixture("")]).unwrap();
        Access::none()
            .asking(Arc::new(Says(Some(word))))
            .with_plugins(plugins)
    }

    fn epoch() -> NewEpoch {
        NewEpoch::generate(RepositoryId([1; 16]), 1).unwrap()
    }

    fn plugin_recipient(name: &str) -> String {
        bech32_encode(Hrp::parse(&format!("age1{name}")).unwrap(), &[7; 20])
    }

    fn plugin_identity(name: &str) -> String {
        let prefix = Hrp::parse(&format!("age-plugin-{name}-")).unwrap();
        bech32_encode(prefix, &[7; 20]).to_uppercase()
    }

    fn identity_text(identity: &Identity) -> String {
        let file = identity.to_file_text("x");
        file.expose_secret().to_owned()
    }

    /// A recipient, and the identity that belongs to it.
    fn pairs() -> Vec<(AdministratorRecipient, AdministratorIdentity)> {
        let x25519 = Identity::generate();
        let mut texts = vec![
            (x25519.recipient().to_string(), identity_text(&x25519)),
            (plugin_recipient("test"), plugin_identity("test")),
        ];
        for name in ["ed25519", "ed25519_locked", "rsa", "rsa_locked", "rsa_pem"] {
            texts.push((read(&format!("{name}.pub")), read(name)));
        }
        let of = |(recipient, identity): (String, String)| {
            let word = if recipient.starts_with("age1test") {
                "1234"
            } else {
                PASSPHRASE
            };
            let identity = AdministratorIdentity::read(identity.as_bytes(), &says(word)).unwrap();
            (AdministratorRecipient::parse(&recipient).unwrap(), identity)
        };
        let mut pairs: Vec<_> = texts.into_iter().map(of).collect();
        pairs.push((
            AdministratorRecipient::passphrase(PASSPHRASE.into()).unwrap(),
            AdministratorIdentity::passphrase(PASSPHRASE.into()).unwrap(),
        ));
        pairs
    }

    #[test]
    fn each_kind_opens_what_was_wrapped_for_it_and_nothing_else() {
        let epoch = epoch();
        let pairs = pairs();
        let access = says("1234");
        for (at, (recipient, identity)) in pairs.iter().enumerate() {
            assert_eq!(recipient.kind(), identity.kind());
            if let Some(text) = identity.recipient() {
                assert_eq!(recipient.text(), Some(text.as_str()));
            }
            let file = recipient
                .wrap_epoch_key(1, epoch.identity(), &access)
                .unwrap();
            for (other, (_, identity)) in pairs.iter().enumerate() {
                let opened = open_epoch_key(&file, identity, &epoch.recipient);
                if at == other {
                    let digest = canary_digest(&epoch.canary.file, &opened.unwrap()).unwrap();
                    assert_eq!(digest, epoch.canary.opens_to);
                } else {
                    let error = opened.unwrap_err();
                    assert!(
                        matches!(error, EpochError::NoMatch),
                        "{recipient:?} {identity:?} {error:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn stock_age_opens_key_files_with_age_and_ssh_keys() {
        let dir = tempfile::tempdir().unwrap();
        let x25519 = Identity::generate();
        let mut keys = vec![(x25519.recipient().to_string(), identity_text(&x25519))];
        for name in ["ed25519", "rsa"] {
            keys.push((read(&format!("{name}.pub")), read(name)));
        }
        let epoch = epoch();
        for (recipient, identity) in keys {
            let recipient = AdministratorRecipient::parse(&recipient).unwrap();
            let file = recipient
                .wrap_epoch_key(1, epoch.identity(), &Access::none())
                .unwrap();
            let (key, path) = (dir.path().join("key"), dir.path().join("file.age"));
            std::fs::write(&key, identity).unwrap();
            std::fs::write(&path, file).unwrap();
            let output = Command::new("age")
                .args(["-d", "-i"])
                .args([&key, &path])
                .output()
                .expect("stock age is needed: apt-get install age");
            let plain = String::from_utf8(output.stdout).unwrap();
            let opened = Identity::from_file_text(&plain.into()).unwrap();
            assert_eq!(opened.recipient(), epoch.recipient, "{recipient:?}");
        }
    }

    fn refuses_recipients(table: impl IntoIterator<Item = (String, usize, RecipientError)>) {
        for (text, line, source) in table {
            let found = AdministratorRecipient::parse(&text).unwrap_err();
            assert_eq!(found, AtLine { line, source }, "{text}");
        }
    }

    #[test]
    fn what_is_no_recipient_is_refused_by_line_and_reason() {
        let good = Identity::generate().recipient().to_string();
        let secret = identity_text(&Identity::generate());
        let secret = secret.lines().last().unwrap();
        let signing = SecretKey::generate().unwrap().public().to_string();
        let two = format!("# two\n{good}\n\n{good}\n");
        let name = RecipientError::PluginName;
        refuses_recipients([
            (String::new(), 1, RecipientError::Empty),
            ("# a comment\n\n".into(), 1, RecipientError::Empty),
            (format!("\u{feff}{good}"), 1, RecipientError::NotPlain),
            ("a\0g\0e\0".into(), 1, RecipientError::NotPlain),
            (two, 4, RecipientError::Several),
            (secret.into(), 1, RecipientError::Identity),
            (plugin_identity("test"), 1, RecipientError::Identity),
            (read("ed25519"), 1, RecipientError::PrivateSsh),
            (signing, 1, RecipientError::SigningKey),
            (plugin_recipient("../x"), 1, name),
            (plugin_recipient("pq"), 1, RecipientError::PostQuantum),
            ("hello".into(), 1, RecipientError::Unknown),
            (
                "fa\u{eb}r-\u{4e16}\u{1f600}".into(),
                1,
                RecipientError::Unknown,
            ),
        ]);
    }

    #[test]
    fn what_is_wrong_with_a_badly_written_recipient_is_said() {
        let good = Identity::generate().recipient().to_string();
        let table = [
            (flip(&good), TextFault::Checksum),
            (good[..50].into(), TextFault::Cut),
            (format!("{good}q"), TextFault::TooLong),
            (format!("{good} x"), TextFault::Character),
            (
                format!("{}{}", good[..30].to_uppercase(), &good[30..]),
                TextFault::MixedCase,
            ),
            ("age1".into(), TextFault::Cut),
        ];
        let fault = |(text, fault): (String, _)| {
            let text = format!("#\n{text}");
            (text, 2, RecipientError::Text(fault))
        };
        refuses_recipients(table.map(fault));
    }

    #[test]
    fn ssh_keys_that_cannot_decrypt_are_no_recipients() {
        let hardware = "sk-ssh-ed25519@openssh.com";
        let kind = |kind: &str| RecipientError::SshKind(kind.into());
        let table = [
            (
                format!("{hardware} AAAA x"),
                RecipientError::HardwareSsh(hardware.into()),
            ),
            (read("ecdsa.pub"), kind("ecdsa-sha2-nistp256")),
            ("ssh-dss AAAA x".into(), kind("ssh-dss")),
            (
                read("rsa_1024.pub"),
                RecipientError::RsaBits("less than 2048"),
            ),
            (
                read("rsa_8192.pub"),
                RecipientError::RsaBits("more than 4096"),
            ),
            (read("ed25519.pub")[..40].into(), RecipientError::Ssh),
            ("ssh-ed25519".into(), RecipientError::Ssh),
        ];
        refuses_recipients(table.map(|(text, error)| (text, 1, error)));
    }

    /// With other characters in its middle.
    fn flip(key: &str) -> String {
        let (head, rest) = key.split_at(30);
        let (middle, tail) = rest.split_at(4);
        let other = if middle.eq_ignore_ascii_case("qqqq") {
            "pppp"
        } else {
            "qqqq"
        };
        let upper = key.starts_with(char::is_uppercase);
        let other = if upper {
            other.to_uppercase()
        } else {
            other.into()
        };
        format!("{head}{other}{tail}")
    }

    fn refuses_identities(table: impl IntoIterator<Item = (String, usize, IdentityError)>) {
        for (text, line, source) in table {
            let found = AdministratorIdentity::read(text.as_bytes(), &says("1234")).unwrap_err();
            let shown = format!("{found} {found:?} {}", found.source().unwrap());
            assert_eq!(found, AtLine { line, source }, "{text}");
            for word in text.split_whitespace().filter(|word| word.len() > 30) {
                let middle = word.get(12..30).unwrap_or(word);
                assert!(!shown.contains(middle), "{shown}");
            }
        }
    }

    #[test]
    fn what_is_no_identity_is_refused_by_line_and_reason_and_never_shown() {
        let identity = Identity::generate();
        let file = identity_text(&identity);
        let good = file.lines().last().unwrap();
        let public = format!("#\n{}", identity.recipient());
        let elsewhere = PluginError::Missing {
            program: "age-plugin-other".into(),
            places: fixture("").display().to_string(),
        };
        let plugin = IdentityError::Plugin;
        refuses_identities([
            (String::new(), 1, IdentityError::Empty),
            ("# public key: none\n".into(), 1, IdentityError::Empty),
            (format!("\u{feff}{good}"), 1, IdentityError::NotPlain),
            (format!("{file}{good}"), 4, IdentityError::Several),
            (public, 2, IdentityError::Recipient),
            (read("ed25519.pub"), 1, IdentityError::Recipient),
            (
                "untrusted comment: x\nRWQ\n".into(),
                1,
                IdentityError::SigningKey,
            ),
            (
                "AGE-SECRET-KEY-PQ-1QQQQ".into(),
                1,
                IdentityError::PostQuantum,
            ),
            (plugin_identity("other"), 1, plugin(elsewhere)),
            (plugin_identity("a/b"), 1, plugin(PluginError::Name)),
            ("hello".into(), 1, IdentityError::Unknown),
        ]);
        let utf16 = AdministratorIdentity::read(b"\xff\xfea\0g\0", &says(""));
        assert_eq!(utf16.unwrap_err().source, IdentityError::NotPlain);
    }

    #[test]
    fn what_is_wrong_with_a_badly_written_identity_is_said() {
        let file = identity_text(&Identity::generate());
        let good = file.lines().last().unwrap();
        let table = [
            (flip(good), TextFault::Checksum),
            (good[..60].into(), TextFault::Cut),
            (format!("{good}Q"), TextFault::TooLong),
            (
                format!("{}!{}", &good[..40], &good[41..]),
                TextFault::Character,
            ),
            (
                format!("{}{}", &good[..40], good[40..].to_lowercase()),
                TextFault::MixedCase,
            ),
        ];
        let fault = |(text, fault): (String, _)| {
            let error = IdentityError::Text("AGE-SECRET-KEY-1…", fault);
            (format!("\n\n{text}"), 3, error)
        };
        refuses_identities(table.map(fault));
    }

    #[test]
    fn private_ssh_keys_that_do_not_open_anything_are_no_identities() {
        let ed25519 = read("ed25519");
        let kind = |kind: &str| IdentityError::SshKind(kind.into());
        let table = [
            (ed25519.replacen("AAAA", "AABA", 1), IdentityError::Ssh),
            (ed25519[..200].into(), IdentityError::Ssh),
            (format!("{ed25519}{ed25519}"), IdentityError::Several),
            (read("ecdsa"), kind("ecdsa-sha2-nistp256")),
            (
                read("rsa_pem").replace("RSA PRIVATE", "PRIVATE"),
                kind("PRIVATE KEY"),
            ),
            (
                read("rsa_pem_locked"),
                IdentityError::SshCipher("PEM".into()),
            ),
        ];
        refuses_identities(table.map(|(text, error)| (text, 1, error)));
    }

    #[test]
    fn locked_ssh_keys_want_their_passphrase() {
        for name in ["ed25519_locked", "rsa_locked"] {
            let read = |access: &Access| {
                let read = AdministratorIdentity::read(read(name).as_bytes(), access);
                read.map(|identity| identity.kind()).map_err(|e| e.source)
            };
            assert_eq!(read(&says(PASSPHRASE)), Ok(AdministratorKind::Ssh));
            assert_eq!(read(&says("other")), Err(IdentityError::WrongPassphrase));
            assert_eq!(read(&Access::none()), Err(IdentityError::NeedsPassphrase));
            let silent = Access::none().asking(Arc::new(Says(None)));
            assert_eq!(read(&silent), Err(IdentityError::NeedsPassphrase));
        }
    }

    fn locked_file(plain: &str, armored: bool) -> Vec<u8> {
        let mut recipient = age::scrypt::Recipient::new(PASSPHRASE.into());
        recipient.set_work_factor(2);
        if armored {
            let text = age::encrypt_and_armor(&recipient, plain.as_bytes()).unwrap();
            text.into_bytes()
        } else {
            age::encrypt(&recipient, plain.as_bytes()).unwrap()
        }
    }

    #[test]
    fn an_identity_file_may_be_locked_with_a_passphrase() {
        let identity = Identity::generate();
        let text = identity_text(&identity);
        let read = |file: &[u8], word| {
            let read = AdministratorIdentity::read(file, &says(word));
            read.map(|read| read.recipient()).map_err(|e| e.source)
        };
        for armored in [false, true] {
            let file = locked_file(&text, armored);
            let recipient = Some(identity.recipient().to_string());
            assert_eq!(read(&file, PASSPHRASE), Ok(recipient));
            assert_eq!(read(&file, "other"), Err(IdentityError::WrongPassphrase));
            let cut = read(&file[..file.len() - 20], PASSPHRASE);
            assert_eq!(cut, Err(IdentityError::Damaged));
        }
        let mut file = locked_file(&text, false);
        let at = file.windows(3).position(|w| w == b" 2\n").unwrap();
        file.splice(at..at + 3, *b" 21\n");
        assert_eq!(read(&file, PASSPHRASE), Err(IdentityError::TooMuchWork(21)));
        let key: age::x25519::Recipient = identity.recipient().to_string().parse().unwrap();
        let to_key = age::encrypt(&key, text.as_bytes());
        let to_key = read(&to_key.unwrap(), PASSPHRASE);
        assert_eq!(to_key, Err(IdentityError::NotForPassphrase));
    }

    #[test]
    fn a_wrong_passphrase_and_one_that_costs_too_much_open_nothing() {
        let epoch = epoch();
        let text = identity_text(epoch.identity());
        let mut file = locked_file(&text, false);
        let open = |file: &[u8], word: &str| {
            let identity = AdministratorIdentity::passphrase(word.into()).unwrap();
            open_epoch_key(file, &identity, &epoch.recipient)
        };
        open(&file, PASSPHRASE).unwrap();
        let wrong = open(&file, "other").unwrap_err();
        assert!(matches!(wrong, EpochError::WrongPassphrase), "{wrong:?}");
        let at = file.windows(3).position(|w| w == b" 2\n").unwrap();
        file.splice(at..at + 3, *b" 21\n");
        let costly = open(&file, PASSPHRASE).unwrap_err();
        assert!(matches!(costly, EpochError::TooMuchWork(21)), "{costly:?}");
        // A header that age would not write: a passphrase, and a way around it.
        let marker = file.windows(3).position(|w| w == b"---").unwrap();
        file.splice(marker..marker, *b"-> other x\n\n");
        let mixed = open(&file, PASSPHRASE).unwrap_err();
        assert!(
            matches!(mixed, EpochError::PassphraseAmongOthers),
            "{mixed:?}"
        );
        let empty = AdministratorIdentity::passphrase("".into()).unwrap_err();
        assert_eq!(empty, IdentityError::EmptyPassphrase);
        let empty = AdministratorRecipient::passphrase("".into()).unwrap_err();
        assert_eq!(empty, RecipientError::EmptyPassphrase);
    }

    #[test]
    fn what_age_forbids_to_mix_is_refused() {
        let passphrase = || AdministratorRecipient::passphrase(PASSPHRASE.into()).unwrap();
        let key = Identity::generate().recipient();
        let of_key = || AdministratorRecipient::from(key.clone());
        let ssh = || AdministratorRecipient::parse(&read("ed25519.pub")).unwrap();
        assert_eq!(check_together(&[]), Ok(()));
        assert_eq!(check_together(&[passphrase()]), Ok(()));
        assert_eq!(check_together(&[of_key(), ssh()]), Ok(()));
        let twice = RecipientError::Twice(key.to_string());
        assert_eq!(check_together(&[of_key(), ssh(), of_key()]), Err(twice));
        let among = Err(RecipientError::PassphraseAmongOthers);
        let tagged = || AdministratorRecipient::parse(&read("tagpq.pub")).unwrap();
        assert_eq!(tagged().kind(), AdministratorKind::Plugin);
        assert_eq!(check_together(&[tagged()]), Ok(()));
        let weaker = Err(RecipientError::PostQuantumAmongOthers);
        assert_eq!(check_together(&[tagged(), of_key()]), weaker);
        assert_eq!(check_together(&[of_key(), passphrase()]), among);
        assert_eq!(check_together(&[passphrase(), passphrase()]), among);
    }

    #[test]
    fn plugins_run_only_from_where_they_may_and_say_what_is_wrong() {
        let epoch = epoch();
        let recipient = AdministratorRecipient::parse(&plugin_recipient("test")).unwrap();
        let wrap = |access: &Access| recipient.wrap_epoch_key(1, epoch.identity(), access);
        let nowhere = wrap(&Access::none()).unwrap_err();
        let missing = PluginError::Missing {
            program: "age-plugin-test".into(),
            places: "none is allowed".into(),
        };
        assert!(matches!(nowhere, EpochError::Plugin(error) if error == missing));
        assert_eq!(recipient.check_plugin(&Access::none()), Err(missing));
        let relative = PluginPrograms::allow(vec!["plugins".into()]);
        assert!(matches!(relative, Err(PluginError::NotAbsolute(_))));

        let file = wrap(&says("1234")).unwrap();
        let open = |access: &Access| {
            let text = plugin_identity("test");
            let identity = AdministratorIdentity::read(text.as_bytes(), access).unwrap();
            identity.open_key_file(&file).map(drop)
        };
        open(&says("1234")).unwrap();
        // What it says is shown without what would move a terminal's cursor.
        let wrong = open(&says("4321")).unwrap_err();
        let said = PluginError::Said("wrong [2J PIN".into());
        assert!(
            matches!(&wrong, EpochError::Plugin(error) if *error == said),
            "{wrong:?}"
        );
        let program = fixture("age-plugin-test");
        let alone = Access::none().with_plugins(PluginPrograms::allow(vec![program]).unwrap());
        let unanswered = open(&alone).unwrap_err();
        assert!(matches!(
            unanswered,
            EpochError::Plugin(PluginError::Said(_))
        ));
    }

    #[test]
    fn a_plugin_that_speaks_out_of_turn_is_a_fault_of_its_own() {
        let epoch = epoch();
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("age-plugin-test");
        let recipient = AdministratorRecipient::parse(&plugin_recipient("test")).unwrap();
        let table = [
            ("exit 1", "unexpected end of file"),
            ("printf 'hello\\n'", "it sent no stanza"),
            ("printf -- '-> labels'", "it sent a line without an end"),
            ("head -c 9000 /dev/zero", "it sent a line without an end"),
            ("printf -- '-> labels\\n!\\n'", "it sent no base64"),
            (
                "printf -- '-> labels\\n'; yes $(printf '%064d' 0)",
                "it sent a stanza that is too long",
            ),
            (
                "printf -- '-> recipient-stanza 7 x\\n\\n-> done\\n\\n'",
                "it sent a stanza for a file that it was not given",
            ),
            (
                "printf -- '-> file-key 0\\n\\n-> done\\n\\n'",
                "it sent an answer to something else",
            ),
            (
                "printf -- '-> new-thing\\n\\n-> done\\n\\n'",
                "it wrapped nothing",
            ),
        ];
        for (does, expected) in table {
            // It hears all before it answers, and what is answered if it says that it is done.
            let then = if does.contains("done") {
                "while read -r l; do :; done"
            } else {
                ""
            };
            let script = format!(
                "#!/bin/bash\nuntil read -r l && [ \"$l\" = '-> done' ]; do :; done\n{does}\n{then}\n"
            );
            std::fs::write(&program, script).unwrap();
            std::fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
            let plugins = PluginPrograms::allow(vec![program.clone()]).unwrap();
            let access = Access::none().with_plugins(plugins);
            let fault = recipient
                .wrap_epoch_key(1, epoch.identity(), &access)
                .unwrap_err();
            let EpochError::Plugin(PluginError::Broken(found)) = fault else {
                panic!("{does}: {fault:?}");
            };
            assert_eq!(found, expected, "{does}");
        }
    }
}
