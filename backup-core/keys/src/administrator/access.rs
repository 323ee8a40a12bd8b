//! What reading and using an administrator's key may need: somebody to ask, and programs to run.

use std::{fmt, sync::Arc};

use secrecy::SecretString;

use super::PluginPrograms;

/// What somebody is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question {
    /// The passphrase of an identity file.
    IdentityFile,
    /// The passphrase of an SSH key.
    SshKey,
    /// Whatever a plugin wants to know, in its words.
    Plugin(String),
}

/// Somebody who can be asked. `None` is no answer: nobody is there, or nobody wants to say.
pub trait Ask: Send + Sync {
    /// A passphrase, or another secret.
    fn secret(&self, question: &Question) -> Option<SecretString>;

    /// Something that a plugin wants to know and that is no secret.
    fn public(&self, question: &str) -> Option<String>;

    /// Yes or no, in a plugin's words.
    fn confirm(&self, question: &str, yes: &str, no: Option<&str>) -> Option<bool>;

    /// What a plugin has to say: that the hardware key should be touched, for example.
    fn message(&self, text: &str);
}

/// Whom to ask, and which plugins may run.
#[derive(Clone, Default)]
pub struct Access {
    ask: Option<Arc<dyn Ask>>,
    plugins: PluginPrograms,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("ask", &self.ask.is_some())
            .field("plugins", &self.plugins)
            .finish()
    }
}

impl Access {
    /// Nobody to ask and nothing to run.
    pub fn none() -> Self {
        Self::default()
    }

    /// With somebody to ask.
    #[must_use]
    pub fn asking(self, ask: Arc<dyn Ask>) -> Self {
        Self {
            ask: Some(ask),
            ..self
        }
    }

    /// With plugins that may run.
    #[must_use]
    pub fn with_plugins(self, plugins: PluginPrograms) -> Self {
        Self { plugins, ..self }
    }

    pub(super) fn ask(&self) -> Option<&dyn Ask> {
        self.ask.as_deref()
    }

    pub(super) fn plugins(&self) -> &PluginPrograms {
        &self.plugins
    }
}
