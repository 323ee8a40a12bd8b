//! Who may read files that are nobody else's business: the configuration, the secrets that it
//! names, the state folder with its keys, `.env` files in what is backed up, and what `[health]`
//! names besides. Looked at by their modes; nothing is opened.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use backup_model::HealthItem;
use tokio::{task, time::timeout};

use super::look::PATIENCE;
use crate::{
    config::{SecretRef, SourceKind},
    service::Access,
};

const CONFIGURATION: &str = "configuration-mode";
const SECRET: &str = "secret-mode";
const STATE: &str = "state-mode";
const ENV: &str = "env-mode";
const PRIVATE: &str = "private-mode";

/// How far below a source's paths `.env` files are looked for: whoever has more of them than that
/// has other worries.
const DEPTH: usize = 4;
const ENTRIES: usize = 20_000;

/// Of whom a file is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hidden {
    /// Of all but its owner.
    FromAll,
    /// Of all but its owner and group: it holds no secret, but says where they are.
    FromOthers,
}

pub(super) async fn check(access: &Access) -> Vec<HealthItem> {
    let looking = access.clone();
    let looked = timeout(PATIENCE, task::spawn_blocking(move || look(&looking))).await;
    if let Ok(Ok(items)) = looked {
        return items;
    }
    let why = "a file system does not answer";
    let fix = "Look which one hangs: df";
    vec![HealthItem::unknown("file-modes", "files", why, fix)]
}

fn look(access: &Access) -> Vec<HealthItem> {
    let mut items = Vec::new();
    for file in &access.watched.files {
        items.push(one(CONFIGURATION, file, Hidden::FromOthers));
    }
    for file in secrets(access) {
        items.push(one(SECRET, &file, Hidden::FromAll));
    }
    items.extend(state(&access.state));
    for job in access.jobs.values() {
        for source in &job.sources {
            if let SourceKind::Files(files) = &source.kind {
                items.extend(files.paths.iter().filter_map(|path| env_files(path)));
            }
        }
    }
    for file in &access.watched.health.private_files {
        items.push(one(PRIVATE, file, Hidden::FromAll));
    }
    items
}

/// The files in which the configuration says that secrets are.
fn secrets(access: &Access) -> Vec<PathBuf> {
    let mut all = Vec::new();
    let mut add = |secret: &SecretRef| {
        if let SecretRef::File(path) = secret {
            all.push(path.clone());
        }
    };
    for place in &access.places {
        if let Some(s3) = &place.s3 {
            add(&s3.credentials.access_key_id);
            add(&s3.credentials.secret_access_key);
            s3.credentials.session_token.as_ref().map(&mut add);
        }
    }
    for source in access.jobs.values().flat_map(|job| &job.sources) {
        if let SourceKind::Postgres(postgres) = &source.kind {
            postgres.password.as_ref().map(&mut add);
        }
    }
    for channel in access.watched.channels.values() {
        add(&channel.url);
        channel.token.as_ref().map(&mut add);
    }
    let tls = access
        .watched
        .server
        .as_ref()
        .and_then(|it| it.tls.as_ref());
    if let Some(tls) = tls {
        add(&tls.key);
    }
    all.sort();
    all.dedup();
    all
}

/// The state folder; and, where others can get in, what in it opens something.
fn state(folder: &Path) -> Option<HealthItem> {
    // Nothing was ever done here.
    if !folder.exists() {
        return None;
    }
    let object = folder.display().to_string();
    let fix = take_away("-R go=", &object);
    let open = match files_below(folder, 2, &|name| is_key(name)) {
        Ok((files, _)) => files
            .into_iter()
            .filter(|file| bits(file).is_ok_and(|bits| bits & 0o077 != 0)),
        Err(error) => return Some(HealthItem::unknown(STATE, &object, error, fix)),
    };
    let open: Vec<String> = open.map(|file| file.display().to_string()).collect();
    if !open.is_empty() {
        let evidence = format!("others may read {}", shown(&open));
        return Some(HealthItem::at_risk(STATE, &object, evidence, fix));
    }
    let bits = bits(folder);
    Some(judge(STATE, &object, bits, Hidden::FromAll, &fix))
}

/// Names of files in the state folder that hold secrets.
fn is_key(name: &str) -> bool {
    ["writer.key", "key.pem", "tokens.json"].contains(&name)
        || name.starts_with("dedup-")
        || is_pseudonym_key(name)
}

/// `2026-11.key`, as the audit log names them.
fn is_pseudonym_key(name: &str) -> bool {
    let month = name.strip_suffix(".key").unwrap_or_default();
    month.len() == 7
        && month
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// `.env`, `.env.local`, `prod.env`.
fn is_env(name: &str) -> bool {
    let mut parts = name.split('.').skip(1);
    let first = parts.next();
    first == Some("env") || name.rsplit('.').next() == Some("env") && first.is_some()
}

/// Files named `.env` in what is backed up.
fn env_files(root: &Path) -> Option<HealthItem> {
    let object = root.display().to_string();
    let fix = |file: &str| take_away("go=", file);
    let (files, whole) = match files_below(root, DEPTH, &|name| is_env(name)) {
        Ok(found) => found,
        Err(error) => {
            let fix = "Name a path that exists, and that backupd may read.";
            return Some(HealthItem::unknown(ENV, &object, error, fix));
        }
    };
    let open = files
        .iter()
        .filter(|file| bits(file).is_ok_and(|bits| bits & 0o077 != 0));
    let open: Vec<String> = open.map(|file| file.display().to_string()).collect();
    if let Some(first) = open.first() {
        let evidence = format!("others may read {}", shown(&open));
        let item = HealthItem::at_risk(ENV, &object, evidence, fix(first));
        return Some(item.with("files", open.len()));
    }
    if files.is_empty() {
        return None;
    }
    let part = if whole {
        ""
    } else {
        ", of those that were looked at"
    };
    let evidence = format!("{} .env files, none for others to read{part}", files.len());
    Some(HealthItem::ok(ENV, &object, evidence).with("files", files.len()))
}

fn shown(paths: &[String]) -> String {
    match paths {
        [first, second, _, ..] => format!("{first}, {second} and {} more", paths.len() - 2),
        few => few.join(", "),
    }
}

/// The files of such names, not too deep; and whether that is all.
fn files_below(
    root: &Path,
    depth: usize,
    wanted: &dyn Fn(&str) -> bool,
) -> io::Result<(Vec<PathBuf>, bool)> {
    let mut found = Vec::new();
    let mut left = ENTRIES;
    let name_of = |path: &Path| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    if fs::symlink_metadata(root)?.is_file() {
        let is_one = name_of(root).is_some_and(|name| wanted(&name));
        return Ok((is_one.then(|| root.to_owned()).into_iter().collect(), true));
    }
    let mut folders = vec![(root.to_owned(), depth)];
    while let Some((folder, depth)) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if folder == root => return Err(error),
            // A backup would say so.
            Err(_) => continue,
        };
        for entry in entries.filter_map(Result::ok) {
            if left == 0 {
                return Ok((found, false));
            }
            left -= 1;
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            let path = entry.path();
            if kind.is_dir() && depth > 0 {
                folders.push((path, depth - 1));
            } else if kind.is_file() && name_of(&path).is_some_and(|name| wanted(&name)) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok((found, true))
}

fn one(id: &str, file: &Path, hidden: Hidden) -> HealthItem {
    let object = file.display().to_string();
    let fix = match hidden {
        Hidden::FromAll => take_away("go=", &object),
        Hidden::FromOthers => take_away("o=", &object),
    };
    judge(id, &object, bits(file), hidden, &fix)
}

/// The command that does it. A file of an application may have any name, and the command is pasted
/// into a shell.
fn take_away(rights: &str, file: &str) -> String {
    match shlex::try_quote(file) {
        Ok(file) => format!("chmod {rights} -- {file}"),
        Err(_) => "Take the rights of others away from it.".to_owned(),
    }
}

fn bits(path: &Path) -> io::Result<u32> {
    Ok(fs::metadata(path)?.mode() & 0o7777)
}

fn judge(id: &str, object: &str, bits: io::Result<u32>, hidden: Hidden, fix: &str) -> HealthItem {
    let bits = match bits {
        Ok(bits) => bits,
        Err(error) => {
            let fix = "Name a file that exists, and that backupd may see.";
            return HealthItem::unknown(id, object, error, fix);
        }
    };
    let mask = match hidden {
        Hidden::FromAll => 0o077,
        Hidden::FromOthers => 0o027,
    };
    match bits & mask {
        0 => HealthItem::ok(id, object, format!("mode {bits:04o}")),
        open => {
            let who = if open & 0o007 != 0 {
                "everybody"
            } else {
                "its group"
            };
            let may = if open & 0o022 != 0 { "change" } else { "read" };
            let evidence = format!("mode {bits:04o}: {who} may {may} it");
            HealthItem::at_risk(id, object, evidence, fix)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use backup_model::HealthState;

    use super::*;

    #[test]
    fn a_file_with_any_name_can_be_named_in_a_command() {
        let command = take_away("go=", "/srv/;reboot;'.env");
        assert_eq!(command, "chmod go= -- \"/srv/;reboot;'.env\"");
        assert!(is_pseudonym_key("2026-11.key") && !is_pseudonym_key("admin.key"));
    }

    #[test]
    fn modes_are_judged_bit_by_bit() {
        let state = |bits, hidden| judge("m", "f", Ok(bits), hidden, "chmod").state;
        for bit in 0..9 {
            let bits = 0o400 | 1 << bit;
            let own = bit >= 6;
            let expected = if own {
                HealthState::Ok
            } else {
                HealthState::AtRisk
            };
            assert_eq!(state(bits, Hidden::FromAll), expected, "{bits:o}");
        }
        for (bits, expected) in [
            (0o640, HealthState::Ok),
            (0o644, HealthState::AtRisk),
            (0o660, HealthState::AtRisk),
            (0o602, HealthState::AtRisk),
        ] {
            assert_eq!(state(bits, Hidden::FromOthers), expected, "{bits:o}");
        }
        let gone = Err(io::Error::from(io::ErrorKind::NotFound));
        let item = judge("m", "f", gone, Hidden::FromAll, "chmod");
        assert_eq!(item.state, HealthState::Unknown);
    }

    #[test]
    fn env_files_are_found_below_a_source_and_one_that_is_gone_is_unknown() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(env_files(folder.path()), None);
        let deep = folder.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        let file = |path: &Path, mode| {
            fs::write(path, "KEY=canary\n").unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        file(&deep.join("prod.env"), 0o600);
        file(&folder.path().join("other"), 0o644);
        let item = env_files(folder.path()).unwrap();
        assert_eq!((item.state, item.numbers["files"]), (HealthState::Ok, 1));
        file(&deep.join(".env.local"), 0o640);
        let item = env_files(folder.path()).unwrap();
        assert_eq!(item.state, HealthState::AtRisk);
        assert!(item.evidence.ends_with("a/b/.env.local"), "{item:?}");
        assert!(!item.evidence.contains("canary"));
        // Named itself.
        let item = env_files(&deep.join("prod.env")).unwrap();
        assert_eq!(item.state, HealthState::Ok);
        let item = env_files(&folder.path().join("gone")).unwrap();
        assert_eq!(item.state, HealthState::Unknown);
    }

    #[test]
    fn the_state_folder_is_closed_and_so_are_the_keys_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let mode = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        mode(root, 0o700);
        assert_eq!(state(root).unwrap().state, HealthState::Ok);
        mode(root, 0o750);
        assert_eq!(state(root).unwrap().state, HealthState::AtRisk);
        mode(root, 0o700);
        fs::create_dir(root.join("id")).unwrap();
        fs::write(root.join("id/dedup-1"), "x").unwrap();
        mode(&root.join("id/dedup-1"), 0o604);
        let item = state(root).unwrap();
        assert_eq!(item.state, HealthState::AtRisk);
        assert!(item.evidence.ends_with("id/dedup-1"), "{item:?}");
        assert_eq!(state(&root.join("none")), None);
    }
}
