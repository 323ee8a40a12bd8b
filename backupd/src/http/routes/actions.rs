//! What a request is called on record, and where that is written: before it is answered and after.

use axum::response::{IntoResponse as _, Response};
use backup_model::{AuditOutcome, Code};
use backupd_audit::Act;

use super::table::{Answering, Route};
use crate::http::{api::Api, error::Refused, guard::Caller};

/// What each route that changes something is called.
const ACTIONS: [(&str, &str); 13] = [
    ("POST /v1/channels/{channel}/test", "notify.test"),
    ("DELETE /v1/runs/{run}", "run.cancel"),
    ("PUT /v1/jobs/{job}/pause", "job.pause"),
    ("DELETE /v1/jobs/{job}/pause", "job.resume"),
    ("PUT /v1/snapshots/{job}/{seq}/hold", "hold"),
    ("DELETE /v1/snapshots/{job}/{seq}/hold", "release"),
    ("DELETE /v1/tasks/{id}", "task.cancel"),
    ("POST /v1/repositories/{repository}/trust", "trust.change"),
    ("PUT /v1/repositories/{repository}/kit-proof", "kit.confirm"),
    ("POST /v1/tokens", "token.add"),
    ("POST /v1/tokens/{id}/rotate", "token.rotate"),
    ("DELETE /v1/tokens/{id}", "token.revoke"),
    // With what opens a snapshot, whoever asks can read it: of all that only reads, this counts.
    ("GET /v1/key-files", "key-files.read"),
];

/// What a request is on record; none for one that only reads, and for tasks and listings, which are
/// put on record where they begin and end.
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

/// Answers with the beginning and the end on record. Whoever asks may go away meanwhile: what has
/// begun comes to its end all the same.
pub(super) async fn around(api: Api, act: Act, answering: Answering) -> Response {
    let whole = tokio::spawn(async move {
        if let Some(audit) = &api.0.settings.audit
            && let Err(failure) = audit.begins(&act).await
        {
            return Refused(failure).into_response();
        }
        let response = answering.await.into_response();
        let outcome = outcome(&response);
        ended(&api, &act, outcome).await;
        response
    });
    whole.await.unwrap_or_else(|_| {
        let text = "the answer ended by a mistake in the daemon";
        Refused::new(Code::Bug, text).into_response()
    })
}

/// Puts on record that a caller may not.
pub(super) async fn refused(api: &Api, act: &Act, refused: &Refused) {
    let code = refused.0.code.as_str().to_owned();
    ended(api, act, (AuditOutcome::Refused, Some(code))).await;
}

/// What an answer is on record: its outcome, and the code of its error.
fn outcome(response: &Response) -> (AuditOutcome, Option<String>) {
    let code = response.extensions().get::<Code>();
    let outcome = match response.status() {
        status if status.is_success() => AuditOutcome::Done,
        status if status.is_client_error() => AuditOutcome::Refused,
        _ => AuditOutcome::Failed,
    };
    (outcome, code.map(|code| code.as_str().to_owned()))
}

/// Puts on record what came of it.
async fn ended(api: &Api, act: &Act, (outcome, code): (AuditOutcome, Option<String>)) {
    if let Some(audit) = &api.0.settings.audit {
        audit.came_to(act, outcome, code).await;
    }
}

#[cfg(test)]
mod tests {
    use super::ACTIONS;
    use crate::http::routes::ROUTES;

    /// Those that change nothing although they are no GET, and what puts itself on record.
    const OTHERS: [&str; 7] = [
        "POST /v1/jobs/{job}/retention",
        "POST /v1/snapshots/{job}/{seq}/streams",
        "POST /v1/restore-plan",
        "POST /v1/tasks",
        "POST /v1/ls",
        "POST /v1/diff",
        "POST /v1/find",
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
