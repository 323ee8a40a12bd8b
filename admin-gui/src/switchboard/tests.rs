use std::sync::mpsc;

use super::*;

const PIN: &str = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

fn opening(folder: &std::path::Path, is_asked_for: bool) -> Opening {
    Opening {
        start: Target::socket(&folder.join("start.sock")),
        is_asked_for,
        servers: Servers::in_folder(Some(folder.join("backupd"))),
        programs: vec![folder.to_owned()],
        home: None,
    }
}

fn vault() -> Listed {
    Listed {
        name: "vault".to_owned(),
        address: "https://vault01:8443".parse().unwrap(),
        pin: PIN.parse().ok(),
    }
}

/// A board, and what says that a try has ended.
fn board(folder: &std::path::Path) -> (Switchboard, mpsc::Receiver<()>) {
    let window = Context::default();
    let (say, woken) = mpsc::sync_channel(8);
    window.set_request_repaint_callback(move |_| {
        say.try_send(()).ok();
    });
    (Switchboard::new(opening(folder, false), window), woken)
}

fn moved(steps: Vec<Step>) -> Server {
    let first = steps.into_iter().next();
    let Some(Step::Move(to)) = first else {
        panic!("stays: {first:?}");
    };
    to.server
}

fn refused(steps: &[Step]) -> Failure {
    let [Step::Tell(Event::Way(Way::Refused(failure)))] = steps else {
        panic!("{steps:?}");
    };
    failure.clone()
}

#[test]
fn the_window_comes_back_to_the_server_that_was_used_last() {
    let home = tempfile::tempdir().unwrap();
    let (mut board, _) = board(home.path());
    let start = board.first().0.server;
    assert_eq!(start.origin, Origin::Start);
    board.opening.servers.add(&vault(), None).unwrap();
    let to_vault = ServerAct::Switch(Some("vault".to_owned()));
    let here = moved(board.act(to_vault, &start));
    assert_eq!((here.name(), here.pin), (Some("vault"), PIN.parse().ok()));
    assert_eq!(board.first().0.server, here);
    // Unless another one is asked for.
    let asked_for = Switchboard::new(opening(home.path(), true), Context::default());
    assert_eq!(asked_for.first().0.server, start);

    let forget = ServerAct::Forget("vault".to_owned());
    assert_eq!(moved(board.act(forget, &here)), start);
    assert_eq!(board.first().0.server, start);
}

#[test]
fn another_key_is_trusted_and_reached_at_once() {
    let home = tempfile::tempdir().unwrap();
    let (mut board, _) = board(home.path());
    board.opening.servers.add(&vault(), None).unwrap();
    let here = board.listed("vault".to_owned()).unwrap().server;
    let other = PIN.replace("AAAA=", "AQEA=").parse().unwrap();
    let trust = ServerAct::Trust("vault".to_owned(), other);
    assert_eq!(moved(board.act(trust, &here)).pin, Some(other));
}

#[test]
fn a_server_that_does_not_answer_is_not_kept() {
    let home = tempfile::tempdir().unwrap();
    let (mut board, woken) = board(home.path());
    let here = board.first().0.server;
    let new = NewServer {
        name: "attic".to_owned(),
        address: format!("unix:{}/attic.sock", home.path().display())
            .parse()
            .unwrap(),
        token: None,
        pin: None,
    };
    let begun = board.act(ServerAct::Add(new), &here);
    assert!(matches!(begun[..], [Step::Tell(Event::Way(Way::Trying))]));
    woken.recv().unwrap();
    assert_eq!(refused(&board.tried()).code, Code::Daemon);
    assert_eq!(board.opening.servers.list().unwrap(), []);
    assert!(board.tried().is_empty());
}

#[test]
fn without_backupd_no_repository_opens_and_it_says_so() {
    let home = tempfile::tempdir().unwrap();
    let (mut board, woken) = board(home.path());
    let here = board.first().0.server;
    let by_hand = crate::state::RecoverFrom::Hand {
        location: "/mnt/backup".to_owned(),
        root: "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".to_owned(),
    };
    let recovery = Recovery {
        from: by_hand,
        storage: crate::state::StorageAccess::default(),
    };
    board.act(ServerAct::Recover(recovery), &here);
    woken.recv().unwrap();
    assert_eq!(refused(&board.tried()).code, Code::ProgramMissing);
}
