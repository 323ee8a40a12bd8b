//! The window itself: takes what has happened, asks for what is missing, draws, and passes on what
//! somebody wants.

use std::{io, time::Duration};

use egui::Context;
use jiff::tz::TimeZone;

pub use crate::switchboard::Opening;
use crate::{
    clock, kit,
    link::{Link, Private},
    state::{Command, Event, State},
    switchboard::{Move, Step, Switchboard},
    views::Screens,
};

/// How often ages are drawn anew.
const TICK: Duration = Duration::from_secs(1);

/// What runs in the window.
#[derive(Debug)]
pub struct App {
    board: Switchboard,
    at: At,
    screens: Screens,
    zone: TimeZone,
}

/// A daemon, and all that is known of it. With another one it begins anew.
#[derive(Debug)]
struct At {
    link: Link,
    state: State,
    /// The daemon itself, where it is the window's own.
    _private: Option<Private>,
}

impl At {
    fn reach(ctx: &Context, to: Move) -> io::Result<Self> {
        let window = ctx.clone();
        Ok(Self {
            link: Link::start(to.target, move || window.request_repaint())?,
            state: State::new(to.server),
            _private: to.private,
        })
    }
}

impl App {
    /// Opens on a daemon.
    pub fn new(ctx: &Context, opening: Opening, zone: TimeZone) -> io::Result<Self> {
        kit::apply(ctx);
        let board = Switchboard::new(opening, ctx.clone());
        let (first, told) = board.first();
        let at = At::reach(ctx, first)?;
        let mut app = Self {
            board,
            at,
            screens: Screens::default(),
            zone,
        };
        for event in app.board.known().into_iter().chain(told) {
            app.apply(event);
        }
        Ok(app)
    }

    fn apply(&mut self, event: Event) {
        self.at.state.apply(event, clock::now());
    }

    fn command(&mut self, ctx: &Context, command: Command) {
        let refused = match command {
            Command::Act(act) => Some(Event::Act(act)),
            Command::Do(deed) => {
                let begun = self.at.state.begin(&deed);
                begun.then(|| self.at.link.perform(deed)).flatten()
            }
            Command::OpenKey(source) => {
                self.at.state.opening();
                self.at.link.open_key(source)
            }
            Command::CloseKey => self.at.link.close_key(),
            Command::Server(act) => {
                let steps = self.board.act(act, self.at.state.server());
                return self.follow(ctx, steps);
            }
        };
        if let Some(event) = refused {
            self.apply(event);
        }
    }

    fn follow(&mut self, ctx: &Context, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Tell(event) => self.apply(event),
                Step::Move(to) => self.go(ctx, to),
            }
        }
    }

    /// Leaves the daemon, with everything that it has told and every key that is open.
    fn go(&mut self, ctx: &Context, to: Move) {
        match At::reach(ctx, to) {
            Ok(at) => {
                self.at = at;
                self.screens.begin_anew();
                for event in self.board.known() {
                    self.apply(event);
                }
            }
            Err(error) => {
                let code = backup_model::Code::LocalIo;
                let failure = backup_model::Failure::from_error(code, &error);
                let what = "Going to another server".to_owned();
                self.apply(Event::ServersFailed(what, failure));
            }
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        let steps = self.board.tried();
        self.follow(ctx, steps);
        let events: Vec<Event> = self.at.link.events().collect();
        for event in events {
            self.apply(event);
        }
        for question in self.at.state.wants(clock::now()) {
            if let Some(refused) = self.at.link.ask(question) {
                self.apply(refused);
            }
        }
        for (id, from) in self.at.state.follow_now(clock::now()) {
            if let Some(refused) = self.at.link.follow(id, from) {
                self.apply(refused);
            }
        }
        ctx.request_repaint_after(TICK);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let state = &self.at.state;
        let commands = self.screens.show(ui, state, clock::now(), &self.zone);
        if !commands.is_empty() {
            // What they change is seen in the next frame.
            ui.ctx().request_repaint();
        }
        for command in commands {
            self.command(ui.ctx(), command);
        }
    }
}
