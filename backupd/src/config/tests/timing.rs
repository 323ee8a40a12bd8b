//! When jobs run: of a job, of the defaults, and everything that can be wrong with it.

use std::time::Duration;

use super::fixture::{GOOD, all_refused as refused, folder, load_from, problems};
use crate::{
    config::{Config, JobConfig},
    schedule::{CatchUp, Retry},
};

const ZONE: &str = "timezone = \"Europe/Berlin\"\n";

/// A configuration with these lines in the job and these defaults.
fn with(job: &str, defaults: &str) -> String {
    GOOD.replace("[job.webui]\n", &format!("[job.webui]\n{job}\n"))
        + "\n[defaults]\n"
        + ZONE
        + defaults
}

fn config(text: &str) -> Config {
    load_from(&folder(text)).unwrap()
}

fn job(text: &str) -> JobConfig {
    config(text).jobs[&"webui".parse().unwrap()].clone()
}

fn hours(hours: u64) -> Duration {
    Duration::from_hours(hours)
}

#[test]
fn a_job_has_each_key_itself_or_from_the_defaults() {
    let bare = job(GOOD);
    assert_eq!((bare.timing, bare.rpo, bare.limit), (None, None, None));

    let own = job(&with("schedule = \"15 */2 * * *\"\nlimit = \"12h\"", ""));
    let timing = own.timing.unwrap();
    assert_eq!(timing.schedule.as_str(), "15 */2 * * *");
    assert_eq!((timing.jitter, timing.catch_up), (None, CatchUp::Once));
    assert_eq!(timing.retry, Retry::default());
    // Twice the longest time between two runs.
    assert_eq!((own.rpo, own.limit), (Some(hours(4)), Some(hours(12))));

    let defaults = "schedule = \"@daily\"\nrpo = \"30h\"\njitter = \"10m\"\ncatch_up = \"skip\"\n\
                    retry = { attempts = 5, backoff = \"1m..10m\" }\n";
    let inherited = job(&with("", defaults));
    let timing = inherited.timing.unwrap();
    assert_eq!(
        format!("{:?}", timing.schedule),
        "\"@daily\" in Europe/Berlin"
    );
    assert_eq!(timing.jitter, Some(Duration::from_mins(10)));
    assert_eq!(timing.catch_up, CatchUp::Skip);
    let retry = Retry {
        attempts: 5.try_into().unwrap(),
        first_wait: Duration::from_mins(1),
        longest_wait: Duration::from_mins(10),
    };
    assert_eq!((timing.retry, inherited.rpo), (retry, Some(hours(30))));

    let own = "schedule = \"every 6h\"\nrpo = \"1d\"\njitter = \"1m\"\ncatch_up = \"once\"\n\
               retry = { attempts = 1 }";
    let mixed = job(&with(own, defaults));
    let timing = mixed.timing.unwrap();
    assert_eq!(timing.schedule.as_str(), "every 6h");
    assert_eq!(timing.jitter, Some(Duration::from_mins(1)));
    assert_eq!(timing.catch_up, CatchUp::Once);
    assert_eq!(timing.retry.attempts.get(), 1);
    assert_eq!(mixed.rpo, Some(hours(24)));

    // One that nobody runs but people may still have to be young.
    let by_hand = job(&with("schedule = \"manual\"", defaults));
    assert_eq!((by_hand.timing, by_hand.rpo), (None, Some(hours(30))));

    // An interval needs no zone.
    let text = GOOD.replace("[job.webui]\n", "[job.webui]\nschedule = \"every 6h\"\n");
    assert_eq!(job(&text).rpo, Some(hours(12)));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn each_error_has_its_place_and_its_remedy() {
    for (line, message, key, help) in [
        (
            "schedule = \"\"",
            "`schedule`: a schedule has five fields, or six with seconds, not 0",
            "schedule",
            "15 2 * * *",
        ),
        (
            "schedule = \"6h\"",
            "`schedule`: a schedule has five fields, or six with seconds, not 1",
            "schedule",
            "Did you mean `every 6h`?",
        ),
        (
            "schedule = \"@every 6h\"",
            "`schedule`: `@every 6h` is not a name of a schedule",
            "schedule",
            "Write `every 6h`.",
        ),
        (
            "schedule = \"@dayly\"",
            "`schedule`: `@dayly` is not a name of a schedule",
            "schedule",
            "Did you mean `@daily`?",
        ),
        (
            "schedule = \"every day\"",
            "`schedule`: what follows `every` is not a time: `day` is not a whole number with a unit",
            "schedule",
            "`every 6h`",
        ),
        (
            "schedule = \"0 0 13 * FRI\"",
            "`schedule`: a day of the month together with a weekday means different things to different programs",
            "schedule",
            "`0 2 * * MON#1`",
        ),
        (
            "schedule = \"0 0 30 2 *\"",
            "`schedule`: `0 0 30 2 *` never comes",
            "schedule",
            "No month",
        ),
        (
            "schedule = 5",
            "`schedule` must be a string, not a number",
            "schedule",
            "15 2 * * *",
        ),
        (
            "shedule = \"@daily\"",
            "unknown key `shedule`",
            "shedule",
            "Did you mean `schedule`?",
        ),
        (
            "rpo = \"6\"",
            "`rpo`: `6` has no unit",
            "rpo",
            "s, m, h or d",
        ),
        (
            "jitter = \"0s\"",
            "`jitter`: `0s` is zero",
            "jitter",
            "`30m`",
        ),
        (
            "jitter = 10",
            "`jitter` must be a string, not a number",
            "jitter",
            "jitter = \"10m\"",
        ),
        (
            "catch_up = \"onec\"",
            "`catch_up` cannot be `onec`",
            "catch_up",
            "Did you mean `once`?",
        ),
        (
            "catch_up = true",
            "`catch_up` must be a string, not true or false",
            "catch_up",
            "catch_up = \"once\"",
        ),
        (
            "retry = 3",
            "`retry` must be a table, not a number",
            "retry",
            "attempts = 3",
        ),
        (
            "retry = { attempts = 0 }",
            "`attempts` is 0",
            "retry.attempts",
            "from 1 to 100",
        ),
        (
            "retry = { attempts = 101 }",
            "`attempts` is 101",
            "retry.attempts",
            "1 tries nothing again",
        ),
        (
            "retry = { backoff = \"1h..5m\" }",
            "`backoff`: the first wait is longer than the longest",
            "retry.backoff",
            "5m..1h",
        ),
        (
            "retry = { backoff = \"5m-1h\" }",
            "`backoff`: `m-1h` is not a unit of time",
            "retry.backoff",
            "5m..1h",
        ),
        (
            "retry = { backoff = \"5m..\" }",
            "`backoff`: `` is not a whole number with a unit",
            "retry.backoff",
            "5m..1h",
        ),
        (
            "retry = { attemps = 3 }",
            "unknown key `attemps`",
            "retry.attemps",
            "`attempts`",
        ),
    ] {
        for (text, path) in [
            (with(line, ""), "job.webui"),
            // Of the defaults it is said once, however many jobs have them.
            (with("", line), "defaults"),
        ] {
            refused(&text, &[(message, &format!("{path}.{key}"), help)]);
        }
    }
    let limit = (
        "`limit`: `x` is not a unit of time",
        "job.webui.limit",
        "30m",
    );
    refused(&with("limit = \"12x\"", ""), &[limit]);
    let pattern = problems(&folder(&with("schedule = \"0 24 * * *\"", "")));
    assert!(
        pattern[0]
            .message
            .starts_with("`schedule`: `0 24 * * *` is not a cron pattern: ")
    );
    assert_eq!(
        (pattern.len(), pattern[0].line, pattern[0].column),
        (1, Some(9), Some(12))
    );

    // A zone is needed, and is asked for once.
    let text = GOOD.replace("[job.webui]\n", "[job.webui]\nschedule = \"@daily\"\n");
    let zone = (
        "`schedule` needs a time zone",
        "job.webui.schedule",
        "[defaults]",
    );
    refused(&text, &[zone]);
    let both = text.replace("schedule =", "retention = { keep_daily = 1 }\nschedule =");
    let zone = (
        "`retention` needs a time zone",
        "job.webui.retention",
        "[defaults]",
    );
    refused(&both, &[zone]);

    // All at once.
    let text = with(
        "schedule = \"0 0 30 2 *\"\nrpo = \"1\"\nretry = { attempts = 0, backoff = \"\" }",
        "jitter = \"1w\"",
    );
    assert_eq!(problems(&folder(&text)).len(), 5);
}

#[test]
fn what_works_and_is_hardly_meant_is_warned_of() {
    assert_eq!(config(GOOD).warnings, []);
    let text = with("schedule = \"* * 2 * * *\"\nrpo = \"1h\"", "");
    let warnings = config(&text).warnings;
    let told: Vec<_> = warnings
        .iter()
        .map(|it| (it.line.unwrap(), it.message.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (9, "`schedule` comes more than once a minute"),
            (10, "`rpo` is shorter than the time between two runs"),
        ]
    );
    assert!(warnings.iter().all(|it| it.help.is_some()));

    // Told where the two come together.
    let told = |job: &str, defaults: &str| {
        let warnings = config(&with(job, defaults)).warnings;
        let keys = warnings.into_iter().map(|it| it.key);
        keys.collect::<Vec<_>>()
    };
    let (daily, hourly) = ("schedule = \"@daily\"", "schedule = \"@hourly\"");
    let rpo = "rpo = \"6h\"";
    assert_eq!(told(daily, rpo), ["job.webui.schedule"]);
    assert_eq!(told(rpo, daily), ["job.webui.rpo"]);
    assert_eq!(told("", &format!("{daily}\n{rpo}")), ["defaults.rpo"]);
    assert_eq!(told(hourly, rpo), [""; 0]);
}
