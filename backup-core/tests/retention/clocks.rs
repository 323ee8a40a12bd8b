//! Clocks that are wrong: nothing that is needed goes because of one.

use std::collections::BTreeSet;

use backup_core::retention::{Record, plan};
use backup_model::{RetentionNote, RetentionPolicy};
use jiff::{SignedDuration, Timestamp};

use super::{
    history::{DAY, Random, Shape, history, random_policy},
    support::{complete, going, planned, policy, told},
};

const YEAR: SignedDuration = SignedDuration::from_secs(366 * DAY);

fn kept(policy: &RetentionPolicy, records: &[Record], now: Timestamp) -> BTreeSet<u64> {
    let plan = plan(policy, records, now).unwrap();
    let going: BTreeSet<u64> = going(&plan).into_iter().collect();
    let all = records.iter().map(|record| record.name.seq.0);
    all.filter(|seq| !going.contains(seq)).collect()
}

fn right(random: &mut Random) -> (Vec<Record>, Timestamp) {
    let shape = Shape {
        runs: 700,
        wrong_clocks: false,
        failures: false,
    };
    history(shape, random)
}

#[test]
fn what_is_dated_in_the_future_neither_counts_nor_goes() {
    let mut policy = policy("UTC");
    policy.keep_last = 1;
    let records = [
        complete(1, "2026-11-20T01:00:00Z"),
        complete(2, "2026-11-20T02:00:00Z"),
        complete(3, "2027-11-20T03:00:00Z"),
        complete(4, "2026-11-20T12:10:01Z"),
    ];
    let plan = planned(&policy, &records, "2026-11-20T12:00:00Z");
    assert_eq!(told(&plan)[&2], ["keep_last", "min_keep"]);
    assert_eq!(told(&plan)[&3], ["future"]);
    assert_eq!(told(&plan)[&4], ["future"]);
    assert_eq!(going(&plan), [1]);
    assert_eq!(plan.notes, [RetentionNote::Future { runs: 2 }]);
    let plan = planned(&policy, &records, "2026-11-20T12:00:01Z");
    assert_eq!(going(&plan), [1, 2], "ten minutes are no future");
}

#[test]
fn of_two_that_contradict_each_other_neither_is_believed() {
    let mut policy = policy("UTC");
    policy.keep_monthly = 1;
    policy.keep_within = Some(SignedDuration::from_hours(1));
    let mut records = vec![
        complete(1, "2026-11-20T01:00:00Z"),
        complete(2, "2025-11-21T01:00:00Z"),
    ];
    let plan = planned(&policy, &records, "2026-11-25T00:00:00Z");
    let both = "out of order";
    assert_eq!(
        told(&plan)[&1],
        ["keep_monthly 2026-11", "keep_within", both]
    );
    assert_eq!(
        told(&plan)[&2],
        ["keep_monthly 2025-11", "keep_within", "min_keep", both]
    );
    assert_eq!(plan.notes, [RetentionNote::OutOfOrder { snapshots: 2 }]);

    // One more that was made before them decides it.
    records.insert(0, complete(0, "2026-11-19T01:00:00Z"));
    let told = told(&planned(&policy, &records, "2026-11-25T00:00:00Z"));
    assert_eq!(told[&0], ["go: no rule"]);
    assert_eq!(told[&1], ["keep_monthly 2026-11", "keep_within"]);
    assert_eq!(
        told[&2],
        ["keep_monthly 2025-11", "keep_within", "min_keep", both]
    );
}

#[test]
fn what_is_out_of_order_goes_when_the_believed_ones_are_past_it() {
    let mut policy = policy("UTC");
    policy.keep_daily = 3;
    let mut records = vec![
        complete(1, "2026-11-01T01:00:00Z"),
        complete(2, "2026-11-02T01:00:00Z"),
        complete(3, "2025-11-03T01:00:00Z"),
    ];
    let mut seen = Vec::new();
    for day in 4..8 {
        records.push(complete(day, &format!("2026-11-0{day}T01:00:00Z")));
        seen.push(going(&planned(&policy, &records, "2026-11-25T00:00:00Z")));
    }
    assert_eq!(seen, [vec![], vec![1], vec![1, 2], vec![1, 2, 3, 4]]);
}

/// Of each: the right history, and the same one with some dates a year off. Whatever stays of
/// the first stays of the second, but for those whose own date is wrong.
#[test]
fn writers_a_year_off_cost_nothing_that_is_needed() {
    let mut random = Random(7);
    let (mut checked, mut disordered) = (0, 0);
    for n in 0..200 {
        let (records, end) = right(&mut random);
        let policy = random_policy("Europe/Berlin", &mut random);
        let wrong_runs = 1 + random.below(12);
        let first = random.below(i64::try_from(records.len()).unwrap() - wrong_runs);
        let wrong: BTreeSet<u64> = (first + 1..=first + wrong_runs)
            .map(|seq| u64::try_from(seq).unwrap())
            .collect();
        // Enough of the others must have been made before, or since, to speak against them.
        let late = usize::try_from(first).unwrap() > records.len() - 60;
        let early = first < 60;
        let ahead = random.one_in(2) && !late;
        let mut off = records.clone();
        for record in &mut off {
            if wrong.contains(&record.name.seq.0) {
                record.created = if ahead || early {
                    record.created + YEAR
                } else {
                    record.created - YEAR
                };
            }
        }
        let needed = kept(&policy, &records, end);
        let kept = kept(&policy, &off, end);
        let lost: Vec<_> = needed
            .difference(&kept)
            .filter(|it| !wrong.contains(it))
            .collect();
        assert_eq!(
            lost, [&0; 0],
            "history {n}, wrong {wrong:?}, ahead {ahead}, {policy:?}"
        );
        checked += needed.len();
        let plan = plan(&policy, &off, end).unwrap();
        disordered += plan.verdicts.iter().filter(|it| it.out_of_order).count();
    }
    println!("200 histories, {checked} needed snapshots, {disordered} out of order: none lost");
    assert!(disordered > 300);
}

/// The newest runs are a year back, or a year ahead: they stay, and so does what they would
/// otherwise have pushed out.
#[test]
fn a_clock_that_has_just_gone_wrong_costs_nothing() {
    let mut random = Random(8);
    for n in 0..100 {
        let (records, end) = right(&mut random);
        let policy = random_policy("America/St_Johns", &mut random);
        let needed = kept(&policy, &records, end);
        for ahead in [true, false] {
            let mut off = records.clone();
            let newest = usize::try_from(1 + random.below(20)).unwrap();
            for record in off.iter_mut().rev().take(newest) {
                record.created = if ahead {
                    record.created + YEAR
                } else {
                    record.created - YEAR
                };
            }
            let kept = kept(&policy, &off, end);
            let first_wrong = u64::try_from(records.len() - newest).unwrap() + 1;
            let old_lost = needed.difference(&kept).filter(|it| **it < first_wrong);
            assert_eq!(old_lost.count(), 0, "history {n}, ahead {ahead}");
            if ahead {
                assert!(
                    (first_wrong..)
                        .zip(&off[off.len() - newest..])
                        .all(|(n, _)| kept.contains(&n))
                );
            }
        }
    }
}

/// The clock of whoever plans is a year off.
#[test]
fn a_planner_a_year_off_lets_nothing_go_that_stays() {
    let mut random = Random(9);
    for n in 0..100 {
        let (records, end) = right(&mut random);
        let policy = random_policy("Asia/Kathmandu", &mut random);
        let needed = kept(&policy, &records, end);
        assert_eq!(kept(&policy, &records, end + YEAR), needed, "history {n}");
        let behind = kept(&policy, &records, end - YEAR);
        assert!(needed.is_subset(&behind), "history {n}, {policy:?}");
    }
}

/// A job that runs once a day, and a plan that is applied each day, for three years. For some
/// time the writer's clock is a year off. Each day everything is there that would be there if it
/// had been right, but for what was made in that time.
#[test]
fn plans_applied_each_day_lose_nothing_to_a_clock_that_is_a_year_off_for_weeks() {
    let mut random = Random(10);
    let mut days = 0;
    for n in 0..40 {
        let policy = random_policy("Europe/Berlin", &mut random);
        let ahead = random.one_in(2);
        let first = u64::try_from(30 + random.below(600)).unwrap();
        let wrong = first..first + u64::try_from(1 + random.below(45)).unwrap();
        let (mut right, mut off) = (Vec::new(), Vec::new());
        let mut now: Timestamp = "2023-11-01T02:00:00Z".parse().unwrap();
        for seq in 1..1_095 {
            now += SignedDuration::from_secs(DAY - 600 + random.below(1_200));
            let mut record = complete(seq, "2023-11-01T02:00:00Z");
            record.created = now;
            right.push(record.clone());
            if wrong.contains(&seq) {
                record.created = if ahead { now + YEAR } else { now - YEAR };
            }
            off.push(record);
            for records in [&mut right, &mut off] {
                let kept = kept(&policy, records, now);
                records.retain(|record| kept.contains(&record.name.seq.0));
            }
            let there: BTreeSet<u64> = off.iter().map(|it| it.name.seq.0).collect();
            let needed = right.iter().map(|it| it.name.seq.0);
            let lost: Vec<u64> = needed
                .filter(|seq| !there.contains(seq) && !wrong.contains(seq))
                .collect();
            assert_eq!(
                lost, [0; 0],
                "history {n}, day {seq}, wrong {wrong:?}, ahead {ahead}, {policy:?}"
            );
            days += 1;
        }
        assert!(
            off.len() < 2 * right.len() + 50,
            "{} for {}",
            off.len(),
            right.len()
        );
    }
    println!("{days} days, nothing lost");
}
