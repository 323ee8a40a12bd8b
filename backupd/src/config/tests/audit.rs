//! The table `[audit]`.

use std::{path::Path, time::Duration};

use super::fixture::{GOOD, all_refused, folder, load_from};

const DAY: Duration = Duration::from_hours(24);

#[test]
fn the_audit_log_is_in_the_state_folder_unless_it_is_said_otherwise() {
    let config = load_from(&folder(GOOD)).unwrap();
    assert_eq!(config.audit.folder, config.state.join("audit"));
    assert_eq!(config.audit.keep, DAY * 400);
    assert_eq!(config.audit.pseudonym_keep, DAY * 30);
    let lines = "folder = \"/var/log/backupd\"\nkeep = \"800d\"\npseudonym_keep = \"7d\"\n";
    let config = load_from(&folder(&format!("{GOOD}\n[audit]\n{lines}"))).unwrap();
    assert_eq!(config.audit.folder, Path::new("/var/log/backupd"));
    assert_eq!(config.audit.keep, DAY * 800);
    assert_eq!(config.audit.pseudonym_keep, DAY * 7);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for (line, message, key, help) in [
        (
            "folder = \"log\"",
            "`folder`: `log` is not an absolute path",
            "audit.folder",
            "Begin the path with `/`",
        ),
        (
            "keep = \"400\"",
            "`keep`: `400` has no unit",
            "audit.keep",
            "",
        ),
        ("paht = \"/x\"", "unknown key `paht`", "audit.paht", ""),
    ] {
        all_refused(
            &format!("{GOOD}\n[audit]\n{line}\n"),
            &[(message, key, help)],
        );
    }
}
