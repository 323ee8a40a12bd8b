//! Changing keys: what is to be done, what it takes, and what it means. The root key's file is read
//! for just this; what is typed as a secret is wiped when it was handed over.

use std::path::PathBuf;

use backup_model::JobName;
use backupd_api::Scope;
use egui::Ui;

use super::Sight;
use crate::{
    kit::{
        Dialog, Field, SecretField, SecretText, Text, Tokens, check::radio, command_box,
        dialog::Answer, tokens::space,
    },
    state::{Deed, KeyChange, KeyWork, Secret},
};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Somebody is let in.
    Add,
    /// Somebody is put out.
    Remove,
    /// A new epoch begins.
    Rotate,
    /// The open key is tried.
    Test,
    /// A kit is made.
    MakeKit,
    /// A kit is proved.
    ProveKit,
}

/// What somebody has filled in.
#[derive(Debug)]
pub(super) struct Draft {
    repository: String,
    what: What,
    name: String,
    recipient: String,
    /// The newcomer has a passphrase and nothing else.
    by_passphrase: bool,
    secret: SecretText,
    again: SecretText,
    root: String,
    file: String,
    elsewhere: String,
    typed: String,
}

impl Draft {
    /// A draft; `name` is of whom it is about, where somebody was chosen.
    pub(super) fn of(repository: &str, what: What, name: &str) -> Self {
        Self {
            repository: repository.to_owned(),
            what,
            name: name.to_owned(),
            recipient: String::new(),
            by_passphrase: false,
            secret: SecretText::default(),
            again: SecretText::default(),
            root: String::new(),
            file: String::new(),
            elsewhere: String::new(),
            typed: String::new(),
        }
    }

    const fn needs_root(&self) -> bool {
        !matches!(self.what, What::MakeKit | What::ProveKit)
    }

    /// Why it cannot be done yet.
    fn missing(&self) -> Option<&'static str> {
        let adds = self.what == What::Add;
        let name: Result<JobName, _> = self.name.trim().parse();
        match () {
            () if adds && name.is_err() => Some("A name is of small letters, digits, - and _"),
            () if adds && self.by_passphrase && self.secret.is_empty() => {
                Some("Type the passphrase first")
            }
            () if adds && self.by_passphrase && !self.secret.is_same(&self.again) => {
                Some("The two passphrases differ")
            }
            () if adds && !self.by_passphrase && self.recipient.trim().is_empty() => {
                Some("Paste the public key first")
            }
            () if self.what == What::Remove && self.typed.trim() != self.name => {
                Some("Type the name to confirm")
            }
            () if self.needs_root() && self.root.trim().is_empty() => {
                Some("Say where the root key is first")
            }
            () if !self.needs_root() && !self.file.trim().starts_with('/') => {
                Some("Name the file by its whole path")
            }
            () => None,
        }
    }

    fn change(&mut self) -> Option<KeyChange> {
        let name = self.name.trim().parse().ok();
        let root = PathBuf::from(self.root.trim());
        let file = PathBuf::from(self.file.trim());
        let typed = Some(&mut self.secret).filter(|secret| !secret.is_empty());
        let secret = typed.map(|secret| Secret::new(secret.take_secret()));
        self.again = SecretText::default();
        Some(match self.what {
            What::Add if self.by_passphrase => KeyChange::AddPassphrase {
                name: name?,
                passphrase: secret?,
                root,
            },
            What::Add => KeyChange::Add {
                name: name?,
                recipient: self.recipient.trim().to_owned(),
                root,
            },
            What::Remove => KeyChange::Remove { name: name?, root },
            What::Rotate => KeyChange::Rotate {
                without: name,
                root,
            },
            What::Test => KeyChange::Test { root },
            What::MakeKit => KeyChange::MakeKit {
                file,
                elsewhere: self.elsewhere.trim().to_owned(),
            },
            What::ProveKit => KeyChange::ProveKit {
                file,
                passphrase: secret,
            },
        })
    }

    fn title(&self) -> String {
        match self.what {
            What::Add => "Let an administrator in".to_owned(),
            What::Remove => format!("Put {} out", self.name),
            What::Rotate if self.name.is_empty() => "Begin a new epoch".to_owned(),
            What::Rotate => format!("Begin a new epoch without {}", self.name),
            What::Test => "Test the open key".to_owned(),
            What::MakeKit => "Make a recovery kit".to_owned(),
            What::ProveKit => "Prove a recovery kit".to_owned(),
        }
    }

    const fn act(&self) -> &'static str {
        match self.what {
            What::Add => "Let in",
            What::Remove => "Put out",
            What::Rotate => "Begin",
            What::Test => "Test",
            What::MakeKit => "Make",
            What::ProveKit => "Prove",
        }
    }

    /// What it means.
    const fn meaning(&self) -> &'static str {
        match self.what {
            What::Add => {
                "He can read every backup whose epoch the open key opens. Nothing is encrypted \
                 again: it takes a moment, however much there is"
            }
            What::Remove => {
                "What he could read he may have kept. To keep later backups from him, begin a new \
                 epoch without him first"
            }
            What::Rotate => {
                "Later backups are encrypted to another key. The next backup of each job is a full \
                 one. Administrators by passphrase have to be let in again"
            }
            What::Test => {
                "It opens each epoch's key file and decrypts its canary, and that is written down. \
                 Nobody can be put out who is the last to have shown this"
            }
            What::MakeKit => {
                "A file on this machine with all that a bare one needs to restore. It is as secret \
                 as the key in it: keep it away from what is backed up"
            }
            What::ProveKit => {
                "The kit's key decrypts what is backed up now. The server writes down that it did, \
                 and reminds in a year"
            }
        }
    }
}

/// The dialog, while somebody is at it. It stays until what it began went well.
pub(super) fn dialog(ui: &Ui, sight: &mut Sight<'_>, own: &mut Option<Draft>) {
    let Some(draft) = own else {
        return;
    };
    let takes_key = !matches!(draft.what, What::Remove | What::ProveKit);
    let locked = takes_key && sight.state.key().open().is_none();
    let off = sight.off_for(Scope::Admin);
    let off = off.or(locked.then_some("Open an administrator's key first"));
    let off = off.or(draft.missing());
    let title = draft.title();
    let mut dialog = Dialog::new(&title, "Cancel", draft.act())
        .off_if(off)
        .width(520.0);
    if draft.what == What::Remove {
        dialog = dialog.danger();
    }
    let mut open_key = false;
    let answer = dialog.show(ui.ctx(), |ui| open_key = form(ui, draft, locked));
    if open_key {
        sight.want_key();
    }
    match answer {
        None => {}
        Some(Answer::Safe) => *own = None,
        Some(Answer::Act) => {
            let repository = draft.repository.clone();
            if let Some(what) = draft.change() {
                sight.ask(Deed::Keys(Box::new(KeyWork { repository, what })));
                *own = None;
            }
        }
    }
}

/// Draws what is to be filled in; says whether somebody wants to open a key.
fn form(ui: &mut Ui, draft: &mut Draft, locked: bool) -> bool {
    let tokens = Tokens::of(ui);
    ui.label(Text::Body.rich(draft.meaning(), tokens.muted));
    ui.add_space(space::M);
    let mut open_key = false;
    if locked {
        let button = crate::kit::Button::outline("Open a key…");
        open_key = ui.add(button).clicked();
        ui.add_space(space::M);
    }
    match draft.what {
        What::Add => newcomer(ui, draft),
        What::Remove => {
            let label = format!("Type {} to confirm", draft.name);
            ui.add(Field::new(&label, &mut draft.typed).mono());
            ui.add_space(space::S);
        }
        What::MakeKit => {
            let file = Field::new("The kit's file, on this machine", &mut draft.file);
            ui.add(file.mono().hint("/media/usb/recovery-kit.txt"));
            ui.add_space(space::S);
            let label = "Where the key lies, if it is not to be in the kit";
            ui.add(Field::new(label, &mut draft.elsewhere).hint("YubiKey in the office safe"));
            ui.add_space(space::S);
        }
        What::ProveKit => {
            let file = Field::new("The kit's file, on this machine", &mut draft.file);
            ui.add(file.mono().hint("/media/usb/recovery-kit.txt"));
            ui.add_space(space::S);
            let label = "Passphrase of the key in it, if that has one";
            ui.add(SecretField::new(label, &mut draft.secret));
            ui.add_space(space::S);
        }
        What::Rotate | What::Test => {}
    }
    if draft.needs_root() {
        let root = Field::new("The root key's file, on this machine", &mut draft.root);
        ui.add(root.mono().hint("/home/anna/keys/root.key"));
        ui.add_space(space::S);
    }
    command_box(ui, &command(draft));
    open_key
}

fn newcomer(ui: &mut Ui, draft: &mut Draft) {
    ui.add(Field::new("Name", &mut draft.name).mono().hint("eva"));
    ui.add_space(space::S);
    ui.horizontal(|ui| {
        for (by, word) in [
            (false, "A public key"),
            (true, "A passphrase and nothing else"),
        ] {
            if radio(ui, draft.by_passphrase == by, word).clicked() {
                draft.by_passphrase = by;
            }
        }
    });
    ui.add_space(space::S);
    if draft.by_passphrase {
        ui.add(SecretField::new("New passphrase", &mut draft.secret));
        ui.add_space(space::S);
        ui.add(SecretField::new("The same again", &mut draft.again));
    } else {
        let key = Field::new("Public key: age, SSH or a plugin's", &mut draft.recipient);
        ui.add(key.mono().hint("age1… or ssh-ed25519 …"));
    }
    ui.add_space(space::S);
}

/// The same in a terminal.
fn command(draft: &Draft) -> String {
    let name = match draft.name.trim() {
        "" => "NAME",
        name => name,
    };
    let of = &draft.repository;
    let (identity, root) = ("--identity admin.key", "--root-key root.key");
    match draft.what {
        What::Add if draft.by_passphrase => {
            format!(
                "backupctl key add {name} --new-passphrase-file FILE {identity} {root} --of {of}"
            )
        }
        What::Add => {
            format!("backupctl key add {name} --recipient KEY {identity} {root} --of {of}")
        }
        What::Remove => format!("backupctl key remove {name} {root} --of {of}"),
        What::Rotate if draft.name.is_empty() => {
            format!("backupctl key rotate {identity} {root} --of {of}")
        }
        What::Rotate => {
            format!("backupctl key rotate --without {name} {identity} {root} --of {of}")
        }
        What::Test => format!("backupctl key test {identity} {root} --of {of}"),
        What::MakeKit => format!("backupctl kit create {of} {identity}"),
        What::ProveKit => format!("backupctl kit confirm KIT {of}"),
    }
}
