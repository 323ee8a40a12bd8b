//! What holds of every plan, whatever the history.

use std::collections::BTreeSet;

use backup_core::retention::{Record, plan};
use backup_model::{End, RetentionPlan, Seq};
use jiff::{SignedDuration, Timestamp};

use super::{
    history::{DAY, Random, Shape, history, random_policy},
    support::{going, told},
};

const HISTORIES: usize = 300;

fn shape(n: usize) -> Shape {
    Shape {
        runs: [3, 40, 300][n % 3],
        wrong_clocks: n.is_multiple_of(2),
        failures: n % 5 != 4,
    }
}

/// What must never go, by the records alone.
fn precious(records: &[Record], now: Timestamp, min_keep: usize) -> BTreeSet<u64> {
    let seq = |record: &Record| record.name.seq.0;
    let future = |record: &&Record| record.created > now + SignedDuration::from_mins(10);
    let counted: Vec<&Record> = records.iter().filter(|it| !future(it)).collect();
    let complete = || counted.iter().filter(|it| it.end == End::Complete);
    let mut precious: BTreeSet<u64> = records.iter().filter(future).map(seq).collect();
    precious.extend(
        records
            .iter()
            .filter(|it| it.held || it.end == End::Open)
            .map(seq),
    );
    precious.extend(complete().rev().take(min_keep).map(|it| seq(it)));
    precious.extend(complete().rev().find(|it| it.proven).map(|it| seq(it)));
    precious.extend(records.last().map(seq));
    precious
}

fn applied(records: &[Record], plan: &RetentionPlan) -> Vec<Record> {
    let gone: BTreeSet<Seq> = plan.gone().map(|verdict| verdict.snapshot.seq).collect();
    let stays = |record: &&Record| !gone.contains(&record.name.seq);
    records.iter().filter(stays).cloned().collect()
}

#[test]
fn nothing_precious_goes_however_often_it_is_applied_and_it_comes_to_an_end() {
    let mut random = Random(11);
    let (mut gone, mut again) = (0, 0);
    for n in 0..HISTORIES {
        let (mut records, now) = history(shape(n), &mut random);
        let policy = random_policy("Australia/Lord_Howe", &mut random);
        let min_keep = usize::try_from(policy.min_keep).unwrap();
        let precious = precious(&records, now, min_keep);
        let mut in_order = true;
        for round in 0.. {
            let plan = plan(&policy, &records, now).unwrap();
            let going: BTreeSet<u64> = plan.gone().map(|it| it.snapshot.seq.0).collect();
            assert!(going.is_disjoint(&precious), "history {n}, round {round}");
            if going.is_empty() {
                break;
            }
            // Only where dates contradict each other does what is left tell another story.
            in_order &= plan.verdicts.iter().all(|it| !it.out_of_order);
            assert!(
                round == 0 || !in_order,
                "history {n}, round {round}, {policy:?}"
            );
            assert!(round < 4, "history {n}");
            gone += going.len();
            again += usize::from(round > 0);
            records = applied(&records, &plan);
        }
    }
    println!("{HISTORIES} histories, {gone} gone; {again} plans found more at a second look");
    assert!(gone > 1_000);
}

#[test]
fn records_come_in_any_order_and_are_told_newest_first() {
    let mut random = Random(12);
    let (mut records, now) = history(shape(2), &mut random);
    let policy = random_policy("Africa/Cairo", &mut random);
    let first = plan(&policy, &records, now).unwrap();
    let order: Vec<Seq> = first.verdicts.iter().map(|it| it.snapshot.seq).collect();
    assert!(order.is_sorted_by(|newer, older| newer > older));
    for _ in 0..20 {
        records.sort_by_cached_key(|_| random.next());
        assert_eq!(plan(&policy, &records, now).unwrap(), first);
    }
}

#[test]
fn a_newer_snapshot_makes_nothing_go_that_is_still_within_reach_of_it() {
    let mut random = Random(13);
    let mut seen = 0;
    for n in 0..HISTORIES {
        let shape = Shape {
            wrong_clocks: false,
            ..shape(n)
        };
        let (mut records, now) = history(shape, &mut random);
        let mut policy = random_policy("Pacific/Apia", &mut random);
        let time = SignedDuration::from_secs(1 + random.below(400 * DAY));
        policy.keep_within = Some(time);
        let before = told(&plan(&policy, &records, now).unwrap());
        let mut newer = records.last().unwrap().clone();
        newer.name.seq = newer.name.seq.next();
        (newer.created, newer.end) = (now, End::Complete);
        records.push(newer);
        let after = plan(&policy, &records, now).unwrap();
        let going = going(&after);
        for record in &records {
            let seq = record.name.seq.0;
            let within = before
                .get(&seq)
                .is_some_and(|why| why.contains(&"keep_within".to_owned()));
            if within && record.created >= now - time {
                assert!(!going.contains(&seq), "history {n}, {seq}");
                seen += 1;
            }
        }
    }
    assert!(seen > 1_000, "{seen}");
}

#[test]
fn a_wider_policy_keeps_all_that_a_narrower_one_does() {
    let mut random = Random(14);
    for n in 0..HISTORIES {
        let (records, now) = history(shape(n), &mut random);
        let policy = random_policy("Antarctica/Troll", &mut random);
        let mut wider = policy.clone();
        for count in [
            &mut wider.keep_last,
            &mut wider.keep_hourly,
            &mut wider.keep_daily,
            &mut wider.keep_weekly,
            &mut wider.keep_monthly,
            &mut wider.keep_yearly,
            &mut wider.min_keep,
        ] {
            *count += u32::try_from(random.below(3)).unwrap();
        }
        let narrow: BTreeSet<_> = going(&plan(&policy, &records, now).unwrap())
            .into_iter()
            .collect();
        let wide: BTreeSet<_> = going(&plan(&wider, &records, now).unwrap())
            .into_iter()
            .collect();
        assert!(wide.is_subset(&narrow), "history {n}, {policy:?}");
    }
}

#[test]
fn a_plan_comes_back_from_json_as_it_was() {
    let mut random = Random(15);
    for n in 0..12 {
        let (records, now) = history(shape(n), &mut random);
        let policy = random_policy("UTC", &mut random);
        let made = plan(&policy, &records, now).unwrap();
        let json = serde_json::to_string(&made).unwrap();
        assert_eq!(serde_json::from_str::<RetentionPlan>(&json).unwrap(), made);
    }
}
