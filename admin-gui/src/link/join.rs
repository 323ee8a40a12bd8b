//! Going to another daemon: whether it answers and lets us in is found out before the window leaves
//! the one that it is at.

use std::{
    io,
    sync::mpsc::{self, Receiver, TryRecvError},
    thread,
};

use backup_model::{Code, Failure, Selection};
use backupd_api::{HttpService, Service as _, Target};
use tokio_util::sync::CancellationToken;

use super::{kit, own, private::Private, set_up::set_up};
use crate::state::{Home, Recovery, SetUp};

/// A daemon that has let us in.
#[derive(Debug)]
pub struct Joined {
    /// How it is reached.
    pub target: Target,
    /// The daemon itself, where this window has started it, and its repository's address.
    pub private: Option<(Private, String)>,
}

/// A try. Dropping it ends it.
#[derive(Debug)]
pub struct Join {
    outcome: Receiver<Result<Joined, Failure>>,
    stop: CancellationToken,
}

impl Join {
    /// Tries a daemon; `wake` is called when it is known what comes of it.
    pub fn server(target: Target, wake: impl Fn() + Send + 'static) -> io::Result<Self> {
        Self::start(wake, move |stop| {
            knock(&target, stop, false)?;
            let private = None;
            Ok(Joined { target, private })
        })
    }

    /// Starts a daemon of our own on a repository, and tries that.
    pub fn repository(
        recovery: Recovery,
        folders: Vec<std::path::PathBuf>,
        wake: impl Fn() + Send + 'static,
    ) -> io::Result<Self> {
        Self::start(wake, move |stop| {
            let place = kit::place(recovery)?;
            let started = Private::start(&folders, &place.location, &place.root, &place.storage);
            let (private, saying) = started?;
            let target = saying.ready()?;
            knock(&target, stop, true)?;
            Ok(Joined {
                target,
                private: Some((private, place.location)),
            })
        })
    }

    /// Sets this machine up if that is wanted, and goes to its own daemon, which is started if
    /// it does not run.
    pub fn own(
        order: Option<SetUp>,
        home: Home,
        folders: Vec<std::path::PathBuf>,
        wake: impl Fn() + Send + 'static,
    ) -> io::Result<Self> {
        Self::start(wake, move |stop| {
            if let Some(order) = &order {
                set_up(order, &home, &folders)?;
            }
            let target = own::target(&home)?;
            if knock(&target, stop, false).is_err() {
                own::start(&home, &folders, || knock(&target, stop, false))?;
            }
            let private = None;
            Ok(Joined { target, private })
        })
    }

    fn start(
        wake: impl Fn() + Send + 'static,
        attempt: impl FnOnce(&CancellationToken) -> Result<Joined, Failure> + Send + 'static,
    ) -> io::Result<Self> {
        let (say, outcome) = mpsc::sync_channel(1);
        let stop = CancellationToken::new();
        let until = stop.clone();
        thread::Builder::new()
            .name("join".to_owned())
            .spawn(move || {
                // Whoever gave up does not listen, and what was reached goes with the message.
                drop(say.send(attempt(&until)));
                wake();
            })?;
        Ok(Self { outcome, stop })
    }

    /// What came of it, once that is known.
    pub fn outcome(&self) -> Option<Result<Joined, Failure>> {
        match self.outcome.try_recv() {
            Ok(outcome) => Some(outcome),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(Failure::new(
                Code::Bug,
                "the try has ended without a word",
            ))),
        }
    }
}

impl Drop for Join {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Asks a daemon for something; of a repository alone, whether it opens.
fn knock(target: &Target, stop: &CancellationToken, alone: bool) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::from_error(Code::LocalIo, &error))?;
    let ask = async {
        let service = HttpService::reach(target.clone()).await?;
        if alone {
            service.snapshots(&Selection::All).await?;
        }
        Ok(())
    };
    let asked = runtime.block_on(stop.run_until_cancelled(ask));
    asked.unwrap_or_else(|| Err(Failure::new(Code::Interrupted, "given up")))
}
