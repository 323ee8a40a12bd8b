//! What callers do is on record, before it is done; and no secret is.

use std::fs;

use backup_model::AuditQuery;
use backupd_api::{Scope, Service as _};
use secrecy::ExposeSecret as _;

use super::fixture::{Fixture, STRANGER, new_token, request, with};
use crate::http::source::Peer;

/// Action, object and outcome of each entry, the oldest first.
async fn on_record(fixture: &Fixture) -> Vec<String> {
    let page = fixture.direct.audit(&AuditQuery::default()).await.unwrap();
    let entries = page.entries.iter().rev();
    entries
        .map(|entry| format!("{} {} {}", entry.action, entry.object, entry.outcome))
        .collect()
}

#[tokio::test]
async fn what_is_asked_for_is_on_record_with_who_and_from_where() {
    let fixture = Fixture::new().await;
    let admin = fixture.token(&[Scope::Admin]);
    let status = fixture.token(&[Scope::Status]);
    let network = Peer::Network {
        address: "192.0.2.7".parse().unwrap(),
    };
    let hold = || request("PUT", "/v1/snapshots/app/1/hold", r#"{"reason":"audit"}"#);
    let mut asked = with(&admin, hold());
    let agent = "tool/1".parse().unwrap();
    asked.headers_mut().insert("user-agent", agent);
    fixture.ask(network, asked).await;
    fixture.ask(STRANGER, with(&status, hold())).await;
    fixture
        .ask(STRANGER, with(&admin, request("GET", "/v1/jobs", "")))
        .await;
    let hold = "hold app/1";
    assert_eq!(
        on_record(&fixture).await,
        [
            format!("{hold} began"),
            // There is no snapshot.
            format!("{hold} refused"),
            // May not, and never began.
            format!("{hold} refused"),
        ]
    );
    let query = AuditQuery {
        source: Some("192.0.2.7".to_owned()),
        ..AuditQuery::default()
    };
    let page = fixture.direct.audit(&query).await.unwrap();
    assert_eq!(page.entries.len(), 2);
    let entry = &page.entries[1];
    assert_eq!(entry.actor, format!("token {}", admin.id));
    assert_eq!(entry.client.as_deref(), Some("tool/1"));
    let last = fixture.direct.audit(&AuditQuery::default()).await.unwrap();
    assert_eq!(last.entries[0].details.as_deref(), Some("E-NOT-PERMITTED"));
}

#[tokio::test]
async fn a_task_is_on_record_from_its_beginning_to_its_end() {
    let fixture = Fixture::new().await;
    let (socket, _stop, _served) = fixture.serve().await;
    let far = backupd_api::HttpService::connect(&socket).await.unwrap();
    let job = fixture.direct.jobs().await.unwrap().remove(0);
    let task = backupd_api::Task::unheard(tokio_util::sync::CancellationToken::new());
    let made = far.backup(&job, &task).await.unwrap();
    assert_eq!(
        on_record(&fixture).await,
        ["backup app began", "backup app done"]
    );
    let page = fixture.direct.audit(&AuditQuery::default()).await.unwrap();
    assert!(page.entries[0].session.is_some());
    assert_eq!(page.entries[0].session, page.entries[1].session);
    let told = fixture.direct.check_audit().await.unwrap();
    assert_eq!((told.faults.len(), told.snapshots), (0, 1), "{told:?}");

    // A restore that may not is there, too, with where it was to go.
    let token = fixture.token(&[Scope::Restore]);
    let order = format!(
        r#"{{"restore":{{"snapshot":"{}","folder":"/etc/new","database":null,"stamp":"x","keys":{{"unwrapped_by":"x","identities":["AGE-SECRET-KEY-1CANARY"]}}}}}}"#,
        made.snapshot
    );
    fixture
        .ask(STRANGER, with(&token, request("POST", "/v1/tasks", &order)))
        .await;
    let all = on_record(&fixture).await;
    assert_eq!(all.last().unwrap(), "restore app/000001 refused");
    let folder = fixture.path("state/audit");
    let text: String = fs::read_dir(folder)
        .unwrap()
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    let secret = token.whole();
    for secret in [
        "CANARY",
        &secret.expose_secret()[20..],
        &token.digest().to_string(),
    ] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn what_lets_somebody_in_or_gives_something_up_is_not_done_off_the_record() {
    let fixture = Fixture::new().await;
    let admin = fixture.token(&[Scope::Admin]);
    let other = fixture.token(&[Scope::Status]);
    fs::write(fixture.path("state/audit"), "in the way").unwrap();
    let token = backupd_api::TokenText::generate().unwrap();
    let new = new_token(&token, &[Scope::Admin], crate::clock::now());
    let new = serde_json::to_string(&new).unwrap();
    let before = fixture.tokens.list().len();
    let asked = [
        ("POST", "/v1/tokens".to_owned(), new.as_str()),
        ("DELETE", "/v1/snapshots/app/1/hold".to_owned(), ""),
    ];
    for (method, path, body) in asked {
        let refused = request(method, &path, body);
        let refused = fixture.ask(STRANGER, with(&admin, refused)).await;
        assert_eq!(refused.status, 503, "{path}: {refused:?}");
        assert_eq!(refused.body["code"], "E-AUDIT-LOG");
    }
    assert_eq!(fixture.tokens.list().len(), before);
    // To revoke, to stop and to restore is what a full disk calls for.
    let revoke = request("DELETE", &format!("/v1/tokens/{}", other.id), "");
    let revoked = fixture.ask(STRANGER, with(&admin, revoke)).await;
    assert_eq!(revoked.status, 200, "{revoked:?}");
    let jobs = with(&other, request("GET", "/v1/jobs", ""));
    assert_eq!(fixture.ask(STRANGER, jobs).await.status, 401);
    let begin = request("POST", "/v1/tasks", r#"{"backup":{"job":"app"}}"#);
    let begun = fixture.ask(STRANGER, with(&admin, begin)).await;
    let follow = format!("/v1/tasks/{}/events", begun.body["id"].as_str().unwrap());
    let follow = request("GET", &follow, "");
    fixture.ask(STRANGER, with(&admin, follow)).await;
    let made = fixture
        .direct
        .snapshots(&backup_model::Selection::All)
        .await;
    assert_eq!(made.unwrap().len(), 1, "a backup needs no audit log");
}

#[tokio::test]
async fn a_request_that_nobody_waits_for_is_on_record_to_its_end() {
    let fixture = Fixture::new().await;
    let admin = fixture.token(&[Scope::Admin]);
    let hold = request("PUT", "/v1/snapshots/app/1/hold", r#"{"reason":"x"}"#);
    let asked = fixture.ask(STRANGER, with(&admin, hold));
    // It begins, and then whoever asked is gone.
    let gone = tokio::time::timeout(std::time::Duration::ZERO, asked).await;
    assert!(gone.is_err());
    let all = async {
        loop {
            let all = on_record(&fixture).await;
            if all.len() == 2 {
                return all;
            }
            tokio::task::yield_now().await;
        }
    };
    let all = tokio::time::timeout(std::time::Duration::from_secs(30), all).await;
    assert_eq!(all.unwrap(), ["hold app/1 began", "hold app/1 refused"]);
}

#[tokio::test]
async fn a_task_that_is_turned_away_is_on_record() {
    let fixture = Fixture::new().await;
    let admin = fixture.token(&[Scope::Admin]);
    let mut begin = request("POST", "/v1/tasks", r#"{"backup":{"job":"app"}}"#);
    let key = "not\u{e9}ascii".parse();
    begin.headers_mut().insert("idempotency-key", key.unwrap());
    let refused = fixture.ask(STRANGER, with(&admin, begin)).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert_eq!(on_record(&fixture).await, ["backup app refused"]);
}

#[tokio::test]
async fn looking_into_a_snapshot_is_on_record_even_where_it_is_refused() {
    let fixture = Fixture::new().await;
    let status = fixture.token(&[Scope::Status]);
    let restore = fixture.token(&[Scope::Restore]);
    let keys = r#""keys":{"unwrapped_by":"x","identities":[]}"#;
    for token in [&status, &restore] {
        for (path, what) in [
            ("/v1/ls", r#""snapshot":"app/1""#),
            ("/v1/diff", r#""before":"app/1","after":"app/2""#),
            ("/v1/find", r#""selection":{"select":"all"},"glob":"*""#),
        ] {
            let body = format!("{{{what},{keys}}}");
            let asked = with(token, request("POST", path, &body));
            fixture.ask(STRANGER, asked).await;
        }
    }
    assert_eq!(
        on_record(&fixture).await,
        [
            "ls app/000001 refused",
            "diff app/000001 app/000002 refused",
            "find all refused",
            "ls app/000001 began",
            // There is no snapshot.
            "ls app/000001 failed",
            "diff app/000001 app/000002 began",
            "diff app/000001 app/000002 failed",
            "find all began",
            "find all done",
        ]
    );
}
