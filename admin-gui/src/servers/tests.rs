use std::{fs, os::unix::fs::PermissionsExt as _};

use secrecy::ExposeSecret as _;

use super::*;

const PIN: &str = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const OTHER: &str = "sha256//AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

fn servers(folder: &Path) -> Servers {
    Servers::in_folder(Some(folder.join("backupd")))
}

fn vault(name: &str) -> Listed {
    Listed {
        name: name.to_owned(),
        address: "https://vault01:8443".parse().unwrap(),
        pin: Some(PIN.parse().unwrap()),
    }
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn a_server_is_added_used_trusted_anew_and_forgotten() {
    let home = tempfile::tempdir().unwrap();
    let servers = servers(home.path());
    assert_eq!(servers.list().unwrap(), []);
    assert_eq!(servers.last().unwrap(), None);
    let token = SecretString::from("bk_7_geheim");
    servers.add(&vault("vault"), Some(&token)).unwrap();
    servers.add(&vault("store room"), None).unwrap();
    assert_eq!(
        servers.list().unwrap(),
        [vault("vault"), vault("store room")]
    );

    let target = servers.target("vault").unwrap();
    assert_eq!(target.token.unwrap().expose_secret(), "bk_7_geheim");
    assert!(servers.target("store room").unwrap().token.is_none());
    servers.used(Some("vault")).unwrap();
    assert_eq!(servers.last().unwrap().as_deref(), Some("vault"));
    servers.trust("vault", OTHER.parse().unwrap()).unwrap();
    assert_eq!(servers.target("vault").unwrap().pin, OTHER.parse().ok());

    let folder = home.path().join("backupd");
    let list = fs::read_to_string(folder.join("servers.toml")).unwrap();
    assert!(!list.contains("geheim"), "{list}");
    let file = folder.join("tokens/1.token");
    assert_eq!((mode(&file), mode(&folder.join("tokens"))), (0o600, 0o700));

    servers.forget("vault").unwrap();
    assert!(!file.exists());
    assert_eq!(servers.last().unwrap(), None);
    assert_eq!(servers.list().unwrap(), [vault("store room")]);
    assert!(matches!(
        servers.target("vault"),
        Err(ServersError::Unknown(_))
    ));
}

#[test]
fn a_token_that_others_can_read_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let servers = servers(home.path());
    let token = SecretString::from("bk_7_geheim");
    servers.add(&vault("vault"), Some(&token)).unwrap();
    let file = home.path().join("backupd/tokens/1.token");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let refused = servers.target("vault").unwrap_err();
    assert!(matches!(
        refused,
        ServersError::Token(TokenError::Exposed { mode: 0o640, .. })
    ));
}

#[test]
fn what_cannot_be_a_server_is_not_added() {
    let home = tempfile::tempdir().unwrap();
    let servers = servers(home.path());
    servers.add(&vault("vault"), None).unwrap();
    assert!(matches!(
        servers.add(&vault("vault"), None),
        Err(ServersError::Taken(_))
    ));
    for name in ["", " a", "a/b", "a\nb", &"a".repeat(65)] {
        let refused = servers.add(&vault(name), None);
        assert!(matches!(refused, Err(ServersError::Name)), "{name}");
    }
    let nowhere = Servers::in_folder(None);
    assert_eq!(nowhere.list().unwrap(), []);
    assert!(matches!(
        nowhere.add(&vault("vault"), None),
        Err(ServersError::NoPlace)
    ));
}

#[test]
fn a_list_that_is_none_is_refused_and_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let servers = servers(home.path());
    let file = home.path().join("backupd/servers.toml");
    fs::create_dir(file.parent().unwrap()).unwrap();
    let one = |more: &str| {
        format!("version = 1\n[[server]]\nname = \"a\"\naddress = \"unix:/a\"\n{more}\n")
    };
    for (text, words) in [
        ("version = 2\nmore = 1", "is of version 2"),
        ("nothing", "is not a list of servers"),
        ("version = 1\nother = 1", "is not a list of servers"),
        (&one("pin = \"x\""), "the server a has a pin"),
        (&one("token = \"../x\""), "the server a has a token file"),
        (
            &one("token = \"/etc/passwd\""),
            "the server a has a token file",
        ),
    ] {
        fs::write(&file, text).unwrap();
        let refused = servers.list().unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
        assert!(servers.target("a").is_err());
    }
    fs::write(&file, "version = 2").unwrap();
    assert!(servers.add(&vault("vault"), None).is_err());
    assert_eq!(fs::read_to_string(&file).unwrap(), "version = 2");
}
