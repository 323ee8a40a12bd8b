//! age plugins: programs that wrap and unwrap file keys, run from places that were allowed by name.
//!
//! age's own client looks a plugin up in `PATH`, and did so once with path separators in its name
//! (RUSTSEC-2024-0433). This one runs the file that it was given: an absolute path, or a program
//! in an allowed folder whose name has no characters that lead elsewhere.

use std::{
    cell::RefCell,
    collections::HashSet,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use age_core::{
    format::{FileKey, Stanza},
    secrecy::ExposeSecret as _,
};
use data_encoding::BASE64_NOPAD;

use super::{Access, Question, wire::Wire};

/// What goes wrong with a plugin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// An allowed place is not an absolute path.
    #[error("{} is not an absolute path", .0.display())]
    NotAbsolute(PathBuf),
    /// Its name leads elsewhere.
    #[error("the name of its plugin has characters that a program's name must not have")]
    Name,
    /// No allowed place has it.
    #[error("the program {program} is in none of the places where plugins may be ({places})")]
    Missing {
        /// The program's name.
        program: String,
        /// Where it was looked for.
        places: String,
    },
    /// It could not be started, died, or spoke out of turn.
    #[error("the plugin did not work: {0}")]
    Broken(String),
    /// It said why it could not do it.
    #[error("the plugin says: {0}")]
    Said(String),
}

/// Where plugins may be, by absolute path, and what of the environment they see: nothing that was
/// not named.
#[derive(Clone, Debug, Default)]
pub struct PluginPrograms {
    places: Vec<PathBuf>,
    environment: Vec<(OsString, OsString)>,
}

impl PluginPrograms {
    /// Allows these, and nothing else.
    pub fn allow(places: Vec<PathBuf>) -> Result<Self, PluginError> {
        match places.iter().find(|place| !place.is_absolute()) {
            Some(place) => Err(PluginError::NotAbsolute(place.clone())),
            None => Ok(Self {
                places,
                environment: Vec::new(),
            }),
        }
    }

    /// With an environment: `PATH` and `XDG_RUNTIME_DIR`, for example, never one with secrets.
    #[must_use]
    pub fn with_environment(self, environment: Vec<(OsString, OsString)>) -> Self {
        Self {
            environment,
            ..self
        }
    }

    fn start(&self, program: &Path, machine: &str) -> io::Result<Wire> {
        Wire::start(program, &self.environment, machine)
    }

    /// The program of a plugin.
    pub(super) fn find(&self, name: &str) -> Result<PathBuf, PluginError> {
        if !is_name(name) {
            return Err(PluginError::Name);
        }
        let program = format!("age-plugin-{name}");
        let candidates = self.places.iter().map(|place| {
            if place.is_dir() {
                place.join(&program)
            } else {
                place.clone()
            }
        });
        let named = |path: &PathBuf| {
            path.file_name()
                .is_some_and(|name| name == program.as_str())
        };
        let found = candidates.filter(named).find(|path| path.is_file());
        found.ok_or_else(|| PluginError::Missing {
            program,
            places: self.shown_places(),
        })
    }

    fn shown_places(&self) -> String {
        if self.places.is_empty() {
            return "none is allowed".to_owned();
        }
        let places: Vec<_> = self
            .places
            .iter()
            .map(|p| p.display().to_string())
            .collect();
        places.join(", ")
    }
}

/// Whether a plugin's name can only be the end of a program's name.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-._".contains(&b))
}

/// What a plugin encrypts to.
pub(super) struct PluginRecipient<'a> {
    program: PathBuf,
    text: &'a str,
    access: &'a Access,
}

impl<'a> PluginRecipient<'a> {
    pub(super) fn new(program: PathBuf, text: &'a str, access: &'a Access) -> Self {
        Self {
            program,
            text,
            access,
        }
    }

    fn wrap(&self, file_key: &FileKey) -> io::Result<(Vec<Stanza>, HashSet<String>)> {
        let plugins = self.access.plugins();
        let mut plugin = plugins.start(&self.program, "recipient-v1")?;
        plugin.send("add-recipient", &[self.text], &[])?;
        plugin.send("extension-labels", &[], &[])?;
        plugin.send("wrap-file-key", &[], file_key.expose_secret())?;
        plugin.send("done", &[], &[])?;
        let (stanzas, labels) = (RefCell::new(Vec::new()), RefCell::new(HashSet::new()));
        converse(plugin, self.access, |stanza| {
            match stanza.tag.as_str() {
                "recipient-stanza" => {
                    let [file, tag, args @ ..] = &stanza.args[..] else {
                        return Err("a stanza without a tag");
                    };
                    if file != "0" {
                        return Err("a stanza for a file that it was not given");
                    }
                    stanzas.borrow_mut().push(Stanza {
                        tag: tag.clone(),
                        args: args.to_vec(),
                        body: stanza.body.clone(),
                    });
                }
                "labels" => labels.borrow_mut().extend(stanza.args.iter().cloned()),
                _ => return Err("an answer to something else"),
            }
            Ok(())
        })?;
        let stanzas = stanzas.into_inner();
        if stanzas.is_empty() {
            return Err(broken("it wrapped nothing"));
        }
        Ok((stanzas, labels.into_inner()))
    }
}

impl age::Recipient for PluginRecipient<'_> {
    fn wrap_file_key(
        &self,
        file_key: &FileKey,
    ) -> Result<(Vec<Stanza>, HashSet<String>), age::EncryptError> {
        self.wrap(file_key)
            .map_err(|error| age::EncryptError::Io(plain(error)))
    }
}

/// What a plugin decrypts with.
pub(super) struct PluginIdentity<'a> {
    pub(super) program: &'a Path,
    pub(super) text: &'a str,
    pub(super) access: &'a Access,
}

impl PluginIdentity<'_> {
    fn unwrap(&self, stanzas: &[Stanza]) -> io::Result<Option<FileKey>> {
        let plugins = self.access.plugins();
        let mut plugin = plugins.start(self.program, "identity-v1")?;
        plugin.send("add-identity", &[self.text], &[])?;
        for stanza in stanzas {
            let args = stanza.args.iter().map(String::as_str);
            let args: Vec<_> = ["0", &stanza.tag].into_iter().chain(args).collect();
            plugin.send("recipient-stanza", &args, &stanza.body)?;
        }
        plugin.send("done", &[], &[])?;
        let found = RefCell::new(None);
        converse(plugin, self.access, |stanza| {
            if stanza.tag != "file-key" || stanza.args.first().is_none_or(|file| file != "0") {
                return Err("an answer to something else");
            }
            let key = FileKey::try_init_with_mut(|key| {
                if stanza.body.len() != key.len() {
                    return Err("a file key of another length");
                }
                key.copy_from_slice(&stanza.body);
                Ok(())
            })?;
            found.replace(Some(key));
            Ok(())
        })?;
        Ok(found.into_inner())
    }
}

impl age::Identity for PluginIdentity<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        self.unwrap_stanzas(std::slice::from_ref(stanza))
    }

    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Option<Result<FileKey, age::DecryptError>> {
        self.unwrap(stanzas)
            .map_err(|error| age::DecryptError::Io(plain(error)))
            .transpose()
    }
}

/// The plugin's turn: what it asks is asked on, what it answers is taken, until it is done.
fn converse(
    mut plugin: Wire,
    access: &Access,
    answer: impl Fn(&Stanza) -> Result<(), &'static str>,
) -> io::Result<()> {
    let mut fault = None;
    loop {
        let mut stanza = plugin.receive()?;
        match stanza.tag.as_str() {
            "done" => break,
            "msg" | "confirm" | "request-public" | "request-secret" => {
                ask(&mut plugin, access, &stanza)?;
            }
            "error" => {
                fault.get_or_insert(PluginError::Said(shown(&stanza.body)));
                plugin.send("ok", &[], &[])?;
            }
            "recipient-stanza" | "labels" | "file-key" => {
                let taken = answer(&stanza);
                zeroize::Zeroize::zeroize(&mut stanza.body);
                if let Err(what) = taken {
                    fault.get_or_insert(PluginError::Broken(format!("it sent {what}")));
                }
                plugin.send(if taken.is_ok() { "ok" } else { "fail" }, &[], &[])?;
            }
            _ => plugin.send("unsupported", &[], &[])?,
        }
    }
    plugin.end()?;
    fault.map_or(Ok(()), |fault| Err(io::Error::other(fault)))
}

/// Asks on, and sends the answer.
fn ask(plugin: &mut Wire, access: &Access, stanza: &Stanza) -> io::Result<()> {
    let text = shown(&stanza.body);
    let message = stanza.tag == "msg";
    let Some(person) = access.ask() else {
        // A message that nobody reads is no fault, a question that nobody answers is.
        return plugin.send(if message { "ok" } else { "fail" }, &[], &[]);
    };
    match stanza.tag.as_str() {
        "msg" => {
            person.message(&text);
            plugin.send("ok", &[], &[])
        }
        "confirm" => {
            let word = |at: usize| {
                let bytes = BASE64_NOPAD.decode(stanza.args.get(at)?.as_bytes()).ok()?;
                Some(shown(&bytes))
            };
            let yes = word(0).unwrap_or_else(|| "yes".to_owned());
            match person.confirm(&text, &yes, word(1).as_deref()) {
                Some(true) => plugin.send("ok", &["yes"], &[]),
                Some(false) => plugin.send("ok", &["no"], &[]),
                None => plugin.send("fail", &[], &[]),
            }
        }
        "request-public" => match person.public(&text) {
            Some(value) => plugin.send("ok", &[], value.as_bytes()),
            None => plugin.send("fail", &[], &[]),
        },
        _ => match person.secret(&Question::Plugin(text)) {
            Some(secret) => plugin.send("ok", &[], secret.expose_secret().as_bytes()),
            None => plugin.send("fail", &[], &[]),
        },
    }
}

/// What a plugin says goes to a terminal: no control characters, and not without end.
fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(400)
        .collect()
}

fn broken(what: &str) -> io::Error {
    io::Error::other(PluginError::Broken(what.to_owned()))
}

/// An error of the pipe is one of the plugin.
fn plain(error: io::Error) -> io::Error {
    if error
        .get_ref()
        .is_some_and(<dyn std::error::Error + Send + Sync>::is::<PluginError>)
    {
        return error;
    }
    broken(&error.to_string())
}

/// The plugin's error in what age passed on.
pub(crate) fn in_io(error: &io::Error) -> Option<PluginError> {
    error.get_ref()?.downcast_ref::<PluginError>().cloned()
}
