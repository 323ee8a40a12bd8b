//! The window itself: takes what has happened, asks for what is missing, draws, and passes on what
//! somebody wants.

use std::time::Duration;

use backupd_api::Target;
use egui::Context;
use jiff::tz::TimeZone;

use crate::{
    clock, kit,
    link::Link,
    state::{Command, Event, Server, State},
    views::Screens,
};

/// How often ages are drawn anew.
const TICK: Duration = Duration::from_secs(1);

/// What runs in the window.
#[derive(Debug)]
pub struct App {
    link: Link,
    state: State,
    screens: Screens,
    zone: TimeZone,
}

impl App {
    /// Opens on a daemon.
    pub fn new(ctx: &Context, target: Target, zone: TimeZone) -> std::io::Result<Self> {
        kit::apply(ctx);
        let server = Server {
            address: target.address.to_string(),
            is_secure: !matches!(target.address, backupd_api::Address::Http(_)),
        };
        let window = ctx.clone();
        let link = Link::start(target, move || window.request_repaint())?;
        Ok(Self {
            link,
            state: State::new(server),
            screens: Screens::default(),
            zone,
        })
    }

    fn apply(&mut self, event: Event) {
        self.state.apply(event, clock::now());
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Act(act) => self.apply(Event::Act(act)),
            Command::Do(deed) => {
                if self.state.begin(&deed)
                    && let Some(refused) = self.link.perform(deed)
                {
                    self.apply(refused);
                }
            }
            Command::OpenKey(source) => {
                self.state.opening();
                if let Some(refused) = self.link.open_key(source) {
                    self.apply(refused);
                }
            }
            Command::CloseKey => {
                if let Some(refused) = self.link.close_key() {
                    self.apply(refused);
                }
            }
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        let events: Vec<Event> = self.link.events().collect();
        for event in events {
            self.apply(event);
        }
        for question in self.state.wants(clock::now()) {
            if let Some(refused) = self.link.ask(question) {
                self.apply(refused);
            }
        }
        for (id, from) in self.state.to_follow(clock::now()) {
            if let Some(refused) = self.link.follow(id, from) {
                self.apply(refused);
            }
        }
        ctx.request_repaint_after(TICK);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let commands = self.screens.show(ui, &self.state, clock::now(), &self.zone);
        if !commands.is_empty() {
            // What they change is seen in the next frame.
            ui.ctx().request_repaint();
        }
        for command in commands {
            self.command(command);
        }
    }
}
