//! A database that is backed up, and the server that it is on: whether it can be read whole, and
//! who else may read it.

use std::time::Duration;

use backup_core::postgres::{Connection, Host, Version};
use backup_model::{Code, Failure, HealthItem, JobName};
use tokio::time::timeout;

use super::{
    Guessed,
    look::{PATIENCE, said},
};
use crate::{
    config::{PostgresSource, SourceKind},
    hints::hint,
    service::{self, Access},
};

mod ask;
mod guess;
mod judge;
mod rules;

pub(super) use guess::Tried;

/// Guesses may take a while where signing in does.
const GUESSING: Duration = Duration::from_secs(6);

/// A source that is a database.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    job: &'a JobName,
    name: &'a str,
    postgres: &'a PostgresSource,
}

impl Source<'_> {
    /// What it is called.
    pub(super) fn object(&self) -> String {
        format!("database {}/{}", self.job, self.name)
    }
}

/// All databases of all jobs.
pub(super) fn sources(access: &Access) -> Vec<Source<'_>> {
    let mut all = Vec::new();
    for (job, config) in &access.jobs {
        for source in &config.sources {
            if let SourceKind::Postgres(postgres) = &source.kind {
                all.push(Source {
                    job,
                    name: source.name.as_str(),
                    postgres,
                });
            }
        }
    }
    all
}

/// Looks at one.
pub(super) async fn check(
    access: &Access,
    source: Source<'_>,
    guessed: &Guessed,
) -> Vec<HealthItem> {
    let object = source.object();
    let connection = match service::connection(access, source.postgres).await {
        Ok(connection) => Connection {
            connect_timeout: PATIENCE / 2,
            ..connection
        },
        Err(failure) => return judge::silent(&object, &failure),
    };
    let server = format!("server {}", connection.server());
    let asked = timeout(PATIENCE, ask::ask(&connection)).await;
    let asked = asked.unwrap_or_else(|_| {
        let text = format!("no answer within {} s", PATIENCE.as_secs());
        Err(Failure::new(Code::PgConnect, text))
    });
    let seen = match asked {
        Ok(seen) => seen,
        Err(failure) => {
            let mut items = judge::silent(&object, &failure);
            items.extend(judge::silent_server(&server));
            return items;
        }
    };
    let mut items = vec![
        judge::reachable(&object, &seen),
        client(access, source, &object, &seen),
        judge::privileges(&object, &seen),
        judge::listening(&server, &seen, is_far(&connection)),
        judge::tls(&server, &seen),
        judge::scram(&server, &seen),
        rules::judge(&server, &seen.role, seen.rules.as_deref()),
    ];
    items.push(passwords(&server, &connection, &seen, guessed).await);
    items
}

/// Whether the client programs fit the server.
fn client(access: &Access, source: Source<'_>, object: &str, seen: &ask::Seen) -> HealthItem {
    match service::programs(access, source.postgres.bin_dir.as_ref()) {
        Ok(programs) => {
            let Version { major, minor, .. } = *programs.version();
            judge::client(object, (major, minor), seen.version_num / 10_000)
        }
        Err(failure) => {
            let fix = hint(failure.code).unwrap_or("Install PostgreSQL's client programs.");
            HealthItem::breached(judge::CLIENT, object, said(&failure), fix)
        }
    }
}

/// Whether somebody could guess a role's password.
async fn passwords(
    server: &str,
    connection: &Connection,
    seen: &ask::Seen,
    guessed: &Guessed,
) -> HealthItem {
    if let Some(kept) = &seen.passwords {
        let open = guess::by_verifiers(kept.clone()).await;
        return guess::judge(server, &open);
    }
    let Some(by_network) = by_network(connection, &seen.listens) else {
        return guess::out_of_reach(server);
    };
    if let Some(tried) = guessed.of(server) {
        return guess::judge(server, &tried);
    }
    let guesses = guess::by_connecting(&by_network, &seen.logins);
    match timeout(GUESSING, guesses).await {
        Ok(Ok(tried)) => {
            guessed.remember(server, &tried);
            guess::judge(server, &tried)
        }
        Ok(Err(_)) | Err(_) => guess::hidden(
            server,
            &seen.role,
            "and the server did not take guesses in time",
        ),
    }
}

/// How somebody would try who comes over a network; none where the server listens nowhere. Who
/// comes by a socket is let in by other rules.
fn by_network(connection: &Connection, listens: &str) -> Option<Connection> {
    if matches!(connection.host, Host::Tcp(_)) {
        return Some(connection.clone());
    }
    let host = match listens.trim() {
        "" => return None,
        "::1" | "::" => "::1",
        _ => "127.0.0.1",
    };
    Some(Connection {
        host: Host::Tcp(host.to_owned()),
        ..connection.clone()
    })
}

/// Whether the server is elsewhere, so that it must listen for us.
fn is_far(connection: &Connection) -> bool {
    match &connection.host {
        Host::Socket(_) => false,
        Host::Tcp(host) => !super::copies::is_loopback(host),
    }
}
