//! Schedules: who goes next at every call, chosen at random by a seed, or all there are with few
//! changes from one to another.

#![expect(clippy::print_stdout, reason = "the figures are the point")]

use std::{collections::HashSet, fmt::Write as _, sync::Arc, time::Duration};

use tokio::task::{JoinHandle, LocalSet};

use crate::{
    gates::{Actor, Gates, Wire},
    scene::{Ending, Hosts, Part, Scene},
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

/// Plays one schedule to its end and checks what is there then.
async fn play(scene: &Arc<Scene>, parts: &[Part], choose: &mut impl Choose, tally: &mut Tally) {
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
    tally.orders.insert(order);
    for ending in &endings {
        trace.note(&format!("{ending:?}"));
    }
    tally.snapshots += scene.check(parts, &endings, &hosts, &inner).await as u64;
    while gates.late() > 0 {
        tally.late += 1;
        trace.note(&gates.arrive().await);
    }
    scene.after(&hosts, &inner).await;
    trace.0.clear();
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
            println!("{}", self.0);
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

/// All schedules in which at most so many actors are interrupted by another.
struct Bounded {
    /// What was chosen at each step where there was a choice, and of how many.
    path: Vec<(usize, usize)>,
    at: usize,
    last: Option<Actor>,
    most: usize,
    interrupted: usize,
}

impl Bounded {
    fn new(most: usize) -> Self {
        Self {
            path: Vec::new(),
            at: 0,
            last: None,
            most,
            interrupted: 0,
        }
    }

    /// Goes to the next schedule; false after the last one.
    fn next(&mut self) -> bool {
        (self.at, self.last, self.interrupted) = (0, None, 0);
        while let Some((chosen, of)) = self.path.pop() {
            if chosen + 1 < of {
                self.path.push((chosen + 1, of));
                return true;
            }
        }
        false
    }
}

impl Choose for Bounded {
    fn choose(&mut self, standing: &[Actor], _: usize) -> Move {
        let going = self.last.filter(|last| standing.contains(last));
        let others = standing.iter().copied().filter(|&actor| Some(actor) != going);
        let choices: Vec<Actor> = match going {
            Some(going) if self.interrupted == self.most => vec![going],
            Some(going) => [going].into_iter().chain(others).collect(),
            None => others.collect(),
        };
        let mut chosen = 0;
        if choices.len() > 1 {
            if self.at == self.path.len() {
                self.path.push((0, choices.len()));
            }
            // The same choices give the same schedule; a thread that is late once is no harm.
            chosen = self.path[self.at].0.min(choices.len() - 1);
            self.at += 1;
        }
        if going.is_some() && chosen > 0 {
            self.interrupted += 1;
        }
        self.last = Some(choices[chosen]);
        Move::Go(choices[chosen])
    }
}

#[tokio::test]
async fn at_random_nothing_is_lost() {
    LocalSet::new().run_until(at_random()).await;
}

async fn at_random() {
    let scene = Arc::new(Scene::new().await);
    let casts: [&[Part]; 4] = [
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
    let mut tally = Tally::default();
    for seed in 0..100 {
        let parts = casts[usize::try_from(seed % 4).unwrap()];
        println!("seed {seed}");
        play(&scene, parts, &mut Random::new(seed), &mut tally).await;
    }
    tally.print("at random");
}

#[tokio::test]
async fn interrupted_once_nothing_is_lost() {
    LocalSet::new().run_until(interrupted_once()).await;
}

async fn interrupted_once() {
    let scene = Arc::new(Scene::new().await);
    let mut tally = Tally::default();
    let parts = [Part::Write(0), Part::Forget(&[3]), Part::Prune];
    let mut bounded = Bounded::new(1);
    loop {
        play(&scene, &parts, &mut bounded, &mut tally).await;
        if !bounded.next() {
            break;
        }
    }
    tally.print("interrupted once");
}
