//! Which dates are believed.
//!
//! The chain says in which order snapshots were made, so their dates should never fall. Where
//! they do, some clock was wrong, and it is not known whose. The longest run of dates that never
//! falls blames the fewest clocks; believed is what is in every run of that length. So where two
//! dates contradict each other, and nothing speaks for one of them, neither is believed.

use jiff::Timestamp;

/// A clock that goes back by less is set right now and then, and not wrong.
const STEP_SECS: i64 = 600;

/// Whether each date is believed; dates and answers in the order of the chain, oldest first.
pub(super) fn believed(dates: &[Timestamp]) -> Vec<bool> {
    let steps = dates
        .iter()
        .map(|date| date.as_second().div_euclid(STEP_SECS));
    let before = lengths(steps.clone(), |end, date| end <= date);
    let mut after = lengths(steps.rev(), |end, date| end >= date);
    after.reverse();
    let longest = before.iter().max().copied().unwrap_or(0);
    // What is in a longest run has the same place in each that it is in.
    let place = |(before, after): (&usize, &usize)| {
        let through = before + after - 1;
        (through == longest).then_some(before - 1)
    };
    let places: Vec<_> = before.iter().zip(&after).map(place).collect();
    let mut rivals = vec![0_usize; longest];
    for place in places.iter().flatten() {
        rivals[*place] += 1;
    }
    let alone = |place: Option<usize>| place.is_some_and(|place| rivals[place] == 1);
    places.into_iter().map(alone).collect()
}

/// The length of the longest run that ends with each date.
fn lengths(dates: impl Iterator<Item = i64>, follows: fn(i64, i64) -> bool) -> Vec<usize> {
    // For each length the date with which a run of that length can end, so that most can follow.
    let mut ends: Vec<i64> = Vec::new();
    dates
        .map(|date| {
            let shorter = ends.partition_point(|end| follows(*end, date));
            match ends.get_mut(shorter) {
                Some(end) => *end = date,
                None => ends.push(date),
            }
            shorter + 1
        })
        .collect()
}
