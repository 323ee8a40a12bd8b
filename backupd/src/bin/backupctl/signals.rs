//! SIGINT and SIGTERM: the first asks the command to stop in order, the second stops the process.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use backup_model::{Class, Code, Failure};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{exit::Exit, output::Output};

/// Whether and why the command should stop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop {
    token: CancellationToken,
    code: Arc<OnceLock<Code>>,
}

impl Stop {
    /// Begins to listen for signals, until the process ends.
    pub(crate) fn listen(output: Arc<Output>) -> io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let stop = Self::default();
        let listening = stop.clone();
        tokio::spawn(async move {
            loop {
                let code = tokio::select! {
                    _ = interrupt.recv() => Code::Interrupted,
                    _ = terminate.recv() => Code::Terminated,
                };
                if listening.code.set(code).is_err() {
                    exit_now(&output, Exit::of(code));
                }
                listening.token.cancel();
                output.note("stopping; the same signal again stops at once");
            }
        });
        Ok(stop)
    }

    /// Cancelled when the command should stop.
    pub(crate) const fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Gives a failure that came from stopping the code of the signal that asked for it.
    pub(crate) fn explain(&self, failure: Failure) -> Failure {
        match self.code.get() {
            Some(&code) if failure.code.class() == Class::Cancelled => Failure { code, ..failure },
            _ => failure,
        }
    }

    /// The failure of a command that stopped.
    pub(crate) fn failure(&self) -> Failure {
        let code = self.code.get().copied().unwrap_or(Code::Interrupted);
        Failure::new(code, "stopped on request")
    }
}

#[expect(clippy::exit, reason = "the second signal must not wait for anything")]
fn exit_now(output: &Output, exit: Exit) -> ! {
    output.clear();
    std::process::exit(exit.0.into())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn only_a_stopped_command_gets_the_signals_code() {
        let stop = Stop::default();
        stop.code.set(Code::Terminated).unwrap();
        let stopped = stop.explain(Failure::new(Code::Interrupted, "stopped"));
        assert_eq!(stopped.code, Code::Terminated);
        let failed = stop.explain(Failure::new(Code::Store, "no answer"));
        assert_eq!(failed.code, Code::Store);
        assert_eq!(stop.failure().code, Code::Terminated);
    }

    #[tokio::test]
    async fn the_first_signal_asks_to_stop() {
        let global = Cli::try_parse_from(["backupctl", "version", "-q"])
            .unwrap()
            .global;
        let stop = Stop::listen(Arc::new(Output::new(&global))).unwrap();
        assert!(!stop.token().is_cancelled());
        let me = rustix::process::getpid();
        rustix::process::kill_process(me, rustix::process::Signal::TERM).unwrap();
        stop.token().cancelled().await;
        assert_eq!(stop.failure().code, Code::Terminated);
    }
}
