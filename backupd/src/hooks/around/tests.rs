//! Hooks around a backup that is none: real programs, in every order of failures.

use std::{
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use backup_model::{RunId, SnapshotName};
use jiff::Timestamp;
use tokio::task::yield_now;

use super::*;

/// Keeps what it hears.
#[derive(Default)]
struct Heard(Mutex<Vec<Event>>);

impl Progress for Heard {
    fn event(&self, event: Event) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.push(event);
    }
}

impl Heard {
    fn lines(&self) -> Vec<String> {
        let heard = self.0.lock().unwrap();
        let lines = heard.iter().filter_map(|event| match event {
            Event::Noted { text } => text.split_once(": ").map(|(_, line)| line.to_owned()),
            _ => None,
        });
        lines.collect()
    }

    fn warnings(&self) -> Vec<Failure> {
        let heard = self.0.lock().unwrap();
        let warnings = heard.iter().filter_map(|event| match event {
            Event::Warned(failure) => Some(failure.clone()),
            _ => None,
        });
        warnings.collect()
    }
}

fn hook(script: &str, on_failure: OnFailure) -> Hook {
    Hook {
        program: "/bin/sh".to_owned(),
        arguments: vec!["-c".to_owned(), script.to_owned()],
        timeout: Duration::from_mins(1),
        on_failure,
    }
}

/// Hooks that write into a file that they ran, and how the run stands; two of each.
fn hooks(file: &Path) -> Hooks {
    let writing = |when: &str, on_failure| {
        let script = format!("echo {when} $BACKUPD_OUTCOME >>{}", file.display());
        vec![hook(&script, on_failure), hook(&script, on_failure)]
    };
    Hooks {
        before: writing("before", OnFailure::Fail),
        after: writing("after", OnFailure::Warn),
        failed: writing("failed", OnFailure::Warn),
        finally: writing("finally", OnFailure::Warn),
    }
}

fn context() -> HookContext {
    HookContext {
        job: "app".parse().unwrap(),
        run: None,
        path: Some("/usr/bin:/bin".into()),
    }
}

fn report() -> BackupReport {
    BackupReport {
        snapshot: "app/3".parse::<SnapshotName>().unwrap(),
        complete: true,
        created: Timestamp::UNIX_EPOCH,
        read_bytes: 1,
        new_bytes: 1,
        added_bytes: 1,
        resumed_bytes: 0,
        stored_bytes: 1,
        took_secs: 0.0,
        streams: Vec::new(),
        warnings: Vec::new(),
    }
}

/// What comes of hooks around this backup: the result, what ran, and what was told.
async fn run(
    change: impl FnOnce(&mut Hooks),
    backup: Result<BackupReport, Failure>,
) -> (Result<BackupReport, Failure>, String, Heard) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ran");
    let mut hooks = hooks(&file);
    change(&mut hooks);
    let heard = Heard::default();
    let cancel = CancellationToken::new();
    let backup = async {
        let ran = fs::read_to_string(&file).unwrap_or_default();
        fs::write(&file, ran + "backup\n").unwrap();
        backup
    };
    let done = around(&hooks, &context(), &heard, &cancel, backup).await;
    let ran = fs::read_to_string(&file).unwrap_or_default();
    (done, ran.trim_end().replace('\n', ", "), heard)
}

#[tokio::test]
async fn each_runs_in_its_place_and_knows_how_the_run_stands() {
    let (done, ran, heard) = run(|_| (), Ok(report())).await;
    assert_eq!(done.unwrap(), report());
    assert_eq!(
        ran,
        "before running, before running, backup, after succeeded, after succeeded, \
         finally succeeded, finally succeeded"
    );
    assert!(heard.lines().is_empty() && heard.warnings().is_empty());

    let partial = BackupReport {
        complete: false,
        ..report()
    };
    let (_, ran, _) = run(|_| (), Ok(partial)).await;
    assert!(ran.ends_with("after warnings, after warnings, finally warnings, finally warnings"));

    let failure = Failure::new(Code::Store, "the store is gone");
    let (done, ran, _) = run(|_| (), Err(failure.clone())).await;
    assert_eq!(done.unwrap_err(), failure);
    assert!(ran.ends_with("backup, failed failed, failed failed, finally failed, finally failed"));

    // Somebody stopped it: that is no failure.
    let stopped = Failure::new(Code::Terminated, "stopped");
    let (done, ran, _) = run(|_| (), Err(stopped.clone())).await;
    assert_eq!(done.unwrap_err(), stopped);
    assert!(ran.ends_with("backup, finally cancelled, finally cancelled"));
}

#[tokio::test]
async fn before_a_backup_a_failure_is_the_end_or_a_warning() {
    let bad = |on_failure| hook("echo why >&2; exit 7", on_failure);
    let (done, ran, heard) =
        run(|hooks| hooks.before[0] = bad(OnFailure::Fail), Ok(report())).await;
    let failure = done.unwrap_err();
    assert_eq!(failure.code, Code::Hook);
    assert_eq!(failure.message, "a hook before the backup failed");
    assert_eq!(failure.causes, ["`/bin/sh` failed with exit status 7: why"]);
    assert_eq!(heard.lines(), ["why"]);
    assert_eq!(
        ran,
        "failed failed, failed failed, finally failed, finally failed"
    );

    let (done, ran, _) = run(|hooks| hooks.before[0] = bad(OnFailure::Warn), Ok(report())).await;
    assert_eq!(done.unwrap().warnings, [failure]);
    assert_eq!(
        ran,
        "before running, backup, after warnings, after warnings, finally warnings, \
         finally warnings"
    );

    let missing = Hook {
        program: "no-such-program".to_owned(),
        ..bad(OnFailure::Fail)
    };
    let (done, _, _) = run(|hooks| hooks.before[1] = missing, Ok(report())).await;
    let causes = done.unwrap_err().causes;
    assert_eq!(causes[0], "cannot start `no-such-program`");
    assert!(causes[1].contains("No such file"), "{causes:?}");
}

#[tokio::test]
async fn after_a_backup_a_failure_is_told_and_the_rest_runs() {
    let bad = |on_failure| hook("exit 7", on_failure);
    let all_bad = |hooks: &mut Hooks| {
        hooks.after[0] = bad(OnFailure::Warn);
        hooks.failed[0] = bad(OnFailure::Warn);
        hooks.finally[0] = bad(OnFailure::Warn);
    };
    let (done, ran, _) = run(all_bad, Ok(report())).await;
    let warnings = done.unwrap().warnings;
    let told: Vec<_> = warnings.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(
        told,
        ["a hook after the backup failed", "a hook at the end failed"]
    );
    assert!(
        ran.ends_with("backup, after succeeded, finally warnings"),
        "{ran}"
    );

    let failure = Failure::new(Code::Store, "the store is gone");
    let (done, ran, heard) = run(all_bad, Err(failure.clone())).await;
    assert_eq!(done.unwrap_err(), failure);
    let told: Vec<_> = heard.warnings().into_iter().map(|it| it.message).collect();
    assert_eq!(
        told,
        ["a hook for failures failed", "a hook at the end failed"]
    );
    assert!(ran.ends_with("backup, failed failed, finally failed"));

    // A run can be made to fail although there is a snapshot, and says that there is.
    let (done, ran, _) = run(|hooks| hooks.after[0] = bad(OnFailure::Fail), Ok(report())).await;
    let message = done.unwrap_err().message;
    assert_eq!(
        message,
        "app/000003 is made, and a hook after the backup failed"
    );
    assert!(ran.ends_with("backup, failed failed, failed failed, finally failed, finally failed"));
}

#[tokio::test]
async fn one_that_takes_too_long_has_failed() {
    let begun = Instant::now();
    let slow = Hook {
        timeout: Duration::from_millis(200),
        ..hook("echo word; sleep 600 & sleep 600", OnFailure::Fail)
    };
    let (done, _, heard) = run(|hooks| hooks.before[0] = slow, Ok(report())).await;
    let causes = done.unwrap_err().causes;
    assert_eq!(
        causes,
        ["`/bin/sh` took longer than 200 ms and was stopped: word"]
    );
    assert_eq!(heard.lines(), ["word"]);
    assert!(begun.elapsed() < Duration::from_mins(1));
}

#[tokio::test]
async fn a_hook_has_no_environment_but_its_own_and_is_quoted_within_bounds() {
    let hook = |program: &str, argument: &str| Hook {
        program: program.to_owned(),
        arguments: vec![argument.to_owned()],
        ..hook("", OnFailure::Fail)
    };
    let hooks = Hooks {
        before: vec![hook("env", "--"), hook("seq", "1000")],
        ..Hooks::default()
    };
    let run = RunId::new(Timestamp::UNIX_EPOCH, [1; 10]);
    let context = HookContext {
        run: Some(run),
        ..context()
    };
    let (heard, cancel) = (Heard::default(), CancellationToken::new());
    around(&hooks, &context, &heard, &cancel, async { Ok(report()) })
        .await
        .unwrap();
    let mut lines = heard.lines();
    let counted = lines.split_off(4);
    lines.sort();
    let run = format!("BACKUPD_RUN={run}");
    assert_eq!(
        lines,
        [
            "BACKUPD_JOB=app",
            "BACKUPD_OUTCOME=running",
            &run,
            "PATH=/usr/bin:/bin"
        ]
    );
    assert_eq!(counted.len(), 201);
    assert_eq!(counted[0], "(800 lines before these are left out)");
    assert_eq!((&counted[1][..], &counted[200][..]), ("801", "1000"));
}

/// Told to stop, nothing is begun any more but what puts things in order.
#[tokio::test]
async fn a_stop_before_the_backup_leaves_it_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ran");
    let (heard, cancel) = (Heard::default(), CancellationToken::new());
    let mut hooks = hooks(&file);
    hooks.before[0] = hook("sleep 600", OnFailure::Warn);
    let backup = async { panic!("there is no backup after a stop") };
    let context = context();
    let (done, ()) = tokio::join!(around(&hooks, &context, &heard, &cancel, backup), async {
        yield_now().await;
        cancel.cancel();
    });
    assert_eq!(done.unwrap_err().code, Code::Interrupted);
    let ran = fs::read_to_string(&file).unwrap();
    assert_eq!(ran, "finally cancelled\nfinally cancelled\n");
}

/// What is to put things in order has a while for it, and no more.
#[tokio::test]
async fn a_stop_does_not_wait_for_ever_for_hooks() {
    let begun = Instant::now();
    let (heard, cancel) = (Heard::default(), CancellationToken::new());
    let hooks = Hooks {
        finally: vec![hook("echo word; sleep 600", OnFailure::Warn)],
        ..Hooks::default()
    };
    let context = context();
    let round = Round {
        context: &context,
        progress: &heard,
        graces: Graces {
            backup: Duration::from_mins(1),
            hooks: Duration::from_millis(300),
        },
        warnings: Vec::new(),
    };
    let backup = async {
        cancel.cancel();
        Err(Failure::new(Code::Interrupted, "stopped"))
    };
    let done = round.run_all(&hooks, &cancel, backup).await;
    assert_eq!(done.unwrap_err().code, Code::Interrupted);
    let [warning] = &heard.warnings()[..] else {
        panic!("{:?}", heard.warnings());
    };
    assert_eq!(warning.code, Code::Hook);
    assert_eq!(warning.causes, ["`/bin/sh` was stopped on request"]);
    assert!(begun.elapsed() < Duration::from_mins(1));
}

/// However long the backup takes to stop, what undoes `before` has its time after that.
#[tokio::test]
async fn a_backup_that_is_slow_to_stop_takes_nothing_from_the_hooks() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        // It ends by itself, later than hooks may take.
        (Duration::from_mins(1), Duration::from_secs(3), "stopped"),
        // It would take for ever, and is dropped.
        (
            Duration::from_millis(100),
            Duration::from_hours(1),
            "it did not end within 0 s of being stopped",
        ),
    ];
    for (grace, takes, said) in cases {
        let file = folder.path().join(said);
        let (heard, cancel) = (Heard::default(), CancellationToken::new());
        let context = context();
        let round = Round {
            context: &context,
            progress: &heard,
            graces: Graces {
                backup: grace,
                hooks: Duration::from_secs(2),
            },
            warnings: Vec::new(),
        };
        let backup = async {
            cancel.cancel();
            time::sleep(takes).await;
            Err(Failure::new(Code::Interrupted, "stopped"))
        };
        let hooks = Hooks {
            finally: vec![hook(
                &format!("sleep 0.1; echo done >'{}'", file.display()),
                OnFailure::Warn,
            )],
            ..Hooks::default()
        };
        let done = round.run_all(&hooks, &cancel, backup).await;
        let failure = done.unwrap_err();
        assert_eq!((failure.code, &*failure.message), (Code::Interrupted, said));
        assert_eq!(heard.warnings(), []);
        assert_eq!(fs::read_to_string(&file).unwrap(), "done\n");
    }
}
