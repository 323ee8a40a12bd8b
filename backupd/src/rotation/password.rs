//! A database password in a file: replaced there and on the server.
//!
//! The order makes every death harmless. The new password is durable in `<file>.new` before the
//! server hears of it, and it takes the file's place only after everybody who reads the file came
//! in with it. So whoever finds a `.new` asks the server which of the two it knows: the old one,
//! and the new one is thrown away; the new one, and it is tried and put in place, or taken back.
//!
//! While the server knows the new password and the file still has the old one, whoever reads the
//! file is refused: a second, in which nothing but a sign-in can be done about it.

use backup_core::postgres::{
    Connection, ConnectionError, Session, SignedIn, SignedInAs, new_password,
};
use backup_model::{Code, Failure};
use secrecy::SecretString;

use super::{
    PasswordUse, RotationError,
    file::{FolderLocks, Left, SecretFile},
    users::{User, elsewhere},
};
use crate::{
    config::{SecretError, SecretRef, SecretSources},
    service::connection_with,
};

const WHAT: &str = "password";

/// A password that can be replaced: everything has been looked at, and nothing was changed.
#[derive(Debug)]
pub struct PasswordRotation {
    file: SecretFile,
    _lock: FolderLocks,
    readers: Vec<Reader>,
    /// In the file.
    old: SecretString,
    /// What [`Left::InUse`] is about.
    in_use: Option<SecretString>,
    left: Left,
    /// Opened before anything was changed: by it the old password comes back.
    session: Session,
    signed_in: SignedIn,
    unasked: Vec<String>,
}

/// Somebody who reads the file.
#[derive(Debug)]
struct Reader {
    name: String,
    connection: Connection,
}

impl PasswordRotation {
    /// Asks the servers about everybody who may be concerned. Nobody else can rotate anything in
    /// the file's folder until this is dropped.
    pub async fn look(
        of: &PasswordUse<'_>,
        secrets: &SecretSources,
    ) -> Result<Self, RotationError> {
        let file = SecretFile::new(of.file);
        let lock = FolderLocks::take(&[&file])?;
        let readers: Vec<Reader> = of.readers.iter().map(|user| Reader::of(*user)).collect();
        let Some((first, others)) = readers.split_first() else {
            let what = of.file.display().to_string();
            return Err(RotationError::None { what });
        };
        if !first.connection.wants_password().await? {
            return Err(RotationError::Unasked {
                server: first.connection.server(),
                role: first.connection.user.clone(),
            });
        }
        let old = SecretRef::File(of.file.to_owned()).resolve(secrets).await?;
        let beside = beside(&file, secrets).await?;
        let (session, in_use) = sign_in(first, &file, &old, beside.secret).await?;
        let signed_in = session.signed_in().await?;
        if !signed_in.knows_scram {
            return Err(RotationError::TooOld(first.connection.server()));
        }
        for other in others {
            let session = other.sign_in(in_use.as_ref().unwrap_or(&old)).await?;
            if session.signed_in().await?.to != signed_in.to {
                let other = other.name.clone();
                return Err(RotationError::OtherServer { other });
            }
        }
        let left = match (&in_use, beside.is_there) {
            (Some(_), _) => Left::InUse,
            (None, true) => Left::Unused,
            (None, false) => Left::Nothing,
        };
        let unasked = ask(&of.perhaps, &signed_in, secrets).await?;
        Ok(Self {
            file,
            _lock: lock,
            readers,
            old,
            in_use,
            left,
            session,
            signed_in,
            unasked,
        })
    }

    /// What an interrupted rotation left.
    pub fn left(&self) -> Left {
        self.left
    }

    /// What is known of the role and its server.
    pub fn signed_in(&self) -> &SignedIn {
        &self.signed_in
    }

    /// Who signs in as a role of the same name by another password, and could not be asked where.
    pub fn unasked(&self) -> &[String] {
        &self.unasked
    }

    /// Replaces the password, or ends what an interrupted rotation began.
    pub async fn run(self) -> Result<(), RotationError> {
        let new = if let Some(new) = &self.in_use {
            new.clone()
        } else {
            let new = self.make()?;
            if let Err(why) = self.set(&new).await {
                return Err(self.roll_back(&new, why).await);
            }
            new
        };
        let kept = match self.prove(&new).await {
            Ok(()) => self.file.take_new(),
            failed => failed,
        };
        match kept {
            Ok(()) => self.file.make_durable(),
            Err(why) => Err(self.roll_back(&new, why).await),
        }
    }

    /// The new password is durable, and nobody knows it.
    fn make(&self) -> Result<SecretString, RotationError> {
        self.file.clear()?;
        let new = new_password().map_err(RotationError::Random)?;
        match self.file.write_new(&new) {
            Ok(()) => Ok(new),
            Err(error) => {
                // What was written of it means nothing, and if it stays the next one clears it.
                drop(self.file.clear());
                Err(error)
            }
        }
    }

    /// The server knows the new one.
    async fn set(&self, new: &SecretString) -> Result<(), RotationError> {
        Ok(self.session.change_password(new).await?)
    }

    /// Everybody comes in with the new one, as whom he was before.
    async fn prove(&self, new: &SecretString) -> Result<(), RotationError> {
        for reader in &self.readers {
            let session = reader.sign_in(new).await?;
            if session.signed_in().await?.to != self.signed_in.to {
                let who = reader.name.clone();
                return Err(RotationError::Someone { who });
            }
        }
        Ok(())
    }

    /// The server knows the old one again, and the new one is gone; unless that could not be
    /// proved, and both stay where they are.
    async fn roll_back(&self, new: &SecretString, why: RotationError) -> RotationError {
        let (what, why) = (WHAT, Box::new(why));
        match self.bring_back(new).await {
            Ok(()) => RotationError::RolledBack { what, source: why },
            Err(source) => RotationError::Stuck {
                what,
                why,
                path: self.file.path().to_owned(),
                source: Box::new(source),
            },
        }
    }

    async fn bring_back(&self, new: &SecretString) -> Result<(), RotationError> {
        let Some(first) = self.readers.first() else {
            return Ok(());
        };
        if let Err(lost) = self.session.change_password(&self.old).await {
            // The session has gone, and what it was at may still come to pass: that somebody comes
            // in says nothing yet. Setting it once more waits for the row, and so for that.
            let with = |password| first.connection.with_password(password);
            let again = match with(&self.old).connect().await {
                Ok(session) => session,
                // What it is about is why the first session did not do it.
                Err(_) => with(new).connect().await.map_err(|_| lost)?,
            };
            again.change_password(&self.old).await?;
        }
        first.sign_in(&self.old).await?;
        self.file.clear()
    }
}

impl Reader {
    fn of(user: User<'_>) -> Self {
        Self {
            name: user.to_string(),
            connection: connection_with(user.source, None),
        }
    }

    async fn sign_in(&self, password: &SecretString) -> Result<Session, RotationError> {
        let connection = self.connection.with_password(password);
        connection
            .connect()
            .await
            .map_err(|error| RotationError::Test {
                who: self.name.clone(),
                source: Box::new(failure(&error)),
            })
    }
}

fn failure(error: &ConnectionError) -> Failure {
    Failure::from_error(error.code(), error)
}

/// What lies in `<file>.new`.
struct Beside {
    is_there: bool,
    /// None also if it was torn while it was written: then no server has heard of it.
    secret: Option<SecretString>,
}

async fn beside(file: &SecretFile, secrets: &SecretSources) -> Result<Beside, RotationError> {
    let Some(path) = file.find_new()? else {
        return Ok(Beside {
            is_there: false,
            secret: None,
        });
    };
    let secret = match SecretRef::File(path).resolve(secrets).await {
        Ok(secret) => Some(secret),
        Err(SecretError::Content { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Beside {
        is_there: true,
        secret,
    })
}

/// A session by the password in the file; by the one beside it if the server knows only that,
/// which is then given too.
async fn sign_in(
    first: &Reader,
    file: &SecretFile,
    old: &SecretString,
    beside: Option<SecretString>,
) -> Result<(Session, Option<SecretString>), RotationError> {
    let refused = match first.connection.with_password(old).connect().await {
        Ok(session) => return Ok((session, None)),
        Err(error) if error.code() == Code::PgAuth => error,
        Err(error) => return Err(error.into()),
    };
    let Some(new) = beside else {
        return Err(refused.into());
    };
    match first.connection.with_password(&new).connect().await {
        Ok(session) => Ok((session, Some(new))),
        Err(error) if error.code() == Code::PgAuth => Err(RotationError::NeitherWorks {
            path: file.path().to_owned(),
            source: Box::new(failure(&refused)),
        }),
        Err(error) => Err(error.into()),
    }
}

/// Asks those who have another password for a role of that name where they come in: it must not
/// be the same role. Gives those who could not be asked.
async fn ask(
    perhaps: &[User<'_>],
    signed_in: &SignedIn,
    secrets: &SecretSources,
) -> Result<Vec<String>, RotationError> {
    let mut unasked = Vec::new();
    for &user in perhaps {
        let Some(reference) = &user.source.password else {
            continue;
        };
        match whom(user, reference, secrets).await {
            Some(to) if to == signed_in.to => return Err(elsewhere(user, reference)),
            Some(_) => {}
            None => unasked.push(user.to_string()),
        }
    }
    Ok(unasked)
}

async fn whom(
    user: User<'_>,
    reference: &SecretRef,
    secrets: &SecretSources,
) -> Option<SignedInAs> {
    let password = reference.resolve(secrets).await.ok()?;
    let session = connection_with(user.source, Some(password)).connect().await;
    Some(session.ok()?.signed_in().await.ok()?.to)
}

#[cfg(test)]
mod tests;
