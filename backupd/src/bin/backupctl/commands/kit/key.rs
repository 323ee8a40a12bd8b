//! The administrator's key, of any kind, where a kit is made or proved.

use std::{error::Error as _, path::PathBuf, sync::Arc};

use backup_keys::{
    administrator::{Access, AdministratorIdentity, AtLine, IdentityError, PluginPrograms},
    kit::{Kit, KitKey, KitKeyError},
    read_private, read_private_bytes,
};
use backup_model::{Code, Failure};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{context::Context, environment, person::Person};

/// Which key, and what it needs.
#[derive(clap::Args, Debug)]
pub(super) struct KeyArgs {
    /// The administrator's identity file: age's own, one that a passphrase locks, or a private
    /// SSH key. Others must not be able to read it.
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

/// A key that was read.
pub(super) struct Key {
    /// What it opens key files with.
    pub(super) identity: AdministratorIdentity,
    /// Its file, if it has one and that is text.
    pub(super) text: Option<SecretString>,
}

impl KeyArgs {
    /// Reads the key, and asks for the passphrase that locks it.
    pub(super) async fn read(&self, context: &Context) -> Result<Key, Failure> {
        let person = Arc::new(self.person(context)?);
        if self.passphrase {
            let asked = context.with_person(move || person.passphrase("passphrase"));
            let passphrase = asked.await?.ok_or_else(no_passphrase)?;
            let identity = AdministratorIdentity::passphrase(passphrase)
                .map_err(|error| Failure::from_error(Code::IdentityInvalid, &error))?;
            return Ok(Key {
                identity,
                text: None,
            });
        }
        let path = self.identity.as_ref().ok_or_else(|| {
            let text = "an administrator's key is needed: --identity FILE, or --passphrase";
            Failure::new(Code::IdentityMissing, text)
        })?;
        let file = read_private_bytes(path)
            .map_err(|error| Failure::from_error(Code::IdentityInvalid, &error))?;
        let text = std::str::from_utf8(&file).ok().map(SecretString::from);
        let access = self.access(person)?;
        let read = context.with_person(move || AdministratorIdentity::read(&file, &access));
        let identity = read.await?.map_err(|error| {
            let message = format!("{} is not usable as an identity", path.display());
            of_identity(Code::IdentityInvalid, message, &error)
        })?;
        Ok(Key { identity, text })
    }

    /// The key of a kit: the one that it holds, or else the one that is given.
    pub(super) async fn of_kit(
        &self,
        kit: &Kit,
        context: &Context,
    ) -> Result<AdministratorIdentity, Failure> {
        let given = self.identity.is_some() || self.passphrase;
        match &kit.key {
            KitKey::Here(_) if given => {
                let text = "the kit holds its key, which is what has to be proved: leave out \
                            --identity and --passphrase";
                Err(Failure::new(Code::Usage, text))
            }
            KitKey::Here(_) => {
                let access = self.access(Arc::new(self.person(context)?))?;
                let kit = kit.clone();
                let read = context.with_person(move || kit.identity(&access));
                read.await?.map_err(|error| of_kit_key(&error))
            }
            KitKey::Elsewhere(_) if given => Ok(self.read(context).await?.identity),
            KitKey::Elsewhere(_) => Err(Failure::new(
                Code::IdentityMissing,
                "the kit says where its key lies, and does not hold it: fetch the key, and give \
                 it with --identity FILE or --passphrase",
            )),
        }
    }

    fn person(&self, context: &Context) -> Result<Person, Failure> {
        let given = match &self.passphrase_file {
            None => None,
            Some(path) => {
                let text = read_private(path)
                    .map_err(|error| Failure::from_error(Code::IdentityInvalid, &error))?;
                let line = text.expose_secret().trim_end_matches(['\n', '\r']);
                Some(SecretString::from(line))
            }
        };
        Ok(Person::new(Arc::clone(&context.output), given))
    }

    fn access(&self, person: Arc<Person>) -> Result<Access, Failure> {
        let plugins = PluginPrograms::allow(self.plugins.clone())
            .map_err(|error| Failure::from_error(Code::Usage, &error))?;
        let plugins = plugins.with_environment(environment::of_plugins());
        Ok(Access::none().asking(person).with_plugins(plugins))
    }
}

fn no_passphrase() -> Failure {
    let text = "a passphrase is needed, and there is nobody to ask: give --passphrase-file FILE";
    Failure::new(Code::IdentityMissing, text)
}

/// Why the key in a kit is of no use.
fn of_kit_key(error: &KitKeyError) -> Failure {
    match error {
        KitKeyError::Identity(at) => of_identity(Code::KitInvalid, error.to_string(), at),
        _ => Failure::from_error(Code::KitInvalid, error),
    }
}

fn of_identity(otherwise: Code, message: String, error: &AtLine<IdentityError>) -> Failure {
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
