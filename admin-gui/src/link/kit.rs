//! Where a repository is, by a recovery kit's file or by hand. Of the kit only what leads to the
//! repository is taken: its key is opened as any other is.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use backup_keys::{PublicKey, kit::Kit};
use backup_model::{Code, Failure};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::state::{RecoverFrom, Recovery, Secret, StorageAccess};

/// No kit is longer, with the script that it ends in.
const LONGEST: u64 = 1 << 20;

/// A repository that can be opened.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) location: String,
    pub(super) root: String,
    pub(super) storage: StorageAccess,
}

/// Finds out where it is.
pub(super) fn place(recovery: Recovery) -> Result<Place, Failure> {
    let storage = recovery.storage;
    let place = match recovery.from {
        RecoverFrom::Hand { location, root } => {
            let root: PublicKey = root.parse().map_err(|_| {
                let text = "the root public key is none: it begins with RW and has 56 characters";
                Failure::new(Code::Usage, text)
            })?;
            Place {
                location,
                root: root.to_string(),
                storage,
            }
        }
        RecoverFrom::Kit(path) => {
            let kit = read(&path)?;
            Place {
                location: kit.location,
                root: kit.root.to_string(),
                storage: filled(storage, &kit.storage),
            }
        }
    };
    let endpoint = place.storage.endpoint.as_deref();
    for (what, url) in [
        ("address", Some(place.location.as_str())),
        ("endpoint", endpoint),
    ] {
        if url.is_some_and(has_user) {
            let text = format!("the {what} has a user or a key in it, which others could see");
            return Err(Failure::new(Code::SecretInArgument, text));
        }
    }
    Ok(place)
}

/// Whether a URL names a user: what stands in arguments is seen by everybody on the machine.
fn has_user(url: &str) -> bool {
    let rest = url.split_once("://").map(|(_, rest)| rest);
    let host = rest.and_then(|rest| rest.split('/').next());
    host.is_some_and(|host| host.contains('@'))
}

fn read(path: &Path) -> Result<Kit, Failure> {
    let text = || -> io::Result<Zeroizing<Vec<u8>>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 1));
        File::open(path)?
            .take(LONGEST + 1)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = text().map_err(|error| Failure {
        causes: vec![error.to_string()],
        ..Failure::new(Code::LocalIo, format!("could not read {}", path.display()))
    })?;
    // What is no text has no line of a kit, either.
    let text = SecretString::from(str::from_utf8(&bytes).unwrap_or("\0"));
    Kit::parse(&text).map_err(|error| {
        let faults = error.faults.iter();
        let words = format!("{} is not a whole recovery kit", path.display());
        Failure {
            causes: faults
                .map(|fault| format!("line {}: {}", fault.line, fault.fault))
                .collect(),
            ..Failure::new(Code::KitInvalid, words)
        }
    })
}

/// What was typed, and for the rest what the kit says: its line of flags, and access keys as they
/// stand in a file of variables.
fn filled(typed: StorageAccess, lines: &[SecretString]) -> StorageAccess {
    let lines = || lines.iter().map(SecretString::expose_secret);
    let flags = lines().find_map(|line| line.strip_prefix("flags "));
    let flags = flags.and_then(shlex::split).unwrap_or_default();
    let flag = |name: &str| {
        let mut pairs = flags.iter().zip(flags.iter().skip(1));
        pairs
            .find(|(flag, _)| *flag == name)
            .map(|(_, value)| value.clone())
    };
    let variable = |name: &str| {
        let value = |line: &str| {
            let (before, value) = line.split_once('=')?;
            let before = before.trim().trim_start_matches("export ");
            let value = value.trim().trim_matches(['"', '\'']);
            (before == name && !value.is_empty()).then(|| SecretString::from(value))
        };
        lines().find_map(value)
    };
    // The two belong together.
    let (key_id, secret_key) = match (typed.key_id, typed.secret_key) {
        (None, None) => {
            let id = variable("AWS_ACCESS_KEY_ID");
            let id = id.map(|id| id.expose_secret().to_owned());
            (id, variable("AWS_SECRET_ACCESS_KEY").map(Secret::new))
        }
        typed => typed,
    };
    StorageAccess {
        endpoint: typed.endpoint.or_else(|| flag("--endpoint")),
        region: typed.region.or_else(|| flag("--region")),
        key_id,
        secret_key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Vec<SecretString> {
        [
            "flags --endpoint https://s3.example.org --region 'eu west'",
            "AWS_ACCESS_KEY_ID=AKIA7",
            "export AWS_SECRET_ACCESS_KEY=\"geheim\"",
        ]
        .map(SecretString::from)
        .to_vec()
    }

    #[test]
    fn a_kit_says_how_its_bucket_is_reached() {
        let found = filled(StorageAccess::default(), &lines());
        assert_eq!(found.endpoint.as_deref(), Some("https://s3.example.org"));
        assert_eq!(found.region.as_deref(), Some("eu west"));
        assert_eq!(found.key_id.as_deref(), Some("AKIA7"));
        let secret = found.secret_key.as_ref().unwrap();
        assert_eq!(secret.text().expose_secret(), "geheim");
        assert!(!format!("{found:?}").contains("geheim"));
    }

    #[test]
    fn what_is_typed_counts_before_the_kit() {
        let typed = StorageAccess {
            endpoint: Some("https://other".to_owned()),
            key_id: Some("AKIA8".to_owned()),
            ..StorageAccess::default()
        };
        let found = filled(typed, &lines());
        assert_eq!(found.endpoint.as_deref(), Some("https://other"));
        assert_eq!(found.key_id.as_deref(), Some("AKIA8"));
        // Of another key.
        assert_eq!(found.secret_key, None);
    }

    #[test]
    fn what_is_typed_by_hand_is_looked_at_first() {
        let root = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
        let by_hand = |location: &str, root: &str, endpoint: &str| {
            let from = RecoverFrom::Hand {
                location: location.to_owned(),
                root: root.to_owned(),
            };
            let storage = StorageAccess {
                endpoint: Some(endpoint.to_owned()),
                ..StorageAccess::default()
            };
            place(Recovery { from, storage }).map_err(|failure| failure.code)
        };
        let secret = Some(Code::SecretInArgument);
        assert!(by_hand("s3://bucket/a@b", root, "https://host").is_ok());
        assert_eq!(by_hand("/a", "RW", "").err(), Some(Code::Usage));
        assert_eq!(by_hand("s3://id:geheim@bucket", root, "").err(), secret);
        assert_eq!(
            by_hand("s3://bucket", root, "https://a:b@host").err(),
            secret
        );
    }

    #[test]
    fn what_is_no_kit_says_which_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kit.txt");
        let open = || {
            let from = RecoverFrom::Kit(path.clone());
            let storage = StorageAccess::default();
            place(Recovery { from, storage }).unwrap_err()
        };
        assert_eq!(open().code, Code::LocalIo);
        std::fs::write(&path, b"\xff\xfe").unwrap();
        let refused = open();
        assert_eq!(refused.code, Code::KitInvalid);
        assert!(refused.causes[0].starts_with("line "), "{refused:?}");
    }
}
