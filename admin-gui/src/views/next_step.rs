//! What to do about a failure, as far as its code tells: a sentence without a full stop.

use backup_model::Code;

/// The next step, where there is one that helps whoever sits at a window.
#[expect(clippy::too_many_lines, reason = "one table")]
pub(super) const fn next_step(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::Daemon => "See on the server whether it runs: systemctl status backupd",
        Code::DaemonIdentity => {
            "Compare its key with the one in the daemon's own log: journalctl -u backupd"
        }
        Code::SignIn => {
            "The token counts no more, or never did. Somebody with `admin` can give another"
        }
        Code::NotPermitted => {
            "This token may not do that. Someone with the scope `admin` can give another: \
             backupctl token create"
        }
        Code::Busy => "Try again when what is under way has ended",
        Code::NoJob => "The configuration has changed. Go back to the list of jobs",
        Code::WrongIdentity => {
            "The passphrase is another one, or this key opens none of it. See who opens what in Keys"
        }
        Code::IdentityMissing => "It is locked: type its passphrase",
        Code::IdentityInvalid => {
            "Name a file that only its owner can read (chmod 600), with one age identity or one \
             private SSH key"
        }
        Code::NoSpace => {
            "Make room there, or raise its quota. A restore can choose another target, too"
        }
        Code::TargetRefused => "Choose another target, or mend what speaks against this one",
        Code::KitInvalid => {
            "Compare these lines with the kit on paper or with another copy, and correct them"
        }
        Code::NotTrusted => {
            "Compare the key with the one in the recovery kit, and see whether this is the right \
             repository"
        }
        Code::NotARepository => "Check the address: the place holds something else",
        Code::RepositoryMissing => "Check the address, and whether the storage is mounted",
        Code::Store => "Check the endpoint, and whether this machine reaches it",
        Code::StoreDenied => {
            "Check the access key, or this user's rights on the repository's folder"
        }
        Code::SecretInArgument => "Leave it out there, and put the access key into its own fields",
        Code::ProgramMissing => "Install backupd on this machine, beside this program or in PATH",
        Code::LocalIo => "Check that the file or folder exists, may be used, and has room",
        Code::Usage => "Correct it, and try again",
        Code::NoRoute | Code::Method | Code::MediaType | Code::DaemonVersion => {
            "This window and the daemon are of different versions. Install the newer one on both \
             sides: backupctl version"
        }
        Code::Policy => "Correct its counts: something has to stay",
        Code::PgConnect => "Check host, port or socket folder, and whether the server runs",
        Code::PgAuth => "Check user and password of the job, and the server's pg_hba.conf",
        Code::PgDatabase => "Check the name of the database: psql -l lists all",
        Code::PgQuery | Code::PgDump => {
            "Check that the job's role may read the whole database, then back up again"
        }
        Code::PgRestore => "Nothing was put in place. Read the causes above and try again",
        Code::PgTooOld => {
            "Install client programs at least as new as the server, and name their folder in \
             `bin_dir`"
        }
        Code::Source => {
            "Check that what the source names exists, and that the daemon's user may read or run it"
        }
        Code::Hook => {
            "Correct the program, or its entry in the job's `hooks`; the log below has what it said"
        }
        Code::Damaged => {
            "Keep the repository as it is, restore what is needed from another snapshot, and back \
             up anew"
        }
        Code::RepositoryDamaged => {
            "Keep the repository as it is, and bring its damaged files back from a copy"
        }
        Code::RolledBack => {
            "Somebody has put an older or another copy in its place: look into it before you rely \
             on what is there"
        }
        Code::WriterRefused => "See in Keys whether this server's key counts, and until when",
        Code::SingleWriter => {
            "Let only one host write here, or move to a store that keeps two writers apart"
        }
        Code::Interrupted | Code::Terminated => "Nothing is lost: run it again",
        Code::Config => "See what is wrong with it: backupctl config check",
        _ => return None,
    })
}
