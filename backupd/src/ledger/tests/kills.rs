//! A process that writes to a ledger is killed at any moment. What it was told is written is there
//! afterwards, and nothing needs repair.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use backup_model::{Event, LogLevel, Phase, Progress as _, RunId, RunOutcome};

use super::support::{backup_of, clock, open};
use crate::ledger::{Ending, Ledger};

const STATE: &str = "LEDGER_STATE";
const KILLS: u64 = 60;
const LINES: u64 = 5;

/// Writes run after run, and says on standard output what was acknowledged.
async fn write(state: &Path, runs: u64) {
    let ledger = Ledger::open(state, clock).await.unwrap();
    for _ in 0..runs {
        let (run, entered) = ledger.begin(backup_of("webui", None)).await;
        entered.unwrap();
        say(&format!("begun {}", run.run()));
        run.event(Event::Began {
            phase: Phase::Store,
            object: "db".to_owned(),
            total_bytes: None,
        });
        for number in 0..LINES {
            run.line(LogLevel::Info, &format!("{number} {}", "x".repeat(500)));
        }
        run.end(Ending::new(RunOutcome::Succeeded)).await.unwrap();
        say(&format!("ended {}", run.run()));
    }
    ledger.close().await;
}

/// Past the test's harness, which would take what is printed.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{text}")
        .and_then(|()| out.flush())
        .unwrap();
}

/// Alone it writes a few runs; for the test below, in a process of its own, it writes until it is
/// killed.
#[tokio::test]
async fn a_writer_writes() {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is how the test below reaches its other process"
    )]
    let asked = std::env::var_os(STATE);
    let own = tempfile::tempdir().unwrap();
    match asked {
        Some(state) => write(Path::new(&state), u64::MAX).await,
        None => write(own.path(), 3).await,
    }
    let ledger = open(&own).await;
    let runs = ledger.list(Default::default()).await.unwrap().runs;
    assert_eq!(runs.len(), 3);
}

/// Lets a writer write until it has said so many things, and a little longer; then kills it. Gives
/// what it said.
fn killed_after(state: &Path, things: usize, spins: u64) -> BTreeMap<RunId, bool> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "ledger::tests::kills::a_writer_writes",
            "--nocapture",
        ])
        .env(STATE, state)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = BTreeMap::new();
    let mut hear = |line: &str| {
        if let Some(run) = line.strip_prefix("begun ") {
            said.insert(run.parse().unwrap(), false);
        } else if let Some(run) = line.strip_prefix("ended ") {
            said.insert(run.parse().unwrap(), true);
        } else {
            return 0;
        }
        1
    };
    let mut heard = 0;
    while heard < things {
        let line = lines.next().expect("the writer ended by itself").unwrap();
        heard += hear(&line);
    }
    for spin in 0..spins {
        std::hint::black_box(spin);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it still said before it died counts, too; a line that was cut says nothing.
    for line in lines.map_while(Result::ok) {
        if line.len() == "begun ".len() + 26 {
            hear(&line);
        }
    }
    said
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_to_a_kill() {
    let state = tempfile::tempdir().unwrap();
    let mut all = BTreeMap::new();
    let mut interrupted = 0;
    let mut random = 0x5eed_u64;
    for kill in 0..KILLS {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let things = 1 + usize::try_from(random >> 60).unwrap();
        let spins = random >> 40 & 0xf_ffff;
        let said = killed_after(state.path(), things, spins);
        assert!(said.len() * 2 >= things, "kill {kill}");
        all.extend(said);

        let ledger = open(&state).await;
        let standing = ledger.standing().borrow().clone();
        // Opening looks through the whole file.
        assert_eq!(standing.moved, None, "kill {kill}");
        assert_eq!(standing.made, 0, "kill {kill}");
        interrupted += standing.interrupted.len();
        for (run, ended) in &all {
            let info = ledger.show(*run).await.unwrap().info;
            let fits = match info.outcome {
                RunOutcome::Succeeded => true,
                RunOutcome::Interrupted => !ended,
                _ => false,
            };
            assert!(fits, "kill {kill}: {info:?}");
            if info.outcome == RunOutcome::Succeeded {
                let log = ledger.log(*run, 0).await.unwrap();
                assert_eq!(log.lines.len() as u64, LINES, "kill {kill}");
            }
        }
        ledger.close().await;
    }
    // A kill that always came between two runs would show little.
    assert!(
        interrupted > 0,
        "none of {} runs was interrupted",
        all.len()
    );
}
