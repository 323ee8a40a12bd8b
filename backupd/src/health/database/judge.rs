//! What is thought of a database and its server.

use backup_model::{Failure, HealthItem};

use super::ask::Seen;
use crate::{
    health::{copies::is_loopback, look::said},
    hints::hint,
};

pub(super) const CLIENT: &str = "database-client";
const REACHABLE: &str = "database-reachable";
const PRIVILEGES: &str = "database-privileges";
const LISTENING: &str = "server-listening";
const TLS: &str = "server-tls";
const SCRAM: &str = "server-scram";
pub(super) const RULES: &str = "server-rules";
pub(super) const PASSWORDS: &str = "server-passwords";

/// Older client programs run what a hostile server put into a dump: the first good minor version
/// of each major one.
const GOOD_CLIENTS: [(u32, u32); 5] = [(14, 25), (15, 20), (16, 16), (17, 12), (18, 7)];

/// Of a database that does not answer.
pub(super) fn silent(object: &str, failure: &Failure) -> Vec<HealthItem> {
    let fix = hint(failure.code).unwrap_or("Look whether the server runs.");
    let first = format!("See `{REACHABLE}` first.");
    let why = "the database cannot be asked";
    vec![
        HealthItem::breached(REACHABLE, object, said(failure), fix),
        HealthItem::unknown(CLIENT, object, why, first.clone()),
        HealthItem::unknown(PRIVILEGES, object, why, first),
    ]
}

/// Of its server.
pub(super) fn silent_server(server: &str) -> Vec<HealthItem> {
    let all = [LISTENING, TLS, SCRAM, RULES, PASSWORDS];
    let unknown = all.into_iter().map(|id| {
        let fix = format!("See `{REACHABLE}` first.");
        HealthItem::unknown(id, server, "the server cannot be asked", fix)
    });
    unknown.collect()
}

pub(super) fn reachable(object: &str, seen: &Seen) -> HealthItem {
    let evidence = format!("PostgreSQL {} let `{}` in", seen.version, seen.role);
    HealthItem::ok(REACHABLE, object, evidence)
}

/// Whether the programs can dump it, and can be trusted to restore it.
pub(super) fn client(object: &str, (major, minor): (u32, Option<u32>), server: u32) -> HealthItem {
    let shown = minor.map_or_else(|| major.to_string(), |minor| format!("{major}.{minor}"));
    let evidence = format!("pg_dump is of PostgreSQL {shown}, the server of {server}");
    if major < server {
        let fix = format!(
            "Install client programs of PostgreSQL {server} or later: apt-get install postgresql-client-{server}"
        );
        return HealthItem::breached(CLIENT, object, evidence, fix);
    }
    let floor = GOOD_CLIENTS.iter().find(|(good, _)| *good == major);
    let oldest = GOOD_CLIENTS.first().map_or(0, |(oldest, _)| *oldest);
    let old = match (floor, minor) {
        (Some((_, good)), Some(minor)) => minor < *good,
        (Some(_), None) => true,
        (None, _) => major < oldest,
    };
    if old {
        let evidence = match floor {
            Some((_, good)) => {
                format!("{evidence}; before {major}.{good} a restore may run a hostile dump's code")
            }
            None => format!("{evidence}; PostgreSQL {major} gets no more fixes"),
        };
        let fix = "Update the client programs: apt-get install --only-upgrade postgresql-client";
        return HealthItem::at_risk(CLIENT, object, evidence, fix);
    }
    HealthItem::ok(CLIENT, object, evidence)
}

/// Whether the role can read all that is to be dumped.
pub(super) fn privileges(object: &str, seen: &Seen) -> HealthItem {
    let role = &seen.role;
    let (count, names) = &seen.unreadable;
    if seen.superuser {
        let evidence = format!("`{role}` is a superuser, and reads everything");
        return HealthItem::ok(PRIVILEGES, object, evidence);
    }
    if *count == 0 {
        let how = if seen.reads_all {
            "is a member of pg_read_all_data"
        } else {
            "may read every table and sequence that there is now"
        };
        return HealthItem::ok(PRIVILEGES, object, format!("`{role}` {how}"));
    }
    let more = if *count > names.len() as u64 {
        ", …"
    } else {
        ""
    };
    let evidence = format!(
        "`{role}` may not read {count} tables or sequences: {}{more}",
        names.join(", ")
    );
    let fix = format!("As a superuser: GRANT pg_read_all_data TO {}", quoted(role));
    HealthItem::breached(PRIVILEGES, object, evidence, fix).with("unreadable", *count)
}

/// Whether anybody but this machine can try to sign in.
pub(super) fn listening(server: &str, seen: &Seen, far: bool) -> HealthItem {
    let beyond = beyond(&seen.listens);
    if beyond.is_empty() {
        let evidence = match seen.listens.trim() {
            "" => "it listens at no network address".to_owned(),
            listens => format!("it listens at {listens} alone"),
        };
        return HealthItem::ok(LISTENING, server, evidence);
    }
    let beyond = beyond.join(", ");
    if far {
        let evidence = format!("it listens at {beyond}, which this host needs");
        return HealthItem::ok(LISTENING, server, evidence);
    }
    let evidence = format!("it listens at {beyond}, beyond its own machine");
    let fix =
        "If nobody needs that: ALTER SYSTEM SET listen_addresses = 'localhost', and restart it";
    HealthItem::at_risk(LISTENING, server, evidence, fix)
}

/// The addresses that others can reach.
fn beyond(listens: &str) -> Vec<&str> {
    let addresses = listens.split(',').map(str::trim);
    addresses
        .filter(|address| !address.is_empty() && !is_loopback(address))
        .collect()
}

/// Whether what goes over a network can be encrypted.
pub(super) fn tls(server: &str, seen: &Seen) -> HealthItem {
    match (seen.ssl, beyond(&seen.listens).is_empty()) {
        (true, _) => HealthItem::ok(TLS, server, "`ssl` is on"),
        (false, true) => {
            let evidence = "`ssl` is off, and nothing leaves its machine";
            HealthItem::ok(TLS, server, evidence)
        }
        (false, false) => {
            let evidence = "`ssl` is off: data and passwords go over the network in clear";
            let fix = "Give it a certificate, and: ALTER SYSTEM SET ssl = on";
            HealthItem::at_risk(TLS, server, evidence, fix)
        }
    }
}

/// Whether passwords are kept so that whoever reads them cannot sign in.
pub(super) fn scram(server: &str, seen: &Seen) -> HealthItem {
    let set = "ALTER SYSTEM SET password_encryption = 'scram-sha-256', SELECT pg_reload_conf()";
    let old: Vec<&str> = seen
        .passwords
        .iter()
        .flatten()
        .filter(|kept| kept.md5)
        .map(|kept| kept.role.as_str())
        .collect();
    let setting = &seen.encryption;
    if setting != "scram-sha-256" {
        let evidence = format!("`password_encryption` is {setting}: new passwords are kept badly");
        let fix = format!("{set}; then give each role its password again");
        return HealthItem::at_risk(SCRAM, server, evidence, fix);
    }
    if !old.is_empty() {
        let evidence = format!("kept as MD5: the password of {}", old.join(", "));
        let fix = "Give each of them its password again: \\password ROLE";
        return HealthItem::at_risk(SCRAM, server, evidence, fix);
    }
    let evidence = match &seen.passwords {
        Some(_) => "passwords are kept as SCRAM, all that there are".to_owned(),
        None => format!(
            "new passwords are kept as SCRAM; older ones `{}` may not see",
            seen.role
        ),
    };
    HealthItem::ok(SCRAM, server, evidence)
}

/// A role as it stands in SQL.
pub(super) fn quoted(role: &str) -> String {
    format!("\"{}\"", role.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use backup_model::{Code, HealthState};

    use super::{super::ask::Kept, *};

    fn seen() -> Seen {
        Seen {
            version: "15.18".to_owned(),
            version_num: 150_018,
            role: "backup".to_owned(),
            superuser: false,
            reads_all: true,
            encryption: "scram-sha-256".to_owned(),
            listens: "localhost".to_owned(),
            ssl: false,
            unreadable: (0, Vec::new()),
            rules: None,
            passwords: None,
            logins: Vec::new(),
        }
    }

    #[test]
    fn client_programs_must_not_be_older_than_the_server_nor_than_their_last_faults() {
        for (version, server, state) in [
            ((14, Some(25)), 14, HealthState::Ok),
            ((14, Some(24)), 14, HealthState::AtRisk),
            ((15, Some(20)), 15, HealthState::Ok),
            ((15, Some(19)), 15, HealthState::AtRisk),
            ((15, None), 15, HealthState::AtRisk),
            ((16, Some(16)), 15, HealthState::Ok),
            ((17, Some(12)), 17, HealthState::Ok),
            ((17, Some(11)), 17, HealthState::AtRisk),
            ((18, Some(7)), 18, HealthState::Ok),
            ((18, Some(6)), 18, HealthState::AtRisk),
            ((19, Some(0)), 18, HealthState::Ok),
            ((13, Some(99)), 13, HealthState::AtRisk),
            ((15, Some(20)), 16, HealthState::Breached),
        ] {
            assert_eq!(
                client("d", version, server).state,
                state,
                "{version:?} {server}"
            );
        }
    }

    #[test]
    fn what_a_role_may_not_read_is_named() {
        assert_eq!(privileges("d", &seen()).state, HealthState::Ok);
        let lacks = Seen {
            reads_all: false,
            unreadable: (
                4,
                vec!["a.x".to_owned(), "a.y".to_owned(), "a.z".to_owned()],
            ),
            ..seen()
        };
        let item = privileges("d", &lacks);
        assert_eq!(item.state, HealthState::Breached);
        assert!(item.evidence.ends_with("a.x, a.y, a.z, …"), "{item:?}");
        assert!(item.fix.unwrap().ends_with("TO \"backup\""));
        let superuser = Seen {
            superuser: true,
            ..lacks
        };
        assert_eq!(privileges("d", &superuser).state, HealthState::Ok);
    }

    #[test]
    fn only_loopback_is_nobodys_business() {
        for (listens, far, state, tls_state) in [
            ("", false, HealthState::Ok, HealthState::Ok),
            ("localhost", false, HealthState::Ok, HealthState::Ok),
            ("127.0.0.1, ::1", false, HealthState::Ok, HealthState::Ok),
            ("*", false, HealthState::AtRisk, HealthState::AtRisk),
            ("*", true, HealthState::Ok, HealthState::AtRisk),
            ("0.0.0.0", false, HealthState::AtRisk, HealthState::AtRisk),
            (
                "localhost,10.0.0.7",
                false,
                HealthState::AtRisk,
                HealthState::AtRisk,
            ),
        ] {
            let seen = Seen {
                listens: listens.to_owned(),
                ..seen()
            };
            assert_eq!(listening("s", &seen, far).state, state, "{listens}");
            assert_eq!(tls("s", &seen).state, tls_state, "{listens}");
            let encrypted = Seen { ssl: true, ..seen };
            assert_eq!(tls("s", &encrypted).state, HealthState::Ok);
        }
    }

    #[test]
    fn passwords_are_kept_as_scram_or_at_risk() {
        assert_eq!(scram("s", &seen()).state, HealthState::Ok);
        for setting in ["md5", "on"] {
            let encryption = setting.to_owned();
            let seen = Seen {
                encryption,
                ..seen()
            };
            assert_eq!(scram("s", &seen).state, HealthState::AtRisk);
        }
        let kept = |md5| Kept {
            role: "old".to_owned(),
            verifier: "".into(),
            md5_guessed: false,
            md5,
        };
        for (md5, state) in [(true, HealthState::AtRisk), (false, HealthState::Ok)] {
            let passwords = Some(vec![kept(md5)]);
            let seen = Seen {
                passwords,
                ..seen()
            };
            assert_eq!(scram("s", &seen).state, state);
        }
    }

    #[test]
    fn of_a_server_that_is_gone_nothing_is_fine() {
        let items = silent("d", &Failure::new(Code::PgConnect, "cannot reach it"));
        assert_eq!(items[0].state, HealthState::Breached);
        let all = items[1..]
            .iter()
            .chain(&silent_server("s"))
            .cloned()
            .collect::<Vec<_>>();
        assert_eq!(all.len(), 7);
        assert!(all.iter().all(|item| item.state == HealthState::Unknown));
    }
}
