//! A kit as lines, and the file that has them between what a person should know and the script
//! that restores without us.

use std::{fmt, str::FromStr};

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::{
    Kit, KitError, KitFault, KitKey, LineFault, Manual,
    lines::{self, Line, MAX_VALUE},
};
use crate::{AdministratorKind, Recipient};

/// The form of kits that this program writes.
const FORM: u64 = 1;

/// What a value should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KitValue {
    /// A number.
    Number,
    /// A time.
    Time,
    /// A repository's id.
    RepositoryId,
    /// A signing key.
    PublicKey,
    /// A name, and a kind of key.
    Administrator,
    /// An epoch's number, and its recipient.
    Epoch,
    /// One line of printable text without blanks at its ends or side by side.
    Text,
}

impl fmt::Display for KitValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "number",
            Self::Time => "time (2026-11-22T02:30:00Z)",
            Self::RepositoryId => "repository's id (32 hexadecimal digits)",
            Self::PublicKey => "public key (RW…, 56 characters)",
            Self::Administrator => "name and kind of key",
            Self::Epoch => "epoch's number and recipient (age1…)",
            Self::Text => "single line of text, or it is too long",
        })
    }
}

impl Kit {
    /// Reads a kit from its file, or from lines that were typed or scanned.
    pub fn parse(text: &SecretString) -> Result<Self, KitError> {
        let lines = lines::read(text.expose_secret()).map_err(|faults| KitError { faults })?;
        of_lines(lines).map_err(|fault| KitError {
            faults: vec![fault],
        })
    }

    /// The lines of the kit, nothing else. Fails if a value cannot stand in a line.
    pub fn lines(&self) -> Result<SecretString, KitError> {
        Ok(SecretString::from(self.checked_lines()?.as_str()))
    }

    /// The file: what to do, the lines, and the script.
    pub fn to_text(&self, manual: Manual<'_>) -> Result<SecretString, KitError> {
        let lines = self.checked_lines()?;
        let head = self.instructions(manual);
        let room = head.len() + lines.len() + manual.script.len() + 256;
        let mut text = Zeroizing::new(String::with_capacity(room));
        for line in head.lines() {
            text.push_str(if line.is_empty() { "#" } else { "# " });
            text.push_str(line);
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&lines);
        text.push_str("\n# What follows is the script for stock tools, step 3 above.\n");
        text.push_str(manual.script);
        Ok(SecretString::from(text.as_str()))
    }

    /// What to do with it, in words and commands.
    pub(super) fn instructions(&self, manual: Manual<'_>) -> String {
        let secret = match &self.key {
            KitKey::Here(_) => "It holds a secret key: whoever has it reads the backups.",
            KitKey::Elsewhere(_) => "It says where the key lies that reads the backups.",
        };
        let key = match &self.key {
            KitKey::Here(_) => {
                "   sed -n 's/^[0-9]* key \\(.*\\) [0-9a-f]*$/\\1/p' KIT > admin.key".to_owned()
            }
            KitKey::Elsewhere(_) => {
                "   (the key is not in this kit; the line `key-at` says where it lies)".to_owned()
            }
        };
        let identity = if self.kind == AdministratorKind::Passphrase {
            "--passphrase"
        } else {
            "--identity admin.key"
        };
        let root = &self.root;
        let program = manual.program.join("\n   ");
        format!(
            "backupd recovery kit of repository {}, made {}\n\n\
             {secret} Keep it away from the\n\
             machines that are backed up, and prove once a year that it works.\n\n\
             Each line has a number, a name, a value and a check of six digits, by which backupd\n\
             finds the line that was typed wrong.\n\n\
             With backupd {} or later (KIT is this file):\n   {program}\n\n\
             Without backupd, on any Debian (apt-get install age zstd minisign python3):\n\
             1. copy the repository, see `location` and `storage`, to a local folder, REPO\n\
             2. umask 077\n{key}\n\
             3. sed -n '/^#!\\/bin\\/sh$/,$p' KIT > restore.sh\n\
             4. sh restore.sh list REPO --trust {root}\n\
             5. sh restore.sh restore REPO JOB/NUMBER STREAM --trust {root} {identity} --to FILE\n",
            self.repository, self.made, self.program
        )
    }

    fn checked_lines(&self) -> Result<Zeroizing<String>, KitError> {
        let (form, made) = (FORM.to_string(), self.made.to_string());
        let (repository, root) = (self.repository.to_string(), self.root.to_string());
        let administrator = format!("{} {}", self.administrator, self.kind);
        let opens: Vec<_> = self.opens.iter().map(|(n, r)| format!("{n} {r}")).collect();
        let mut fields: Vec<(&'static str, &str)> = vec![
            ("kit", &form),
            ("made", &made),
            ("program", &self.program),
            ("repository", &repository),
            ("location", &self.location),
        ];
        let storage = self.storage.iter().map(SecretString::expose_secret);
        fields.extend(storage.map(|line| ("storage", line)));
        fields.extend([("root", root.as_str()), ("administrator", &administrator)]);
        fields.extend(self.recipient.as_deref().map(|text| ("recipient", text)));
        fields.extend(opens.iter().map(|text| ("opens", text.as_str())));
        match &self.key {
            KitKey::Here(text) => {
                let lines = text.expose_secret().lines().map(str::trim);
                // age does not need the comments, and nobody should have to type them.
                let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
                fields.extend(lines.map(|line| ("key", line)));
            }
            KitKey::Elsewhere(text) => fields.push(("key-at", text.expose_secret())),
        }
        let bad = fields.iter().position(|(_, value)| !is_value(value));
        if let Some(at) = bad {
            let (field, what) = (fields.get(at).map_or("", |bad| bad.0), KitValue::Text);
            let fault = KitFault::Value { field, what };
            return Err(KitError {
                faults: vec![LineFault {
                    line: at + 1,
                    fault,
                }],
            });
        }
        Ok(lines::write(&fields))
    }
}

/// Whether a value comes back from its line as it was.
fn is_value(value: &str) -> bool {
    let normal = Zeroizing::new(value.split_whitespace().collect::<Vec<_>>().join(" "));
    !value.is_empty()
        && value.len() <= MAX_VALUE
        && !value.chars().any(char::is_control)
        && *normal == value
}

/// Takes lines in their order.
struct Fields {
    lines: std::iter::Peekable<std::vec::IntoIter<Line>>,
    /// Where the last one stood.
    at: usize,
}

impl Fields {
    fn next_is(&mut self, field: &str) -> bool {
        self.lines.peek().is_some_and(|line| line.field == field)
    }

    fn take(&mut self, expected: &'static str) -> Result<Line, LineFault> {
        let line = self.lines.next().ok_or_else(|| LineFault {
            line: self.at + 1,
            fault: KitFault::Unexpected {
                expected,
                found: "end".to_owned(),
            },
        })?;
        self.at = line.at;
        if line.field == expected {
            return Ok(line);
        }
        Err(LineFault {
            line: line.at,
            fault: KitFault::Unexpected {
                expected,
                found: line.field,
            },
        })
    }

    fn value<T>(
        &mut self,
        field: &'static str,
        what: KitValue,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, LineFault> {
        let line = self.take(field)?;
        read(&line.value).ok_or(LineFault {
            line: line.at,
            fault: KitFault::Value { field, what },
        })
    }

    fn text(&mut self, field: &'static str) -> Result<String, LineFault> {
        self.value(field, KitValue::Text, |text| {
            is_value(text).then(|| text.to_owned())
        })
    }
}

fn of_lines(lines: Vec<Line>) -> Result<Kit, LineFault> {
    let mut fields = Fields {
        lines: lines.into_iter().peekable(),
        at: 0,
    };
    let form = fields.value("kit", KitValue::Number, |text| {
        parsed::<u64>(text).filter(|&form| form > 0)
    })?;
    if form > FORM {
        return Err(LineFault {
            line: fields.at,
            fault: KitFault::Newer(form),
        });
    }
    let made = fields.value("made", KitValue::Time, parsed)?;
    let program = fields.text("program")?;
    let repository = fields.value("repository", KitValue::RepositoryId, parsed)?;
    let location = fields.text("location")?;
    let mut storage = Vec::new();
    while fields.next_is("storage") {
        storage.push(SecretString::from(fields.text("storage")?));
    }
    let root = fields.value("root", KitValue::PublicKey, parsed)?;
    let (administrator, kind) = fields.value("administrator", KitValue::Administrator, |text| {
        let (name, kind) = text.split_once(' ')?;
        Some((name.parse().ok()?, kind.parse::<AdministratorKind>().ok()?))
    })?;
    let recipient = if kind == AdministratorKind::Passphrase {
        None
    } else {
        Some(fields.text("recipient")?)
    };
    let mut opens = Vec::new();
    while opens.is_empty() || fields.next_is("opens") {
        opens.push(fields.value("opens", KitValue::Epoch, epoch)?);
    }
    let key = key(&mut fields)?;
    if let Some(line) = fields.lines.next() {
        return Err(LineFault {
            line: line.at,
            fault: KitFault::Unexpected {
                expected: "end",
                found: line.field,
            },
        });
    }
    Ok(Kit {
        made,
        program,
        repository,
        location,
        storage,
        root,
        administrator,
        kind,
        recipient,
        opens,
        key,
    })
}

fn key(fields: &mut Fields) -> Result<KitKey, LineFault> {
    if fields.next_is("key-at") {
        let text = fields.text("key-at")?;
        return Ok(KitKey::Elsewhere(SecretString::from(text)));
    }
    let mut text = Zeroizing::new(String::with_capacity(64 * 1024));
    while text.is_empty() || fields.next_is("key") {
        let line = fields.take("key")?;
        text.push_str(&line.value);
        text.push('\n');
    }
    Ok(KitKey::Here(SecretString::from(text.as_str())))
}

fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn epoch(text: &str) -> Option<(u64, String)> {
    let (number, recipient) = text.split_once(' ')?;
    let recipient: Recipient = recipient.parse().ok()?;
    let number = number.parse().ok().filter(|&number| number > 0)?;
    Some((number, recipient.to_string()))
}
