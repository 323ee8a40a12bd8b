//! The commands in what the daemon says is to be done, so that each can be copied alone.

/// What is to be done: in words, and the commands that do it, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Steps<'a> {
    pub(super) words: &'a str,
    pub(super) commands: Vec<&'a str>,
}

/// Programs and statements that such a sentence names, at the start of a command.
const STARTS: [&str; 17] = [
    "backupctl",
    "systemctl",
    "journalctl",
    "timedatectl",
    "apt-get",
    "chmod",
    "chown",
    "curl",
    "df",
    "docker",
    "pg_isready",
    "psql",
    "add_header",
    "ALTER",
    "GRANT",
    "REVOKE",
    "SELECT",
];

/// Takes a sentence apart: `Make room: backupctl prune plan` has a command, and what is only words
/// stays whole.
pub(super) fn steps(fix: &str) -> Steps<'_> {
    if is_command(fix) {
        return Steps {
            words: "",
            commands: split(fix),
        };
    }
    match fix.split_once(": ") {
        Some((words, rest)) if is_command(rest) => Steps {
            words,
            commands: split(rest),
        },
        _ => Steps {
            words: fix,
            commands: Vec::new(),
        },
    }
}

fn is_command(text: &str) -> bool {
    let first = text.split(' ').next();
    first.is_some_and(|first| STARTS.contains(&first))
}

/// Several commands stand one after the other with a comma or a `then`. A semicolon divides
/// statements that are sent together.
fn split(text: &str) -> Vec<&str> {
    let ours = |separator: &str| {
        let (before, after) = text.split_once(separator)?;
        is_command(after).then_some((before, after))
    };
    match ours(", then ").or_else(|| ours(", ")) {
        Some((first, rest)) => {
            let mut commands = vec![first];
            commands.extend(split(rest));
            commands
        }
        None => vec![text],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_stands_alone_or_behind_what_it_is_for() {
        for (fix, words, commands) in [
            ("backupctl backup webui", "", vec!["backupctl backup webui"]),
            (
                "Start it: systemctl start backupd",
                "Start it",
                vec!["systemctl start backupd"],
            ),
            (
                "Make one and prove it: backupctl kit create, backupctl kit confirm FILE",
                "Make one and prove it",
                vec!["backupctl kit create", "backupctl kit confirm FILE"],
            ),
            (
                "Make room: backupctl retention preview, then backupctl prune plan",
                "Make room",
                vec!["backupctl retention preview", "backupctl prune plan"],
            ),
            (
                "As a superuser: GRANT pg_read_all_data TO webui",
                "As a superuser",
                vec!["GRANT pg_read_all_data TO webui"],
            ),
        ] {
            assert_eq!(steps(fix), Steps { words, commands }, "{fix}");
        }
    }

    #[test]
    fn words_stay_words() {
        for fix in [
            "Look into the daemon's log.",
            "Ask once as a superuser: give `connection` one as its user, then backupctl health",
            "",
        ] {
            let words = Steps {
                words: fix,
                commands: Vec::new(),
            };
            assert_eq!(steps(fix), words);
        }
    }
}
