//! A plan as months: on which days something stays, on which something goes.

use std::collections::BTreeMap;

use backup_model::RetentionPlan;
use jiff::{civil::Date, tz::TimeZone};

use crate::show;

const DAYS: &str = "Mo  Tu  We  Th  Fr  Sa  Su";
/// Two months fit a terminal of 80 columns side by side.
const ABREAST: usize = 2;
const WIDTH: usize = 4 * 7;

/// What happens on a day.
#[derive(Clone, Copy, Debug, Default)]
struct Day {
    stays: bool,
    goes: bool,
}

impl Day {
    const fn mark(self) -> char {
        match (self.stays, self.goes) {
            (true, false) => '+',
            (false, true) => '-',
            (true, true) => '*',
            (false, false) => ' ',
        }
    }
}

/// The months that have snapshots, the oldest first, with a legend. Days are those of the
/// policy's zone.
pub(super) fn calendar(plan: &RetentionPlan) -> String {
    // A zone that this host does not know was good enough for whoever made the plan.
    let (zone, name) = TimeZone::get(&plan.policy.time_zone)
        .map_or((TimeZone::UTC, "UTC"), |zone| {
            (zone, &plan.policy.time_zone)
        });
    let mut days: BTreeMap<Date, Day> = BTreeMap::new();
    for verdict in plan
        .verdicts
        .iter()
        .filter(|verdict| show::is_snapshot(verdict.end))
    {
        let date = zone.to_datetime(verdict.created).date();
        let day = days.entry(date).or_default();
        *(if verdict.goes() {
            &mut day.goes
        } else {
            &mut day.stays
        }) = true;
    }
    let mut months: Vec<Date> = days.keys().map(|date| date.first_of_month()).collect();
    months.dedup();
    let mut lines = Vec::new();
    for abreast in months.chunks(ABREAST) {
        let blocks: Vec<Vec<String>> = abreast.iter().map(|&first| month(first, &days)).collect();
        let height = blocks.iter().map(Vec::len).max().unwrap_or(0);
        for row in 0..height {
            let cells = blocks
                .iter()
                .map(|block| block.get(row).map_or("", String::as_str));
            let cells: Vec<String> = cells.map(|cell| format!("  {cell:WIDTH$}")).collect();
            lines.push(cells.concat().trim_end().to_owned());
        }
        lines.push(String::new());
    }
    lines.push(format!(
        "  + stays   - goes   * some stay, some go   days of {name}"
    ));
    lines.join("\n")
}

/// A title, the names of the days, and a line for each week from Monday.
fn month(first: Date, days: &BTreeMap<Date, Day>) -> Vec<String> {
    let mut lines = vec![first.strftime("%B %Y").to_string(), DAYS.to_owned()];
    let before = usize::try_from(first.weekday().to_monday_zero_offset()).unwrap_or(0);
    let mut line = "    ".repeat(before);
    for number in 1..=first.days_in_month() {
        let Ok(date) = Date::new(first.year(), first.month(), number) else {
            continue;
        };
        let mark = days.get(&date).copied().unwrap_or_default().mark();
        line.push_str(&format!("{number:2}{mark} "));
        if line.len() == WIDTH {
            lines.push(std::mem::take(&mut line));
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use backup_model::{
        End, GoReason, KeepReason, RetentionDecision, RetentionPolicy, RetentionVerdict,
    };

    use super::*;

    fn verdict(created: &str, end: End, goes: bool) -> RetentionVerdict {
        RetentionVerdict {
            snapshot: "webui/1".parse().unwrap(),
            created: created.parse().unwrap(),
            end,
            stored_bytes: 0,
            out_of_order: false,
            decision: if goes {
                let reason = GoReason::NoRule;
                RetentionDecision::Go { reason }
            } else {
                let reasons = vec![KeepReason::Held];
                RetentionDecision::Keep { reasons }
            },
        }
    }

    #[test]
    fn months_stand_side_by_side_with_a_mark_on_each_day() {
        let plan = RetentionPlan {
            now: "2026-11-22T02:30:00Z".parse().unwrap(),
            policy: RetentionPolicy::new("Europe/Berlin".to_owned()),
            paused: None,
            notes: Vec::new(),
            verdicts: vec![
                verdict("2026-11-22T02:30:00Z", End::Complete, false),
                verdict("2026-11-22T01:30:00Z", End::Partial, true),
                // In Berlin it is the first of November.
                verdict("2026-10-31T23:30:00Z", End::Complete, true),
                verdict("2026-10-05T02:30:00Z", End::Aborted, true),
                verdict("2026-08-31T02:30:00Z", End::Complete, false),
            ],
        };
        assert_eq!(
            calendar(&plan),
            [
                "  August 2026                   November 2026",
                "  Mo  Tu  We  Th  Fr  Sa  Su    Mo  Tu  We  Th  Fr  Sa  Su",
                "                       1   2                             1-",
                "   3   4   5   6   7   8   9     2   3   4   5   6   7   8",
                "  10  11  12  13  14  15  16     9  10  11  12  13  14  15",
                "  17  18  19  20  21  22  23    16  17  18  19  20  21  22*",
                "  24  25  26  27  28  29  30    23  24  25  26  27  28  29",
                "  31+                           30",
                "",
                "  + stays   - goes   * some stay, some go   days of Europe/Berlin",
            ]
            .join("\n")
        );
    }
}
