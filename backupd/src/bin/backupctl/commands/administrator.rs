//! An administrator's key, of any kind, for every command that needs one.
//!
//! Here it is read, unlocked, and used; nothing of it goes further than this program. The service
//! gets the identities of epochs.

use std::{
    error::Error as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use backup_keys::{
    OpensKeyFiles as _,
    administrator::{Access, AdministratorIdentity, AtLine, IdentityError, PluginPrograms},
    read_private, read_private_bytes, unwrap,
};
use backup_model::{Code, Failure, Selection, WrappedKey};
use backupd_api::{EpochKeys, Service};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{context::Context, environment, person::Person};

/// Which key, and what it needs.
#[derive(clap::Args, Debug)]
pub(crate) struct KeyArgs {
    /// The administrator's identity file: age's own, one that a passphrase locks, one of a plugin,
    /// or a private SSH key. Others must not be able to read it. By default the file that
    /// `BACKUPCTL_IDENTITY` names.
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase")]
    identity: Option<PathBuf>,

    /// The administrator has a passphrase, and no identity file.
    #[arg(long)]
    passphrase: bool,

    /// A private file with the passphrase; by default it is asked for on a terminal.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,

    /// A plugin of age, or a folder of them, that may run: an absolute path.
    #[arg(long = "plugin", value_name = "PATH")]
    plugins: Vec<PathBuf>,
}

/// A key that was read, and unlocked.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    /// What it opens key files with.
    pub(crate) identity: Arc<AdministratorIdentity>,
    /// Its file, if it has one and that is text.
    pub(crate) text: Option<SecretString>,
    /// The passphrase that it is, if it is one.
    pub(crate) passphrase: Option<SecretString>,
    /// What to call it where people read it.
    pub(crate) shown: String,
}

impl KeyArgs {
    /// Reads the key, and asks for the passphrase that locks it. A wrong file is found here, before
    /// anything is done.
    pub(crate) async fn read(&self, context: &Context) -> Result<Key, Failure> {
        self.read_if_given(context).await?.ok_or_else(|| {
            let text = "an administrator's key is needed: --identity FILE, or --passphrase";
            Failure::new(Code::IdentityMissing, text)
        })
    }

    /// The same for a command that can do without.
    pub(crate) async fn read_if_given(&self, context: &Context) -> Result<Option<Key>, Failure> {
        if self.passphrase {
            return self.read_passphrase(context).await.map(Some);
        }
        let path = self.identity.clone().or_else(environment::identity);
        match path {
            Some(path) => self.read_file(path, context).await.map(Some),
            None => Ok(None),
        }
    }

    /// Whether the command line says which key, whatever the environment says.
    pub(crate) fn is_given(&self) -> bool {
        self.identity.is_some() || self.passphrase
    }

    /// Reads another key, with the same plugins; its passphrase is asked for on a terminal.
    pub(crate) async fn read_other(
        &self,
        path: PathBuf,
        context: &Context,
    ) -> Result<Key, Failure> {
        let other = Self {
            identity: None,
            passphrase: false,
            passphrase_file: None,
            plugins: self.plugins.clone(),
        };
        other.read_file(path, context).await
    }

    /// Whom to ask, and what may run.
    pub(crate) fn access(&self, context: &Context) -> Result<Access, Failure> {
        let plugins = PluginPrograms::allow(self.plugins.clone())
            .map_err(|error| Failure::from_error(Code::Usage, &error))?;
        let plugins = plugins.with_environment(environment::of_plugins());
        let person = Arc::new(self.person(context)?);
        Ok(Access::none().asking(person).with_plugins(plugins))
    }

    async fn read_passphrase(&self, context: &Context) -> Result<Key, Failure> {
        let person = self.person(context)?;
        let asked = context.with_person(move || person.passphrase("passphrase"));
        let passphrase = asked.await?.ok_or_else(no_passphrase)?;
        let identity = AdministratorIdentity::passphrase(passphrase.clone())
            .map_err(|error| Failure::from_error(Code::IdentityInvalid, &error))?;
        Ok(Key {
            identity: Arc::new(identity),
            text: None,
            passphrase: Some(passphrase),
            shown: "the passphrase".to_owned(),
        })
    }

    async fn read_file(&self, path: PathBuf, context: &Context) -> Result<Key, Failure> {
        let file = read_private_bytes(&path)
            .map_err(|error| Failure::from_error(Code::IdentityInvalid, &error))?;
        let text = std::str::from_utf8(&file).ok().map(SecretString::from);
        let access = self.access(context)?;
        let read = context.with_person(move || AdministratorIdentity::read(&file, &access));
        let shown = path.display().to_string();
        let identity = read.await?.map_err(|error| {
            let message = format!("{shown} is not usable as an identity");
            of_identity(Code::IdentityInvalid, message, &error)
        })?;
        Ok(Key {
            identity: Arc::new(identity),
            text,
            passphrase: None,
            shown,
        })
    }

    fn person(&self, context: &Context) -> Result<Person, Failure> {
        let given = self.passphrase_file.as_ref();
        let given = given.map(|path| passphrase_in(path)).transpose()?;
        Ok(Person::new(Arc::clone(&context.output), given))
    }
}

impl Key {
    /// The identities of the epochs that the selections may need: all that the service is given.
    pub(crate) async fn open(
        &self,
        service: &dyn Service,
        selections: &[Selection],
        context: &Context,
    ) -> Result<EpochKeys, Failure> {
        let mut files = Vec::new();
        for selection in selections {
            files.extend(service.key_files(selection).await?);
        }
        let key = Arc::clone(&self.identity);
        let (kind, recipient) = (key.kind().to_string(), key.recipient());
        let may_open = move |file: &WrappedKey| {
            file.kind == kind && (recipient.is_none() || file.recipient == recipient)
        };
        let unwrapped_by = key.name();
        let opened = context.with_person(move || unwrap(&files, &*key, may_open));
        let identities = opened.await?;
        Ok(EpochKeys {
            unwrapped_by,
            identities: identities.map_err(|error| Failure::from_error(error.code(), &error))?,
        })
    }
}

/// The passphrase in a private file: one line.
pub(crate) fn passphrase_in(path: &Path) -> Result<SecretString, Failure> {
    let text =
        read_private(path).map_err(|error| Failure::from_error(Code::IdentityInvalid, &error))?;
    let line = text.expose_secret().trim_end_matches(['\n', '\r']);
    Ok(SecretString::from(line))
}

fn no_passphrase() -> Failure {
    let text = "a passphrase is needed, and there is nobody to ask: give --passphrase-file FILE";
    Failure::new(Code::IdentityMissing, text)
}

/// Why a text is of no use as an identity.
pub(crate) fn of_identity(
    otherwise: Code,
    message: String,
    error: &AtLine<IdentityError>,
) -> Failure {
    let code = match error.source {
        IdentityError::NeedsPassphrase => return no_passphrase(),
        IdentityError::WrongPassphrase => Code::WrongIdentity,
        _ => otherwise,
    };
    let mut causes = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    Failure {
        causes,
        ..Failure::new(code, message)
    }
}
