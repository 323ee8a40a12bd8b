//! One channel's delivery: message by message, within time, again after a while, and given up at
//! last. What it says of a failure never holds the address, nor what came from there.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use backup_model::ChannelState;
use jiff::Timestamp;
use reqwest::{Client, StatusCode, redirect::Policy};
use tokio::{sync::mpsc, task, time};
use tokio_util::sync::CancellationToken;

use super::{
    Message, delivered, mail,
    request::{Target, is_local, request},
    undelivered::Undelivered,
};
use crate::{
    clock,
    config::{ChannelConfig, SecretSources},
    metrics::Counters,
};

const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait before each further try.
pub(super) const PAUSES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_mins(2),
];

/// Delivers what comes for one channel.
#[derive(Clone)]
pub(super) struct Worker {
    pub(super) config: ChannelConfig,
    pub(super) server: String,
    pub(super) secrets: SecretSources,
    pub(super) state: Arc<Mutex<ChannelState>>,
    /// Where the state is kept.
    pub(super) file: PathBuf,
    pub(super) counters: Counters,
    pub(super) pauses: &'static [Duration],
}

impl Worker {
    /// Sees whether a message arrives: one try, of which the channel's state tells.
    pub(super) async fn test(self) -> Result<(), String> {
        let message = Message::Test(clock::now());
        match self.once(&message).await {
            Ok(()) => {
                self.delivered(&message).await;
                Ok(())
            }
            Err(failed) => {
                self.give_up(&message, &failed.why).await;
                Err(failed.why)
            }
        }
    }

    /// Delivers until nobody sends any more, or until told to stop.
    pub(super) async fn work(self, mut queue: mpsc::Receiver<Message>, stop: CancellationToken) {
        let delivering = async {
            while let Some(message) = queue.recv().await {
                self.deliver(&message).await;
            }
        };
        stop.run_until_cancelled(delivering).await;
    }

    async fn deliver(&self, message: &Message) {
        let mut pauses = self.pauses.iter();
        loop {
            let failed = match self.once(message).await {
                Ok(()) => return self.delivered(message).await,
                Err(failed) => failed,
            };
            match pauses.next().filter(|_| failed.passing) {
                Some(pause) => time::sleep(*pause).await,
                None => return self.give_up(message, &failed.why).await,
            }
        }
    }

    /// One try.
    async fn once(&self, message: &Message) -> Result<(), Undelivered> {
        let url = self.config.url.resolve(&self.secrets).await;
        let url = url.map_err(|error| Undelivered::lasting(error.to_string()))?;
        let token = match &self.config.token {
            Some(token) => Some(
                token
                    .resolve(&self.secrets)
                    .await
                    .map_err(|error| Undelivered::lasting(error.to_string()))?,
            ),
            None => None,
        };
        let target = Target {
            kind: self.config.kind,
            server: &self.server,
            url: &url,
            token: token.as_ref(),
        };
        if let Some(mail) = &self.config.mail {
            return mail::send(&target, mail, message).await;
        }
        let client = client(is_local(&url));
        let client = client.map_err(|_| Undelivered::lasting("there is no TLS"))?;
        let request = request(&client, &target, message)
            .map_err(|error| Undelivered::lasting(error.to_string()))?;
        let answer = request.send().await.map_err(|error| failed(&error))?;
        judge(answer.status())
    }

    async fn delivered(&self, message: &Message) {
        self.change(message, |state, now| {
            state.last_delivered = Some(now);
            state.failure = None;
        })
        .await;
    }

    async fn give_up(&self, message: &Message, why: &str) {
        let name = self
            .change(message, |state, now| {
                state.last_failed = Some(now);
                state.failure = Some(why.to_owned());
            })
            .await;
        self.counters.undelivered(&name);
        tracing::warn!(channel = %name, "a message is not delivered: {why}");
    }

    /// Changes what is known of the channel now that a message is done with, and keeps it; gives
    /// its name.
    async fn change(
        &self,
        message: &Message,
        change: impl FnOnce(&mut ChannelState, Timestamp),
    ) -> String {
        let now = clock::now();
        let state = {
            // Nothing is left half changed in it.
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut state, now);
            if matches!(message, Message::Digest(_)) {
                state.last_digest = Some(now);
            }
            state.clone()
        };
        let (name, file) = (state.name.clone(), self.file.clone());
        let kept = task::spawn_blocking(move || delivered::write(&file, &state)).await;
        if let Ok(Err(error)) = kept {
            tracing::warn!(channel = %name, %error, "how it stands is not remembered");
        }
        name
    }
}

/// A client of its own for each try: nothing of a connection is kept for days.
fn client(local: bool) -> Result<Client, reqwest::Error> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Whoever is quicker has installed one: all the same to us.
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
    }
    let builder = Client::builder()
        .user_agent(concat!("backupd/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .timeout(PATIENCE);
    let builder = if local { builder.no_proxy() } else { builder };
    builder.build()
}

/// The kind of failure only: the error's own text names the address.
fn failed(error: &reqwest::Error) -> Undelivered {
    if error.is_timeout() {
        return Undelivered::passing(format!("no answer within {} s", PATIENCE.as_secs()));
    }
    if error.is_builder() {
        return Undelivered::lasting("the address or the token cannot be sent");
    }
    Undelivered::passing(if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    })
}

fn judge(status: StatusCode) -> Result<(), Undelivered> {
    if status.is_success() {
        return Ok(());
    }
    let why = format!("the answer was {}", status.as_u16());
    Err(if status.is_redirection() {
        Undelivered::lasting(format!("{why}, a redirection, which is not followed"))
    } else if status.is_client_error()
        && ![StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status)
    {
        Undelivered::lasting(why)
    } else {
        Undelivered::passing(why)
    })
}
