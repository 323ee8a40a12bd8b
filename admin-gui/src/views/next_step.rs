//! What to do about a failure, as far as its code tells: a sentence without a full stop.

use backup_model::Code;

/// The next step, where there is one that helps whoever sits at a window.
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
        Code::NoSpace => "Make room there, or choose another target, then check again",
        Code::TargetRefused => "Choose another target, or mend what speaks against this one",
        Code::Config => "See what is wrong with it: backupctl config check",
        _ => return None,
    })
}
