//! Dates that contradict the order of runs: a clock was wrong, ahead or back, for some of them.
//!
//! Numbers say in which order snapshots were made. The most snapshots whose dates can all be right
//! are the longest run of them that never goes back in time; the others are counted apart, so that
//! none of them takes the place of a snapshot that is dated rightly, nor loses its own to one.

use jiff::Timestamp;

/// A clock that goes back by less is set right now and then, and not wrong.
const STEP_SECS: i64 = 600;

/// For each of the dates, in the order of the numbers, whether it contradicts the others.
pub(super) fn out_of_order(dates: &[Timestamp]) -> Vec<bool> {
    let units: Vec<i64> = dates
        .iter()
        .map(|date| date.as_second().div_euclid(STEP_SECS))
        .collect();
    // Of all runs of a length, the one whose last date is lowest, by the place of that date.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(units.len());
    for (at, unit) in units.iter().enumerate() {
        let length = ends.partition_point(|&end| units[end] <= *unit);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    let mut odd = vec![true; units.len()];
    let mut next = ends.last().copied();
    while let Some(at) = next {
        odd[at] = false;
        next = before[at];
    }
    odd
}

#[cfg(test)]
mod tests {
    use super::*;

    fn odd(days: &[i64]) -> Vec<usize> {
        let dates: Vec<_> = days
            .iter()
            .map(|day| Timestamp::from_second(day * 86_400).unwrap())
            .collect();
        let odd = out_of_order(&dates);
        (0..odd.len()).filter(|&at| odd[at]).collect()
    }

    #[test]
    fn the_fewest_dates_are_wrong() {
        assert!(odd(&[]).is_empty());
        assert!(odd(&[1, 2, 2, 3]).is_empty());
        // A year back, a year ahead, for one run and for two.
        assert_eq!(odd(&[400, 401, 37, 403]), [2]);
        assert_eq!(odd(&[400, 401, 767, 403, 404]), [2]);
        assert_eq!(odd(&[400, 401, 402, 37, 38, 405, 406]), [3, 4]);
    }

    #[test]
    fn a_clock_that_is_set_right_is_not_wrong() {
        let dates = ["2026-11-22T02:35:00Z", "2026-11-22T02:34:00Z"].map(|t| t.parse().unwrap());
        assert_eq!(out_of_order(&dates), [false, false]);
    }
}
