//! How far a restore may go for whoever has the scope `restore` alone.

use std::{fs, os::unix::fs::symlink, path::Path};

use backupd_api::{Scope, TokenText};
use serde_json::json;

use super::fixture::{Answer, Fixture, STRANGER, request, with};

/// The two ways to order a restore, with the body that says the same.
const WAYS: [&str; 2] = ["/v1/restore-plan", "/v1/tasks"];

struct World {
    fixture: Fixture,
    /// Allowed are `in` and, by a link, `linked`.
    places: tempfile::TempDir,
    restore: TokenText,
    admin: TokenText,
}

impl World {
    async fn new() -> Self {
        let places = tempfile::tempdir().unwrap();
        let at = places.path();
        for folder in ["in/deep", "inner", "behind", "out"] {
            fs::create_dir_all(at.join(folder)).unwrap();
        }
        symlink(at.join("behind"), at.join("linked")).unwrap();
        symlink(at.join("out"), at.join("in/escape")).unwrap();
        let allowed = vec![at.join("in"), at.join("linked"), at.join("missing")];
        let fixture = Fixture::with(|settings| settings.restore_folders = allowed).await;
        let (restore, admin) = (
            fixture.token(&[Scope::Restore]),
            fixture.token(&[Scope::Admin]),
        );
        Self {
            fixture,
            places,
            restore,
            admin,
        }
    }

    /// An order for a job without snapshots: who gets as far as to look for them, may.
    async fn order(&self, way: &str, token: &TokenText, part: serde_json::Value) -> Answer {
        let mut order = json!({
            "snapshot": "app/1", "folder": null, "database": null, "stamp": "x",
            "keys": {"unwrapped_by": "x", "identities": []},
        });
        order
            .as_object_mut()
            .unwrap()
            .extend(part.as_object().unwrap().clone());
        let body = match way {
            "/v1/tasks" => json!({"restore": order}),
            _ => order,
        };
        let request = request("POST", way, &body.to_string());
        self.fixture.ask(STRANGER, with(token, request)).await
    }

    async fn refuses(&self, part: serde_json::Value, why: &str) {
        for way in WAYS {
            let answer = self.order(way, &self.restore, part.clone()).await;
            assert_eq!(
                answer.body["code"], "E-NOT-PERMITTED",
                "{way} {part}: {answer:?}"
            );
            let text = answer.body["message"].as_str().unwrap();
            assert!(text.contains(why) && text.contains("`admin`"), "{text}");
            self.lets(&self.admin, part.clone()).await;
        }
    }

    async fn lets(&self, token: &TokenText, part: serde_json::Value) {
        let plan = self.order(WAYS[0], token, part.clone()).await;
        assert_eq!(plan.body["code"], "E-NO-JOB", "{part}: {plan:?}");
        let task = self.order(WAYS[1], token, part.clone()).await;
        assert_eq!(task.status, 202, "{part}: {task:?}");
    }

    fn folder(&self, name: &str) -> serde_json::Value {
        json!({"folder": self.places.path().join(name)})
    }
}

#[tokio::test]
async fn new_folders_are_made_where_the_configuration_says() {
    let world = World::new().await;
    for inside in [
        "in/new",
        "in/deep/new",
        "linked/new",
        "behind/new",
        "out/../in/new",
    ] {
        world.lets(&world.restore, world.folder(inside)).await;
    }
    for outside in [
        "new",
        "in",
        "linked",
        "inner/new",
        "out/new",
        "in/escape/new",
        "in/../out/new",
        "in/..",
        "in/nowhere/new",
        "missing/new",
    ] {
        world
            .refuses(
                world.folder(outside),
                "is no new folder in one that is there",
            )
            .await;
    }
    for outside in ["/", "", "new", "/etc/cron.d/new"] {
        world
            .refuses(
                json!({"folder": outside}),
                "is no new folder in one that is there",
            )
            .await;
    }
    assert!(!Path::new("new").exists());
}

#[tokio::test]
async fn by_default_none_are_made() {
    let mut world = World::new().await;
    world.fixture = Fixture::new().await;
    world.restore = world.fixture.token(&[Scope::Restore]);
    world.admin = world.fixture.token(&[Scope::Admin]);
    world
        .refuses(world.folder("in/new"), "without `restore_folders`")
        .await;
}

#[tokio::test]
async fn what_goes_further_than_new_places_is_for_admins() {
    let world = World::new().await;
    world.lets(&world.restore, json!({})).await;
    world.refuses(json!({"keep_setid": true}), "set-uid").await;
    world
        .refuses(json!({"numeric_owner": true}), "owners by number")
        .await;
    let elsewhere = json!({"database": {"server": "postgres://postgres@10.0.0.9/postgres"}});
    world.refuses(elsewhere, "another server").await;
    world.lets(&world.restore, json!({"database": {}})).await;
    world.refuses(json!({"in_place": true}), "replaced").await;
}
