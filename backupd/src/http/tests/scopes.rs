//! Every route of the table: whom it refuses, and that it gives no secret away.

use axum::routing::MethodFilter;
use backupd_api::{Kind, Scope, TokenText};
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;

use super::fixture::{Answer, Fixture, STRANGER, new_token, request, with};
use crate::{
    clock,
    http::{
        routes::{Needs, ROUTES},
        source::Peer,
    },
};

/// Methods by name, for requests.
const METHODS: [(MethodFilter, &str); 4] = [
    (MethodFilter::GET, "GET"),
    (MethodFilter::POST, "POST"),
    (MethodFilter::PUT, "PUT"),
    (MethodFilter::DELETE, "DELETE"),
];

/// One request for each route, and one for each kind of task: method, path, body, and the scopes
/// of which one is needed.
fn requests(task: &str, run: &str, kind: Kind) -> Vec<(&'static str, String, String, Vec<Scope>)> {
    let job = r#"{"unwrapped_by":"x","identities":[]}"#;
    let tasks = [
        (r#"{"backup":{"job":"gone"}}"#.to_owned(), Kind::Backup),
        (
            r#"{"verify":{"selection":{"select":"all"},"level":"storage","keys":null}}"#.to_owned(),
            Kind::Verify,
        ),
        (
            format!(
                r#"{{"restore":{{"snapshot":"gone/1","folder":null,"database":null,"stamp":"x","keys":{job}}}}}"#
            ),
            Kind::Restore,
        ),
        (
            r#"{"forget":{"snapshots":["gone/1"],"why":"request"}}"#.to_owned(),
            Kind::Forget,
        ),
        (
            r#"{"prune":{"repository":"gone","grace_secs":1}}"#.to_owned(),
            Kind::Prune,
        ),
    ];
    let mut all = Vec::new();
    for route in ROUTES {
        let method = METHODS.iter().find(|(filter, _)| *filter == route.method);
        let method = method.expect("a method with a name").1;
        let path = route
            .path
            .replace("{job}", "app")
            .replace("{seq}", "000001");
        let path = path.replace("{repository}", "main").replace("{id}", task);
        let path = path.replace("{run}", run).replace("{channel}", "ops");
        match route.needs {
            Needs::One(scopes) => {
                assert!(!scopes.is_empty(), "{} needs nothing", route.path);
                let body = if method == "GET" || method == "DELETE" {
                    ""
                } else {
                    "{}"
                };
                all.push((method, path, body.to_owned(), scopes.to_vec()));
            }
            Needs::ByBody(scopes) => all.push((method, path.clone(), look(&path), scopes.to_vec())),
            Needs::OfTask if method == "POST" => {
                for (body, kind) in &tasks {
                    all.push((method, path.clone(), body.clone(), vec![kind.scope()]));
                }
            }
            Needs::OfTask => all.push((method, path, String::new(), vec![kind.scope()])),
        }
    }
    all
}

/// The body of a question that is answered while it is looked at.
fn look(path: &str) -> String {
    let keys = r#""keys":{"unwrapped_by":"x","identities":[]}"#;
    let what = match path {
        "/v1/ls" => r#""snapshot":"gone/1","path":null"#,
        "/v1/diff" => r#""before":"gone/1","after":"gone/2","path":null"#,
        "/v1/find" => r#""selection":{"select":"all"},"glob":"*""#,
        other => panic!("{other}"),
    };
    format!("{{{what},{keys}}}")
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str, what: &str) {
    assert_eq!(answer.status, status, "{what}: {answer:?}");
    assert_eq!(answer.body["code"], code, "{what}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        (
            "content-security-policy",
            "default-src 'none'; frame-ancestors 'none'",
        ),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(answer.headers[name], value, "{what}");
    }
    assert!(
        !answer
            .headers
            .keys()
            .any(|name| name.as_str().starts_with("access-control"))
    );
    assert!(!answer.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn every_route_refuses_who_has_not_what_it_needs() {
    let fixture = Fixture::new().await;
    let admin = fixture.token(&[Scope::Admin]);
    let begin = request("POST", "/v1/tasks", r#"{"backup":{"job":"app"}}"#);
    let begun = fixture.ask(STRANGER, with(&admin, begin)).await;
    assert_eq!(begun.status, 202);
    let task = begun.body["id"].as_str().unwrap().to_owned();

    let expired = TokenText::generate().unwrap();
    let before = clock::now() - SignedDuration::from_hours(2);
    fixture
        .tokens
        .add(&new_token(&expired, &[Scope::Admin], before), before)
        .unwrap();
    let run = fixture.run().await;
    let all = requests(&task, &run, Kind::Backup);
    assert!(all.len() >= ROUTES.len() + 4);
    for (uid, (method, path, body, needed)) in (4_000_001..).zip(&all) {
        let what = format!("{method} {path} {body}");
        let plain = || request(method, path, body);
        let answer = fixture.ask(STRANGER, plain()).await;
        refused(&answer, 401, "E-SIGN-IN", &what);
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        // Users and tokens of their own, so that nobody has to wait for having failed before.
        let other = Peer::Local { uid };
        let revoked = fixture.token(&[Scope::Admin]);
        fixture.tokens.revoke(&revoked.id).unwrap();
        refused(
            &fixture.ask(other, with(&revoked, plain())).await,
            401,
            "E-SIGN-IN",
            &what,
        );
        for scope in Scope::ALL {
            if scope != Scope::Admin && !needed.contains(&scope) {
                let other = fixture.token(&[scope]);
                let answer = fixture.ask(STRANGER, with(&other, plain())).await;
                refused(
                    &answer,
                    403,
                    "E-NOT-PERMITTED",
                    &format!("{what} by {scope}"),
                );
                fixture.tokens.revoke(&other.id).unwrap();
            }
        }
    }
    let answer = fixture
        .ask(STRANGER, with(&expired, request("GET", "/v1/jobs", "")))
        .await;
    refused(&answer, 401, "E-SIGN-IN", "expired");
}

#[tokio::test]
async fn every_route_lets_in_who_has_it_and_gives_no_secret() {
    let fixture = Fixture::new().await;
    let admin = fixture.token(&[Scope::Admin]);
    let begin = request("POST", "/v1/tasks", r#"{"backup":{"job":"app"}}"#);
    let begun = fixture.ask(STRANGER, with(&admin, begin)).await;
    let task = begun.body["id"].as_str().unwrap().to_owned();
    let follow = request("GET", &format!("/v1/tasks/{task}/events"), "");
    // Read to its end, so that there is a snapshot.
    assert_eq!(
        fixture.ask(STRANGER, with(&admin, follow)).await.status,
        200
    );

    let keys = fixture.keys().await;
    let epoch = keys.identities[0]
        .expose_secret()
        .lines()
        .last()
        .unwrap()
        .to_owned();
    assert!(epoch.starts_with("AGE-SECRET-KEY-1"));
    let admins = std::fs::read_to_string(fixture.path("keys/admin.key")).unwrap();
    let admins = admins.lines().last().unwrap().to_owned();
    let run = fixture.run().await;
    for (method, path, body, needed) in requests(&task, &run, Kind::Backup) {
        for scope in needed {
            let token = fixture.token(&[scope]);
            let what = format!("{method} {path} by {scope}");
            let body = body.replace(
                r#""identities":[]"#,
                &format!(r#""identities":["{epoch}"]"#),
            );
            let answer = fixture
                .ask(STRANGER, with(&token, request(method, &path, &body)))
                .await;
            assert!(
                ![401, 403, 405, 429].contains(&answer.status),
                "{what}: {answer:?}"
            );
            let text = format!("{answer:?}");
            let digest = token.digest().to_string();
            let whole = token.whole();
            for secret in [
                epoch.as_str(),
                &admins,
                &whole.expose_secret()[20..],
                &digest,
            ] {
                assert!(!text.contains(secret), "{what} gives a secret");
            }
            fixture.tokens.revoke(&token.id).ok();
        }
    }
}

#[tokio::test]
async fn a_storm_of_wrong_tokens_does_not_shut_out_the_right_one() {
    let fixture = Fixture::new().await;
    let right = fixture.token(&[Scope::Status]);
    let wrong = TokenText::renew(&right.id).unwrap();
    let mut statuses = Vec::new();
    for _ in 0..20 {
        let answer = fixture
            .ask(STRANGER, with(&wrong, request("GET", "/v1/jobs", "")))
            .await;
        statuses.push(answer.status);
    }
    assert_eq!((statuses[0], statuses[19]), (401, 429));
    let answer = fixture
        .ask(STRANGER, with(&right, request("GET", "/v1/jobs", "")))
        .await;
    assert_eq!(
        (answer.status, answer.body),
        (200, serde_json::json!(["app"]))
    );
    let said = fixture.said.lock().unwrap();
    let line = format!("event=auth_failure srcip=uid:4000000 user={}", right.id);
    assert_eq!(said[0], line);
    assert!(said.len() < 10, "one line for each answer");
}

#[tokio::test]
async fn the_daemons_own_user_needs_no_token_and_the_group_has_what_is_set() {
    let fixture = Fixture::new().await;
    for uid in [0, rustix::process::geteuid().as_raw()] {
        let answer = fixture
            .ask(Peer::Local { uid }, request("GET", "/v1/tokens", ""))
            .await;
        assert_eq!(answer.status, 200);
    }
    let answer = fixture.ask(STRANGER, request("GET", "/v1/jobs", "")).await;
    assert_eq!(answer.status, 401);
}
