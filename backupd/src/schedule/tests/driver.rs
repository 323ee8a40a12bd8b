//! The driver on a virtual clock and a bell rung by hand, and once with the real scheduler.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::{Timestamp, ToSpan as _};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use super::world::{at, due, skipped, task, timed};
use crate::{
    clock,
    schedule::{Alarms, Control, Driver, Ended, Event, Gone, Paused, Reason, Skip},
};

struct Live {
    now: Arc<Mutex<Timestamp>>,
    bell: mpsc::Sender<()>,
    control: Control,
    events: mpsc::Receiver<Event>,
    stop: CancellationToken,
    driver: JoinHandle<()>,
}

impl Live {
    async fn new(schedule: &str, now: &str) -> Self {
        let (bell, bells) = mpsc::channel(1);
        let now = Arc::new(Mutex::new(at(now)));
        let clock = Arc::clone(&now);
        let (driver, control, events) = Driver::new(move || *clock.lock().unwrap(), bells);
        let stop = CancellationToken::new();
        let driver = tokio::spawn(driver.run(stop.clone()));
        control.replace(vec![timed(schedule)]).await.unwrap();
        Self {
            now,
            bell,
            control,
            events,
            stop,
            driver,
        }
    }

    async fn ring(&self, now: &str) {
        *self.now.lock().unwrap() = at(now);
        self.bell.send(()).await.unwrap();
    }
}

#[tokio::test]
async fn a_driver_says_what_is_due_and_hears_how_it_went() {
    let mut live = Live::new("0 * * * *", "2026-06-01T00:30:00Z").await;
    let mut agenda = live.control.agenda();
    assert_eq!(
        agenda.borrow_and_update().tasks[&task()].next,
        Some(at("2026-06-01T01:00:00Z"))
    );
    live.ring("2026-06-01T01:00:00Z").await;
    let first = live.events.recv().await.unwrap();
    assert_eq!(first, due("2026-06-01T01:00:00Z", Reason::Scheduled, 1));
    assert!(!live.control.begin(task()).await.unwrap());
    live.control.ended(task(), Ended::Failed).await.unwrap();
    live.ring("2026-06-01T01:05:00Z").await;
    let second = live.events.recv().await.unwrap();
    assert_eq!(second, due("2026-06-01T01:00:00Z", Reason::Retry, 2));
    live.ring("2026-06-01T02:00:00Z").await;
    let third = live.events.recv().await.unwrap();
    assert_eq!(third, skipped("2026-06-01T02:00:00Z", Skip::Running));
    live.control.ended(task(), Ended::Succeeded).await.unwrap();

    assert!(
        live.control
            .pause(task(), Paused::Indefinitely)
            .await
            .unwrap()
    );
    assert_eq!(agenda.borrow_and_update().tasks[&task()].next, None);
    live.ring("2026-06-01T09:10:00Z").await;
    assert!(live.control.resume(task()).await.unwrap());
    let fourth = live.events.recv().await.unwrap();
    assert_eq!(fourth, due("2026-06-01T09:00:00Z", Reason::CatchUp, 1));
    let at = agenda.borrow_and_update().at;
    assert_eq!(at, *live.now.lock().unwrap());
}

#[tokio::test]
async fn a_runner_that_does_not_listen_can_still_speak() {
    let mut live = Live::new("0 * * * *", "2026-06-01T00:30:00Z").await;
    // More skipped due times than the channel holds, each told by a command, for bells wait.
    live.ring("2026-06-01T01:00:00Z").await;
    let mut agenda = live.control.agenda();
    let begun = agenda.wait_for(|it| it.tasks.get(&task()).is_some_and(|it| it.running));
    begun.await.unwrap();
    for hour in 2..=23 {
        *live.now.lock().unwrap() = at(&format!("2026-06-01T{hour:02}:00:00Z"));
        assert!(!live.control.begin(task()).await.unwrap());
    }
    let mut events = Vec::new();
    live.events.recv_many(&mut events, 16).await;
    while events.len() < 23 {
        events.push(live.events.recv().await.unwrap());
    }
    assert_eq!(events[0], due("2026-06-01T01:00:00Z", Reason::Scheduled, 1));
    assert_eq!(events[22], skipped("2026-06-01T23:00:00Z", Skip::Running));
}

#[tokio::test]
async fn a_driver_ends_when_told_or_when_it_is_alone() {
    let live = Live::new("0 * * * *", "2026-06-01T00:30:00Z").await;
    live.stop.cancel();
    live.driver.await.unwrap();
    assert_eq!(live.control.begin(task()).await, Err(Gone));
    assert_eq!(
        live.control.ended(task(), Ended::Succeeded).await,
        Err(Gone)
    );

    let live = Live::new("0 * * * *", "2026-06-01T00:30:00Z").await;
    drop(live.control);
    live.driver.await.unwrap();

    let live = Live::new("0 * * * *", "2026-06-01T00:30:00Z").await;
    drop(live.events);
    *live.now.lock().unwrap() = at("2026-06-01T01:00:00Z");
    live.bell.send(()).await.unwrap();
    live.driver.await.unwrap();
}

/// The one test in which time is real: some three seconds.
#[tokio::test]
async fn tokio_cron_scheduler_rings_in_time() {
    let (alarms, bells) = Alarms::start().await.unwrap();
    let (driver, control, mut events) = Driver::new(clock::now, bells);
    let stop = CancellationToken::new();
    let driver = tokio::spawn(driver.run(stop.clone()));
    let alarms = tokio::spawn(alarms.follow(control.agenda()));
    let begin = clock::now();
    control.replace(vec![timed("* * * * * *")]).await.unwrap();
    for _ in 0..2 {
        let event = timeout(Duration::from_secs(30), events.recv())
            .await
            .unwrap();
        let Some(Event::Due(run)) = event else {
            panic!("{event:?}")
        };
        // By the bell for this task: the regular one alone would be up to ten seconds late.
        assert!(
            run.time > begin && run.time <= begin + 8.seconds(),
            "{run:?}"
        );
        control.ended(run.task, Ended::Succeeded).await.unwrap();
    }
    stop.cancel();
    driver.await.unwrap();
    timeout(Duration::from_secs(30), alarms)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}
