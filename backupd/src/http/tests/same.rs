//! Whoever asks a daemon hears what they would have heard in process.

use std::sync::{Arc, Mutex};

use backup_model::{Code, Event, Level, Progress, Selection};
use backupd_api::{
    DiffRequest, FindRequest, ForgetRequest, HttpService, LsRequest, PruneRequest, RestoreOrder,
    Service, Task, Trial, VerifyRequest,
};
use tokio_util::sync::CancellationToken;

use super::fixture::Fixture;

#[derive(Default)]
struct Heard(Mutex<Vec<Event>>);

impl Progress for Heard {
    fn event(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

fn task() -> (Arc<Heard>, Task) {
    let heard = Arc::new(Heard::default());
    let progress = Arc::clone(&heard);
    let cancel = CancellationToken::new();
    let asked_by = None;
    (
        heard,
        Task {
            progress,
            cancel,
            asked_by,
        },
    )
}

#[tokio::test]
async fn reading_says_the_same_over_the_socket_and_in_process() {
    let fixture = Fixture::new().await;
    let (socket, stop, served) = fixture.serve().await;
    let far = HttpService::connect(&socket).await.unwrap();
    let near = &*fixture.direct;
    assert_eq!(
        (far.jobs().await, far.repositories().await),
        (near.jobs().await, near.repositories().await)
    );

    let (heard, task) = task();
    let job = near.jobs().await.unwrap().remove(0);
    let refused = far.newest(&job).await.unwrap_err();
    assert_eq!(refused, near.newest(&job).await.unwrap_err());
    assert_eq!(refused.code, Code::NoJob);
    let first = far.backup(&job, &task).await.unwrap();
    assert!(
        heard
            .0
            .lock()
            .unwrap()
            .iter()
            .any(|event| matches!(event, Event::Began { .. }))
    );
    std::fs::write(fixture.path("src/c"), "three").unwrap();
    let second = near.backup(&job, &task).await.unwrap();
    assert_eq!((first.snapshot.seq.0, second.snapshot.seq.0), (1, 2));

    let all = Selection::All;
    assert_eq!(far.snapshots(&all).await, near.snapshots(&all).await);
    assert_eq!(far.newest(&job).await, near.newest(&job).await);
    assert_eq!(far.key_files(&all).await, near.key_files(&all).await);
    let keys = fixture.keys().await;
    for keys in [None, Some(&keys)] {
        let far = far.snapshot(&first.snapshot, keys).await;
        assert_eq!(far, near.snapshot(&first.snapshot, keys).await);
    }
    let trial = Trial {
        keep_last: Some(1),
        ..Trial::default()
    };
    for trial in [Trial::default(), trial] {
        let mut far = far.retention(&job, &trial).await.unwrap();
        let near = near.retention(&job, &trial).await.unwrap();
        if let (Some(far), Some(near)) = (&mut far, &near) {
            far.now = near.now;
        }
        assert_eq!(far, near);
    }
    assert_eq!(
        far.stats("main", &task).await,
        near.stats("main", &task).await
    );
    assert_eq!(
        far.plan_prune("main", &task).await,
        near.plan_prune("main", &task).await
    );
    let far_check = far.check("main", &task).await.unwrap();
    let near_check = near.check("main", &task).await.unwrap();
    assert_eq!(
        (far_check.faults, far_check.named),
        (near_check.faults, near_check.named)
    );
    let missing = far.stats("other", &task).await.unwrap_err();
    assert_eq!(missing, near.stats("other", &task).await.unwrap_err());
    stop.cancel();
    served.await.unwrap();
}

#[tokio::test]
async fn looking_into_snapshots_says_the_same() {
    let fixture = Fixture::new().await;
    let (socket, _stop, _served) = fixture.serve().await;
    let far = HttpService::connect(&socket).await.unwrap();
    let near: &dyn Service = &*fixture.direct;
    let (_, task) = task();
    let job = near.jobs().await.unwrap().remove(0);
    let first = near.backup(&job, &task).await.unwrap().snapshot;
    std::fs::write(fixture.path("src/a"), "changed").unwrap();
    let second = near.backup(&job, &task).await.unwrap().snapshot;
    let keys = fixture.keys().await;
    let ls = LsRequest {
        snapshot: first.clone(),
        path: None,
        recursive: true,
        keys: keys.clone(),
    };
    let diff = DiffRequest {
        before: first.clone(),
        after: second,
        path: None,
        keys: keys.clone(),
    };
    let find = FindRequest {
        selection: Selection::All,
        glob: "a".to_owned(),
        keys,
    };
    let mut said = Vec::new();
    for service in [near, &far] {
        let (mut entries, mut changes, mut found) = (Vec::new(), Vec::new(), Vec::new());
        service
            .ls(&ls, &mut |entry| entries.push(entry), &task)
            .await
            .unwrap();
        service
            .diff(&diff, &mut |change| changes.push(change), &task)
            .await
            .unwrap();
        let searched = service
            .find(&find, &mut |one| found.push(one), &task)
            .await
            .unwrap();
        assert!(entries.len() > 2 && !changes.is_empty() && found.len() == 2 && searched > 0);
        said.push((entries, changes, found, searched));
    }
    assert_eq!(said[0], said[1]);
}

#[tokio::test]
async fn verifying_says_the_same() {
    let fixture = Fixture::new().await;
    let (socket, _stop, _served) = fixture.serve().await;
    let far = HttpService::connect(&socket).await.unwrap();
    let near: &dyn Service = &*fixture.direct;
    let (_, task) = task();
    let job = near.jobs().await.unwrap().remove(0);
    near.backup(&job, &task).await.unwrap();
    let verify = VerifyRequest {
        selection: Selection::All,
        level: Level::Data,
        keys: Some(fixture.keys().await),
    };
    let mut verdicts = Vec::new();
    for service in [near, &far] {
        let mut reports = Vec::new();
        service
            .verify(&verify, &mut |report| reports.push(report), &task)
            .await
            .unwrap();
        let facts = reports
            .into_iter()
            .map(|r| (r.snapshot, r.verdict, r.read_bytes));
        verdicts.push(facts.collect::<Vec<_>>());
    }
    assert_eq!(verdicts[0].len(), 1);
    assert_eq!(verdicts[0], verdicts[1]);
    let without = VerifyRequest {
        keys: None,
        ..verify
    };
    let refused = far.verify(&without, &mut |_| (), &task).await.unwrap_err();
    assert_eq!(refused.code, Code::IdentityMissing);
}

#[tokio::test]
async fn a_restore_and_what_is_kept_go_the_same_way() {
    let fixture = Fixture::new().await;
    let (socket, _stop, _served) = fixture.serve().await;
    let far = HttpService::connect(&socket).await.unwrap();
    let near = &*fixture.direct;
    let (_, task) = task();
    let job = near.jobs().await.unwrap().remove(0);
    let first = far.backup(&job, &task).await.unwrap().snapshot;
    let order = RestoreOrder {
        snapshot: first.clone(),
        streams: Vec::new(),
        paths: Vec::new(),
        folder: Some(fixture.path("restored")),
        database: None,
        in_place: false,
        confirm: None,
        safety_backup: true,
        no_owner: false,
        numeric_owner: false,
        keep_setid: false,
        stamp: "20260101_000000".to_owned(),
        keys: fixture.keys().await,
    };
    let mut plan = far.plan_restore(&order).await.unwrap();
    let near_plan = near.plan_restore(&order).await.unwrap();
    for (far, near) in plan.steps.iter_mut().zip(&near_plan.steps) {
        far.free_bytes = near.free_bytes;
    }
    assert_eq!(plan, near_plan);
    let report = far.restore(&order, &task).await.unwrap();
    assert_eq!(report.streams.len(), 1);
    let again = far.restore(&order, &task).await.unwrap_err();
    assert_eq!(
        again.code,
        near.restore(&order, &task).await.unwrap_err().code
    );

    far.hold(&first, "for the auditor").await.unwrap();
    let forget = ForgetRequest {
        snapshots: vec![first.clone()],
        why: backup_model::Why::Request,
    };
    assert_eq!(
        far.forget(&forget, &task).await.unwrap_err().code,
        Code::Held
    );
    assert!(far.release(&first).await.unwrap());
    assert!(!far.release(&first).await.unwrap());
    far.backup(&job, &task).await.unwrap();
    far.forget(&forget, &task).await.unwrap();
    assert_eq!(
        far.snapshot(&first, None).await.unwrap_err().code,
        Code::Forgotten
    );
    let prune = PruneRequest {
        repository: "main".to_owned(),
        grace_secs: 0,
        allow_large: true,
    };
    far.prune(&prune, &task).await.unwrap();
}
