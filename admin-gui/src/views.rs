//! What is drawn: the frame around every screen, and the screens. They are given what is known and
//! the time, and give back what somebody wants; they change nothing themselves.

pub mod audit;
pub mod contents;
mod frame;
mod growth;
pub mod health;
pub mod jobs;
pub mod keys;
mod next_step;
mod once;
pub mod overview;
mod page;
mod palette;
pub mod restore;
mod servers;
mod set_up;
pub mod settings;
pub mod snapshots;
mod trouble;
mod unlock;
pub mod verification;

use backupd_api::Scope;
use egui::{CentralPanel, Frame, Key, Modifiers, Panel, Ui};
use jiff::{Timestamp, tz::TimeZone};

use servers::Asked;

use crate::{
    kit::{
        command_line, toasts,
        tokens::{Tokens, height, space},
    },
    state::{Act, Command, Connection, Place, Screen, State},
};

/// What a screen may see, and where it says what somebody wants.
#[derive(Debug)]
pub struct Sight<'a> {
    /// All that is known.
    pub state: &'a State,
    /// What time it is.
    pub now: Timestamp,
    /// By which clocks times are shown.
    pub zone: &'a TimeZone,
    commands: &'a mut Vec<Command>,
    wanted: &'a mut Option<Wanted>,
}

/// A dialog that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    /// For an administrator's key.
    Key,
    /// About servers.
    Servers(Asked),
}

impl Sight<'_> {
    /// Asks for something.
    pub fn ask(&mut self, command: impl Into<Command>) {
        self.commands.push(command.into());
    }

    /// Asks for an administrator's key.
    pub fn want_key(&mut self) {
        *self.wanted = Some(Wanted::Key);
    }

    /// Asks for a dialog about servers.
    fn want_server(&mut self, asked: Asked) {
        *self.wanted = Some(Wanted::Servers(asked));
    }

    /// Whether a daemon answers: what is shown is current, and something can be done.
    pub fn is_live(&self) -> bool {
        *self.state.connection() == Connection::Live
    }

    /// Why nothing can be done now.
    pub fn off(&self) -> Option<&'static str> {
        (!self.is_live()).then_some("The daemon does not answer")
    }

    /// Why nothing can be done now that takes this scope.
    pub fn off_for(&self, scope: Scope) -> Option<&'static str> {
        let refused = || match scope {
            Scope::Run => "Your token has not the scope `run`",
            Scope::Verify => "Your token has not the scope `verify`",
            Scope::Restore => "Your token has not the scope `restore`",
            Scope::Retention => "Your token has not the scope `retention`",
            Scope::Admin => "Your token has not the scope `admin`",
            Scope::Status => "Your token has not the scope `status`",
        };
        self.off()
            .or_else(|| (!self.state.may(scope)).then(refused))
    }

    /// A moment as people say it while all is live, and exactly while it is not: an age that
    /// nobody counts on would be a lie.
    pub fn when(&self, then: Timestamp) -> String {
        if self.is_live() {
            crate::kit::words::ago(then, self.now)
        } else {
            crate::kit::words::moment(then, self.now, self.zone)
        }
    }
}

/// What the screens remember that nobody else needs to know: what is chosen, sorted, typed.
#[derive(Debug, Default)]
pub struct Screens {
    palette: palette::Own,
    overview: overview::Own,
    jobs: jobs::Own,
    snapshots: snapshots::Own,
    contents: contents::Own,
    verification: verification::Own,
    keys: keys::Own,
    health: health::Own,
    audit: audit::Own,
    settings: settings::Own,
    restore: restore::Own,
    unlock: unlock::Own,
    servers: servers::Own,
    set_up: set_up::Own,
}

impl Screens {
    /// Forgets what is about one daemon; how the window looks stays.
    pub fn begin_anew(&mut self) {
        *self = Self {
            settings: std::mem::take(&mut self.settings),
            ..Self::default()
        };
    }

    /// Draws the window, and gives what somebody wants.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        state: &State,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Vec<Command> {
        let (mut commands, mut wanted) = (Vec::new(), None);
        let zone = self.settings.zone(zone);
        let mut sight = Sight {
            state,
            now,
            zone: &zone,
            commands: &mut commands,
            wanted: &mut wanted,
        };
        palette::keys(ui, &mut self.palette);
        shortcuts(ui, &mut sight);
        self.top_bar(ui, &mut sight);
        frame::status_bar(ui, &mut sight);
        frame::rail(ui, &mut sight);
        match servers::changed(&sight) {
            Some(changed) => servers::instead(ui, &mut sight, changed),
            None => self.content(ui, &mut sight),
        }
        unlock::dialog(ui, &mut sight, &mut self.unlock);
        servers::dialog(ui, &mut sight, &mut self.servers);
        notices(ui, &mut sight);
        match wanted {
            None => {}
            Some(Wanted::Key) => self.unlock.open(usual_key(state)),
            Some(Wanted::Servers(asked)) => self.servers.open(asked),
        }
        commands
    }

    fn top_bar(&mut self, ui: &mut Ui, sight: &mut Sight<'_>) {
        // The palette says what does the same as any screen.
        let mut palette = std::mem::take(&mut self.palette);
        let terminal = |sight: &Sight<'_>, place: &Place| self.command(sight, place);
        let opened = frame::top_bar(ui, sight, &mut palette, &terminal);
        self.palette = palette;
        if let Some(snapshot) = opened {
            self.snapshots.open(snapshot);
        }
    }

    fn content(&mut self, ui: &mut Ui, sight: &mut Sight<'_>) {
        let tokens = Tokens::of(ui);
        let plain = Frame::new().fill(tokens.bg);
        let command = self.command(sight, sight.state.place());
        Panel::bottom("command")
            .exact_size(height::COMMAND)
            .frame(plain)
            .show_separator_line(false)
            .show(ui, |ui| command_line(ui, &command));
        trouble::banner(ui, sight);
        CentralPanel::default().frame(plain).show(ui, |ui| {
            ui.spacing_mut().item_spacing = egui::vec2(space::S, 0.0);
            match sight.state.place().clone() {
                Place::Overview => overview::show(ui, sight, &mut self.overview),
                Place::SetUp => set_up::show(ui, sight, &mut self.set_up),
                Place::Jobs => jobs::list(ui, sight, &mut self.jobs),
                Place::Job(job, run) => jobs::detail(ui, sight, &mut self.jobs, &job, run),
                Place::Snapshots => snapshots::show(ui, sight, &mut self.snapshots),
                Place::Contents(name, against) => {
                    contents::show(ui, sight, &mut self.contents, &name, against.as_ref());
                }
                Place::Restores => restore::list(ui, sight, &mut self.restore),
                Place::Draft => restore::wizard(ui, sight, &mut self.restore),
                Place::Restoring(id) => restore::running(ui, sight, &mut self.restore, &id),
                Place::Verification => verification::show(ui, sight, &mut self.verification),
                Place::Keys => keys::show(ui, sight, &mut self.keys),
                Place::Health => health::show(ui, sight, &mut self.health),
                Place::Audit => audit::show(ui, sight, &mut self.audit),
                Place::Settings => settings::show(ui, sight, &mut self.settings),
            }
        });
    }

    /// The command that shows the same, or does what is about to happen.
    fn command(&self, sight: &Sight<'_>, place: &Place) -> String {
        match place {
            Place::Overview => "backupctl status".to_owned(),
            Place::SetUp => self.set_up.command(),
            Place::Jobs => "backupctl job list".to_owned(),
            Place::Job(job, run) => self.jobs.command(sight, job, *run),
            Place::Snapshots => self.snapshots.command(),
            Place::Contents(name, against) => self.contents.command(name, against.as_ref()),
            Place::Restores => "backupctl run list".to_owned(),
            Place::Draft | Place::Restoring(_) => restore::command(sight),
            Place::Verification => self.verification.command(),
            Place::Keys => self.keys.command(sight),
            Place::Health => "backupctl health".to_owned(),
            Place::Audit => "backupctl audit list".to_owned(),
            Place::Settings => "backupctl config show".to_owned(),
        }
    }
}

/// Where the key is that this machine's set-up has made.
fn usual_key(state: &State) -> Option<String> {
    let at_own = state.server().address.starts_with("unix:");
    let home = state.home().filter(|home| at_own && home.is_set_up)?;
    Some(home.keys.join("admin.key").display().to_string())
}

/// Keys that work everywhere, unless somebody types.
fn shortcuts(ui: &Ui, sight: &mut Sight<'_>) {
    let numbers = [
        Key::Num1,
        Key::Num2,
        Key::Num3,
        Key::Num4,
        Key::Num5,
        Key::Num6,
        Key::Num7,
        Key::Num8,
    ];
    ui.input_mut(|input| {
        for (key, screen) in numbers.into_iter().zip(Screen::RAIL) {
            if input.consume_key(Modifiers::COMMAND, key) {
                sight.ask(Act::Go(screen.place()));
            }
        }
        if input.consume_key(Modifiers::NONE, Key::F5) {
            sight.ask(Act::Refresh);
        }
    });
    let typing = ui.ctx().egui_wants_keyboard_input();
    let open = egui::Popup::is_any_open(ui.ctx());
    if !typing && !open && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
        sight.ask(Act::Up);
    }
}

fn notices(ui: &Ui, sight: &mut Sight<'_>) {
    let shown: Vec<_> = sight.state.notices().in_sight(sight.now).collect();
    let times: Vec<String> = shown.iter().map(|notice| sight.when(notice.at)).collect();
    let toast = shown.iter().zip(&times);
    let toast: Vec<_> = toast
        .map(|(notice, time)| crate::kit::Toast {
            mark: notice.mark,
            sentence: &notice.text,
            time,
        })
        .collect();
    let above = height::STATUS_BAR + height::COMMAND;
    if let Some(closed) = toasts(ui.ctx(), above, &toast) {
        let number = shown[closed].number;
        sight.ask(Act::Close(number));
    }
}
