//! What the palette offers now: screens, jobs with what can be done to them, channels. Built anew
//! for each frame in which it is open, so that it is never older than the screen behind it.

use backup_model::{ProtectionState, Selection, SnapshotName};
use backupd_api::Scope;
use jiff::SignedDuration;

use crate::{
    kit::{Icon, words},
    state::{Act, Command, Deed, Place, Screen, ShownJob},
    views::{Sight, Wanted, palette::Terminal, servers::Asked},
};

/// A line of it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) icon: Icon,
    pub(super) title: String,
    /// Other words by which people look for it.
    pub(super) also: &'static str,
    /// The same in a terminal.
    pub(super) command: String,
    pub(super) does: Does,
    /// Why it cannot be done now.
    pub(super) off: Option<&'static str>,
    /// How the job stands that it opens.
    pub(super) state: Option<ProtectionState>,
    /// Of two that are found equally well, the one with the lower number comes first.
    pub(super) rank: u8,
}

/// What happens when it is chosen.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "few at a time, and each for a moment"
)]
pub(super) enum Does {
    Ask(Command),
    Open(SnapshotName),
    Want(Wanted),
}

/// For how long a pause from here is.
const PAUSE: SignedDuration = SignedDuration::from_hours(4);

/// All of it.
pub(super) fn entries(sight: &Sight<'_>, terminal: &Terminal<'_>) -> Vec<Entry> {
    let mut all = Vec::new();
    for screen in Screen::RAIL.into_iter().chain([Screen::Settings]) {
        let place = screen.place();
        let here = *sight.state.place() == place;
        all.push(Entry {
            icon: screen.icon(),
            title: format!("Go to {}", screen.name()),
            also: "open show",
            command: terminal(sight, &place),
            does: Does::Ask(Act::Go(place).into()),
            off: None,
            state: None,
            rank: if here { 8 } else { 1 },
        });
    }
    all.push(Entry {
        icon: Icon::Refresh,
        title: "Refresh".to_owned(),
        also: "reload ask again f5",
        command: "backupctl status".to_owned(),
        does: Does::Ask(Act::Refresh.into()),
        off: sight.off(),
        state: None,
        rank: 2,
    });
    for shown in &sight.state.jobs() {
        job(&mut all, sight, shown, terminal);
    }
    all.push(restore(sight));
    all.push(key(sight));
    servers(&mut all);
    let verify = Deed::Verify(Selection::All);
    let title = "Verify all snapshots".to_owned();
    all.push(deed(sight, Icon::Verification, title, verify, 7));
    channels(&mut all, sight, terminal);
    all
}

/// The way to a restore, to the draft that was begun if there is one.
fn restore(sight: &Sight<'_>) -> Entry {
    let title = match sight.state.draft() {
        Some(_) => "Go on with the restore…",
        None => "Restore…",
    };
    Entry {
        icon: Icon::Restore,
        title: title.to_owned(),
        also: "recover bring back get lost file database",
        command: "backupctl restore SNAPSHOT --dry-run".to_owned(),
        does: Does::Ask(Act::Go(Place::Draft).into()),
        off: sight.off_for(Scope::Restore),
        state: None,
        rank: 2,
    }
}

/// Opens an administrator's key, or closes the one that is open.
fn key(sight: &Sight<'_>) -> Entry {
    let open = sight.state.key().open().is_some();
    let (title, does) = if open {
        (
            "Close the administrator's key",
            Does::Ask(Command::CloseKey),
        )
    } else {
        ("Open an administrator's key…", Does::Want(Wanted::Key))
    };
    Entry {
        icon: Icon::Keys,
        title: title.to_owned(),
        also: "identity unlock passphrase lock",
        command: "backupctl key test --identity admin.key".to_owned(),
        does,
        off: None,
        state: None,
        rank: 6,
    }
}

/// What leads to another daemon. In a terminal that is a flag of every command.
fn servers(all: &mut Vec<Entry>) {
    for (icon, title, also, command, asked) in [
        (
            Icon::Server,
            "Add a server…",
            "connect switch daemon host",
            "backupctl --daemon https://HOST:PORT --token-file FILE status",
            Asked::Add,
        ),
        (
            Icon::PaperKit,
            "Open a repository…",
            "disaster recovery kit private emergency",
            "backupctl snapshot list --repository URL --trust KEY",
            Asked::Recover,
        ),
    ] {
        all.push(Entry {
            icon,
            title: title.to_owned(),
            also,
            command: command.to_owned(),
            does: Does::Want(Wanted::Servers(asked)),
            off: None,
            state: None,
            rank: 7,
        });
    }
}

fn deed(sight: &Sight<'_>, icon: Icon, title: String, deed: Deed, rank: u8) -> Entry {
    let doing = sight.state.doing().contains(&deed);
    let off = sight.off_for(deed.scope());
    let off = off.or(doing.then_some("It is being asked for"));
    Entry {
        icon,
        title,
        also: match deed {
            Deed::BackUp(_) => "run start now",
            Deed::Verify(_) => "check prove test",
            Deed::Pause { .. } => "suspend hold stop schedule",
            Deed::Resume(_) => "unpause continue schedule",
            Deed::Cancel(_) => "stop abort",
            Deed::TestChannel(_) => "notification channel mail",
            _ => "",
        },
        command: deed.command(),
        does: Does::Ask(deed.into()),
        off,
        state: None,
        rank,
    }
}

/// What can be done with a job, what people most often want first.
fn job(all: &mut Vec<Entry>, sight: &Sight<'_>, shown: &ShownJob<'_>, terminal: &Terminal<'_>) {
    let protection = &shown.job.protection;
    let name = &protection.job;
    let troubled = matches!(
        shown.state,
        ProtectionState::Breached | ProtectionState::AtRisk
    );
    let place = Place::Job(name.clone(), None);
    all.push(Entry {
        icon: Icon::Jobs,
        title: format!("Open {name}"),
        also: "job go to show",
        command: terminal(sight, &place),
        does: Does::Ask(Act::Go(place).into()),
        off: None,
        state: Some(shown.state),
        rank: if troubled { 0 } else { 3 },
    });
    let (title, back_up) = (format!("Back up {name}"), Deed::BackUp(name.clone()));
    let mut back_up = deed(sight, Icon::Database, title, back_up, 4);
    let running = protection.running.filter(|_| sight.is_live());
    if running.is_some() {
        back_up.off = back_up.off.or(Some("It runs"));
    }
    all.push(back_up);
    let (title, verify) = (format!("Verify {name}"), Selection::Job(name.clone()));
    all.push(deed(
        sight,
        Icon::Verification,
        title,
        Deed::Verify(verify),
        5,
    ));
    if let Some(good) = &protection.last_good {
        all.push(Entry {
            icon: Icon::Snapshots,
            title: format!("Open the newest snapshot of {name}"),
            also: "last latest show",
            command: format!("backupctl snapshot show {}", good.snapshot),
            does: Does::Open(good.snapshot.clone()),
            off: None,
            state: None,
            rank: 5,
        });
    }
    schedule(all, sight, shown);
    if let Some(running) = running {
        let (title, cancel) = (
            format!("Cancel the run of {name}"),
            Deed::Cancel(running.run),
        );
        all.push(deed(sight, Icon::Cross, title, cancel, 7));
    }
}

fn schedule(all: &mut Vec<Entry>, sight: &Sight<'_>, shown: &ShownJob<'_>) {
    let name = &shown.job.protection.job;
    if shown.job.protection.paused.is_some() {
        let title = format!("Resume {name}");
        all.push(deed(
            sight,
            Icon::Clock,
            title,
            Deed::Resume(name.clone()),
            6,
        ));
        return;
    }
    if shown.job.schedule.is_none() {
        return;
    }
    let pause = |until| Deed::Pause {
        job: name.clone(),
        from: sight.now,
        until,
        why: String::new(),
    };
    let title = format!("Pause {name} for {} hours", PAUSE.as_hours());
    let until = Some(sight.now + PAUSE);
    all.push(deed(sight, Icon::Clock, title, pause(until), 6));
    let title = format!("Pause {name} until it is resumed");
    all.push(deed(sight, Icon::Clock, title, pause(None), 6));
}

/// A test message by each channel; while they are not known, the way to where they are.
fn channels(all: &mut Vec<Entry>, sight: &Sight<'_>, terminal: &Terminal<'_>) {
    let Some(channels) = sight.state.channels().value else {
        all.push(Entry {
            icon: Icon::Bell,
            title: "Send a test message…".to_owned(),
            also: "notification channel mail",
            command: terminal(sight, &Place::Health),
            does: Does::Ask(Act::Go(Place::Health).into()),
            off: None,
            state: None,
            rank: 7,
        });
        return;
    };
    for channel in channels {
        let title = format!("Send a test message by {}", words::one_line(&channel.name));
        let test = Deed::TestChannel(channel.name.clone());
        all.push(deed(sight, Icon::Bell, title, test, 7));
    }
}
