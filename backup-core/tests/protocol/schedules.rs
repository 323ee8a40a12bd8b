//! Schedules: who goes next at every call, chosen at random by a seed, or all there are in which
//! each of two interrupts the other.

#![expect(clippy::print_stdout, reason = "the figures are the point")]

use std::{collections::HashSet, fmt::Write as _, sync::Arc, time::Duration};

use tokio::task::{JoinHandle, LocalSet};

use crate::{
    gates::{Actor, Gates, Wire},
    scene::{Ending, Hosts, Part, Scene, memory},
};

/// A move of a schedule.
#[derive(Clone, Copy, Debug)]
enum Move {
    /// An actor goes on to its next stop.
    Go(Actor),
    /// It dies where it is.
    Kill(Actor, Wire),
    /// A call of somebody who died arrives.
    Arrive,
    /// A day passes by the store's clock, and an hour.
    Day,
}

/// Who chooses.
trait Choose {
    /// `standing` is not empty; `late` calls of the dead are on their way.
    fn choose(&mut self, standing: &[Actor], late: usize) -> Move;
}

/// What was seen in all schedules.
#[derive(Debug, Default)]
struct Tally {
    schedules: u64,
    steps: u64,
    kills: u64,
    late: u64,
    written: u64,
    refused: u64,
    /// Sets of objects that were there.
    states: HashSet<u64>,
    /// Orders of calls.
    orders: HashSet<Vec<u8>>,
    snapshots: u64,
}

impl Tally {
    fn print(&self, what: &str) {
        println!(
            "{what}: {} schedules, {} orders, {} steps, {} states, {} kills, {} late calls, \
             {} backups done and {} refused, {} snapshots checked, losses: 0",
            self.schedules,
            self.orders.len(),
            self.steps,
            self.states.len(),
            self.kills,
            self.late,
            self.written,
            self.refused,
            self.snapshots,
        );
    }
}

/// Plays one schedule to its end and checks what is there then; gives who went when.
async fn play(
    scene: &Arc<Scene>,
    parts: &[Part],
    choose: &mut impl Choose,
    tally: &mut Tally,
) -> Vec<u8> {
    let inner = scene.fork();
    let gates = Gates::new(Arc::clone(&inner));
    let hosts = Arc::new(scene.hosts());
    let mut tasks: Vec<Option<JoinHandle<Ending>>> = Vec::new();
    for (actor, part) in parts.iter().enumerate() {
        tasks.push(Some(start(scene, part.clone(), &hosts, &gates, actor)));
    }
    let mut trace = Trace::default();
    let mut order = Vec::new();
    loop {
        let standing = gates.still(parts.len()).await;
        if standing.is_empty() {
            break;
        }
        tally.steps += 1;
        tally.states.insert(gates.print());
        match choose.choose(&standing, gates.late()) {
            Move::Go(actor) => {
                order.push(u8::try_from(actor).unwrap());
                trace.note(&gates.go(actor));
            }
            Move::Kill(actor, wire) => {
                tally.kills += 1;
                trace.note(&format!("{actor} dies, {wire:?}"));
                gates.kill(actor, wire);
                let task = tasks[actor].take().unwrap();
                task.abort();
                assert!(task.await.unwrap_err().is_cancelled());
            }
            Move::Arrive => {
                tally.late += 1;
                trace.note(&gates.arrive().await);
            }
            Move::Day => {
                trace.note("a day passes");
                gates.pass(Duration::from_secs(25 * 60 * 60));
            }
        }
    }
    let store = memory(&inner);
    let mut endings = Vec::new();
    for task in tasks {
        endings.push(match task {
            Some(task) => task.await.unwrap(),
            None => Ending::Died,
        });
    }
    let count = |is: fn(&Ending) -> bool| endings.iter().filter(|end| is(end)).count() as u64;
    tally.written += count(|end| matches!(end, Ending::Written(_)));
    tally.refused += count(|end| matches!(end, Ending::Failed(..)));
    tally.schedules += 1;
    tally.orders.insert(order.clone());
    for ending in &endings {
        trace.note(&format!("{ending:?}"));
    }
    tally.snapshots += scene.check(parts, &endings, &hosts, &store).await as u64;
    if gates.late() > 0 {
        while gates.late() > 0 {
            tally.late += 1;
            trace.note(&gates.arrive().await);
        }
        scene.after(&hosts, &store).await;
    }
    trace.0.clear();
    order
}

fn start(
    scene: &Arc<Scene>,
    part: Part,
    hosts: &Arc<Hosts>,
    gates: &Arc<Gates>,
    actor: Actor,
) -> JoinHandle<Ending> {
    let (scene, hosts, gates) = (Arc::clone(scene), Arc::clone(hosts), Arc::clone(gates));
    tokio::task::spawn_local(async move {
        let ending = scene.play(&part, &hosts, gates.store(actor)).await;
        gates.end(actor);
        ending
    })
}

/// What has happened, printed if the schedule fails.
#[derive(Default)]
struct Trace(String);

impl Trace {
    fn note(&mut self, what: &str) {
        writeln!(self.0, "{what}").expect("text grows");
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the schedule was\n{}", self.0);
        }
    }
}

/// At random, mostly going on with whoever went last.
struct Random {
    numbers: u64,
    last: Actor,
    /// Of a hundred steps, how many are of somebody else.
    restless: u64,
    kills: u64,
    days: u64,
}

impl Random {
    fn new(seed: u64) -> Self {
        let mut new = Self {
            numbers: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            last: 0,
            restless: 0,
            kills: 0,
            days: 0,
        };
        new.restless = [2, 5, 10, 30, 60][new.below(5)];
        new.kills = [0, 0, 1, 2][new.below(4)];
        new.days = [0, 0, 1][new.below(3)];
        new
    }

    fn below(&mut self, end: usize) -> usize {
        self.numbers = self.numbers.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.numbers;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((bits ^ (bits >> 31)) % end as u64).expect("it is below a usize")
    }

    fn happens(&mut self, of_thousand: usize) -> bool {
        self.below(1000) < of_thousand
    }
}

impl Choose for Random {
    fn choose(&mut self, standing: &[Actor], late: usize) -> Move {
        if late > 0 && self.happens(10) {
            return Move::Arrive;
        }
        if self.days > 0 && self.happens(8) {
            self.days -= 1;
            return Move::Day;
        }
        let restless = usize::try_from(self.restless * 10).expect("it is small");
        if !standing.contains(&self.last) || self.happens(restless) {
            self.last = standing[self.below(standing.len())];
        }
        if self.kills > 0 && self.happens(10) {
            self.kills -= 1;
            let wire = [Wire::Cut, Wire::Slow][self.below(2)];
            return Move::Kill(self.last, wire);
        }
        Move::Go(self.last)
    }
}

/// Two actors: the first is interrupted after so many steps, the second after so many of its own,
/// and then the first goes on to its end.
struct Twice {
    first: Actor,
    cuts: (usize, usize),
    done: (usize, usize),
}

impl Choose for Twice {
    fn choose(&mut self, standing: &[Actor], _: usize) -> Move {
        let second = 1 - self.first;
        let (first_stands, second_stands) =
            (standing.contains(&self.first), standing.contains(&second));
        let first_goes = first_stands && (self.done.0 < self.cuts.0 || self.done.1 >= self.cuts.1);
        if first_goes || !second_stands {
            self.done.0 += 1;
            return Move::Go(self.first);
        }
        self.done.1 += 1;
        Move::Go(second)
    }
}

/// Those who work at once.
const CASTS: [&[Part]; 4] = [
    &[Part::Write(0), Part::Forget(&[3]), Part::Prune, Part::Prune],
    &[
        Part::Write(0),
        Part::Write(1),
        Part::Forget(&[1, 3]),
        Part::Prune,
        Part::Restore(3),
    ],
    &[
        Part::Forget(&[2, 3]),
        Part::Hold(3),
        Part::Prune,
        Part::Prune,
        Part::Restore(3),
        Part::Verify,
    ],
    &[
        Part::Write(0),
        Part::Write(1),
        Part::Forget(&[3]),
        Part::Forget(&[1]),
        Part::Prune,
        Part::Prune,
        Part::Restore(1),
        Part::Verify,
    ],
];

/// `BACKUPD_SCHEDULES=2000` plays so many at random, and of two who interrupt each other all there
/// are instead of some.
fn asked() -> Option<u64> {
    let asked = std::env::var("BACKUPD_SCHEDULES").ok()?;
    Some(asked.parse().expect("BACKUPD_SCHEDULES is a number"))
}

async fn at_random() {
    let scenes = [Scene::new(&[]).await, Scene::new(&[2]).await].map(Arc::new);
    let mut tally = Tally::default();
    for seed in 0..asked().unwrap_or(160) {
        let number = usize::try_from(seed).expect("it is small");
        let (scene, parts) = (&scenes[number / 4 % 2], CASTS[number % 4]);
        play(scene, parts, &mut Random::new(seed), &mut tally).await;
    }
    tally.print("at random");
    assert!(tally.kills > 20 && tally.late > 0 && tally.written > 20);
}

/// Every way, or some of all, in which each of two is interrupted once by the other.
async fn interrupted(scene: &Arc<Scene>, pair: &[Part; 2], every: Option<usize>) {
    let mut tally = Tally::default();
    for first in [0, 1] {
        let twice = |cuts| Twice {
            first,
            cuts,
            done: (0, 0),
        };
        let alone = play(scene, pair, &mut twice((usize::MAX, 0)), &mut tally).await;
        let steps = |actor| {
            alone
                .iter()
                .filter(|&&went| usize::from(went) == actor)
                .count()
        };
        let (before, after) = (steps(first), steps(1 - first));
        let ways = before * after;
        // Not a divisor of either, so that all cuts of both are met.
        let every = every.map_or(1, |some| (ways / some).max(1) | 1);
        for way in (first..ways).step_by(every) {
            let cuts = (1 + way / after, 1 + way % after);
            play(scene, pair, &mut twice(cuts), &mut tally).await;
        }
    }
    tally.print(&format!("{pair:?}, each interrupted by the other"));
    assert!(tally.states.len() > 2, "there was little to see");
}

async fn interrupted_by_each_other() {
    let some = if asked().is_some() { None } else { Some(10) };
    // With the newest snapshot forgotten already, and with all.
    let pruned = Arc::new(Scene::new(&[3]).await);
    interrupted(
        &pruned,
        &[Part::Write(0), Part::Prune],
        some.map(|some| 4 * some),
    )
    .await;
    interrupted(&pruned, &[Part::Prune, Part::Prune], some).await;
    interrupted(&pruned, &[Part::Prune, Part::Verify], some).await;
    let whole = Arc::new(Scene::new(&[]).await);
    interrupted(&whole, &[Part::Write(0), Part::Write(1)], some).await;
    interrupted(&whole, &[Part::Write(0), Part::Forget(&[3])], some).await;
    interrupted(&whole, &[Part::Forget(&[3]), Part::Hold(3)], some).await;
    interrupted(&whole, &[Part::Forget(&[3]), Part::Restore(3)], some).await;
}

#[tokio::test]
async fn at_random_nothing_is_lost() {
    LocalSet::new().run_until(at_random()).await;
}

#[tokio::test]
async fn interrupted_by_each_other_nothing_is_lost() {
    LocalSet::new().run_until(interrupted_by_each_other()).await;
}
