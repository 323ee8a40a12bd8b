//! Retention: of a job, of the defaults, and everything that can be wrong with it.

use backup_model::RetentionPolicy;
use jiff::SignedDuration;

use super::fixture::{GOOD, TRUST, folder, load_from, problems, write};
use crate::config::Problem;

const DEFAULTS: &str = "[defaults]
timezone = \"Europe/Berlin\"
retention = { keep_last = 3, keep_daily = 14 }
";

/// A configuration with these lines in the job and this table of defaults.
fn with(job: &str, defaults: &str) -> String {
    GOOD.replace("[job.webui]\n", &format!("[job.webui]\n{job}\n")) + defaults
}

fn policy(text: &str) -> Option<RetentionPolicy> {
    let config = load_from(&folder(text)).unwrap();
    config.jobs[&"webui".parse().unwrap()].retention.clone()
}

/// Expects problems: message, key and a part of the help of each, in the order of the lines.
#[track_caller]
fn refused(text: &str, wanted: &[(&str, &str, &str)]) {
    let problems = problems(&folder(text));
    let shown: Vec<_> = problems.iter().map(Problem::one_line).collect();
    assert_eq!(problems.len(), wanted.len(), "{shown:?}");
    for (problem, (message, key, help)) in problems.iter().zip(wanted) {
        assert_eq!(problem.message, *message);
        assert_eq!(problem.key, *key, "{message}");
        let given = problem.help.as_deref().unwrap_or_default();
        assert!(given.contains(help), "{message}: {given}");
    }
}

#[test]
fn a_job_has_its_own_policy_or_that_of_the_defaults_or_none() {
    assert_eq!(policy(GOOD), None);
    assert_eq!(policy(&with("", "[defaults]\ntimezone = \"UTC\"")), None);

    let mut wanted = RetentionPolicy::new("Europe/Berlin".to_owned());
    (wanted.keep_last, wanted.keep_daily) = (3, 14);
    assert_eq!(policy(&with("", DEFAULTS)), Some(wanted));

    // As a whole: nothing of the defaults is mixed in.
    let own = "retention = { keep_within = \"36h\", keep_within_yearly = \"3650d\", min_keep = 5 }";
    let mut wanted = RetentionPolicy::new("Europe/Berlin".to_owned());
    wanted.keep_within = Some(SignedDuration::from_hours(36));
    wanted.keep_within_yearly = Some(SignedDuration::from_hours(3_650 * 24));
    wanted.min_keep = 5;
    assert_eq!(policy(&with(own, DEFAULTS)), Some(wanted));

    let own = "[job.webui.retention]\nkeep_hourly = 24\nkeep_weekly = 8\nkeep_monthly = 12\n\
               keep_yearly = 0\n";
    let text = GOOD.replace(
        "[[job.webui.source]]\nkind = \"files\"",
        &format!("{own}$&"),
    );
    let text = text.replace("$&", "[[job.webui.source]]\nkind = \"files\"") + DEFAULTS;
    let found = policy(&text).unwrap();
    let counts = (found.keep_hourly, found.keep_weekly, found.keep_monthly);
    assert_eq!(counts, (24, 8, 12));
    assert_eq!((found.keep_daily, found.min_keep), (0, 2));
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn each_error_of_a_policy_has_its_place_and_its_remedy() {
    for (own, message, key, help) in [
        (
            "{}",
            "the policy has no rule: it would keep nothing but the newest 2",
            "",
            "Say what to keep",
        ),
        (
            "{ keep_daily = 0, min_keep = 7 }",
            "the policy has no rule: it would keep nothing but the newest 7",
            "",
            "keep_daily = 14",
        ),
        (
            "{ keep_daily = 1, min_keep = 0 }",
            "`min_keep` is 0: at least the newest snapshot must stay",
            ".min_keep",
            "at least 1",
        ),
        (
            "{ keep_daily = -1 }",
            "`keep_daily` is negative",
            ".keep_daily",
            "from 0 to 100000",
        ),
        (
            "{ keep_daily = 100001 }",
            "`keep_daily` is more than 100000",
            ".keep_daily",
            "from 0",
        ),
        (
            "{ keep_daily = 99999999999999999999999 }",
            "`keep_daily` is more than 100000",
            ".keep_daily",
            "from 0 to",
        ),
        (
            "{ keep_daily = \"14\" }",
            "`keep_daily` must be a number, not a string",
            ".keep_daily",
            "keep_daily = 14",
        ),
        (
            "{ keep_daily = 1.5 }",
            "`keep_daily` must be a number, not a number",
            ".keep_daily",
            "keep_daily = 14",
        ),
        (
            "{ keep_within = \"30\" }",
            "`keep_within`: `30` has no unit",
            ".keep_within",
            "s, m, h or d",
        ),
        (
            "{ keep_within = 30 }",
            "`keep_within` must be a string, not a number",
            ".keep_within",
            "keep_within = \"2d\"",
        ),
        (
            "{ keep_within_weekly = \"3w\" }",
            "`keep_within_weekly`: `w` is not a unit of time",
            ".keep_within_weekly",
            "keep_within_weekly = \"90d\"",
        ),
        (
            "{ keep_within = \"0d\" }",
            "`keep_within`: `0d` is zero",
            ".keep_within",
            "whole number",
        ),
        (
            "{ keep_within = \"-1d\" }",
            "`keep_within`: `-1d` is not a whole number with a unit",
            ".keep_within",
            "whole number",
        ),
        (
            "{ keep_within_yearly = \"99999d\" }",
            "`keep_within_yearly`: `99999d` is too large",
            ".keep_within_yearly",
            "3650d",
        ),
        (
            "{ keep_dayly = 7 }",
            "unknown key `keep_dayly`",
            ".keep_dayly",
            "Did you mean `keep_daily`?",
        ),
        (
            "{ daily = 7 }",
            "unknown key `daily`",
            ".daily",
            "`keep_daily`",
        ),
        (
            "7",
            "`retention` must be a table, not a number",
            "",
            "keep_daily = 14",
        ),
    ] {
        for (text, path) in [
            (
                with(
                    &format!("retention = {own}"),
                    "[defaults]\ntimezone = \"UTC\"",
                ),
                "job.webui",
            ),
            (
                with(
                    "",
                    &format!("[defaults]\ntimezone = \"UTC\"\nretention = {own}"),
                ),
                "defaults",
            ),
        ] {
            let key = format!("{path}.retention{key}");
            refused(&text, &[(message, &key, help)]);
        }
    }
}

#[test]
fn the_time_zone_is_named_once_and_known() {
    let own = "retention = { keep_daily = 7 }";
    let missing = (
        "`retention` needs a time zone",
        "job.webui.retention",
        "[defaults]",
    );
    refused(&with(own, ""), &[missing]);
    refused(&with(own, "[defaults]"), &[missing]);
    for (zone, help) in [
        ("Europe/Berlim", "Did you mean `Europe/Berlin`?"),
        ("asia/katmandoo", "Did you mean `Asia/Katmandu`?"),
        ("", "`Europe/Berlin`, or `UTC`"),
        ("+02:00", "`Europe/Berlin`, or `UTC`"),
        ("../zone", "`Europe/Berlin`, or `UTC`"),
    ] {
        let message = format!("`{zone}` is not a time zone");
        let text = with(own, &format!("[defaults]\ntimezone = \"{zone}\""));
        refused(&text, &[(&message, "defaults.timezone", help)]);
    }
    let wrong = (
        "`timezone` must be a string, not a number",
        "defaults.timezone",
        "Europe/Berlin",
    );
    refused(&with(own, "[defaults]\ntimezone = 2"), &[wrong]);
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let text = with(
        "retention = { keep_dayly = 7, keep_last = -1, keep_within = \"1\" }",
        "[defaults]\ntimezon = \"UTC\"\nretention = { min_keep = 0 }",
    );
    let text = text.replace("min_keep = 0 }", "min_keep = 0, keep_within = \"1x\" }");
    let job = "job.webui.retention";
    refused(
        &text,
        &[
            (
                "unknown key `keep_dayly`",
                &format!("{job}.keep_dayly"),
                "`keep_daily`",
            ),
            (
                "`keep_last` is negative",
                &format!("{job}.keep_last"),
                "from 0",
            ),
            (
                "`keep_within`: `1` has no unit",
                &format!("{job}.keep_within"),
                "whole number",
            ),
            ("unknown key `timezon`", "defaults.timezon", "`timezone`"),
            (
                "`retention` needs a time zone",
                "defaults.retention",
                "timezone",
            ),
            (
                "`keep_within`: `x` is not a unit of time",
                "defaults.retention.keep_within",
                "whole",
            ),
        ],
    );
}

#[test]
fn defaults_may_stand_in_any_file_but_each_key_in_one() {
    let folder = folder(&with("", DEFAULTS));
    let more = "[defaults]\ntimezone = \"UTC\"\nretention = { keep_last = 1 }\n";
    write(folder.path(), "conf.d/more.toml", more.replace('§', TRUST));
    let messages: Vec<_> = problems(&folder)
        .iter()
        .map(|it| it.message.clone())
        .collect();
    assert_eq!(
        messages,
        ["`timezone` is set twice", "`retention` is set twice"]
    );

    write(folder.path(), "config.toml", GOOD.replace('§', TRUST));
    let config = load_from(&folder).unwrap();
    let policy = config.jobs[&"webui".parse().unwrap()]
        .retention
        .clone()
        .unwrap();
    assert_eq!((policy.keep_last, policy.time_zone.as_str()), (1, "UTC"));
}
