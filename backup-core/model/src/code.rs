//! Stable error codes: the one table that gives a code its text, exit status and HTTP status.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of trouble it is: decides about retries, never about texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// The thing is not there.
    NotFound,
    /// Somebody else was first, or is busy with it.
    Conflict,
    /// Not allowed.
    Denied,
    /// Not what was stored or signed.
    Corrupt,
    /// May work when tried again.
    Retryable,
    /// The request, the input or the configuration is wrong.
    Invalid,
    /// Stopped on request.
    Cancelled,
    /// A mistake in this program.
    Bug,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $exit:literal, $http:literal, $class:ident;)*) => {
        /// A stable error code. Texts never change meaning; new ones may come.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as users see it: `E-…`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The exit status of `backupctl`.
            pub const fn exit(self) -> u8 {
                match self { $(Self::$name => $exit,)* }
            }

            /// The HTTP status of the API.
            pub const fn http(self) -> u16 {
                match self { $(Self::$name => $http,)* }
            }

            /// What kind of trouble it is.
            pub const fn class(self) -> Class {
                match self { $(Self::$name => Class::$class,)* }
            }
        }
    };
}

codes! {
    /// Failed for a reason that has no code of its own.
    Failed = "E-FAILED", 1, 500, Retryable;
    /// A mistake in this program.
    Bug = "E-BUG", 1, 500, Bug;
    /// A local file could not be read or written.
    LocalIo = "E-LOCAL-IO", 1, 500, Retryable;
    /// The audit log cannot be read or written.
    AuditLog = "E-AUDIT-LOG", 1, 503, Retryable;
    /// The audit log is not as it was written.
    AuditDamaged = "E-AUDIT-DAMAGED", 4, 500, Corrupt;
    /// The command line is wrong.
    Usage = "E-USAGE", 2, 400, Invalid;
    /// Root works in a folder that belongs to another user.
    WrongUser = "E-WRONG-USER", 1, 409, Invalid;
    /// A secret was given as an argument.
    SecretInArgument = "E-SECRET-IN-ARGUMENT", 2, 400, Invalid;
    /// What is stored is not what was signed: missing, cut, changed or swapped.
    Damaged = "E-DAMAGED", 4, 500, Corrupt;
    /// A program that is needed to do this is not installed.
    ProgramMissing = "E-PROGRAM-MISSING", 8, 503, NotFound;
    /// The repository's own records are damaged.
    RepositoryDamaged = "E-REPOSITORY-DAMAGED", 9, 500, Corrupt;
    /// A record that this machine has seen in the repository is gone, or has become another.
    RolledBack = "E-REPOSITORY-ROLLED-BACK", 9, 500, Corrupt;
    /// The repository is signed by another root key, or no root key is known.
    NotTrusted = "E-NOT-TRUSTED", 9, 403, Denied;
    /// The repository was written by a newer program.
    RepositoryNewer = "E-REPOSITORY-NEWER", 9, 500, Invalid;
    /// There is something, but it is not a repository of ours.
    NotARepository = "E-NOT-A-REPOSITORY", 9, 500, Invalid;
    /// There is no repository.
    RepositoryMissing = "E-REPOSITORY-MISSING", 10, 404, NotFound;
    /// The job runs already.
    Busy = "E-BUSY", 11, 409, Conflict;
    /// The identity does not open this.
    WrongIdentity = "E-WRONG-IDENTITY", 12, 403, Denied;
    /// An identity is needed and none was given.
    IdentityMissing = "E-IDENTITY-MISSING", 12, 403, Invalid;
    /// The identity file is not one, or others can read it.
    IdentityInvalid = "E-IDENTITY-INVALID", 12, 400, Invalid;
    /// The recovery kit is not whole, or its key is none.
    KitInvalid = "E-KIT-INVALID", 12, 400, Invalid;
    /// The recovery kit is of another repository, or of a key that does not count (any more).
    KitMismatch = "E-KIT-MISMATCH", 12, 409, Denied;
    /// The writer's key is missing, expired, removed, or without the role.
    WriterRefused = "E-WRITER-REFUSED", 12, 403, Denied;
    /// The database server cannot be reached.
    PgConnect = "E-PG-CONNECT", 13, 502, Retryable;
    /// The database server refused user or password.
    PgAuth = "E-PG-AUTH", 13, 502, Denied;
    /// The database does not exist.
    PgDatabase = "E-PG-DATABASE", 13, 502, NotFound;
    /// The database server refused a query.
    PgQuery = "E-PG-QUERY", 13, 502, Retryable;
    /// `pg_dump` or `pg_dumpall` failed.
    PgDump = "E-PG-DUMP", 13, 502, Retryable;
    /// `pg_restore` failed.
    PgRestore = "E-PG-RESTORE", 1, 502, Retryable;
    /// The client programs are older than the server.
    PgTooOld = "E-PG-TOO-OLD", 13, 502, Invalid;
    /// A source other than a database could not be read at all.
    Source = "E-SOURCE", 13, 502, Retryable;
    /// A program that the job runs around its backups failed or took too long.
    Hook = "E-HOOK", 1, 500, Retryable;
    /// The store cannot be reached or answered with an error.
    Store = "E-STORE", 14, 502, Retryable;
    /// The store denied access.
    StoreDenied = "E-STORE-DENIED", 14, 502, Denied;
    /// The store does not keep a second writer out.
    SingleWriter = "E-SINGLE-WRITER", 14, 502, Denied;
    /// No space, or a quota is used up.
    NoSpace = "E-NO-SPACE", 15, 507, Denied;
    /// There is no such snapshot.
    NoSnapshot = "E-NO-SNAPSHOT", 16, 404, NotFound;
    /// There is no such job.
    NoJob = "E-NO-JOB", 16, 404, NotFound;
    /// The ledger has no such run.
    NoRun = "E-NO-RUN", 16, 404, NotFound;
    /// No such channel of notifications.
    NoChannel = "E-NO-CHANNEL", 16, 404, NotFound;
    /// A notification was not delivered.
    Notify = "E-NOTIFY", 1, 502, Retryable;
    /// The snapshot was forgotten.
    Forgotten = "E-FORGOTTEN", 16, 410, NotFound;
    /// The snapshot has no such stream.
    NoStream = "E-NO-STREAM", 16, 404, NotFound;
    /// The snapshot has no such path.
    NoPath = "E-NO-PATH", 16, 404, NotFound;
    /// The target exists and is not empty.
    TargetNotEmpty = "E-TARGET-NOT-EMPTY", 17, 409, Conflict;
    /// The target cannot take this snapshot.
    TargetRefused = "E-TARGET-REFUSED", 17, 409, Invalid;
    /// A repository is there already.
    RepositoryExists = "E-REPOSITORY-EXISTS", 17, 409, Conflict;
    /// The snapshot is held.
    Held = "E-HELD", 17, 409, Conflict;
    /// A retention policy that nobody can have meant, or that may not be applied now.
    Policy = "E-POLICY", 17, 409, Invalid;
    /// A change of trust that would shut somebody out, let a key in twice, or makes no sense.
    TrustRefused = "E-TRUST-REFUSED", 17, 409, Conflict;
    /// A secret that cannot be replaced here, or not without breaking something else.
    RotationRefused = "E-ROTATION-REFUSED", 17, 409, Invalid;
    /// The store keeps the object and refuses to delete it.
    Retained = "E-RETAINED", 17, 409, Denied;
    /// Nobody said yes.
    NotConfirmed = "E-NOT-CONFIRMED", 17, 409, Invalid;
    /// The configuration is wrong.
    Config = "E-CONFIG", 18, 500, Invalid;
    /// There is no configuration.
    ConfigMissing = "E-CONFIG-MISSING", 18, 500, NotFound;
    /// Nobody has signed in, or not with a token that counts.
    SignIn = "E-SIGN-IN", 19, 401, Denied;
    /// Whoever asks may not do this.
    NotPermitted = "E-NOT-PERMITTED", 19, 403, Denied;
    /// Too many failed sign-ins from one place.
    SlowDown = "E-SLOW-DOWN", 19, 429, Denied;
    /// The API has nothing at this address.
    NoRoute = "E-NO-ROUTE", 2, 404, NotFound;
    /// The API has something at this address, but not for this method.
    Method = "E-METHOD", 2, 405, Invalid;
    /// A request is larger than the API takes.
    TooLarge = "E-TOO-LARGE", 2, 413, Invalid;
    /// A request's content is not JSON.
    MediaType = "E-MEDIA-TYPE", 2, 415, Invalid;
    /// A request did not arrive in time.
    TimeOut = "E-TIME-OUT", 1, 408, Retryable;
    /// The daemon is busy with as many requests as it takes.
    Overloaded = "E-OVERLOADED", 11, 503, Retryable;
    /// There is no such task, or it is forgotten.
    NoTask = "E-NO-TASK", 16, 404, NotFound;
    /// There is no such token.
    NoToken = "E-NO-TOKEN", 16, 404, NotFound;
    /// An idempotency key was used before, for something else.
    KeyReused = "E-KEY-REUSED", 17, 409, Conflict;
    /// The daemon cannot listen where it should.
    Listen = "E-LISTEN", 11, 500, Conflict;
    /// The daemon cannot be reached, or went away.
    Daemon = "E-DAEMON", 20, 502, Retryable;
    /// Whoever answers is not the daemon that was pinned, or cannot show who it is.
    DaemonIdentity = "E-DAEMON-IDENTITY", 20, 502, Denied;
    /// The daemon's answer has another form than this program reads.
    DaemonVersion = "E-DAEMON-VERSION", 20, 502, Invalid;
    /// Stopped by SIGINT.
    Interrupted = "E-INTERRUPTED", 130, 499, Cancelled;
    /// Stopped by SIGTERM.
    Terminated = "E-TERMINATED", 143, 499, Cancelled;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_unique_and_survive_serde() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Code::ALL.len());
        for &code in Code::ALL {
            let json = serde_json::to_string(&code).unwrap();
            assert_eq!(json, format!("\"{}\"", code.as_str()));
            assert_eq!(serde_json::from_str::<Code>(&json).unwrap(), code);
        }
    }
}
