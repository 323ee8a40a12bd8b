//! `[metrics]` and `[notify.…]`.

use backup_model::{ChannelKind, EventKind};

use super::fixture::{GOOD, all_refused, folder, load_from};
use crate::config::SecretRef;

#[test]
fn channels_and_metrics_are_there_where_they_are_named() {
    let config = load_from(&folder(GOOD)).unwrap();
    assert!(config.channels.is_empty() && config.metrics.is_none());
    let text = format!(
        "{GOOD}\n[metrics]\nlisten = \"[::1]:9898\"\n[notify.ops]\nkind = \"ntfy\"\n\
         url = {{ credential = \"ntfy\" }}\nevents = [\"breached\"]\njobs = [\"webui\"]\n\
         [notify.deadman]\nkind = \"healthchecks\"\nurl = {{ env = \"HC\" }}\n\
         [notify.mail]\nkind = \"smtp\"\nurl = {{ env = \"MAIL\" }}\nfrom = \"Vault <b@example.net>\"\n\
         to = [\"ops@example.net\"]\ndigest = \"08:30\"\n\
         [defaults]\ntimezone = \"UTC\"\n"
    );
    let config = load_from(&folder(&text)).unwrap();
    assert_eq!(config.metrics, Some("[::1]:9898".parse().unwrap()));
    let ops = &config.channels[&"ops".parse().unwrap()];
    assert_eq!((ops.kind, &ops.token), (ChannelKind::Ntfy, &None));
    assert_eq!(ops.url, SecretRef::Credential("ntfy".to_owned()));
    assert_eq!(ops.events, [EventKind::Breached].into());
    assert!(ops.is_about(&"webui".parse().unwrap()));
    assert!(!ops.is_about(&"other".parse().unwrap()));
    let deadman = &config.channels[&"deadman".parse().unwrap()];
    assert!(deadman.is_about(&"other".parse().unwrap()));
    assert_eq!(deadman.events.len(), EventKind::ALL.len());
    let mail = &config.channels[&"mail".parse().unwrap()];
    assert_eq!(mail.digest.as_ref().unwrap().as_str(), "30 8 * * *");
    let letter = mail.mail.as_ref().unwrap();
    assert_eq!(letter.from.to_string(), "Vault <b@example.net>");
    assert_eq!(letter.to.len(), 1);
}

#[test]
fn each_error_of_mail_and_digests_has_its_remedy() {
    let ops =
        |more: &str| format!("{GOOD}\n[defaults]\ntimezone = \"UTC\"\n[notify.ops]\n{more}\n");
    let url = "url = { env = \"OPS\" }";
    for (text, message, key, help) in [
        (
            ops(&format!("kind = \"ntfy\"\n{url}\ndigest = \"8:00\"")),
            "`digest`: `8:00` is not a time of day",
            "notify.ops.digest",
            "digest = \"08:00\"",
        ),
        (
            ops(&format!("kind = \"ntfy\"\n{url}\ndigest = \"24:00\"")),
            "`digest`: `24:00` is not a time of day",
            "notify.ops.digest",
            "digest = \"08:00\"",
        ),
        (
            ops(&format!(
                "kind = \"healthchecks\"\n{url}\ndigest = \"08:00\""
            )),
            "`digest` means nothing for `healthchecks`",
            "notify.ops.digest",
            "each backup is told there",
        ),
        (
            ops(&format!("kind = \"ntfy\"\n{url}\nfrom = \"a@example.net\"")),
            "`from` means nothing for `ntfy`",
            "notify.ops.from",
            "kind = \"smtp\"",
        ),
        (
            ops(&format!("kind = \"smtp\"\n{url}\nto = [\"a@example.net\"]")),
            "`notify.ops` has no `from`",
            "notify.ops",
            "from = \"backupd@example.net\"",
        ),
        (
            ops(&format!(
                "kind = \"smtp\"\n{url}\nfrom = \"me\"\nto = [\"a@b.c\"]"
            )),
            "`me` is not a mail address",
            "notify.ops.from",
            "ops@example.net",
        ),
        (
            ops(&format!(
                "kind = \"smtp\"\n{url}\nfrom = \"a@b.c\"\nto = []"
            )),
            "`to` names nobody",
            "notify.ops.to",
            "who gets it",
        ),
    ] {
        all_refused(&text, &[(message, key, help)]);
    }
}

#[test]
fn each_error_has_its_remedy() {
    let ops = |more: &str| format!("{GOOD}\n[notify.ops]\n{more}\n");
    let url = "url = { env = \"OPS\" }";
    for (text, message, key, help) in [
        (
            format!("{GOOD}\n[metrics]\nlisten = \"0.0.0.0:9898\"\n"),
            "`listen`: `0.0.0.0:9898` is not a loopback address",
            "metrics.listen",
            "on this machine only",
        ),
        (
            format!("{GOOD}\n[metrics]\nlisten = \"9898\"\n"),
            "`listen`: `9898` is not an address with a port",
            "metrics.listen",
            "127.0.0.1:9898",
        ),
        (
            ops(&format!("kind = \"nfty\"\n{url}")),
            "unknown kind of channel `nfty`",
            "notify.ops.kind",
            "Did you mean `ntfy`?",
        ),
        (
            ops("kind = \"ntfy\"\nurl = \"https://ntfy.sh/topic\""),
            "`url` holds a secret in clear",
            "notify.ops.url",
            "only its owner can read",
        ),
        (
            ops(&format!("kind = \"ntfy\"\n{url}\nevents = [\"recoverd\"]")),
            "unknown event `recoverd`",
            "notify.ops.events[0]",
            "Did you mean `recovered`?",
        ),
        (
            ops(&format!("kind = \"ntfy\"\n{url}\njobs = [\"web\"]")),
            "there is no job `web`",
            "notify.ops.jobs[0]",
            "Did you mean `webui`?",
        ),
        (
            ops(&format!(
                "kind = \"healthchecks\"\n{url}\nevents = [\"failed\"]"
            )),
            "`events` means nothing for `healthchecks`",
            "notify.ops.events",
            "Remove it",
        ),
    ] {
        all_refused(&text, &[(message, key, help)]);
    }
}
