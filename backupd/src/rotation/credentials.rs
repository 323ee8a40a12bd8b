//! An access key of a bucket, in files: replaced by one that was made at the provider.
//!
//! The new key is tried on the living storage before anything changes. Then the files are swapped,
//! one rename each, and the old ones stay beside them until the repository was opened again
//! through the configuration. Two renames are not one: who dies between them leaves a name and a
//! secret that do not belong together, and the next rotation finds out which set opens the
//! repository, all that is new or all that is old.

use std::path::{Path, PathBuf};

use backup_core::store::is_create_refused;
use backup_model::{Failure, RepositoryId};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    RotationError,
    file::{FolderLocks, Left, SecretFile},
    users::{is_file, users},
};
use crate::{
    config::{CredentialRefs, SecretRef, SecretSources},
    service::{Access, Place},
    storage,
};

const WHAT: &str = "access key";

/// The files that hold a new access key: those parts of it that change.
#[derive(Clone, Debug, Default)]
pub struct NewCredentials {
    /// Its name.
    pub access_key_id: Option<PathBuf>,
    /// Its secret.
    pub secret_access_key: Option<PathBuf>,
    /// Its token, if it is a temporary one.
    pub session_token: Option<PathBuf>,
}

/// An access key that can be replaced: the new one has worked, and nothing was changed.
#[derive(Debug)]
pub struct CredentialsRotation<'a> {
    secrets: &'a SecretSources,
    /// The repository that was asked for, and all that read one of its files.
    places: Vec<&'a Place>,
    /// All files of the repository's access key.
    files: Vec<SecretFile>,
    new: Vec<New>,
    left: Left,
    present: Option<Failure>,
    _locks: FolderLocks,
}

/// What a file shall hold.
#[derive(Debug)]
struct New {
    file: SecretFile,
    /// Where it is now.
    from: PathBuf,
    secret: SecretString,
}

impl<'a> CredentialsRotation<'a> {
    /// Tries the new key on every repository that would use it: reads and checks its first record,
    /// lists, and creates what is there already. Nobody else can rotate anything in the files'
    /// folders until this is dropped.
    pub async fn look(
        access: &'a Access,
        place: &'a Place,
        given: &NewCredentials,
    ) -> Result<Self, RotationError> {
        let secrets = &access.secrets;
        let Some(s3) = &place.s3 else {
            return Err(RotationError::NoCredentials(place.name.clone()));
        };
        let refs = &s3.credentials;
        let new = new(&place.name, refs, given, secrets).await?;
        let all = parts(refs)
            .into_iter()
            .filter_map(|(_, reference)| file(reference?));
        let files: Vec<SecretFile> = all.map(SecretFile::new).collect();
        check_shared(access, refs, &files)?;
        let locks = FolderLocks::take(&files.iter().collect::<Vec<_>>())?;
        let mut this = Self {
            secrets,
            places: places(access, place, &files),
            files,
            new,
            left: Left::Nothing,
            present: None,
            _locks: locks,
        };
        let before = this.before().await?;
        if this.new.is_empty() && this.left == Left::Nothing {
            return Err(RotationError::NothingGiven);
        }
        for place in &this.places {
            let id = this.opens(&this.given(place)?).await?;
            let first = place.name == this.name();
            if first && before.is_some_and(|before| before != id) {
                return Err(RotationError::OtherRepository(place.name.clone()));
            }
        }
        Ok(this)
    }

    /// The files that get other contents.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.new.iter().map(|new| new.file.path())
    }

    /// The repositories that read them.
    pub fn repositories(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|place| place.name.as_str())
    }

    /// What an interrupted rotation left.
    pub fn left(&self) -> Left {
        self.left
    }

    /// Why the present key does not open the repository, if it does not: it may have been
    /// withdrawn already.
    pub fn present(&self) -> Option<&Failure> {
        self.present.as_ref()
    }

    /// Replaces the key, after ending what an interrupted rotation began; false if it is the same
    /// as before.
    pub async fn run(self) -> Result<bool, RotationError> {
        match self.left {
            Left::Nothing => {}
            Left::Unused => self.put_back()?,
            Left::InUse => self.finish().await?,
        }
        if self.is_in_use().await? {
            return Ok(self.left == Left::InUse);
        }
        if let Err(error) = self.make() {
            drop(self.put_back());
            return Err(error);
        }
        self.finish().await?;
        Ok(true)
    }

    /// The new key is durable beside the old one.
    fn make(&self) -> Result<(), RotationError> {
        self.new
            .iter()
            .try_for_each(|new| new.file.write_new(&new.secret))
    }

    /// The files hold the new key, it has worked from there, and nothing else is left; or they
    /// hold the old one again.
    async fn finish(&self) -> Result<(), RotationError> {
        let proved = match self.swap() {
            Ok(()) => self.prove().await,
            failed => failed,
        };
        let Err(why) = proved else {
            return self.files.iter().try_for_each(SecretFile::clear);
        };
        let (what, why) = (WHAT, Box::new(why));
        Err(match self.put_back() {
            Ok(()) => RotationError::RolledBack { what, source: why },
            Err(source) => RotationError::Stuck {
                what,
                why,
                path: self.first_file(),
                source: Box::new(source),
            },
        })
    }

    fn swap(&self) -> Result<(), RotationError> {
        for file in &self.files {
            if file.find_new()?.is_some() {
                file.swap_new()?;
            }
        }
        Ok(())
    }

    /// Every repository opens through the configuration as it is.
    async fn prove(&self) -> Result<(), RotationError> {
        for place in &self.places {
            self.opens(place).await?;
        }
        Ok(())
    }

    fn put_back(&self) -> Result<(), RotationError> {
        self.files.iter().try_for_each(SecretFile::put_back)
    }

    /// Whether the files hold what was given.
    async fn is_in_use(&self) -> Result<bool, RotationError> {
        for new in &self.new {
            let now = SecretRef::File(new.file.path().to_owned());
            let now = now.resolve(self.secrets).await?;
            if now.expose_secret() != new.secret.expose_secret() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Which repository the key of before opens, and what an interrupted rotation has to do with
    /// which key that is.
    async fn before(&mut self) -> Result<Option<RepositoryId>, RotationError> {
        let Some(&place) = self.places.first() else {
            return Ok(None);
        };
        let mut any = false;
        for file in &self.files {
            any |= file.find_new()?.is_some() || file.find_old()?.is_some();
        }
        if !any {
            let opened = place.open(self.secrets).await;
            return Ok(opened
                .map_err(|failure| self.present = Some(failure))
                .ok()
                .map(|repository| repository.id()));
        }
        let newer = self.with(place, SecretFile::find_new);
        if let Ok(id) = self.opens(&newer?).await {
            self.left = Left::InUse;
            return Ok(Some(id));
        }
        let older = self.with(place, SecretFile::find_old);
        self.left = Left::Unused;
        match older?.open(self.secrets).await {
            Ok(repository) => Ok(Some(repository.id())),
            Err(failure) if self.new.is_empty() => Err(RotationError::NeitherWorks {
                path: self.first_file(),
                source: Box::new(failure),
            }),
            // It may have been withdrawn; the given one is to be tried yet.
            Err(failure) => {
                self.present = Some(failure);
                Ok(None)
            }
        }
    }

    /// A repository, reached by the new key where it was given, else by what will be there.
    fn given(&self, place: &Place) -> Result<Place, RotationError> {
        self.with(place, |file| {
            let given = self.new.iter().find(|new| new.file == *file);
            match (given, self.left) {
                (Some(new), _) => Ok(Some(new.from.clone())),
                (None, Left::Nothing) => Ok(None),
                (None, Left::Unused) => file.find_old(),
                (None, Left::InUse) => file.find_new(),
            }
        })
    }

    /// A repository, reached by other files where there are any.
    fn with(
        &self,
        place: &Place,
        other: impl Fn(&SecretFile) -> Result<Option<PathBuf>, RotationError>,
    ) -> Result<Place, RotationError> {
        let mut found = Vec::new();
        for file in &self.files {
            found.extend(other(file)?.map(|other| (file.path(), other)));
        }
        Ok(instead(place, |path| {
            let reference = SecretRef::File(path.to_owned());
            let found = found.iter().find(|(file, _)| is_file(&reference, file));
            found.map(|(_, other)| other.clone())
        }))
    }

    /// All that a backup host needs: to read, to list (opening does), and to create. What is
    /// created is there already, and has the same bytes should the store not refuse it.
    async fn opens(&self, place: &Place) -> Result<RepositoryId, RotationError> {
        let failed = |failure| RotationError::Test {
            who: format!("the repository `{}`", place.name),
            source: Box::new(failure),
        };
        let repository = place.open(self.secrets).await.map_err(failed)?;
        is_create_refused(repository.store())
            .await
            .map_err(|error| failed(storage::failure(&error)))?;
        Ok(repository.id())
    }

    fn name(&self) -> &str {
        self.places.first().map_or("", |place| place.name.as_str())
    }

    fn first_file(&self) -> PathBuf {
        let first = self.files.first();
        first.map_or_else(PathBuf::new, |file| file.path().to_owned())
    }
}

/// The parts of an access key and what they are called.
fn parts(refs: &CredentialRefs) -> [(&'static str, Option<&SecretRef>); 3] {
    [
        ("access_key_id", Some(&refs.access_key_id)),
        ("secret_access_key", Some(&refs.secret_access_key)),
        ("session_token", refs.session_token.as_ref()),
    ]
}

fn file(reference: &SecretRef) -> Option<&Path> {
    match reference {
        SecretRef::File(path) => Some(path),
        _ => None,
    }
}

/// What shall be where.
async fn new(
    repository: &str,
    refs: &CredentialRefs,
    given: &NewCredentials,
    secrets: &SecretSources,
) -> Result<Vec<New>, RotationError> {
    let froms = [
        &given.access_key_id,
        &given.secret_access_key,
        &given.session_token,
    ];
    let mut new = Vec::new();
    for ((what, reference), from) in parts(refs).into_iter().zip(froms) {
        let Some(from) = from else { continue };
        let what = || format!("`{what}` of the repository `{repository}`");
        let reference = reference.ok_or_else(|| RotationError::None { what: what() })?;
        let path = file(reference).ok_or_else(|| RotationError::NotAFile {
            what: what(),
            origin: reference.origin(),
        })?;
        new.push(New {
            file: SecretFile::new(path),
            from: from.clone(),
            secret: SecretRef::File(from.clone()).resolve(secrets).await?,
        });
    }
    Ok(new)
}

/// A file that is read for two different things cannot get what one of them needs.
fn check_shared(
    access: &Access,
    refs: &CredentialRefs,
    files: &[SecretFile],
) -> Result<(), RotationError> {
    let one_file = |file: &SecretFile, what, for_whom| RotationError::OneFile {
        path: file.path().to_owned(),
        what,
        for_whom,
    };
    let clash = |reference: &SecretRef| files.iter().find(|file| is_file(reference, file.path()));
    for user in users(&access.jobs) {
        if let Some(file) = user.source.password.as_ref().and_then(clash) {
            return Err(one_file(file, "the password", user.to_string()));
        }
    }
    for other in &access.places {
        let Some(theirs) = &other.s3 else { continue };
        for (mine, reference) in parts(refs) {
            let Some(path) = reference.and_then(file) else {
                continue;
            };
            for (what, reference) in parts(&theirs.credentials) {
                let same = reference.is_some_and(|reference| is_file(reference, path));
                if same && what != mine {
                    let whom = format!("the repository `{}`", other.name);
                    return Err(one_file(&SecretFile::new(path), what, whom));
                }
            }
        }
    }
    Ok(())
}

/// The repository that was asked for, and all others that read one of the files.
fn places<'a>(access: &'a Access, first: &'a Place, files: &[SecretFile]) -> Vec<&'a Place> {
    let reads = |place: &&Place| {
        let refs = place.s3.as_ref().map(|s3| parts(&s3.credentials));
        let mut refs = refs.into_iter().flatten().filter_map(|(_, part)| part);
        refs.any(|part| files.iter().any(|file| is_file(part, file.path())))
    };
    let others = access
        .places
        .iter()
        .filter(|place| place.name != first.name);
    [first].into_iter().chain(others.filter(reads)).collect()
}

/// A repository whose access key is read from other files.
fn instead(place: &Place, other: impl Fn(&Path) -> Option<PathBuf>) -> Place {
    let mut place = place.clone();
    if let Some(s3) = &mut place.s3 {
        let refs = &mut s3.credentials;
        let parts = [&mut refs.access_key_id, &mut refs.secret_access_key];
        for part in parts.into_iter().chain(refs.session_token.as_mut()) {
            if let Some(other) = file(part).and_then(&other) {
                *part = SecretRef::File(other);
            }
        }
    }
    place
}
