//! Passwords that everybody tries first: none, the role's own name, and `postgres`.
//!
//! Where the role that backs up sees how passwords are kept, they are compared here, and nobody
//! hears of it. Else signing in is tried, over the network only, for a few roles, and seldom: each
//! try may be a line in the server's log.

use backup_core::postgres::{Connection, ConnectionError, scram_holds};
use backup_model::HealthItem;
use secrecy::ExposeSecret as _;
use tokio::task;

use super::{ask::Kept, judge::PASSWORDS};

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(in crate::health) struct Tried {
    /// Of how many roles.
    roles: usize,
    /// Who comes in without any.
    without: Vec<String>,
    /// Whose is one of those.
    open: Vec<String>,
}

/// Compares with what the server keeps.
pub(super) async fn by_verifiers(kept: Vec<Kept>) -> Tried {
    let compare = move || {
        let open = kept.iter().filter(|kept| {
            let verifier = kept.verifier.expose_secret();
            let holds = |guess: &str| scram_holds(verifier, guess) == Some(true);
            kept.md5_guessed || holds(&kept.role) || holds("postgres")
        });
        Tried {
            roles: kept.len(),
            without: Vec::new(),
            open: open.map(|kept| kept.role.clone()).collect(),
        }
    };
    task::spawn_blocking(compare).await.unwrap_or_default()
}

/// Tries to sign in.
pub(super) async fn by_connecting(
    connection: &Connection,
    roles: &[String],
) -> Result<Tried, ConnectionError> {
    let mut tried = Tried {
        roles: roles.len(),
        ..Tried::default()
    };
    for role in roles {
        let as_role = Connection {
            user: role.clone(),
            ..connection.clone()
        };
        if !as_role.wants_password().await? {
            tried.without.push(role.clone());
            continue;
        }
        for guess in [role.as_str(), "postgres"] {
            if as_role.with_password(&guess.into()).lets_in().await? {
                tried.open.push(role.clone());
                break;
            }
        }
    }
    Ok(tried)
}

pub(super) fn judge(server: &str, tried: &Tried) -> HealthItem {
    if tried.without.is_empty() && tried.open.is_empty() {
        let evidence = format!(
            "of {} roles none has a password that is guessed first",
            tried.roles
        );
        return HealthItem::ok(PASSWORDS, server, evidence);
    }
    let said = |what: &str, roles: &[String]| {
        (!roles.is_empty()).then(|| format!("{what}: {}", roles.join(", ")))
    };
    let evidence: Vec<String> = [
        said("let in without a password", &tried.without),
        said("the password is the role's name or `postgres`", &tried.open),
    ]
    .into_iter()
    .flatten()
    .collect();
    let fix = "Give each of them another one: \\password ROLE; and none a `trust` in pg_hba.conf";
    HealthItem::breached(PASSWORDS, server, evidence.join("; "), fix)
}

/// Nobody can try over a network.
pub(super) fn out_of_reach(server: &str) -> HealthItem {
    let evidence =
        "it listens at no network address, so nobody can guess a password from elsewhere";
    HealthItem::ok(PASSWORDS, server, evidence)
}

/// Nobody can say.
pub(super) fn hidden(server: &str, role: &str, why: &str) -> HealthItem {
    let why = format!("`{role}` may not see how passwords are kept, {why}");
    let fix = "Ask once as a superuser: give `connection` one as its user, then backupctl health";
    HealthItem::unknown(PASSWORDS, server, why, fix)
}

#[cfg(test)]
mod tests {
    use backup_model::HealthState;

    use super::*;

    /// How servers keep the passwords `postgres` and `webui`.
    const POSTGRES: &str = "SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==$w2c4qgE2XBwQ/nt0/3lD0jEJCDvVvzRZPQmJb69QsOM=:dWTP8e4i+OF5r8lgAXo6jD/R/r508B/dZo4o/G1IMrk=";
    const WEBUI: &str = "SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==$FI7lquTVgfj7v33tlBmqGyontRWuhaeKt2MtjVXp1T0=:hhJXnsPGLJkdrzwnOzbwbijhTBVcEHJ9hzdUWgcwdAY=";

    #[tokio::test]
    async fn guesses_are_compared_with_what_is_kept() {
        let of = |role: &str, verifier: &str, md5_guessed| Kept {
            role: role.to_owned(),
            verifier: verifier.into(),
            md5_guessed,
            md5: md5_guessed,
        };
        let kept = vec![
            of("postgres", POSTGRES, false),
            of("webui", WEBUI, false),
            of("good", WEBUI, false),
            of("old", "md5…", true),
            of("none", "", false),
        ];
        let tried = by_verifiers(kept).await;
        assert_eq!(tried.open, ["postgres", "webui", "old"]);
        let item = judge("s", &tried);
        assert_eq!(item.state, HealthState::Breached);
        assert!(item.evidence.ends_with("postgres, webui, old"), "{item:?}");
    }

    #[test]
    fn who_comes_in_anyhow_is_named_and_who_could_not_look_says_so() {
        let tried = Tried {
            roles: 3,
            without: vec!["postgres".to_owned()],
            open: Vec::new(),
        };
        let item = judge("s", &tried);
        assert_eq!(item.evidence, "let in without a password: postgres");
        let fine = Tried {
            roles: 3,
            ..Tried::default()
        };
        assert_eq!(judge("s", &fine).state, HealthState::Ok);
        let hidden = hidden("s", "backup", "and so on");
        assert_eq!(hidden.state, HealthState::Unknown);
    }
}
