//! Keys: who can read, who can write, how the kit stands, and what is done about it.

use admin_gui::state::{
    Act, Answer, Command, Deed, Event, KeyChange, KeyWork, Place, Question, State,
};
use backup_model::{Code, ConfigurationReport, Failure, KeysReport};
use egui::{Role, Theme};
use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};

use crate::{
    SMALL, WINDOW, Window,
    hands::copied,
    story::{self, restores},
};

fn at(state: State) -> State {
    story::at(state, Place::Keys)
}

fn open(state: State) -> Harness<'static, Window> {
    Window::open(at(state), Theme::Light, WINDOW)
}

/// An error is an alert, and its sentence is read too.
fn says(harness: &Harness<'_, Window>, words: &str) -> bool {
    harness.query_all_by_label(words).next().is_some()
}

/// A state in which something else is told of the keys.
fn with(change: impl Fn(&mut KeysReport)) -> State {
    let mut state = story::live();
    let mut keys = story::keys("b2-main");
    change(&mut keys);
    let of = Question::Keys("b2-main".to_owned());
    story::hear(&mut state, of, Answer::Keys(keys));
    state
}

/// One loss would be the loss of everything.
fn alone(keys: &mut KeysReport) {
    keys.administrators.truncate(1);
    keys.kit.at_risk = true;
    keys.kit.until = None;
    keys.kit.standing =
        "the repository has another address than the kit that was proved".to_owned();
}

/// Keys by the hundred, with names that try to break out of their line.
fn crowded() -> State {
    with(|keys| {
        let one = keys.administrators[1].clone();
        let many = (0..300).map(|n| {
            let mut one = one.clone();
            one.name = format!("administrator {n}\nof a long name, \u{5d0}\u{5d1}\u{5d2}");
            one.opens = (1..=40).filter(|epoch| epoch % 3 > 0).collect();
            one
        });
        keys.administrators = many.collect();
        let mut writer = keys.writers[0].clone();
        writer.name = "a-host-with-quite-a-long-name-of-its-own".to_owned();
        writer.jobs = Some((0..40).map(|n| format!("job-{n}")).collect());
        writer.roles.push("prove".to_owned());
        keys.writers.push(writer);
        let epoch = keys.epochs[0].clone();
        keys.epochs = (1..=40)
            .map(|number| {
                let mut epoch = epoch.clone();
                epoch.number = number;
                epoch
            })
            .collect();
    })
}

#[test]
fn everybody_is_named_with_what_they_open() {
    let harness = open(story::live());
    harness.get_by_label_contains("ben, SSH key, last tested never, opens only 2");
    harness.get_by_label_contains("anna, plugin key, last tested 4 Nov, opens all");
    harness.get_by_label_contains("vault01, for all jobs, may write, maintain");
    harness.get_by_label_contains("Epoch 2, current, since 2 Oct, opened by anna, ben");
    harness.get_by_label_contains("Epoch 1, 13 Aug – 2 Oct, opened by anna, verify01");
}

#[test]
fn what_is_to_be_mended_stands_first() {
    let harness = open(story::live());
    harness.get_by_label("1 to mend");
    harness
        .get_by_label_contains("Never tested, Nobody has seen a backup opened with the key of ben");
    let harness = open(with(alone));
    harness.get_by_label("2 to mend");
    harness.get_by_label_contains("A second one missing, anna alone opens epoch 2");
    harness.get_by_label_contains("Kit not proved, Recovery kit: the repository has another");
    harness.get_by_label("At risk");
}

#[test]
fn a_public_key_is_copied_whole() {
    let mut harness = open(story::live());
    harness.get_by_label("age1yubikey1qvtz8…w7k2");
    harness.get_by_label("Copy the public key of anna").click();
    harness.step();
    let keys = story::keys("b2-main");
    assert_eq!(copied(&harness), keys.administrators[0].recipient);
}

#[test]
fn nobody_is_let_in_without_the_two_keys_that_it_takes() {
    let mut harness = open(story::live());
    harness.get_by_label("Same in a terminal backupctl key list --of b2-main");
    harness.get_by_label("Let in…").click();
    harness.run();
    assert!(is_off(&harness, "Let in"));
    harness.get_by_label("Open a key…");
    harness.get_by_label_contains("backupctl key add NAME --recipient KEY");
}

#[test]
fn an_administrator_is_let_in_by_his_public_key() {
    let mut harness = open(restores::unlocked(story::live()));
    harness.get_by_label("Let in…").click();
    harness.run();
    type_into(&mut harness, "Name", "eva");
    type_into(
        &mut harness,
        "Public key: age, SSH or a plugin's",
        "age1eva",
    );
    assert!(is_off(&harness, "Let in"));
    type_into(&mut harness, ROOT, "/keys/root.key");
    harness
        .get_by_role_and_label(Role::Button, "Let in")
        .click();
    harness.run();
    let what = KeyChange::Add {
        name: "eva".parse().unwrap(),
        recipient: "age1eva".to_owned(),
        root: "/keys/root.key".into(),
    };
    assert_eq!(harness.state().asked, [asked(what)]);
}

#[test]
fn nobody_is_put_out_before_his_name_was_typed() {
    let mut harness = open(story::live());
    harness
        .get_by_label_contains("ben, SSH key, last tested never")
        .click();
    harness.run();
    harness.get_by_label("Put out ben…").click();
    harness.run();
    type_into(&mut harness, ROOT, "/keys/root.key");
    type_into(&mut harness, "Type ben to confirm", "be");
    assert!(is_off(&harness, "Put out"));
    type_into(&mut harness, "Type ben to confirm", "n");
    harness
        .get_by_role_and_label(Role::Button, "Put out")
        .click();
    harness.run();
    let what = KeyChange::Remove {
        name: "ben".parse().unwrap(),
        root: "/keys/root.key".into(),
    };
    assert_eq!(harness.state().asked, [asked(what)]);
}

#[test]
fn two_passphrases_must_be_the_same_and_are_in_no_record() {
    let mut harness = open(restores::unlocked(story::live()));
    harness.get_by_label("Let in…").click();
    harness.run();
    harness
        .get_by_label("A passphrase and nothing else")
        .click();
    harness.run();
    type_into(&mut harness, "Name", "carol");
    type_into(&mut harness, ROOT, "/keys/root.key");
    type_into(&mut harness, "New passphrase", "correct horse");
    type_into(&mut harness, "The same again", "correct house");
    assert!(is_off(&harness, "Let in"));
    harness.get_by_label("The same again").focus();
    harness.run();
    for _ in 0.."use".len() {
        harness.key_press(egui::Key::Backspace);
    }
    harness.run();
    type_into(&mut harness, "The same again", "rse");
    harness
        .get_by_role_and_label(Role::Button, "Let in")
        .click();
    harness.run();
    let asked = format!("{:?}", harness.state().asked);
    assert!(
        asked.contains("AddPassphrase") && !asked.contains("horse"),
        "{asked}"
    );
}

#[test]
fn a_kit_is_proved_by_its_file() {
    let mut harness = open(story::live());
    harness.get_by_label("Prove a kit…").click();
    harness.run();
    type_into(
        &mut harness,
        "The kit's file, on this machine",
        "/usb/kit.txt",
    );
    harness.get_by_role_and_label(Role::Button, "Prove").click();
    harness.run();
    let what = KeyChange::ProveKit {
        file: "/usb/kit.txt".into(),
        passphrase: None,
    };
    assert_eq!(harness.state().asked, [asked(what)]);
}

#[test]
fn what_was_refused_is_said_with_its_reason() {
    let mut state = story::live();
    let work = KeyWork {
        repository: "b2-main".to_owned(),
        what: KeyChange::Remove {
            name: "anna".parse().unwrap(),
            root: "/keys/root.key".into(),
        },
    };
    let deed = Deed::Keys(Box::new(work));
    state.apply(Event::Act(Act::Go(Place::Keys)), story::now());
    assert!(state.begin(&deed));
    let last = Failure::new(
        Code::TrustRefused,
        "anna is the last who has shown to open epoch 2",
    );
    state.apply(Event::Done(deed, Err(last)), story::now());
    let harness = open(state);
    assert!(says(&harness, "Putting anna out of b2-main did not work"));
}

const ROOT: &str = "The root key's file, on this machine";

fn asked(what: KeyChange) -> Command {
    let repository = "b2-main".to_owned();
    Command::Do(Deed::Keys(Box::new(KeyWork { repository, what })))
}

fn is_off(harness: &Harness<'_, Window>, button: &str) -> bool {
    let button = harness.get_by_role_and_label(Role::Button, button);
    button.accesskit_node().is_disabled()
}

fn type_into(harness: &mut Harness<'_, Window>, field: &str, words: &str) {
    harness.get_by_label(field).focus();
    harness.run();
    harness.get_by_label(field).type_text(words);
    harness.run();
}

fn letting_in(harness: &mut Harness<'_, Window>) {
    harness.get_by_label("Let in…").click();
    harness.run();
}

#[test]
fn the_other_repository_is_chosen() {
    let mut harness = open(story::live());
    harness.get_by_label("Repository").click();
    harness.run();
    harness.get_by_label("nas").click();
    harness.run();
    harness.get_by_label("Kit of nas");
    harness.get_by_label("Same in a terminal backupctl key list --of nas");
}

#[test]
fn what_was_known_stays_without_a_state() {
    let harness = open(story::lost());
    harness.get_by_label("was proved");
    harness.get_by_label_contains("ben, SSH key, last tested never");
    assert!(harness.query_by_label("Proved").is_none());
}

fn without(question: Question) -> State {
    let mut state = story::first();
    if question != Question::Configuration {
        let told = Answer::Configuration(story::configuration());
        story::hear(&mut state, Question::Configuration, told);
    }
    story::fail(&mut state, question);
    at(state)
}

fn failed() -> State {
    without(Question::Keys("b2-main".to_owned()))
}

#[test]
fn what_could_not_be_told_is_said() {
    let harness = Window::open(failed(), Theme::Light, WINDOW);
    assert!(says(&harness, "The keys could not be read"));
    let harness = Window::open(without(Question::Configuration), Theme::Light, WINDOW);
    assert!(says(
        &harness,
        "Which repositories there are could not be read"
    ));
}

/// The keys of each repository of the configuration are asked for, once that is known.
#[test]
fn each_repository_is_asked_for() {
    let mut state = at(story::first());
    let asked = |state: &mut State| {
        let wanted = state.wants(story::now());
        let keys = wanted
            .into_iter()
            .filter(|one| matches!(one, Question::Keys(_)));
        keys.collect::<Vec<_>>()
    };
    assert_eq!(asked(&mut state), []);
    let told = Answer::Configuration(story::configuration());
    story::hear(&mut state, Question::Configuration, told);
    let of = |name: &str| Question::Keys(name.to_owned());
    assert_eq!(asked(&mut state), [of("b2-main"), of("nas")]);
}

fn empty() -> State {
    let mut state = story::first();
    let nothing = ConfigurationReport {
        repositories: Vec::new(),
        jobs: Vec::new(),
    };
    let nothing = Answer::Configuration(nothing);
    story::hear(&mut state, Question::Configuration, nothing);
    at(state)
}

picture! {
    live: "keys", WINDOW, at(story::live());
    at_risk: "keys-at-risk", WINDOW, at(with(alone));
    loading: "keys-loading", WINDOW, at(story::first());
    keys_failed: "keys-failed", WINDOW, failed();
    lost: "keys-lost", WINDOW, at(story::lost());
    no_repository: "keys-empty", WINDOW, empty();
    small: "keys-small", SMALL, at(story::live());
    newcomer: "keys-add", WINDOW, at(restores::unlocked(story::live())), letting_in;
    crowded_window: "keys-crowded", WINDOW, at(crowded());
}
