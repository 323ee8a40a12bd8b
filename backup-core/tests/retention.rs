//! Retention against a naive oracle: ten years of random histories in twenty time zones. The oracle
//! knows calendars by counting days, and asks for each snapshot whether anything better stands in
//! its place; the engine goes through them once.

#[cfg(test)]
#[expect(clippy::print_stdout, reason = "the figures are the point")]
mod tests {
    use std::collections::BTreeSet;

    use backup_core::retention::{Record, plan};
    use backup_model::{
        End, GoReason, KeepReason, PauseReason, RetentionDecision, RetentionNote, RetentionPlan,
        RetentionPolicy, Seq, SnapshotName,
    };
    use jiff::{SignedDuration, Timestamp, tz::TimeZone};

    const ZONES: [&str; 20] = [
        "UTC",
        "Europe/Berlin",
        "Europe/London",
        "Europe/Dublin",
        "America/New_York",
        "America/St_Johns",
        "America/Los_Angeles",
        "America/Sao_Paulo",
        "America/Caracas",
        "Africa/Casablanca",
        "Africa/Cairo",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Asia/Tehran",
        "Asia/Pyongyang",
        "Australia/Lord_Howe",
        "Australia/Adelaide",
        "Pacific/Apia",
        "Pacific/Chatham",
        "Antarctica/Troll",
    ];
    const HISTORIES: u64 = 10;
    const HOUR: i64 = 3_600;
    const DAY: i64 = 24 * HOUR;
    const YEAR: i64 = 365 * DAY;
    /// 2009-01-01: the ten years take Apia across the date line.
    const BEGIN: i64 = 1_230_768_000;

    /// Numbers without pattern, the same in each run (`SplitMix64`).
    struct Numbers(u64);

    impl Numbers {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        }

        fn below(&mut self, end: u64) -> i64 {
            i64::try_from(self.next() % end).unwrap()
        }

        fn one_in(&mut self, n: u64) -> bool {
            self.next().is_multiple_of(n)
        }
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(secs).unwrap()
    }

    fn name(seq: u64) -> SnapshotName {
        SnapshotName {
            job: "webui".parse().unwrap(),
            seq: Seq(seq),
        }
    }

    fn record(seq: u64, created: i64, end: End) -> Record {
        Record {
            name: name(seq),
            created: at(created),
            end,
            stored_bytes: 1_000,
            held: false,
            proven: false,
        }
    }

    /// A policy of which each rule is there or not.
    fn random_policy(numbers: &mut Numbers, zone: &str) -> RetentionPolicy {
        let mut count = |most: u64| {
            let there = !numbers.one_in(2);
            u32::try_from(numbers.below(most)).unwrap() * u32::from(there)
        };
        let mut policy = RetentionPolicy {
            keep_last: 1 + count(10),
            keep_hourly: count(50),
            keep_daily: count(30),
            keep_weekly: count(20),
            keep_monthly: count(24),
            keep_yearly: count(5),
            min_keep: 1 + count(4),
            ..RetentionPolicy::new(zone.to_owned())
        };
        for time in [
            &mut policy.keep_within,
            &mut policy.keep_within_hourly,
            &mut policy.keep_within_daily,
            &mut policy.keep_within_weekly,
            &mut policy.keep_within_monthly,
            &mut policy.keep_within_yearly,
        ] {
            if numbers.one_in(3) {
                *time = Some(SignedDuration::from_secs(1 + numbers.below(400) * DAY));
            }
        }
        policy
    }

    /// Ten years of some job: gaps and bursts, failures, partial snapshots, holds, and clocks that
    /// are wrong now and then.
    fn random_history(numbers: &mut Numbers) -> Vec<Record> {
        let mut records = Vec::new();
        let mut time = BEGIN;
        while time < BEGIN + 10 * YEAR {
            time += match numbers.below(40) {
                0 => numbers.below(60) * DAY,
                1..=6 => numbers.below(3_600),
                7..=12 => numbers.below(6) * HOUR,
                _ => DAY * 3 + numbers.below(7_200) - 3_600,
            };
            let wrong = match numbers.below(60) {
                0 => -YEAR,
                1 => YEAR,
                2 => -numbers.below(40) * DAY,
                _ => 0,
            };
            let end = match numbers.below(12) {
                0 => End::Aborted,
                1 => End::Partial,
                2 => End::Fenced,
                _ => End::Complete,
            };
            let seq = records.len() as u64 + 1;
            records.push(Record {
                held: numbers.one_in(60),
                proven: numbers.one_in(40),
                ..record(seq, time + wrong, end)
            });
        }
        records
    }

    /// Days since 1970 as year, month, day: Howard Hinnant's civil-from-days, which shares nothing
    /// with the library that the engine asks.
    fn civil(days: i64) -> (i64, i64, i64) {
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe + era * 400 + i64::from(month <= 2);
        (year, month, doy - (153 * mp + 2) / 5 + 1)
    }

    /// A period as numbers: of what kind, and which one.
    fn period(kind: usize, time: Timestamp, zone: &TimeZone) -> (i64, i64) {
        let offset = i64::from(zone.to_offset(time).seconds());
        let local = time.as_second() + offset;
        let day = local.div_euclid(DAY);
        match kind {
            0 => (local.div_euclid(HOUR), offset),
            1 => (day, 0),
            // Weeks from Monday: the first day of 1970 was a Thursday.
            2 => ((day + 3).div_euclid(7), 0),
            3 => (civil(day).0, civil(day).1),
            _ => (civil(day).0, 0),
        }
    }

    /// The longest subsequence that never goes back, by the textbook's quadratic way; of those of
    /// equal length any will do, so only its length is compared.
    fn longest_in_order(dates: &[i64]) -> usize {
        let mut best = vec![1; dates.len()];
        for at in 0..dates.len() {
            for before in 0..at {
                if dates[before] <= dates[at] {
                    best[at] = best[at].max(best[before] + 1);
                }
            }
        }
        best.into_iter().max().unwrap_or(0)
    }

    /// Which complete snapshots a policy keeps, by asking for each.
    fn kept_by_rules(policy: &RetentionPolicy, group: &[&Record]) -> BTreeSet<Seq> {
        let zone = TimeZone::get(&policy.time_zone).unwrap();
        let counts = [
            policy.keep_hourly,
            policy.keep_daily,
            policy.keep_weekly,
            policy.keep_monthly,
            policy.keep_yearly,
        ];
        let times = [
            policy.keep_within_hourly,
            policy.keep_within_daily,
            policy.keep_within_weekly,
            policy.keep_within_monthly,
            policy.keep_within_yearly,
        ];
        let newest = group.iter().map(|run| run.created).max();
        let mut kept = BTreeSet::new();
        for run in group {
            let newer = |other: &&&Record| other.name.seq > run.name.seq;
            let mut keep = group.iter().filter(newer).count() < policy.keep_last as usize;
            let age = newest.unwrap().duration_since(run.created);
            keep |= policy.keep_within.is_some_and(|time| age <= time);
            for kind in 0..5 {
                let of = |run: &Record| period(kind, run.created, &zone);
                let newer_ones: Vec<_> = group.iter().filter(newer).map(|run| of(run)).collect();
                let first = !newer_ones.contains(&of(run));
                let periods: BTreeSet<_> = newer_ones.into_iter().collect();
                keep |= first && periods.len() < counts[kind] as usize;
                keep |= first && times[kind].is_some_and(|time| age <= time);
            }
            if keep {
                kept.insert(run.name.seq);
            }
        }
        kept
    }

    /// What the oracle keeps, given which dates are odd.
    fn oracle(policy: &RetentionPolicy, records: &[Record], odd: &BTreeSet<Seq>) -> BTreeSet<Seq> {
        let complete: Vec<&Record> = records.iter().filter(|r| r.end == End::Complete).collect();
        let mut kept = BTreeSet::new();
        for apart in [false, true] {
            let group = complete.iter().copied();
            let group: Vec<_> = group
                .filter(|run| odd.contains(&run.name.seq) == apart)
                .collect();
            kept.extend(kept_by_rules(policy, &group));
        }
        let newest = complete.iter().rev().take(policy.min_keep as usize);
        kept.extend(newest.map(|run| run.name.seq));
        let latest = complete.last().map(|run| run.name.seq);
        let partial = records.iter().filter(|run| run.end == End::Partial).rev();
        let partial = partial.filter(|run| Some(run.name.seq) > latest);
        let partial = partial.take(policy.min_keep as usize);
        kept.extend(partial.map(|run| run.name.seq));
        let snapshot = |run: &&Record| matches!(run.end, End::Complete | End::Partial);
        let held = records.iter().filter(snapshot).filter(|run| run.held);
        kept.extend(held.map(|run| run.name.seq));
        let proven = records.iter().filter(snapshot).rfind(|run| run.proven);
        kept.extend(proven.map(|run| run.name.seq));
        let oldest = kept.first().copied();
        let failed = records.iter().filter(|run| !snapshot(run));
        let failed = failed.filter(|run| oldest.is_none_or(|oldest| run.name.seq > oldest));
        kept.extend(failed.map(|run| run.name.seq).collect::<Vec<_>>());
        kept
    }

    fn kept(plan: &RetentionPlan) -> BTreeSet<Seq> {
        let kept = plan.verdicts.iter().filter(|verdict| !verdict.goes());
        kept.map(|verdict| verdict.snapshot.seq).collect()
    }

    /// Records where the proven one is a snapshot: only of such is there a proof.
    fn only_snapshots_are_proven(records: &mut [Record]) {
        for run in records {
            let snapshot = matches!(run.end, End::Complete | End::Partial);
            run.proven &= snapshot;
            run.held &= snapshot;
        }
    }

    #[test]
    fn ten_years_in_twenty_zones_are_kept_as_the_oracle_keeps_them() {
        let (mut runs, mut stay, mut paused, mut histories) = (0, 0, 0, 0);
        for (number, zone) in (0..).zip(ZONES) {
            for seed in 0..HISTORIES {
                let mut numbers = Numbers(1_000 * number + seed);
                let policy = random_policy(&mut numbers, zone);
                let mut records = random_history(&mut numbers);
                only_snapshots_are_proven(&mut records);
                // A year after the last: nothing is in the future.
                let now = at(BEGIN + 13 * YEAR);
                let made = plan(&policy, &records, now).unwrap();
                if made.paused.is_some() {
                    assert_eq!(kept(&made).len(), records.len());
                    paused += 1;
                    continue;
                }
                let odd = made.verdicts.iter().filter(|verdict| verdict.out_of_order);
                let odd: BTreeSet<Seq> = odd.map(|verdict| verdict.snapshot.seq).collect();
                let dates = records.iter().filter(|run| run.end == End::Complete);
                let dates: Vec<i64> = dates
                    .map(|run| run.created.as_second().div_euclid(600))
                    .collect();
                assert_eq!(dates.len() - odd.len(), longest_in_order(&dates));
                let expected = oracle(&policy, &records, &odd);
                assert_eq!(kept(&made), expected, "{zone}, {seed}: {policy:?}");
                // What is left by it, it leaves as it is.
                let left: Vec<Record> = records
                    .iter()
                    .filter(|run| expected.contains(&run.name.seq))
                    .cloned()
                    .collect();
                let again = plan(&policy, &left, now).unwrap();
                assert!(
                    again.paused.is_some() || kept(&again) == expected || !odd.is_empty(),
                    "{zone}, {seed}"
                );
                runs += records.len();
                stay += expected.len();
                histories += 1;
            }
        }
        println!(
            "retention: {histories} histories of ten years in {} zones, {runs} runs, {stay} stay; \
             {paused} more pause",
            ZONES.len()
        );
        assert!(histories > 100 && paused > 0);
    }

    fn daily(count: u64) -> Vec<Record> {
        (1..=count)
            .map(|seq| {
                record(
                    seq,
                    BEGIN + i64::try_from(seq).unwrap() * DAY,
                    End::Complete,
                )
            })
            .collect()
    }

    fn policy() -> RetentionPolicy {
        RetentionPolicy {
            keep_daily: 7,
            ..RetentionPolicy::new("UTC".to_owned())
        }
    }

    fn seqs(plan: &RetentionPlan) -> Vec<u64> {
        kept(plan).into_iter().map(|seq| seq.0).collect()
    }

    fn decision(plan: &RetentionPlan, seq: u64) -> &RetentionDecision {
        let mut verdicts = plan.verdicts.iter();
        let verdict = verdicts.find(|verdict| verdict.snapshot.seq.0 == seq);
        &verdict.unwrap().decision
    }

    #[test]
    fn a_wrong_clock_loses_nothing_that_a_right_one_keeps() {
        let now = at(BEGIN + 40 * DAY);
        let right = seqs(&plan(&policy(), &daily(30), now).unwrap());
        assert_eq!(right, (24..=30).collect::<Vec<_>>());
        for wrong in [-YEAR, -20 * DAY, YEAR, 3 * DAY] {
            for which in [10, 26, 30] {
                let mut records = daily(30);
                let created = records[which - 1].created.as_second() + wrong;
                records[which - 1].created = at(created);
                let made = plan(&policy(), &records, now).unwrap();
                let kept = seqs(&made);
                let lost: Vec<_> = right.iter().filter(|seq| !kept.contains(seq)).collect();
                assert!(
                    lost.is_empty(),
                    "{which} dated {wrong} s off: lost {lost:?}"
                );
            }
        }
        // The clock of whoever asks is a year ahead: nothing more goes. A year back: nothing does.
        let ahead = plan(&policy(), &daily(30), at(BEGIN + YEAR)).unwrap();
        assert_eq!(seqs(&ahead), right);
        let back = plan(&policy(), &daily(30), at(BEGIN - YEAR)).unwrap();
        assert_eq!(seqs(&back).len(), 30);
        assert!(back.notes.contains(&RetentionNote::Future { runs: 30 }));
    }

    #[test]
    fn partial_snapshots_go_for_complete_ones_only() {
        let now = at(BEGIN + 100 * DAY);
        let mut records = daily(10);
        records[3].end = End::Partial;
        let made = plan(&policy(), &records, now).unwrap();
        let RetentionDecision::Go {
            reason: GoReason::Completed { by },
        } = decision(&made, 4)
        else {
            panic!("{made:?}");
        };
        assert_eq!(by.seq.0, 10);
        for run in &mut records[7..] {
            run.end = End::Partial;
        }
        let made = plan(&policy(), &records, now).unwrap();
        assert_eq!(seqs(&made), [1, 2, 3, 5, 6, 7, 9, 10]);
        let RetentionNote::OnlyPartial { newest_complete } = &made.notes[0] else {
            panic!("{made:?}");
        };
        assert_eq!(newest_complete.as_ref().unwrap().seq.0, 7);
    }

    #[test]
    fn nothing_goes_while_the_latest_runs_look_wrong() {
        let now = at(BEGIN + 100 * DAY);
        let mut records = daily(20);
        for run in &mut records[17..] {
            run.end = End::Aborted;
        }
        let made = plan(&policy(), &records, now).unwrap();
        assert_eq!(made.paused, Some(PauseReason::RecentFailures { runs: 3 }));
        assert_eq!(made.gone().count(), 0);
        let mut records = daily(20);
        records[19].stored_bytes = 499;
        let made = plan(&policy(), &records, now).unwrap();
        assert!(matches!(made.paused, Some(PauseReason::Shrunk { .. })));
        let RetentionDecision::Keep { reasons } = decision(&made, 1) else {
            panic!("{made:?}");
        };
        assert!(matches!(reasons[0], KeepReason::Paused { .. }));
        records[19].stored_bytes = 500;
        assert!(plan(&policy(), &records, now).unwrap().paused.is_none());
    }

    #[test]
    fn failed_runs_go_with_the_snapshots_around_them() {
        let now = at(BEGIN + 100 * DAY);
        let mut records = daily(20);
        records[2].end = End::Aborted;
        records[16].end = End::Fenced;
        let made = plan(&policy(), &records, now).unwrap();
        // Seven days that have one: the fenced run's day has none.
        assert_eq!(seqs(&made), [13, 14, 15, 16, 17, 18, 19, 20]);
        let failed = RetentionDecision::Go {
            reason: GoReason::FailedRun,
        };
        assert_eq!(*decision(&made, 3), failed);
    }

    #[test]
    fn what_is_held_or_proven_last_stays() {
        let now = at(BEGIN + 100 * DAY);
        let mut records = daily(20);
        records[0].held = true;
        records[1].proven = true;
        records[4].proven = true;
        let made = plan(&policy(), &records, now).unwrap();
        assert_eq!(seqs(&made), [1, 5, 14, 15, 16, 17, 18, 19, 20]);
    }
}
