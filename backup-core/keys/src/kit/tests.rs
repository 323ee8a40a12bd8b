use std::process::Command;

use backup_model::Digest;
use proptest::prelude::*;

use super::*;
use crate::{
    Administrator, CanaryFile, Epoch, Identity, KeyFile, NewEpoch, RepositoryRecord, SecretKey,
    TrustRecord,
    administrator::{Access, AdministratorRecipient, IdentityError},
    kit::lines::Line,
};

const SCRIPT: &str = "#!/bin/sh\necho restored \"$@\"\n";

fn manual<'a>(program: &'a [String]) -> Manual<'a> {
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
    let typed: String = lines_of(&w.kit)
        .lines()
        .map(|line| {
            let (rest, check) = line.rsplit_once(' ').unwrap();
            let rest = rest.replacen(' ', "   ", 2);
            format!(
                "\t{}  {} \r\n\r\n",
                rest.trim_start_matches('0'),
                check.to_uppercase()
            )
        })
        .collect();
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

#[test]
fn each_broken_line_is_named_and_nothing_of_it_shown() {
    let w = world();
    let good = lines_of(&w.kit);
    let lines: Vec<&str> = good.lines().collect();
    let key = lines.iter().position(|l| l.contains("key AGE-")).unwrap();
    let with = |at: usize, line: &str| {
        let mut lines = lines.clone();
        lines[at] = line;
        lines.join("\n")
    };
    let without = |at: usize| [&lines[..at], &lines[at + 1..]].concat().join("\n");
    let swapped = lines[key].replace("SECRET", "SECRTE");
    let two = with(1, "02 made yesterday ffffff").replace(lines[key], &swapped);
    let table = [
        (String::new(), vec![(1, KitFault::Empty)]),
        ("# only\n\n# words\n".into(), vec![(1, KitFault::Empty)]),
        (format!("\u{feff}{good}"), vec![(1, KitFault::NotPlain)]),
        (" ".repeat(2 << 20), vec![(1, KitFault::NotPlain)]),
        ("0\01\0".into(), vec![(1, KitFault::NotPlain)]),
        (
            with(3, &lines[3].replace("0101", "0110")),
            vec![(4, KitFault::Check)],
        ),
        (two, vec![(2, KitFault::Check), (key + 1, KitFault::Check)]),
        (
            with(4, "location s3://vault 123456"),
            vec![(5, KitFault::NoNumber)],
        ),
        (with(4, "hello"), vec![(5, KitFault::NoNumber)]),
        (with(4, "05 location"), vec![(5, KitFault::Cut)]),
        (with(4, "05 location s3://vault"), vec![(5, KitFault::Cut)]),
        (
            with(4, "99999999999999999999999 a b c"),
            vec![(5, KitFault::NoNumber)],
        ),
        (
            without(4),
            vec![(
                5,
                KitFault::Order {
                    expected: 5,
                    found: 6,
                },
            )],
        ),
        (
            without(lines.len() - 1),
            vec![(lines.len() - 1, KitFault::NoEnd)],
        ),
        (
            with(4, &format!("{}\n{}", lines[4], lines[4])),
            vec![(
                6,
                KitFault::Order {
                    expected: 6,
                    found: 5,
                },
            )],
        ),
    ];
    for (text, expected) in table {
        assert_eq!(faults(&text), expected, "{text}");
        let shown = format!("{0} {0:?}", parse(&text).unwrap_err());
        assert!(
            !shown.contains("SECR") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
    // A line of another kit holds by itself.
    let other = Kit {
        made: time("2027-11-22T02:30:00Z"),
        ..w.kit
    };
    let foreign = lines_of(&other);
    let foreign = with(1, foreign.lines().nth(1).unwrap());
    assert_eq!(faults(&foreign), [(lines.len(), KitFault::OtherLines)]);
}

#[test]
fn lines_that_hold_and_say_nothing_sensible_are_named() {
    let w = world();
    let good = lines_of(&w.kit);
    let fields = || -> Vec<(String, String)> {
        let read = lines::read(&good).unwrap_or_default();
        let pair = |line: &Line| (line.field.clone(), (*line.value).clone());
        read.iter().map(pair).collect()
    };
    let index = |name: &str| fields().iter().position(|f| f.0 == name).unwrap();
    let write = |fields: Vec<(String, String)>| {
        let fields: Vec<_> = fields
            .iter()
            .map(|(f, v)| (f.as_str(), v.as_str()))
            .collect();
        lines::write(&fields).to_string()
    };
    let set = |name: &str, value: &str| {
        let mut fields = fields();
        fields[index(name)].1 = value.to_owned();
        write(fields)
    };
    let rename = |name: &str, to: &str| {
        let mut fields = fields();
        fields[index(name)].0 = to.to_owned();
        write(fields)
    };
    let value = |field, what| KitFault::Value { field, what };
    let unexpected = |expected, found: &str| KitFault::Unexpected {
        expected,
        found: found.to_owned(),
    };
    let mut doubled = fields();
    doubled.push(("key-at".into(), "safe".into()));
    let at = |name: &str| index(name) + 1;
    let table = [
        (set("kit", "2"), at("kit"), KitFault::Newer(2)),
        (set("kit", "0"), at("kit"), value("kit", KitValue::Number)),
        (
            set("made", "today"),
            at("made"),
            value("made", KitValue::Time),
        ),
        (
            set("repository", "1"),
            at("repository"),
            value("repository", KitValue::RepositoryId),
        ),
        (
            set("root", "RWx"),
            at("root"),
            value("root", KitValue::PublicKey),
        ),
        (
            set("administrator", "ann"),
            at("administrator"),
            value("administrator", KitValue::Administrator),
        ),
        (
            set("administrator", "ann gpg"),
            at("administrator"),
            value("administrator", KitValue::Administrator),
        ),
        (
            set("administrator", "ann passphrase"),
            at("recipient"),
            unexpected("opens", "recipient"),
        ),
        (
            set("opens", "0 age1x"),
            at("opens"),
            value("opens", KitValue::Epoch),
        ),
        (
            rename("location", "place"),
            at("location"),
            unexpected("location", "place"),
        ),
        (
            rename("opens", "open"),
            at("opens"),
            unexpected("opens", "open"),
        ),
        (rename("key", "kex"), at("key"), unexpected("key", "kex")),
        (write(doubled), at("key") + 1, unexpected("end", "key-at")),
        (
            write(fields()[..3].to_vec()),
            4,
            unexpected("repository", "end"),
        ),
    ];
    for (text, line, fault) in table {
        assert_eq!(faults(&text), [(line, fault)], "{text}");
    }
}

#[test]
fn what_cannot_stand_in_a_line_is_refused_when_it_is_written() {
    let w = world();
    let long = "x".repeat(2000);
    for location in ["", " s3://x", "two  blanks", "a\nb", "a\u{7f}b", &long] {
        let kit = Kit {
            location: location.to_owned(),
            ..w.kit.clone()
        };
        let fault = KitFault::Value {
            field: "location",
            what: KitValue::Text,
        };
        assert_eq!(kit.lines().unwrap_err().faults[0].fault, fault);
        assert!(matches!(kit.to_page(manual(&[])), Err(PageError::Kit(_))));
    }
}

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
    use crate::{EpochError, ProofError};
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
    assert_eq!(serde_json::from_str::<Confirmation>(&json).unwrap(), proof);
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

#[test]
fn the_file_alone_gives_stock_tools_the_key_and_the_script() {
    let w = world();
    let dir = tempfile::tempdir().unwrap();
    let file = w.kit.to_text(manual(&[])).unwrap();
    let text = file.expose_secret();
    std::fs::write(dir.path().join("kit"), text).unwrap();
    std::fs::write(dir.path().join("epoch.age"), &w.key_file).unwrap();
    // The commands are those that the kit itself shows, with its own name in place.
    let step = |begins: &str| {
        let mut lines = text.lines().map(|line| line.trim_start_matches(['#', ' ']));
        let line = lines.find(|line| line.contains(begins)).unwrap();
        let command = line.trim_start_matches(|c: char| c.is_ascii_digit() || ". ".contains(c));
        command.replace("KIT", "kit").replace("REPO", "there")
    };
    let script = [
        step("sed -n 's"),
        step("sed -n '/^#!"),
        step("sh restore.sh list"),
    ]
    .join("\n");
    let run = format!("set -eu\n{script}\nage -d -i admin.key epoch.age");
    let output = Command::new("sh")
        .arg("-c")
        .arg(run)
        .current_dir(dir.path())
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    let (first, identity) = out.split_once('\n').unwrap_or_else(|| {
        panic!("stock age is needed (apt-get install age): {complaint}");
    });
    assert_eq!(first, format!("restored list there --trust {}", w.kit.root));
    let identity = Identity::from_file_text(&identity.into()).unwrap();
    assert_eq!(identity.recipient(), w.epoch.recipient);
}

/// Reads the QR code of an SVG picture of ours.
fn scan(svg: &str) -> String {
    let width: usize = svg
        .split_once("width=\"")
        .unwrap()
        .1
        .split_once('"')
        .unwrap()
        .0
        .parse()
        .unwrap();
    let path = svg
        .split_once(" d=\"")
        .unwrap()
        .1
        .split_once('"')
        .unwrap()
        .0;
    let mut dark = vec![false; width * width];
    for rectangle in path.split('M').skip(1) {
        let numbers: Vec<usize> = rectangle
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|number| number.parse().ok())
            .collect();
        let [x, y, w, h, ..] = numbers[..] else {
            panic!("not a rectangle: {rectangle}");
        };
        for row in y..y + h {
            dark[row * width + x..row * width + x + w].fill(true);
        }
    }
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, width, |x, y| {
        if dark[y * width + x] { 0 } else { 255 }
    });
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1);
    grids[0].decode().unwrap().1
}

#[test]
fn the_page_needs_nothing_else_and_its_codes_are_the_kit() {
    let mut w = world();
    w.kit
        .storage
        .extend((0..20).map(|n| SecretString::from(format!("note {n} of many"))));
    let page = w
        .kit
        .to_page(manual(&["backupctl restore <x>".into()]))
        .unwrap();
    let page = page.expose_secret();
    for outside in [
        "<script", "<link", "<img", "src=", "href=", "url(", "@import", "<x>",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("s3://vault/back ups &lt;&amp;é&gt;"));
    let scanned: String = page.split("<figure>").skip(1).map(scan).collect();
    assert!(page.matches("<figure>").count() > 1);
    assert_eq!(scanned, lines_of(&w.kit));
    parse(&scanned).unwrap();
}

#[test]
fn what_is_shown_to_anybody_holds_no_secret() {
    let w = world();
    let key = w.identity.to_file_text("x");
    let secret = key.expose_secret().lines().last().unwrap();
    let shown = scan(&w.kit.public_code().unwrap());
    assert_eq!(shown, w.kit.public_text());
    assert!(shown.contains(&w.kit.root.to_string()));
    for text in [shown, format!("{:?}", w.kit)] {
        assert!(
            !text.contains(secret) && !text.contains("hunter2"),
            "{text}"
        );
    }
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

    /// Whatever character is another: the line is named, and no other.
    #[test]
    fn every_wrong_character_is_found(at in any::<prop::sample::Index>(), other in "[!-\"$-~]") {
        let good = lines_of(&world().kit);
        let places: Vec<usize> = good
            .char_indices()
            .filter(|(_, c)| c.is_ascii_graphic())
            .map(|(at, _)| at)
            .collect();
        let at = *at.get(&places);
        prop_assume!(!good[at..at + 1].eq_ignore_ascii_case(&other));
        let bad = format!("{}{other}{}", &good[..at], &good[at + 1..]);
        let line = good[..at].matches('\n').count() + 1;
        match parse(&bad) {
            Err(error) => prop_assert_eq!(error.faults[0].line, line, "{}", error),
            Ok(_) => prop_assert!(false, "line {} was taken: {}", line, bad),
        }
    }

    /// Whatever is read, nothing breaks.
    #[test]
    fn no_text_breaks_the_reader(text in "([0-9]{1,3} [a-z]{1,9} \\PC{0,20} [0-9a-f]{6}\n?|\\PC{0,20}\n){0,12}") {
        prop_assert!(parse(&text).is_err());
    }
}
