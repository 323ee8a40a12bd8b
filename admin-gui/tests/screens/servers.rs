//! Several servers: their menu, what is asked before one is added, forgotten or trusted anew, and a
//! repository that no server looks after.

use admin_gui::state::{
    Command, Event, Known, NewServer, Origin, Place, RecoverFrom, Recovery, Server, ServerAct,
    State, StorageAccess, Way,
};
use backup_model::{Code, Failure};
use egui::{Role, Theme};
use egui_kittest::{Harness, kittest::Queryable as _};

use crate::{
    SMALL, WINDOW, Window,
    hands::{press, write},
    story,
};

const PIN: &str = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const OTHER: &str = "sha256//AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const BAR: &str = "vault, https://10.0.4.12:8443";

fn known(name: Option<&str>, address: &str) -> Known {
    Known {
        name: name.map(str::to_owned),
        address: address.to_owned(),
    }
}

fn at(origin: Origin) -> State {
    let mut state = State::new(Server {
        address: "https://10.0.4.12:8443".to_owned(),
        is_secure: true,
        pin: PIN.parse().ok(),
        origin,
    });
    let all = [
        known(None, "unix:/run/backupd/api.sock"),
        known(Some("vault"), "https://10.0.4.12:8443"),
        known(Some("store room"), "https://10.0.4.13:8443"),
    ];
    state.apply(Event::Known(all.to_vec()), story::now());
    state.apply(Event::Status(story::status()), story::now());
    state
}

fn listed() -> State {
    at(Origin::Listed("vault".to_owned()))
}

/// It shows another key than it did.
fn changed(origin: Origin) -> State {
    let mut state = at(origin);
    let failure = Failure {
        causes: vec![format!("it shows {OTHER}, and {PIN} was pinned")],
        ..Failure::new(Code::DaemonIdentity, "it is not the daemon that was pinned")
    };
    state.apply(Event::Lost(failure), story::now());
    state
}

fn asked(harness: &mut Harness<'_, Window>) -> Option<ServerAct> {
    match harness.state_mut().asked.pop() {
        Some(Command::Server(act)) => Some(act),
        _ => None,
    }
}

fn refuse(harness: &mut Harness<'_, Window>, failure: Failure) {
    let refused = Event::Way(Way::Refused(failure));
    harness.state_mut().state.apply(refused, story::now());
    harness.run();
    // A dialog that has grown is in its place a frame later.
    harness.run();
}

fn open_menu(harness: &mut Harness<'_, Window>) {
    press(harness, Role::Button, BAR);
}

fn open_add(harness: &mut Harness<'_, Window>) {
    open_menu(harness);
    press(harness, Role::MenuItem, "Add a server…");
}

fn open_recover(harness: &mut Harness<'_, Window>) {
    open_menu(harness);
    press(harness, Role::MenuItem, "Open a repository…");
}

#[test]
fn the_name_in_the_bar_leads_to_the_other_servers() {
    let mut harness = Window::open(listed(), Theme::Light, WINDOW);
    open_menu(&mut harness);
    // It is there already.
    press(&mut harness, Role::MenuItem, "vault");
    assert_eq!(harness.state().asked, []);
    for (title, name) in [("store room", Some("store room")), ("This machine", None)] {
        open_menu(&mut harness);
        press(&mut harness, Role::MenuItem, title);
        let switch = ServerAct::Switch(name.map(str::to_owned));
        assert_eq!(asked(&mut harness), Some(switch));
    }
}

#[test]
fn a_server_is_forgotten_after_a_question() {
    let mut harness = Window::open(listed(), Theme::Light, WINDOW);
    open_menu(&mut harness);
    press(&mut harness, Role::MenuItem, "Forget this server…");
    press(&mut harness, Role::Button, "Keep it");
    assert_eq!(asked(&mut harness), None);
    open_menu(&mut harness);
    press(&mut harness, Role::MenuItem, "Forget this server…");
    press(&mut harness, Role::Button, "Forget");
    let forget = ServerAct::Forget("vault".to_owned());
    assert_eq!(asked(&mut harness), Some(forget));
    // The one that the window was started with is in no list.
    let mut harness = Window::open(at(Origin::Start), Theme::Light, WINDOW);
    press(
        &mut harness,
        Role::Button,
        "vault01, https://10.0.4.12:8443",
    );
    let forget = harness.query_by_label("Forget this server…");
    assert!(forget.is_none());
}

const TOKEN: &str = "Token, which backupctl token create makes there";
const PIN_FIELD: &str = "Pin: the key that it must have, unless an authority vouches for it";

fn type_server(harness: &mut Harness<'_, Window>) {
    open_add(harness);
    write(harness, Role::TextInput, "Name, for you", "attic");
    write(harness, Role::TextInput, "Address", "https://attic:8443");
    write(harness, Role::PasswordInput, TOKEN, "bk_7_geheim");
}

fn unknown_key() -> Failure {
    Failure {
        causes: vec![format!(
            "invalid peer certificate: UnknownIssuer; its key is {OTHER}"
        )],
        ..Failure::new(
            Code::DaemonIdentity,
            "https://attic:8443 does not show who it is",
        )
    }
}

fn refuse_server(harness: &mut Harness<'_, Window>) {
    type_server(harness);
    press(harness, Role::Button, "Add");
    refuse(harness, unknown_key());
}

#[test]
fn a_server_is_added_by_the_key_that_it_shows() {
    let mut harness = Window::open(listed(), Theme::Light, WINDOW);
    type_server(&mut harness);
    press(&mut harness, Role::Button, "Add");
    let Some(ServerAct::Add(new)) = asked(&mut harness) else {
        panic!("nothing was asked");
    };
    assert_eq!((new.name.as_str(), new.pin), ("attic", None));
    assert_eq!(new.address.to_string(), "https://attic:8443");
    assert!(new.token.is_some() && !format!("{new:?}").contains("geheim"));

    // What was typed stays, and with the key that was shown it is tried again.
    refuse(&mut harness, unknown_key());
    harness.get_by_label_contains("https://attic:8443 does not show who it is");
    press(&mut harness, Role::Button, "Use this key as the pin");
    press(&mut harness, Role::Button, "Add");
    let Some(ServerAct::Add(NewServer {
        name, token, pin, ..
    })) = asked(&mut harness)
    else {
        panic!("nothing was asked");
    };
    assert_eq!((name.as_str(), pin), ("attic", OTHER.parse().ok()));
    assert!(token.is_some());
    press(&mut harness, Role::Button, "Cancel");
    assert_eq!(asked(&mut harness), Some(ServerAct::GiveUp));
}

#[test]
fn what_can_be_no_server_is_said_where_it_was_typed() {
    let mut harness = Window::open(listed(), Theme::Light, WINDOW);
    open_add(&mut harness);
    write(&mut harness, Role::TextInput, "Name, for you", "attic");
    write(&mut harness, Role::TextInput, "Address", "attic:8443");
    write(&mut harness, Role::TextInput, PIN_FIELD, "sha256//x");
    press(&mut harness, Role::Button, "Add");
    assert_eq!(asked(&mut harness), None);
}

#[test]
fn a_repository_is_opened_by_its_kit() {
    let mut harness = Window::open(listed(), Theme::Light, WINDOW);
    open_recover(&mut harness);
    let kit = "Recovery kit, a file on this machine";
    write(&mut harness, Role::TextInput, kit, " /media/kit.txt ");
    press(&mut harness, Role::Button, "Open");
    let recovery = Recovery {
        from: RecoverFrom::Kit("/media/kit.txt".into()),
        storage: StorageAccess::default(),
    };
    assert_eq!(
        asked(&mut harness),
        Some(ServerAct::Recover(recovery.clone()))
    );
    let lines = Failure {
        causes: vec!["line 3: it does not begin with its number".to_owned()],
        ..Failure::new(
            Code::KitInvalid,
            "/media/kit.txt is not a whole recovery kit",
        )
    };
    refuse(&mut harness, lines);
    harness.get_by_label_contains("line 3: it does not begin with its number");
    press(&mut harness, Role::Button, "Open");
    assert_eq!(asked(&mut harness), Some(ServerAct::Recover(recovery)));
}

fn by_hand(harness: &mut Harness<'_, Window>) {
    open_recover(harness);
    press(harness, Role::RadioButton, "By hand");
    write(harness, Role::TextInput, "Address", "s3://bucket/backups");
    let root = "Root public key, which it must be signed by";
    write(harness, Role::TextInput, root, "RWQf6LRCGA9i");
    write(harness, Role::TextInput, "Access key id", "AKIA7");
}

#[test]
fn a_bucket_is_opened_by_hand_with_its_access_key() {
    let mut harness = Window::open(listed(), Theme::Light, WINDOW);
    by_hand(&mut harness);
    // An id without its secret opens nothing.
    press(&mut harness, Role::Button, "Open");
    assert_eq!(asked(&mut harness), None);
    write(
        &mut harness,
        Role::PasswordInput,
        "Secret access key",
        "geheim",
    );
    press(&mut harness, Role::Button, "Open");
    let Some(ServerAct::Recover(recovery)) = asked(&mut harness) else {
        panic!("nothing was asked");
    };
    assert!(!format!("{recovery:?}").contains("geheim"));
    let from = RecoverFrom::Hand {
        location: "s3://bucket/backups".to_owned(),
        root: "RWQf6LRCGA9i".to_owned(),
    };
    assert_eq!(recovery.from, from);
    assert_eq!(recovery.storage.key_id.as_deref(), Some("AKIA7"));
    assert!(recovery.storage.secret_key.is_some());
}

#[test]
fn a_repository_alone_is_called_private() {
    let private = at(Origin::Private("s3://bucket/backups".to_owned()));
    assert_eq!(*private.place(), Place::Snapshots);
    let private = story::at(private, Place::Overview);
    let harness = Window::open(private, Theme::Light, WINDOW);
    harness.get_by_role_and_label(Role::Button, "Private, s3://bucket/backups");
    assert!(
        harness
            .query_all_by_label_contains("A repository alone")
            .next()
            .is_some()
    );
}

fn open_trust(harness: &mut Harness<'_, Window>) {
    press(harness, Role::Button, "Trust the new one…");
}

#[test]
fn another_key_hides_everything_until_it_is_trusted_by_name() {
    let state = changed(Origin::Listed("vault".to_owned()));
    let mut harness = Window::open(state, Theme::Light, WINDOW);
    let card = "This is not the server that was pinned";
    harness.get_by_role_and_label(Role::Group, card);
    assert!(harness.query_all_by_label_contains(OTHER).next().is_some());
    assert!(harness.query_by_label("Needs attention").is_none());
    open_trust(&mut harness);
    press(&mut harness, Role::Button, "Trust it");
    assert_eq!(asked(&mut harness), None);
    let field = "Type vault to say that you have compared it";
    write(&mut harness, Role::TextInput, field, "vault");
    press(&mut harness, Role::Button, "Trust it");
    let trust = ServerAct::Trust("vault".to_owned(), OTHER.parse().unwrap());
    assert_eq!(asked(&mut harness), Some(trust));
}

#[test]
fn a_pin_of_the_command_line_is_changed_there() {
    let mut harness = Window::open(changed(Origin::Start), Theme::Light, WINDOW);
    open_trust(&mut harness);
    assert!(harness.query_by_label("Trust another key?").is_none());
}

picture! {
    menu: "servers-menu", WINDOW, listed(), open_menu;
    menu_small: "servers-menu-small", SMALL, listed(), open_menu;
    add: "servers-add", WINDOW, listed(), open_add;
    add_refused: "servers-add-refused", SMALL, listed(), refuse_server;
    recover: "servers-recover", WINDOW, listed(), open_recover;
    recover_by_hand: "servers-recover-by-hand", SMALL, listed(), by_hand;
    other_key: "servers-changed", WINDOW, changed(Origin::Listed("vault".to_owned()));
    trust: "servers-changed-trust", SMALL, changed(Origin::Listed("vault".to_owned())), open_trust;
}
