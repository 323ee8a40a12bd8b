//! What the description says of answers is what a real API answers.

use axum::body::Body;
use backupd_api::{Service as _, secret_body};
use http::Request;
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use jsonschema::Validator;
use serde_json::{Value, json};

use super::fixture::{Fixture, request};
use crate::http::{
    routes::{ROUTES, router},
    source::Peer,
};

const ROOT: Peer = Peer::Local { uid: 0 };

/// A fixture with a snapshot, a task that made it, and a run in the ledger; and the two's ids.
async fn lived_in() -> (Fixture, String, String) {
    let fixture = Fixture::new().await;
    let begin = request("POST", "/v1/tasks", r#"{"backup":{"job":"app"}}"#);
    let begun = fixture.ask(ROOT, begin).await;
    let task = begun.body["id"].as_str().unwrap().to_owned();
    let events = request("GET", &format!("/v1/tasks/{task}/events"), "");
    let lines = documents(&fixture, events, false).await;
    assert_eq!(lines.last().unwrap()["line"], json!({"end": {"ok": null}}));

    let id = fixture.run().await;
    let name = fixture
        .direct
        .newest(&"app".parse().unwrap())
        .await
        .unwrap();
    fixture.direct.hold(&name, "for a test").await.unwrap();
    (fixture, task, id)
}

/// The JSON documents that an answer brings; of one that goes on for ever, those that come at once.
async fn documents(fixture: &Fixture, mut asked: Request<Body>, endless: bool) -> Vec<Value> {
    let path = asked.uri().clone();
    asked.extensions_mut().insert(ROOT);
    let answer = TowerToHyperService::new(router(&fixture.api))
        .call(asked)
        .await;
    let mut answer = answer.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    let mut bytes = Vec::new();
    while let Some(frame) = answer.frame().await {
        bytes.extend(frame.unwrap().into_data().unwrap());
        if endless && !bytes.trim_ascii().is_empty() {
            break;
        }
    }
    let documents = serde_json::Deserializer::from_slice(&bytes).into_iter();
    documents.map(Result::unwrap).collect()
}

fn validator(description: &Value, schema: &Value) -> Validator {
    let whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "allOf": [schema],
        "components": description["components"],
    });
    jsonschema::validator_for(&whole).unwrap()
}

#[track_caller]
fn complies(validator: &Validator, document: &Value, what: &str) {
    let faults: Vec<_> = validator.iter_errors(document).collect();
    let faults: Vec<_> = faults
        .iter()
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{what}: {faults:#?}\n{document:#}");
}

#[tokio::test]
async fn every_route_that_reads_answers_as_described() {
    let (fixture, task, run) = lived_in().await;
    let description = fixture
        .ask(ROOT, request("GET", "/v1/openapi.json", ""))
        .await;
    assert_eq!(description.headers["content-type"], "application/json");
    let description = description.body;
    let mut asked = 0;
    for (path, operations) in description["paths"].as_object().unwrap() {
        let Some(operation) = operations.get("get") else {
            continue;
        };
        let content = &operation["responses"]["200"]["content"];
        let content = content.as_object().unwrap().values().next().unwrap();
        let validator = validator(&description, &content["schema"]);
        let free = path == "/v1/openapi.json";
        assert!(
            free || !validator.is_valid(&json!(1.5)),
            "{path} says nothing"
        );
        let filled = path
            .replace("{job}", "app")
            .replace("{seq}", "000001")
            .replace("{repository}", "main")
            .replace("{id}", &task)
            .replace("{run}", &run);
        let endless = path == "/v1/status/events";
        let documents = documents(&fixture, request("GET", &filled, ""), endless).await;
        assert!(!documents.is_empty(), "{path}");
        for document in &documents {
            complies(&validator, document, path);
        }
        asked += 1;
    }
    assert!(asked >= 18, "{asked}");
    let refused = fixture
        .ask(ROOT, request("GET", "/v1/snapshots/app/000099", ""))
        .await;
    assert_eq!(refused.status, 404);
    let operation = &description["paths"]["/v1/snapshots/{job}/{seq}"]["get"];
    let schema = &operation["responses"]["default"]["content"]["application/json"]["schema"];
    complies(&validator(&description, schema), &refused.body, "a refusal");
}

#[tokio::test]
async fn what_looks_into_snapshots_answers_as_described() {
    let (fixture, _, _) = lived_in().await;
    let description = fixture
        .ask(ROOT, request("GET", "/v1/openapi.json", ""))
        .await
        .body;
    let keys = secret_body(&fixture.keys().await).unwrap();
    let keys: Value = serde_json::from_slice(&keys).unwrap();
    for (path, mut body) in [
        ("/v1/ls", json!({"snapshot": "app/1", "recursive": true})),
        ("/v1/diff", json!({"before": "app/1", "after": "app/1"})),
        (
            "/v1/find",
            json!({"selection": {"select": "all"}, "glob": "a"}),
        ),
    ] {
        body["keys"] = keys.clone();
        let content = &description["paths"][path]["post"]["responses"]["200"]["content"];
        let validator = validator(&description, &content["application/x-ndjson"]["schema"]);
        assert!(!validator.is_valid(&json!(1.5)), "{path} says nothing");
        let asked = request("POST", path, &body.to_string());
        let documents = documents(&fixture, asked, false).await;
        let last = documents.last().unwrap();
        assert!(last["done"].is_u64(), "{path}: {last}");
        assert!(documents.len() > 1 || path == "/v1/diff", "{path}");
        for document in &documents {
            complies(&validator, document, path);
        }
    }
}

#[tokio::test]
async fn every_route_is_described() {
    let fixture = Fixture::new().await;
    let description = fixture
        .ask(ROOT, request("GET", "/v1/openapi.json", ""))
        .await
        .body;
    let paths = description["paths"].as_object().unwrap();
    let described: usize = paths.values().map(|it| it.as_object().unwrap().len()).sum();
    assert_eq!(described, ROUTES.len());
    for route in ROUTES {
        assert!(paths.contains_key(route.path), "{}", route.path);
    }
    for operation in paths
        .values()
        .flat_map(|it| it.as_object().unwrap().values())
    {
        assert!(operation["security"][0]["token"].is_array(), "{operation}");
        assert!(operation["responses"]["default"].is_object(), "{operation}");
    }
}
