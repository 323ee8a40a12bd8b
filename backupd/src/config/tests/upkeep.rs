//! What is done by schedule besides backups: its defaults, and everything that can be wrong.

use std::time::Duration;

use backup_model::Level;

use super::fixture::{GOOD, folder, load_from, problems};
use crate::{
    config::{Config, Problem, UpkeepConfig, VerifyConfig},
    schedule::{CatchUp, Retry, Timing},
};

const DAY: Duration = Duration::from_hours(24);

fn config(text: &str) -> Config {
    load_from(&folder(text)).unwrap()
}

fn upkeep(lines: &str) -> UpkeepConfig {
    config(&format!("{GOOD}\n[upkeep]\n{lines}\n")).upkeep
}

/// How the job is verified, with this line of its own and these defaults.
fn verify(job: &str, defaults: &str) -> VerifyConfig {
    let text = GOOD.replace("[job.webui]\n", &format!("[job.webui]\n{job}\n"));
    let config = config(&format!("{text}\n[defaults]\n{defaults}\n"));
    config.jobs[&"webui".parse().unwrap()].verify.clone()
}

fn shown(timing: Option<&Timing>) -> String {
    let schedule = timing.map(|timing| &timing.schedule);
    schedule.map_or_else(|| "by hand".to_owned(), |it| format!("{it:?}"))
}

#[test]
fn whoever_says_nothing_is_kept_in_order() {
    let UpkeepConfig {
        retention,
        prune,
        verify,
        probe,
        prune_grace,
    } = config(GOOD).upkeep;
    // No zone is named, and none is asked for.
    for daily in [&retention, &prune, &verify].map(Option::as_ref) {
        assert_eq!(shown(daily), "\"@daily\" in UTC");
    }
    assert_eq!(shown(probe.as_ref()), "\"@weekly\" in UTC");
    for timing in [retention, prune, verify, probe] {
        let timing = timing.unwrap();
        // All has begun before two o'clock.
        assert_eq!(timing.jitter, Some(Duration::from_mins(90)));
        assert_eq!(timing.catch_up, CatchUp::Once);
        assert_eq!(timing.retry, Retry::default());
    }
    assert_eq!(prune_grace, DAY);
    let job = &config(GOOD).jobs[&"webui".parse().unwrap()];
    assert_eq!(
        (job.verify.after, job.verify.full_coverage),
        (None, 30 * DAY)
    );

    let text = format!("{GOOD}\n[defaults]\ntimezone = \"Europe/Berlin\"\n");
    assert_eq!(
        shown(config(&text).upkeep.prune.as_ref()),
        "\"@daily\" in Europe/Berlin"
    );
}

#[test]
fn each_key_counts_for_itself() {
    let own = upkeep(
        "retention = \"every 6h\"\nprune = \"manual\"\nprobe = \"every 1m\"\nprune_grace = \"0\"",
    );
    assert_eq!(shown(own.retention.as_ref()), "\"every 6h\" in UTC");
    assert_eq!(shown(own.prune.as_ref()), "by hand");
    assert_eq!(shown(own.verify.as_ref()), "\"@daily\" in UTC");
    assert_eq!(own.prune_grace, Duration::ZERO);
    // What comes often is not put off for longer than until it comes again.
    let jitter = |timing: Option<Timing>| timing.unwrap().jitter;
    assert_eq!(jitter(own.probe), Some(Duration::from_secs(15)));
    assert_eq!(jitter(own.retention), Some(Duration::from_mins(90)));
    let said = upkeep("verify = \"every 1m\"\njitter = \"2h\"\nprune_grace = \"3d\"");
    assert_eq!(jitter(said.verify), Some(Duration::from_hours(2)));
    assert_eq!(said.prune_grace, 3 * DAY);
}

#[test]
fn a_job_is_verified_as_it_says_or_as_the_defaults_do() {
    let defaults = "verify = { after = \"storage\", full_coverage = \"60d\" }";
    let inherited = verify("", defaults);
    assert_eq!(inherited.after, Some(Level::Storage));
    assert_eq!(inherited.full_coverage, 60 * DAY);
    // As a whole: nothing is mixed.
    let own = verify("verify = { full_coverage = \"7d\" }", defaults);
    assert_eq!((own.after, own.full_coverage), (None, 7 * DAY));
    assert_eq!(verify("verify = {}", defaults), VerifyConfig::default());
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn each_error_has_its_place_and_its_remedy() {
    let table = |line: &str| format!("{GOOD}\n[upkeep]\n{line}\n");
    let job = |line: &str| GOOD.replace("[job.webui]\n", &format!("[job.webui]\n{line}\n"));
    for (text, message, key, help) in [
        (
            table("prune = \"@dayly\"\n[defaults]\ntimezone = \"UTC\""),
            "`prune`: `@dayly` is not a name of a schedule",
            "upkeep.prune",
            "Did you mean `@daily`?",
        ),
        (
            table("verify = \"15 2 * * *\""),
            "`verify` needs a time zone",
            "upkeep.verify",
            "timezone",
        ),
        (
            table("probe = 7"),
            "`probe` must be a string, not a number",
            "upkeep.probe",
            "@weekly",
        ),
        (
            table("prune_grace = \"0s\""),
            "`prune_grace`: `0s` is zero",
            "upkeep.prune_grace",
            "30m",
        ),
        (
            table("jitter = \"1\""),
            "`jitter`: `1` has no unit",
            "upkeep.jitter",
            "30m",
        ),
        (
            table("retension = \"manual\""),
            "unknown key `retension`",
            "upkeep.retension",
            "Did you mean `retention`?",
        ),
        (
            job("verify = \"@daily\""),
            "`verify` must be a table, not a string",
            "job.webui.verify",
            "full_coverage",
        ),
        (
            job("verify = { after = \"data\" }"),
            "`after` cannot be `data`",
            "job.webui.verify.after",
            "this host has none",
        ),
        (
            job("verify = { after = \"storag\" }"),
            "`after` cannot be `storag`",
            "job.webui.verify.after",
            "Did you mean `storage`?",
        ),
        (
            job("verify = { full_coverage = \"x\" }"),
            "`full_coverage`: `x` is not a whole number with a unit",
            "job.webui.verify.full_coverage",
            "30m",
        ),
        (
            job("verify = { ful_coverage = \"1d\" }"),
            "unknown key `ful_coverage`",
            "job.webui.verify.ful_coverage",
            "Did you mean `full_coverage`?",
        ),
    ] {
        let problems = problems(&folder(&text));
        let lines: Vec<_> = problems.iter().map(Problem::one_line).collect();
        assert_eq!(problems.len(), 1, "{lines:?}");
        assert_eq!(
            (problems[0].message.as_str(), problems[0].key.as_str()),
            (message, key)
        );
        let given = problems[0].help.as_deref().unwrap_or_default();
        assert!(given.contains(help), "{message}: {given}");
    }
    // All at once, and the zone is asked for once.
    let text = table("retention = \"0 3 * * *\"\nprune = \"0 4 * * *\"\njitter = \"\"");
    assert_eq!(problems(&folder(&text)).len(), 2);
}

#[test]
fn a_window_in_which_nothing_is_verified_is_warned_of() {
    let told = |upkeep: &str, defaults: &str| {
        let text = format!("{GOOD}\n[upkeep]\n{upkeep}\n[defaults]\n{defaults}\n");
        let warnings = config(&text).warnings.into_iter().map(|it| it.key);
        warnings.collect::<Vec<_>>()
    };
    let coverage = "timezone = \"UTC\"\nverify = { full_coverage = \"5d\" }";
    assert_eq!(told("", coverage), [""; 0]);
    assert_eq!(told("verify = \"manual\"", coverage), [""; 0]);
    assert_eq!(
        told("verify = \"@weekly\"", coverage),
        ["defaults.verify.full_coverage"]
    );
}
