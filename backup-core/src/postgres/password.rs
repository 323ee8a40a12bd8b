//! A role's password: who came in with it, whether it is asked for at all, and how it is changed.
//!
//! A password never leaves this process in the clear: the server is given a SCRAM verifier, made
//! here, so that no log of statements and no view of running queries can show more than that. What
//! a password is kept in, and when it is changed, is not known here.

use std::io;

use backup_model::Code;
use data_encoding::HEXLOWER;
use postgres_protocol::password::scram_sha_256;
use secrecy::{ExposeSecret as _, SecretString, zeroize::Zeroizing};

use super::{Connection, ConnectionError, Session};

/// The first version that knows SCRAM.
const SCRAM_SINCE: i32 = 100_000;

/// Whatever the role's own settings are: it waits for nobody's lock, answers in time, and an
/// acknowledged change of the password survives a crash of the server. `set role none`, since a
/// role that becomes another one at the start may not change its own password.
const CAREFUL: &str = "set statement_timeout = '10s'; set lock_timeout = '5s'; \
     set synchronous_commit = on; set role none";

/// The role and the server behind a session. Two are the same if they are equal, whatever the
/// addresses look like that led to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedInAs {
    /// The role.
    pub role: String,
    /// When the server was started, to the microsecond: no two have that in common.
    started: String,
}

/// What is to be known before a password is changed.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// As whom, and where.
    pub to: SignedInAs,
    /// Whether the server knows SCRAM.
    pub knows_scram: bool,
    /// Whether the server itself would make MD5 verifiers of passwords.
    pub makes_md5: bool,
    /// The names that other sessions of the same role gave themselves, without doubles.
    pub others: Vec<String>,
}

/// A password that nobody has thought of: 256 random bits, as hexadecimal digits, which need no
/// quoting in pass files, URLs and shells.
pub fn new_password() -> io::Result<SecretString> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice()).map_err(io::Error::other)?;
    Ok(HEXLOWER.encode(bytes.as_slice()).into())
}

impl Connection {
    /// The same, with this password.
    #[must_use]
    pub fn with_password(&self, password: &SecretString) -> Self {
        Self {
            password: Some(password.clone()),
            ..self.clone()
        }
    }

    /// Whether the password lets the user in: one who is refused is no error here, a server that
    /// does not answer is.
    pub async fn lets_in(&self) -> Result<bool, ConnectionError> {
        match self.connect().await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Code::PgAuth => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the server wants a password for this connection. Nothing can be learnt about
    /// passwords where it does not.
    pub async fn wants_password(&self) -> Result<bool, ConnectionError> {
        let without = Self {
            password: None,
            ..self.clone()
        };
        without.lets_in().await.map(|came_in| !came_in)
    }
}

impl Session {
    /// Who came in, where, and what speaks against changing the password.
    pub async fn signed_in(&self) -> Result<SignedIn, ConnectionError> {
        const ASK: &str = "select session_user::text, pg_postmaster_start_time()::text, \
             current_setting('server_version_num')::int4, current_setting('password_encryption'), \
             array(select distinct coalesce(nullif(application_name, ''), 'without a name') \
                 from pg_stat_activity where usename = session_user \
                 and application_name <> 'backupd' order by 1)";
        let failed = ConnectionError::query("say who is signed in");
        let row = self.client().query_one(ASK, &[]).await.map_err(&failed)?;
        Ok(SignedIn {
            to: SignedInAs {
                role: row.try_get(0).map_err(&failed)?,
                started: row.try_get(1).map_err(&failed)?,
            },
            knows_scram: row.try_get::<_, i32>(2).map_err(&failed)? >= SCRAM_SINCE,
            // Servers before 14 also say `on`, which means the same.
            makes_md5: row.try_get::<_, &str>(3).map_err(&failed)? != "scram-sha-256",
            others: row.try_get(4).map_err(&failed)?,
        })
    }

    /// Sets the password of the role that came in, which every role may do.
    pub async fn change_password(&self, password: &SecretString) -> Result<(), ConnectionError> {
        let failed = ConnectionError::query("change the password");
        let ready = self.client().batch_execute(CAREFUL).await;
        ready.map_err(&failed)?;
        // Digits, letters, and `$:+/=-`: it can stand between quotes as it is.
        let verifier = Zeroizing::new(scram_sha_256(password.expose_secret().as_bytes()));
        let change = Zeroizing::new(format!(
            "alter role session_user password '{}'",
            verifier.as_str()
        ));
        self.client().batch_execute(&change).await.map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::postgres::{Host, testing::TestCluster};

    #[tokio::test]
    async fn a_role_changes_its_own_password_and_no_log_has_it() {
        let server = TestCluster::start().await;
        server
            .run(
                "postgres",
                "create role parent; create role app login password 'first';
                 grant parent to app; alter role app set role = parent;
                 alter role app set password_encryption = 'md5';
                 alter role app set log_statement = 'all'",
            )
            .await;
        let app = Connection {
            user: "app".to_owned(),
            ..server.connection("postgres")
        };
        let first = app.with_password(&"first".into());
        assert!(first.wants_password().await.unwrap());
        assert!(!app.with_password(&"second".into()).lets_in().await.unwrap());

        let session = first.connect().await.unwrap();
        let signed_in = session.signed_in().await.unwrap();
        assert_eq!(signed_in.to.role, "app");
        assert!(signed_in.knows_scram && signed_in.makes_md5);
        let new = new_password().unwrap();
        session.change_password(&new).await.unwrap();
        assert!(!first.lets_in().await.unwrap());
        let again = app.with_password(&new).connect().await.unwrap();
        assert_eq!(again.signed_in().await.unwrap().to, signed_in.to);

        let Host::Socket(folder) = &app.host else {
            panic!("a scratch cluster has a socket");
        };
        let log = fs::read_to_string(folder.join("log")).unwrap();
        assert!(log.contains("alter role session_user password 'SCRAM-SHA-256$"));
        assert!(!log.contains(new.expose_secret()));
    }

    #[tokio::test]
    async fn another_server_is_another() {
        let (one, two) = (TestCluster::start().await, TestCluster::start().await);
        let mut seen = Vec::new();
        for server in [&one, &two] {
            let session = server.connection("postgres").connect().await.unwrap();
            seen.push(session.signed_in().await.unwrap().to);
        }
        assert_eq!(seen[0].role, seen[1].role);
        assert_ne!(seen[0], seen[1]);
    }

    #[test]
    fn new_passwords_differ() {
        let [one, two] = [(); 2].map(|()| new_password().unwrap());
        assert_eq!(one.expose_secret().len(), 64);
        assert_ne!(one.expose_secret(), two.expose_secret());
    }
}
