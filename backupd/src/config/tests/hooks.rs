//! A job's hooks, and everything that can be wrong with them.

use std::time::Duration;

use super::fixture::{GOOD, folder, load_from, problems};
use crate::{
    config::Problem,
    hooks::{Hook, Hooks, OnFailure},
};

fn with(hooks: &str) -> String {
    format!("{GOOD}\n[job.webui.hooks]\n{hooks}\n")
}

fn hooks(text: &str) -> Hooks {
    let config = load_from(&folder(text)).unwrap();
    config.jobs[&"webui".parse().unwrap()].hooks.clone()
}

#[test]
fn hooks_are_read_with_what_they_do_not_say() {
    assert_eq!(hooks(GOOD), Hooks::default());
    let read = hooks(&with(
        "before = [{ run = [\"docker\", \"pause\", \"web app\", \"\"], timeout = \"1m\" }, \
         { run = [\"/bin/true\"], on_failure = \"warn\" }]\n\
         after = [{ run = [\"sync\"] }, { run = [\"sync\"], on_failure = \"fail\" }]\n\
         failed = [{ run = [\"/usr/local/bin/tell\"] }]\n\
         finally = [{ run = [\"docker\", \"unpause\"], on_failure = \"warn\", timeout = \"24h\" }]",
    ));
    let hook = |words: &[&str], mins, on_failure| Hook {
        program: words[0].to_owned(),
        arguments: words[1..].iter().map(ToString::to_string).collect(),
        timeout: Duration::from_mins(mins),
        on_failure,
    };
    let (fail, warn) = (OnFailure::Fail, OnFailure::Warn);
    assert_eq!(
        read,
        Hooks {
            before: vec![
                hook(&["docker", "pause", "web app", ""], 1, fail),
                hook(&["/bin/true"], 5, warn)
            ],
            after: vec![hook(&["sync"], 5, warn), hook(&["sync"], 5, fail)],
            failed: vec![hook(&["/usr/local/bin/tell"], 5, warn)],
            finally: vec![hook(&["docker", "unpause"], 24 * 60, warn)],
        }
    );
    // The other spelling of tables.
    let text = format!("{GOOD}\n[[job.webui.hooks.before]]\nrun = [\"sync\"]\n");
    assert_eq!(hooks(&text).before, [hook(&["sync"], 5, fail)]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn each_error_has_its_place_and_its_remedy() {
    for (line, message, key, help) in [
        (
            "before = [\"sync\"]",
            "`before` must be an array of tables, not an array of something else",
            "before",
            "Write it as `before = [{ run = [\"program\", \"argument\"] }]`.",
        ),
        (
            "before = { run = [\"sync\"] }",
            "`before` must be an array of tables, not a table",
            "before",
            "before = [{",
        ),
        (
            "befor = []",
            "unknown key `befor`",
            "befor",
            "Did you mean `before`?",
        ),
        (
            "before = [{}]",
            "the hook has no command",
            "before[0]",
            "Add `run = [\"program\", \"argument\"]`.",
        ),
        (
            "after = [{ run = [\"sync\"] }, { run = [] }]",
            "the command names no program",
            "after[1].run",
            "Add `run = ",
        ),
        (
            "after = [{ run = \"docker pause web\" }]",
            "`run` must be an array of strings, not a string",
            "after[0].run",
            "Write it as `run = [\"program\", \"argument\"]`.",
        ),
        (
            "failed = [{ run = [\"docker pause web\"] }]",
            "`docker pause web` is a command line, not a program",
            "failed[0].run[0]",
            "There is no shell",
        ),
        (
            "finally = [{ run = [\"./unpause\"] }]",
            "`./unpause` is neither a name nor an absolute path",
            "finally[0].run[0]",
            "begin its path with `/`",
        ),
        (
            "before = [{ run = [\"sync\"], timeout = \"5\" }]",
            "`timeout`: `5` has no unit",
            "before[0].timeout",
            "Write a whole number and s, m, h or d",
        ),
        (
            "before = [{ run = [\"sync\"], timeout = \"25h\" }]",
            "`timeout` is longer than a day",
            "before[0].timeout",
            "`24h` at most",
        ),
        (
            "before = [{ run = [\"sync\"], on_failure = \"ignore\" }]",
            "`on_failure` cannot be `ignore`",
            "before[0].on_failure",
            "`fail`, `warn`",
        ),
        (
            "failed = [{ run = [\"sync\"], on_failure = \"fail\" }]",
            "`on_failure` cannot be `fail` here: the run has ended by then",
            "failed[0].on_failure",
            "Write `warn`",
        ),
        (
            "finally = [{ run = [\"sync\"], on_failure = \"fail\" }]",
            "`on_failure` cannot be `fail` here: the run has ended by then",
            "finally[0].on_failure",
            "Write `warn`",
        ),
    ] {
        let problems = problems(&folder(&with(line)));
        let shown: Vec<_> = problems.iter().map(Problem::one_line).collect();
        let [problem] = &problems[..] else {
            panic!("{line}: {shown:?}");
        };
        assert_eq!(problem.message, message, "{line}");
        assert_eq!(problem.key, format!("job.webui.hooks.{key}"), "{line}");
        assert!(problem.line.is_some() && problem.column.is_some(), "{line}");
        let given = problem.help.as_deref().unwrap_or_default();
        assert!(given.contains(help), "{line}: {given}");
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let text = with(
        "before = [{ run = [], timeout = \"x\", on_failure = \"y\", when = 1 }]\n\
         finally = [{ timeout = \"2d\" }]",
    );
    let messages: Vec<_> = problems(&folder(&text))
        .into_iter()
        .map(|problem| problem.message)
        .collect();
    assert_eq!(
        messages,
        [
            "the command names no program",
            "`timeout`: `x` is not a whole number with a unit",
            "`on_failure` cannot be `y`",
            "unknown key `when`",
            "the hook has no command",
            "`timeout` is longer than a day",
        ]
    );
}
