//! A server on a network in the shipped window: added with its pin, refused once it shows another
//! key, and trusted anew by somebody who types its name.

use std::fs;

use secrecy::ExposeSecret as _;

use crate::{
    network::Network,
    program::need,
    window::{BACK_UP, Desk, backups, click, fill},
};

#[test]
fn a_server_with_another_key_is_left_alone_until_somebody_trusts_it() {
    need("xdotool");
    let network = Network::new("");
    let (daemon, pin) = network.start();
    let token = network.token("admin");
    let mut desk = Desk::alone(&network.world, "glow");
    let (address, pin) = (network.address(), pin.to_string());
    let added = [
        vec!["key", "Escape", "key", "ctrl+1", "sleep", "1.5"],
        click("653", "359"),
        fill("640", "311", "vault"),
        fill("640", "366", &address),
        fill("600", "421", token.expose_secret()),
        fill("640", "476", &pin),
        click("852", "544"),
        vec!["sleep", "4"],
        BACK_UP.to_vec(),
    ];
    let done = |least: usize| {
        let runs = backups(&network.world);
        (runs.len() >= least).then_some(())
    };
    desk.until(&added.concat(), || done(1));
    daemon.stop();

    // Its key is lost, and it makes another.
    fs::remove_dir_all(network.world.path("state/tls")).unwrap();
    let (daemon, other) = network.start();
    assert_ne!(other.to_string(), pin);
    desk.act(&[&["sleep", "6"], &BACK_UP[..], &["sleep", "2"]].concat());
    assert!(done(2).is_none());
    let trusted = [
        click("330", "361"),
        fill("640", "430", "vault"),
        click("862", "474"),
        vec!["sleep", "4"],
        BACK_UP.to_vec(),
    ];
    desk.until(&trusted.concat(), || done(2));
    daemon.stop();
    let log = fs::read_to_string(network.world.path("window.log")).unwrap();
    assert!(!log.contains("panicked"), "{log}");
    assert!(!log.contains(token.expose_secret()));
}
