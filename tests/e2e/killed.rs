//! A daemon that is killed again and again, at any moment: what was due is done, nothing is done
//! twice, and ledger and repository know the same.
//!
//! | variable | is | by default |
//! |---|---|---|
//! | `BACKUPD_KILLS` | how often it is killed | 8 |
//! | `BACKUPD_KILLS_SEED` | where the moments come from | 1 |

#![expect(
    clippy::print_stdout,
    reason = "figures are for whoever asks to see them"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;
use serde_json::Value;

use crate::{guard::Daemon, numbers::Numbers, world::World};

/// The jobs, and how many seconds lie between their due times.
const JOBS: [(&str, i64); 2] = [("app", 2), ("other", 3)];

/// A daemon that lives on for so long after a due time, or after it came up, has to do something
/// about it.
const ENOUGH: SignedDuration = SignedDuration::from_secs(5);
/// Within this time: the heartbeat of the schedule is ten seconds.
const IN_TIME: SignedDuration = SignedDuration::from_secs(15);

/// One daemon.
struct Life {
    /// Before it was started.
    begun: Timestamp,
    up: Timestamp,
    /// After it had ended.
    ended: Timestamp,
}

/// A backup on record.
struct Run {
    due: Option<Timestamp>,
    begun: Timestamp,
    outcome: String,
    snapshot: Option<String>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the daemon goes by the clock of this machine, too"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

#[expect(
    clippy::disallowed_methods,
    reason = "how much is done is for whoever runs this"
)]
fn number(name: &str) -> Option<u64> {
    let asked = std::env::var(name).ok()?;
    Some(asked.parse().expect("the variable is a number"))
}

/// A world whose two jobs run all the time: one with its database, one with files alone.
fn world() -> World {
    let world = World::new();
    let path = world.path("config.toml");
    let config = fs::read_to_string(&path).unwrap();
    let [(first, every), (second, other)] = JOBS;
    let head = format!("[job.{first}]\n");
    let timed = config.replacen(&head, &format!("{head}schedule = \"every {every}s\"\n"), 1);
    assert_ne!(timed, config);
    let src = world.path("src");
    let more = format!(
        "\n[job.{second}]\nschedule = \"every {other}s\"\n[[job.{second}.source]]\n\
         kind = \"files\"\nname = \"src\"\npaths = [\"{src}\"]\n"
    );
    fs::write(&path, timed + &more).unwrap();
    world
}

/// Adds the backups that are on record to those that were; how a run ended may be known later.
fn note(world: &World, known: &mut BTreeMap<String, (String, Run)>) {
    let args = [
        "--json", "run", "list", "--kind", "backup", "--limit", "500",
    ];
    let page = world.backupctl(&args).expect(0).message("runs");
    for run in page["runs"].as_array().unwrap() {
        let text = |name: &str| run[name].as_str().map(str::to_owned);
        let time = |name: &str| text(name).map(|time| time.parse::<Timestamp>().unwrap());
        let read = Run {
            due: time("due"),
            begun: time("begun").unwrap(),
            outcome: text("outcome").unwrap(),
            snapshot: text("snapshot"),
        };
        known.insert(text("run").unwrap(), (text("job").unwrap(), read));
    }
}

fn millis(numbers: &mut Numbers, end: usize) -> Duration {
    Duration::from_millis(numbers.below(end) as u64)
}

/// One life: killed at some moment, often while something runs.
fn live(world: &World, numbers: &mut Numbers) -> Life {
    let begun = now();
    let mut daemon = Daemon::start(world);
    let up = now();
    daemon.listen(millis(numbers, 9_000));
    if !numbers.once_in(3) {
        daemon.says("kind=backup");
        daemon.listen(millis(numbers, 500));
    }
    daemon.signal(Signal::KILL);
    assert_eq!(daemon.ends(), None);
    let ended = now();
    Life { begun, up, ended }
}

/// The due times of a job after one moment, up to another.
fn due_times(every: i64, after: Timestamp, until: Timestamp) -> impl Iterator<Item = Timestamp> {
    let first = after.as_second().div_euclid(every) + 1;
    let numbers = first..=until.as_second().div_euclid(every);
    numbers.map(move |n| Timestamp::from_second(n * every).unwrap())
}

fn succeeded(run: &Run) -> bool {
    ["succeeded", "warnings"].contains(&run.outcome.as_str())
}

/// What became of the due times of a job.
#[derive(Debug, Default)]
struct Account {
    owed: usize,
    own_run: usize,
    skipped: usize,
    made_up: usize,
    missed: Vec<Timestamp>,
    doubled: Vec<Timestamp>,
}

/// All due times, each with the moment from which somebody was there for long enough.
fn owed(lives: &[Life], every: i64) -> Vec<(Timestamp, Timestamp)> {
    let (first, last) = (&lives[0], &lives[lives.len() - 1]);
    let all = due_times(every, first.up, last.ended);
    let served_from = |due: Timestamp| {
        let lives = lives.iter().map(|life| (life.up.max(due), life.ended));
        let mut enough = lives.filter(|(from, ended)| *ended - ENOUGH >= *from);
        Some((due, enough.next()?.0))
    };
    all.filter_map(served_from).collect()
}

fn account(lives: &[Life], every: i64, runs: &[&Run]) -> Account {
    let mut account = Account::default();
    for (due, from) in owed(lives, every) {
        account.owed += 1;
        let own = || runs.iter().filter(|run| run.due == Some(due));
        let later = |run: &&Run| succeeded(run) && run.begun >= due && run.begun <= from + IN_TIME;
        // One that was cut short did nothing.
        let ended = |run: &Run| !["skipped", "interrupted"].contains(&run.outcome.as_str());
        if own().any(|run| ended(run)) {
            account.own_run += 1;
        } else if own().any(|run| run.outcome == "skipped") {
            account.skipped += 1;
        } else if runs.iter().any(later) {
            account.made_up += 1;
        } else {
            account.missed.push(due);
        }
    }
    let mut seen = BTreeSet::new();
    let done = runs.iter().filter(|run| succeeded(run));
    account.doubled = done
        .filter_map(|run| run.due)
        .filter(|due| !seen.insert(*due))
        .collect();
    account
}

/// Whatever was due while nobody was there, one run makes up for all of it.
fn assert_caught_up_once(lives: &[Life], runs: &[&Run]) {
    for pair in lives.windows(2) {
        let outage = pair[0].ended..=pair[1].begun;
        let ran = runs.iter().filter(|run| run.outcome != "skipped");
        let due: BTreeSet<_> = ran
            .filter_map(|run| run.due)
            .filter(|due| outage.contains(due))
            .collect();
        assert!(due.len() <= 1, "{due:?} in one outage, {outage:?}");
    }
}

#[test]
fn nothing_is_missed_or_doubled_by_a_daemon_that_is_killed_at_any_moment() {
    let kills = number("BACKUPD_KILLS").unwrap_or(8);
    let seed = number("BACKUPD_KILLS_SEED").unwrap_or(1);
    println!("BACKUPD_KILLS={kills} BACKUPD_KILLS_SEED={seed}");
    let mut numbers = Numbers::of(seed, 0);
    let world = world();
    let (mut lives, mut known) = (Vec::new(), BTreeMap::new());
    for _ in 0..kills {
        lives.push(live(&world, &mut numbers));
        // An outage takes as long as it takes to look at what was left.
        for _ in 0..=numbers.below(3) {
            world.backupctl(&["repo", "check"]).expect(0);
            note(&world, &mut known);
        }
    }
    let begun = now();
    let mut daemon = Daemon::start(&world);
    let up = now();
    daemon.listen(Duration::from_secs(8));
    daemon.stop();
    let ended = now();
    lives.push(Life { begun, up, ended });
    note(&world, &mut known);

    let mut outcomes = BTreeMap::<&str, usize>::new();
    for (_, run) in known.values() {
        *outcomes.entry(&run.outcome).or_default() += 1;
    }
    println!("{kills} kills; runs: {outcomes:?}");
    for (job, every) in JOBS {
        let of_job = known.values().filter(|(of, _)| of == job);
        let runs: Vec<&Run> = of_job.map(|(_, run)| run).collect();
        let account = account(&lives, every, &runs);
        println!(
            "{job}: {} due times: {} with a run of their own, {} skipped on record, {} made up \
             for by a later run, {} missed, {} doubled",
            account.owed,
            account.own_run,
            account.skipped,
            account.made_up,
            account.missed.len(),
            account.doubled.len()
        );
        assert!(account.owed > 0 && account.own_run > 0, "{account:?}");
        assert_eq!(
            (&account.missed[..], &account.doubled[..]),
            (&[][..], &[][..])
        );
        assert_caught_up_once(&lives, &runs);
    }
    assert!(!outcomes.contains_key("running"), "{outcomes:?}");
    let all: Vec<&Run> = known.values().map(|(_, run)| run).collect();
    assert_known_alike(&world, &all);
    world.backupctl(&["verify", "--all"]).expect(0);
    world.backupctl(&["repo", "check"]).expect(0);
}

/// What the ledger says there is, is there, and nothing else.
fn assert_known_alike(world: &World, runs: &[&Run]) {
    let mut told = BTreeSet::new();
    for run in runs.iter().filter(|run| succeeded(run)) {
        let snapshot = run.snapshot.clone().expect("a success has a snapshot");
        assert!(told.insert(snapshot.clone()), "{snapshot} has two runs");
    }
    let list = world.backupctl(&["--json", "snapshot", "list"]).expect(0);
    let list = list.message("snapshots");
    let whole = |it: &&Value| ["complete", "partial"].contains(&it["end"].as_str().unwrap());
    let there = list["snapshots"].as_array().unwrap().iter().filter(whole);
    let there: BTreeSet<_> = there
        .map(|it| it["snapshot"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(told, there);
    println!("{} snapshots, each with its run", there.len());
}
