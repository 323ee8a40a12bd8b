//! Which daemon the window speaks to, and how it comes to another: by the list of servers, by one
//! that somebody adds, or by a repository alone. What it hands out is gone to by the app.

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use backup_model::{Code, Failure};
use backupd_api::Target;
use egui::Context;

use crate::{
    link::{Join, Joined, Private},
    servers::{Listed, Servers, ServersError, TokenError},
    state::{
        Event, Home, Known, NewServer, Origin, Recovery, Secret, Server, ServerAct, SetUp, Way,
    },
};

/// What a window is opened with.
#[derive(Debug)]
pub struct Opening {
    /// The server that it can always come back to.
    pub start: Target,
    /// Whether that one is asked for, and not the one that was used last.
    pub is_asked_for: bool,
    /// Those that somebody has named.
    pub servers: Servers,
    /// Where `backupd` is looked for.
    pub programs: Vec<PathBuf>,
    /// Where this user's own daemon has its things; whether there is a configuration is looked at
    /// anew each time.
    pub home: Option<Home>,
}

/// Another daemon to go to.
#[derive(Debug)]
pub(crate) struct Move {
    pub(crate) target: Target,
    pub(crate) server: Server,
    /// It lives for as long as the window is there.
    pub(crate) private: Option<Private>,
}

/// What comes of an act.
#[derive(Debug)]
pub(crate) enum Step {
    /// To another daemon.
    Move(Move),
    /// The window is told, and stays.
    Tell(Event),
}

/// A try to go somewhere.
#[derive(Debug)]
struct Trying {
    join: Join,
    then: Then,
}

/// What is done when a try has worked.
#[derive(Debug)]
enum Then {
    /// Nothing but to go there.
    Go,
    /// The server is added.
    Add(Listed, Option<Secret>),
    /// It is this user's own daemon, and whether it was set up just now.
    Own { is_new: bool },
}

/// What this user's own daemon is called in the list.
const OWN: &str = "Own backups";

#[derive(Debug)]
pub(crate) struct Switchboard {
    opening: Opening,
    trying: Option<Trying>,
    window: Context,
}

impl Switchboard {
    pub(crate) fn new(opening: Opening, window: Context) -> Self {
        Self {
            opening,
            trying: None,
            window,
        }
    }

    /// Where the window begins, and what could not be done about that.
    pub(crate) fn first(&self) -> (Move, Option<Event>) {
        let asked_for = self.opening.is_asked_for.then_some(Ok(None));
        let last = asked_for.unwrap_or_else(|| self.opening.servers.last());
        let last = last.and_then(|last| last.map(|name| self.listed(name)).transpose());
        match last {
            Ok(found) => (found.unwrap_or_else(|| self.start()), None),
            Err(error) => {
                let what = "The server that was used last".to_owned();
                let told = Event::ServersFailed(what, failure(&error));
                (self.start(), Some(told))
            }
        }
    }

    /// The servers that there are to go to.
    pub(crate) fn known(&self) -> Vec<Event> {
        let known = |name, address| Known { name, address };
        let start = known(None, self.opening.start.address.to_string());
        let (listed, told) = match self.opening.servers.list() {
            Ok(listed) => (listed, None),
            Err(error) => {
                let what = "The list of servers".to_owned();
                (
                    Vec::new(),
                    Some(Event::ServersFailed(what, failure(&error))),
                )
            }
        };
        let listed = listed.into_iter();
        let listed = listed.map(|one| known(Some(one.name), one.address.to_string()));
        let all = Event::Known([start].into_iter().chain(listed).collect());
        let home = self.home().map(Event::Home);
        [all].into_iter().chain(home).chain(told).collect()
    }

    /// Begins what somebody wants; `here` is the server that the window is at.
    pub(crate) fn act(&mut self, act: ServerAct, here: &Server) -> Vec<Step> {
        let done = match act {
            ServerAct::Switch(name) => self.switch(name.as_deref()),
            ServerAct::Add(new) => return vec![told(self.add(new))],
            ServerAct::Recover(recovery) => return vec![told(self.recover(recovery))],
            ServerAct::SetUp(order) => return vec![told(self.own(Some(*order)))],
            ServerAct::Start => return vec![told(self.own(None))],
            ServerAct::GiveUp => {
                self.trying = None;
                Ok(vec![Step::Tell(Event::Way(Way::Here))])
            }
            ServerAct::Forget(name) => self.forget(&name, here),
            ServerAct::Trust(name, pin) => {
                let trusted = self.opening.servers.trust(&name, pin);
                trusted.and_then(|()| self.switch(Some(&name)))
            }
        };
        done.unwrap_or_else(|error| {
            let what = "The servers of this window".to_owned();
            vec![Step::Tell(Event::ServersFailed(what, failure(&error)))]
        })
    }

    /// What has come of a try.
    pub(crate) fn tried(&mut self) -> Vec<Step> {
        let trying = self.trying.as_ref();
        let Some(outcome) = trying.and_then(|trying| trying.join.outcome()) else {
            return Vec::new();
        };
        let then = self.trying.take().map_or(Then::Go, |trying| trying.then);
        let arrived = outcome.and_then(|joined| self.arrive(joined, then));
        arrived.unwrap_or_else(|failure| {
            // A machine may be set up although its daemon does not start.
            let home = self.home().map(Event::Home);
            let refused = Event::Way(Way::Refused(failure));
            home.into_iter().chain([refused]).map(Step::Tell).collect()
        })
    }

    fn start(&self) -> Move {
        let target = self.opening.start.clone();
        Move {
            server: Server::new(&target, Origin::Start),
            target,
            private: None,
        }
    }

    fn listed(&self, name: String) -> Result<Move, ServersError> {
        let target = self.opening.servers.target(&name)?;
        Ok(Move {
            server: Server::new(&target, Origin::Listed(name)),
            target,
            private: None,
        })
    }

    fn switch(&self, name: Option<&str>) -> Result<Vec<Step>, ServersError> {
        let to = name.map(|name| self.listed(name.to_owned())).transpose()?;
        let to = to.unwrap_or_else(|| self.start());
        // That it cannot be remembered is no reason to stay.
        let remembered = self.opening.servers.used(name).err();
        let told = remembered.map(|error| {
            let what = "Which server was used last".to_owned();
            Step::Tell(Event::ServersFailed(what, failure(&error)))
        });
        Ok([Step::Move(to)].into_iter().chain(told).collect())
    }

    fn forget(&self, name: &str, here: &Server) -> Result<Vec<Step>, ServersError> {
        self.opening.servers.forget(name)?;
        if here.name() == Some(name) {
            return Ok(vec![Step::Move(self.start())]);
        }
        Ok(self.known().into_iter().map(Step::Tell).collect())
    }

    fn add(&mut self, new: NewServer) -> Result<(), Failure> {
        let NewServer {
            name,
            address,
            token,
            pin,
        } = new;
        let servers = &self.opening.servers;
        servers.check_name(&name).map_err(|error| failure(&error))?;
        let target = Target {
            address: address.clone(),
            token: token.as_ref().map(|token| token.text().clone()),
            pin,
        };
        let join = Join::server(target, self.wake()).map_err(|error| local(&error))?;
        let listed = Listed { name, address, pin };
        let then = Then::Add(listed, token);
        self.trying = Some(Trying { join, then });
        Ok(())
    }

    fn recover(&mut self, recovery: Recovery) -> Result<(), Failure> {
        let programs = self.opening.programs.clone();
        let join = Join::repository(recovery, programs, self.wake());
        let join = join.map_err(|error| local(&error))?;
        let then = Then::Go;
        self.trying = Some(Trying { join, then });
        Ok(())
    }

    fn own(&mut self, order: Option<SetUp>) -> Result<(), Failure> {
        let home = self.home().ok_or_else(|| {
            let text = "nothing says where this user's files are: HOME is not set";
            Failure::new(Code::Usage, text)
        })?;
        let then = Then::Own {
            is_new: order.is_some(),
        };
        let programs = self.opening.programs.clone();
        let join = Join::own(order, home, programs, self.wake());
        let join = join.map_err(|error| local(&error))?;
        self.trying = Some(Trying { join, then });
        Ok(())
    }

    fn home(&self) -> Option<Home> {
        let home = self.opening.home.clone()?;
        let is_set_up = home.configuration.exists();
        Some(Home { is_set_up, ..home })
    }

    fn arrive(&self, joined: Joined, then: Then) -> Result<Vec<Step>, Failure> {
        let Joined { target, private } = joined;
        let servers = &self.opening.servers;
        match then {
            Then::Go => {}
            Then::Add(listed, token) => {
                let token = token.as_ref().map(Secret::text);
                let added = servers.add(&listed, token);
                let arrived = added.and_then(|()| self.switch(Some(&listed.name)));
                return arrived.map_err(|error| failure(&error));
            }
            Then::Own { is_new } => {
                let arrived = self.arrive_at_own(&target);
                let mut steps = arrived.map_err(|error| failure(&error))?;
                steps.extend(is_new.then_some(Step::Tell(Event::WasSetUp)));
                return Ok(steps);
            }
        }
        let (private, repository) = private.unzip();
        let origin = repository.map_or(Origin::Start, Origin::Private);
        let server = Server::new(&target, origin);
        Ok(vec![Step::Move(Move {
            target,
            server,
            private,
        })])
    }

    /// Goes to this user's own daemon, which is in the list from then on.
    fn arrive_at_own(&self, target: &Target) -> Result<Vec<Step>, ServersError> {
        if target.address == self.opening.start.address {
            return self.switch(None);
        }
        let servers = &self.opening.servers;
        let listed = servers.list()?;
        let known = listed.iter().find(|one| one.address == target.address);
        let name = known.map_or(OWN, |one| one.name.as_str());
        if known.is_none() {
            let new = Listed {
                name: name.to_owned(),
                address: target.address.clone(),
                pin: None,
            };
            servers.add(&new, None)?;
        }
        self.switch(Some(name))
    }

    fn wake(&self) -> impl Fn() + Send + 'static {
        let window = self.window.clone();
        move || window.request_repaint()
    }
}

fn told(begun: Result<(), Failure>) -> Step {
    let way = begun.map_or_else(Way::Refused, |()| Way::Trying);
    Step::Tell(Event::Way(way))
}

fn local(error: &std::io::Error) -> Failure {
    Failure::from_error(Code::LocalIo, error)
}

fn failure(error: &ServersError) -> Failure {
    let code = match error {
        ServersError::Token(TokenError::Exposed { .. }) => Code::IdentityInvalid,
        ServersError::Name | ServersError::Taken(_) | ServersError::Unknown(_) => Code::Usage,
        ServersError::Syntax { .. } | ServersError::Newer { .. } | ServersError::Server { .. } => {
            Code::Config
        }
        _ => Code::LocalIo,
    };
    Failure::from_error(code, error)
}
