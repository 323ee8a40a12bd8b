//! Everything is looked at side by side, and nothing is waited for longer than whoever asks waits.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use backup_model::{Failure, HealthItem, HealthReport, HealthState, StatusReport};
use futures::{
    FutureExt as _,
    future::{BoxFuture, join_all},
};
use jiff::Timestamp;
use tokio::time::timeout;

use super::{
    Asked, certificate, clock, copies, database, house, jobs, modes, repository, tokens, web,
};
use crate::service::Access;

/// What has not answered by then is not waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// No check takes longer, with all that it does one after the other.
const LIMIT: Duration = Duration::from_secs(20);

/// How long an answer about guessed passwords holds. Each guess may be a line in a server's log.
const GUESS_EVERY: Duration = Duration::from_hours(1);

/// What came of guessing passwords, by server, so that it is not done each time.
#[derive(Clone, Debug, Default)]
pub struct Guessed(Arc<Mutex<BTreeMap<String, (Instant, database::Tried)>>>);

impl Guessed {
    pub(super) fn of(&self, server: &str) -> Option<database::Tried> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, tried) = all.get(server)?;
        (at.elapsed() < GUESS_EVERY).then(|| tried.clone())
    }

    pub(super) fn remember(&self, server: &str, tried: &database::Tried) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(server.to_owned(), (Instant::now(), tried.clone()));
    }
}

/// Looks at everything that a configuration names, and at this machine.
pub async fn look(access: &Access, guessed: &Guessed, now: Timestamp) -> Vec<HealthItem> {
    let mut checks: Vec<(&str, String, BoxFuture<'_, Vec<HealthItem>>)> = Vec::new();
    for place in &access.places {
        let object = repository::object(place);
        let check = repository::check(access, place, now).boxed();
        checks.push(("repository-reachable", object, check));
    }
    for source in database::sources(access) {
        let object = source.object();
        let check = database::check(access, source, guessed).boxed();
        checks.push(("database-reachable", object, check));
    }
    for url in &access.watched.health.urls {
        let object = url.to_string();
        checks.push(("web-reachable", object, web::check(url, now).boxed()));
    }
    let modes = modes::check(access).boxed();
    checks.push(("file-modes", "files".to_owned(), modes));
    let certificate = certificate::check(access, now).map(Vec::from_iter).boxed();
    checks.push(("certificate", certificate::OBJECT.to_owned(), certificate));
    let tokens = tokens::check(access, now).boxed();
    checks.push(("token-expiry", tokens::OBJECT.to_owned(), tokens));
    checks.push(("clock", clock::OBJECT.to_owned(), clock::check().boxed()));
    let copies = copies::check(access).boxed();
    checks.push(("copies", "jobs".to_owned(), copies));
    let all = checks.into_iter().map(async |(id, object, check)| {
        timeout(LIMIT, check).await.unwrap_or_else(|_| {
            let why = format!("nothing came within {} s", LIMIT.as_secs());
            let fix = "Look whether it hangs, then ask again.";
            vec![HealthItem::unknown(id, &object, why, fix)]
        })
    });
    once(join_all(all).await.into_iter().flatten().collect())
}

/// A report of what was measured, and of what is known of the jobs and of the daemon.
pub fn report(
    access: &Access,
    status: Result<&StatusReport, &Failure>,
    asked: &Asked,
    measured: Vec<HealthItem>,
    now: Timestamp,
) -> HealthReport {
    let mut items = house::items(access, status, asked, now);
    items.extend(jobs::items(status));
    items.extend(measured);
    HealthReport::new(now, items)
}

/// A failure in one line, with its code.
pub(super) fn said(failure: &Failure) -> String {
    let causes = failure.causes.iter().map(|cause| format!(": {cause}"));
    format!("{} {failure}{}", failure.code, causes.collect::<String>())
}

/// Each thing once: of a server that several jobs read, whoever could see most has the word.
fn once(mut items: Vec<HealthItem>) -> Vec<HealthItem> {
    items.sort_by_key(|item| item.state == HealthState::Unknown);
    let mut seen = BTreeSet::new();
    items.retain(|item| seen.insert((item.id.clone(), item.object.clone())));
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_could_see_something_has_the_word() {
        let unknown = HealthItem::unknown("server-rules", "server a", "denied", "Grant it.");
        let known = HealthItem::ok("server-rules", "server a", "fine");
        let other = HealthItem::ok("server-rules", "server b", "fine");
        let all = once(vec![unknown, known.clone(), other.clone(), known.clone()]);
        assert_eq!(all, [known, other]);
    }
}
