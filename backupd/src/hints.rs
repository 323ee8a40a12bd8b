//! What to do about a failure: one table from code to remedy, for whoever sits at the edge: both
//! programs. Nothing else of the library asks.

use backup_model::Code;

/// The remedy, in full sentences; `None` where the message has to be enough.
#[expect(clippy::too_many_lines, reason = "one table")]
pub const fn hint(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::Bug => "This is a mistake in this program. Please report it with the message above.",
        Code::LocalIo => "Check that the file or folder exists, may be used, and has room.",
        Code::Usage => "`backupctl --help` and `backupctl COMMAND --help` say what is possible.",
        Code::NoChannel => {
            "`backupctl notify list` shows the channels; each is a table `[notify.NAME]`."
        }
        Code::Notify => {
            "Check the address, the token and the network; `[notify]` says where they are. Nothing \
             else depends on it."
        }
        Code::AuditLog => "Check its folder and the disk; `[audit]` says where it is.",
        Code::AuditDamaged => {
            "Keep the files as they are, compare them with a copy elsewhere, and look into who \
             could write to them."
        }
        Code::WrongUser => {
            "Let the daemon do it, or do it as that user: runuser -u backupd -- backupctl …"
        }
        Code::SecretInArgument => {
            "Other users can see arguments. Put the secret into a file with mode 0600 and name \
             the file, and change the secret."
        }
        Code::Damaged => {
            "Keep the repository as it is, restore what is needed from another snapshot, and \
             make a new backup."
        }
        Code::ProgramMissing => {
            "Install PostgreSQL's client programs: sudo apt-get install postgresql-client"
        }
        Code::NoRun => "The daemon's log names its runs; the last six digits of one are enough.",
        Code::RepositoryDamaged => {
            "Keep the repository as it is and bring its damaged files back from a copy. A run \
             whose record is lost for good can be given up: backupctl snapshot forget SNAPSHOT"
        }
        Code::RolledBack => {
            "Somebody has put an older or another copy in its place, or deleted records: look into \
             it before you rely on what is there. If it was you, remove the file that remembers, \
             and this machine learns anew."
        }
        Code::NotTrusted => {
            "Compare the key with the one that `backupctl init` printed. If this is the right \
             repository, set `trust` in the configuration or give --trust."
        }
        Code::RepositoryNewer => "Install a newer backupctl.",
        Code::NotARepository => "Check the address: the place holds something else.",
        Code::RepositoryMissing => {
            "Check the address and whether the storage is mounted. `backupctl init` makes a new \
             repository."
        }
        Code::Busy => "Wait until the other run has ended, and try again.",
        Code::WrongIdentity => {
            "`backupctl key list` shows who opens which epoch, `backupctl key test` what a key opens."
        }
        Code::IdentityMissing => {
            "Give the key with --identity FILE, or with --passphrase if it is one."
        }
        Code::IdentityInvalid => {
            "Name a file that only its owner can read (mode 0600), with one age identity, plain or \
             locked with a passphrase, or one private SSH key."
        }
        Code::TrustRefused => {
            "Who may read and write is as it was. `backupctl key list` shows who is in, what each \
             opens and who was tested."
        }
        Code::RotationRefused => {
            "Nothing was changed. A secret is replaced here only in a file that the configuration \
             names, with all that use it at once. Change any other where it comes from, or write \
             it into a private file and `{ file = \"…\" }` into the configuration."
        }
        Code::KitInvalid => {
            "Compare these lines with the kit on paper or with another copy, and correct them. \
             `backupctl kit create` makes a new kit as long as there is an identity."
        }
        Code::KitMismatch => {
            "Look for the kit that was made for this repository last, or make one: backupctl kit \
             create --identity FILE"
        }
        Code::WriterRefused => {
            "`backupctl key host` shows this host's key and whether it was let in. Check `state` in \
             the configuration."
        }
        Code::PgConnect => "Check host, port or socket folder, and whether the server runs.",
        Code::PgAuth => "Check user, password and the server's pg_hba.conf.",
        Code::PgDatabase => "Check the name of the database: psql -l lists all.",
        Code::PgQuery => "Check that the role may read the whole database.",
        Code::PgDump => "Check that the role may read the whole database, and try again.",
        Code::PgRestore => "Nothing was put in place. Read the causes above and try again.",
        Code::PgTooOld => {
            "Install client programs at least as new as the server and name their folder in \
             `bin_dir`."
        }
        Code::Source => {
            "Check that what the source names exists, and that this user may read or run it."
        }
        Code::Hook => {
            "Correct the program, or its entry in the job's `hooks`. What it said is above and in \
             the run's log; `on_failure = \"warn\"` lets the run go on without it."
        }
        Code::Store => "Check whether the storage answers, and try again.",
        Code::SingleWriter => {
            "Let only one host write here, or move to a store that keeps two writers apart."
        }
        Code::StoreDenied => {
            "Check the rights of this user on the repository's folder, or of the access key on the bucket."
        }
        Code::NoSpace => "Make room or raise the quota, and try again.",
        Code::NoSnapshot => "`backupctl snapshot list` shows the snapshots that there are.",
        Code::NoJob => {
            "`backupctl snapshot list` shows the jobs that have snapshots; the configuration names those that can run."
        }
        Code::Forgotten => {
            "What was forgotten cannot be restored; `backupctl snapshot list` shows what is left."
        }
        Code::NoStream => "`backupctl snapshot show SNAPSHOT` lists its streams.",
        Code::NoPath => "`backupctl snapshot ls SNAPSHOT` lists what is in it.",
        Code::TargetNotEmpty => {
            "Choose a target that does not exist yet. What an interrupted restore left can be \
             removed, if none runs any more."
        }
        Code::TargetRefused => {
            "Choose another target, or change what speaks against this one. The daemon writes only \
             where its unit lets it: systemctl edit backupd, `ReadWritePaths=`."
        }
        Code::RepositoryExists => "Use the repository that is there, or choose another place.",
        Code::Held => {
            "If nobody needs it any more, let it go first: backupctl snapshot release SNAPSHOT"
        }
        Code::Policy => {
            "Correct `retention` in the configuration; `backupctl retention preview --keep-last 7` \
             tries another policy out."
        }
        Code::Retained => {
            "Nothing needs to be done: `backupctl prune apply` tries again when the lock is over."
        }
        Code::NotConfirmed => {
            "Look at the plan with --dry-run, then answer on a terminal, or give --yes, and \
             --confirm NAME where data is lost."
        }
        Code::Config => "Correct the configuration; `backupctl config check` shows what is left.",
        Code::ConfigMissing => {
            "Write the file, name another with --config, or begin with `backupctl init`."
        }
        Code::SignIn => {
            "Give a token that is neither expired nor revoked, or ask over the daemon's socket as \
             root or as the daemon's user."
        }
        Code::NotPermitted => "Use a token that has the scope named above.",
        Code::SlowDown => "Wait as long as it says. A right token is let in at any time.",
        Code::NoRoute | Code::Method | Code::MediaType | Code::DaemonVersion => {
            "Program and daemon may be of different versions: compare `backupctl version` on both \
             sides."
        }
        Code::TooLarge => "Ask for less at once.",
        Code::TimeOut | Code::Overloaded => "Try again in a moment.",
        Code::NoTask => {
            "The daemon forgets tasks when it restarts, and old ones when new ones end."
        }
        Code::NoToken => "Tokens that are gone stay gone: make a new one.",
        Code::KeyReused => "Use a new idempotency key for each thing that is to be done once.",
        Code::Listen => {
            "Another daemon may be running, or another program at that port. If the path or its \
             folder is not the daemon's own, name another one as `listen` in the configuration."
        }
        Code::Daemon => {
            "Check that the daemon runs: systemctl status backupd. What it had begun goes on \
             without you. With --direct this program does the work itself, beside any daemon."
        }
        Code::DaemonIdentity => {
            "Nothing was sent. If its key was replaced on purpose, compare the fingerprint with \
             the one in the daemon's log and pin that; else somebody may stand in between."
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_that_can_be_remedied_has_a_hint() {
        for &code in Code::ALL {
            let bare = [Code::Failed, Code::Interrupted, Code::Terminated];
            assert_eq!(hint(code).is_none(), bare.contains(&code), "{code}");
        }
    }

    #[test]
    fn a_missing_program_comes_with_the_line_that_installs_it() {
        assert!(
            hint(Code::ProgramMissing)
                .unwrap()
                .contains("apt-get install")
        );
    }
}
