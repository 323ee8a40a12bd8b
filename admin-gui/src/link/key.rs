//! The administrator's key while it is open: read here, used here, wiped when it is closed. The
//! daemon is given the identities of the epochs that an operation needs, and never the key.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use backup_keys::{
    AdministratorKind, OpensKeyFiles as _,
    administrator::{Access, AdministratorIdentity, Ask, IdentityError, PluginPrograms, Question},
    kit::{Kit, KitKey},
    read_private_bytes, unwrap,
};
use backup_model::{Code, Failure, Selection, WrappedKey};
use backupd_api::{EpochKeys, HttpService, Service as _};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::task::spawn_blocking;

use crate::state::{KeySource, OpenKey, Secret};

/// The key that is open, for whoever needs one.
#[derive(Clone, Default)]
pub(super) struct Keyring(Arc<Mutex<Option<Held>>>);

/// A key that is open.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) identity: Arc<AdministratorIdentity>,
    /// Its file, if that is text: what a recovery kit is made of.
    pub(super) text: Option<SecretString>,
    /// What it has opened: a passphrase takes a second for each key file, hardware a touch.
    opened: HashMap<String, EpochKeys>,
}

impl Keyring {
    /// Reads a key and unlocks it.
    pub(super) async fn open(&self, source: KeySource) -> Result<OpenKey, Failure> {
        let shown = match &source {
            KeySource::File { path, .. } => path.display().to_string(),
            KeySource::Passphrase(_) => "a passphrase".to_owned(),
        };
        let read = spawn_blocking(move || read(&source)).await;
        let (identity, text) = read.map_err(|error| Failure::from_error(Code::Bug, &error))??;
        let key = OpenKey {
            shown,
            kind: identity.kind().to_string(),
            recipient: identity.recipient(),
        };
        *self.held() = Some(Held {
            identity: Arc::new(identity),
            text,
            opened: HashMap::new(),
        });
        Ok(key)
    }

    /// The key that is open.
    pub(super) fn in_hand(&self) -> Result<Held, Failure> {
        self.held().clone().ok_or_else(none)
    }

    /// Forgets it, and all that it has opened.
    pub(super) fn close(&self) {
        *self.held() = None;
    }

    /// The identities of the epochs that a selection needs.
    pub(super) async fn unwrap(
        &self,
        service: &HttpService,
        selection: &Selection,
    ) -> Result<EpochKeys, Failure> {
        let name = selection.to_string();
        let (identity, known) = match &*self.held() {
            Some(held) => (Arc::clone(&held.identity), held.opened.get(&name).cloned()),
            None => return Err(none()),
        };
        if let Some(known) = known {
            return Ok(known);
        }
        let files = service.key_files(selection).await?;
        let by = Arc::clone(&identity);
        let opened = spawn_blocking(move || {
            let (kind, recipient) = (by.kind().to_string(), by.recipient());
            // A passphrase takes a second for each file that it is tried on.
            let may_open = |file: &WrappedKey| {
                file.kind == kind && (recipient.is_none() || file.recipient == recipient)
            };
            unwrap(&files, &*by, may_open)
        });
        let opened = opened.await;
        let opened = opened.map_err(|error| Failure::from_error(Code::Bug, &error))?;
        let keys = EpochKeys {
            unwrapped_by: identity.name(),
            identities: opened.map_err(|error| Failure::from_error(error.code(), &error))?,
        };
        let mut held = self.held();
        let same = held
            .as_mut()
            .filter(|held| Arc::ptr_eq(&held.identity, &identity));
        // One snapshot never needs another epoch; of more than one, a new one may be of a new epoch.
        let stays = matches!(selection, Selection::One(_)) && !keys.identities.is_empty();
        if let Some(held) = same.filter(|_| stays) {
            held.opened.insert(name, keys.clone());
        }
        Ok(keys)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn none() -> Failure {
    Failure::new(Code::IdentityMissing, "an administrator's key must be open")
}

/// The key, and its file if that is text and can stand in a recovery kit.
type Read = (AdministratorIdentity, Option<SecretString>);

fn read(source: &KeySource) -> Result<Read, Failure> {
    match source {
        KeySource::Passphrase(secret) => AdministratorIdentity::passphrase(secret.text().clone())
            .map(|identity| (identity, None))
            .map_err(|error| Failure::from_error(Code::IdentityInvalid, &error)),
        KeySource::File {
            path,
            passphrase,
            plugin,
        } => {
            let file = read_private_bytes(path)
                .map_err(|error| Failure::from_error(Code::IdentityInvalid, &error))?;
            let plugins = PluginPrograms::allow(plugin.iter().cloned().collect())
                .map_err(|error| Failure::from_error(Code::IdentityInvalid, &error))?;
            let access = Access::none()
                .asking(Arc::new(Typed(passphrase.clone())))
                .with_plugins(plugins);
            let text = std::str::from_utf8(&file).ok().map(SecretString::from);
            let text = text.map(in_kit).transpose()?;
            let key = text
                .as_ref()
                .map_or(file.as_slice(), |text| text.expose_secret().as_bytes());
            let identity = AdministratorIdentity::read(key, &access).map_err(|error| {
                let code = match error.source {
                    IdentityError::WrongPassphrase => Code::WrongIdentity,
                    IdentityError::NeedsPassphrase => Code::IdentityMissing,
                    _ => Code::IdentityInvalid,
                };
                let why = Failure::from_error(code, &error.source);
                Failure {
                    causes: [vec![why.message], why.causes].concat(),
                    ..Failure::new(code, format!("{} does not open", path.display()))
                }
            })?;
            let kinds = [AdministratorKind::X25519, AdministratorKind::Ssh];
            let can_stand = kinds.contains(&identity.kind());
            Ok((identity, text.filter(|_| can_stand)))
        }
    }
}

/// The key in a recovery kit; what is no kit is a key itself.
fn in_kit(text: SecretString) -> Result<SecretString, Failure> {
    match Kit::parse(&text).map(|kit| kit.key) {
        Err(_) => Ok(text),
        Ok(KitKey::Here(key)) => Ok(key),
        // Where that is, only the kit itself says.
        Ok(KitKey::Elsewhere(_)) => {
            let why = "the kit does not hold its key, but says where it lies";
            Err(Failure {
                causes: vec![why.to_owned()],
                ..Failure::new(Code::IdentityInvalid, "the kit does not open")
            })
        }
    }
}

/// Whoever typed a passphrase has answered before anything is asked.
pub(super) struct Typed(pub(super) Option<Secret>);

impl Ask for Typed {
    fn secret(&self, _question: &Question) -> Option<SecretString> {
        self.0.as_ref().map(|typed| typed.text().clone())
    }

    fn public(&self, _question: &str) -> Option<String> {
        None
    }

    fn confirm(&self, _question: &str, _yes: &str, _no: Option<&str>) -> Option<bool> {
        Some(true)
    }

    fn message(&self, _text: &str) {}
}
