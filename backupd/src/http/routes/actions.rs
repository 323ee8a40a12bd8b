//! What a request is called on record, and where that is written: before it is answered and after.
//! Without the first there is no second: what cannot be put on record is not done.

use axum::response::Response;
use backup_model::{AuditOutcome, Code};
use backupd_audit::Act;

use super::table::Route;
use crate::http::{api::Api, error::Refused, guard::Caller};

/// What each route that changes something is called.
const ACTIONS: [(&str, &str); 11] = [
    ("POST /v1/channels/{channel}/test", "notify.test"),
    ("DELETE /v1/runs/{run}", "run.cancel"),
    ("PUT /v1/jobs/{job}/pause", "job.pause"),
    ("DELETE /v1/jobs/{job}/pause", "job.resume"),
    ("PUT /v1/snapshots/{job}/{seq}/hold", "hold"),
    ("DELETE /v1/snapshots/{job}/{seq}/hold", "release"),
    ("DELETE /v1/tasks/{id}", "task.cancel"),
    ("POST /v1/tokens", "token.add"),
    ("POST /v1/tokens/{id}/rotate", "token.rotate"),
    ("DELETE /v1/tokens/{id}", "token.revoke"),
    // With what opens a snapshot, whoever asks can read it: of all that only reads, this counts.
    ("GET /v1/key-files", "key-files.read"),
];

/// What a request is on record; none for one that only reads, and for a task, which is put on
/// record where it begins and ends.
pub(super) fn act(route: &Route, caller: &Caller, params: &[(String, String)]) -> Option<Act> {
    let asked = format!("{} {}", route.verb, route.path);
    let (_, action) = ACTIONS.iter().find(|(known, _)| *known == asked)?;
    let object: Vec<&str> = params.iter().map(|(_, text)| text.as_str()).collect();
    Some(by(caller, action, object.join("/")))
}

/// Something that a caller does.
pub(in crate::http) fn by(caller: &Caller, action: &str, object: impl Into<String>) -> Act {
    Act {
        client: caller.client.clone(),
        source: caller.source.clone(),
        ..Act::new(&caller.actor, action, object)
    }
}

/// Puts on record what a caller begins.
pub(super) async fn begins(api: &Api, act: &Act) -> Result<(), Refused> {
    match &api.0.settings.audit {
        Some(audit) => audit.record(act.clone()).await.map_err(Refused),
        None => Ok(()),
    }
}

/// Puts on record that a caller may not.
pub(super) async fn refused(api: &Api, act: &Act, refused: &Refused) {
    let code = refused.0.code.as_str().to_owned();
    ended(api, act, (AuditOutcome::Refused, Some(code))).await;
}

/// What an answer is on record: its outcome, and the code of its error.
pub(super) fn outcome(response: &Response) -> (AuditOutcome, Option<String>) {
    let code = response.extensions().get::<Code>();
    let outcome = match response.status() {
        status if status.is_success() => AuditOutcome::Done,
        status if status.is_client_error() => AuditOutcome::Refused,
        _ => AuditOutcome::Failed,
    };
    (outcome, code.map(|code| code.as_str().to_owned()))
}

/// Puts on record what came of it.
pub(super) async fn ended(api: &Api, act: &Act, (outcome, code): (AuditOutcome, Option<String>)) {
    if let Some(audit) = &api.0.settings.audit {
        audit.came_to(act, outcome, code).await;
    }
}

#[cfg(test)]
mod tests {
    use super::ACTIONS;
    use crate::http::routes::ROUTES;

    /// Those that change nothing although they are no GET, and tasks.
    const OTHERS: [&str; 4] = [
        "POST /v1/jobs/{job}/retention",
        "POST /v1/snapshots/{job}/{seq}/streams",
        "POST /v1/restore-plan",
        "POST /v1/tasks",
    ];

    #[test]
    fn whatever_changes_something_has_a_name_on_record() {
        let routes: Vec<_> = ROUTES
            .iter()
            .map(|route| format!("{} {}", route.verb, route.path))
            .collect();
        for (known, _) in ACTIONS {
            assert!(routes.iter().any(|route| route == known), "{known} is gone");
        }
        for route in routes.iter().filter(|route| !route.starts_with("GET ")) {
            let named = ACTIONS.iter().any(|(known, _)| known == route);
            assert_ne!(named, OTHERS.contains(&route.as_str()), "{route}");
        }
    }
}
