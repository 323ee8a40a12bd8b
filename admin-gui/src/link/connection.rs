//! Reaching the daemon, hearing how everything stands, and reaching it again when it is gone.

use std::{sync::Arc, time::Duration};

use backup_model::{Code, Failure};
use backupd_api::{HttpService, Service as _, Target};
use futures::StreamExt as _;
use tokio::{sync::mpsc::Receiver, time};

use super::{Request, Say, answer, deed};
use crate::state::Event;

/// How long to wait before each further try; the last goes on.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// Keeps the connection until the window is gone.
pub(super) async fn keep<W>(target: Target, mut asked: Receiver<Request>, say: Say<W>)
where
    W: Fn() + Send + Sync + 'static,
{
    let say = Arc::new(say);
    let mut failed = 0;
    loop {
        let ended = match HttpService::reach(target.clone()).await {
            Ok(service) => serve(&service, &mut asked, &say, &mut failed).await,
            Err(failure) => Some(failure),
        };
        let Some(failure) = ended else {
            return;
        };
        say.say(Event::Lost(failure));
        let pause = time::sleep(PAUSES[failed.min(PAUSES.len() - 1)]);
        failed += 1;
        if refuse(pause, &mut asked, &say).await.is_none() {
            return;
        }
    }
}

/// Serves the window while the daemon says how everything stands; gives why it does not any more,
/// or nothing when the window is gone.
async fn serve<W>(
    service: &HttpService,
    asked: &mut Receiver<Request>,
    say: &Arc<Say<W>>,
    failed: &mut usize,
) -> Option<Failure>
where
    W: Fn() + Send + Sync + 'static,
{
    let mut statuses = match service.follow_status().await {
        Ok(statuses) => statuses,
        Err(failure) => return Some(failure),
    };
    loop {
        tokio::select! {
            status = statuses.next() => match status {
                Some(Ok(report)) => {
                    *failed = 0;
                    say.say(Event::Status(report));
                }
                Some(Err(failure)) => return Some(failure),
                None => return Some(Failure::new(Code::Daemon, "the daemon has ended")),
            },
            request = asked.recv() => {
                let (service, say) = (service.clone(), Arc::clone(say));
                match request? {
                    Request::Ask(question) => tokio::spawn(async move {
                        let answer = answer::answer(&service, &question).await;
                        say.say(Event::Answered(question, answer));
                    }),
                    Request::Do(deed) => tokio::spawn(async move {
                        let outcome = deed::perform(&service, &deed).await;
                        say.say(Event::Done(deed, outcome));
                    }),
                };
            }
        }
    }
}

/// Says of all that is asked meanwhile that nobody answers; nothing when the window is gone.
async fn refuse<W: Fn()>(
    pause: time::Sleep,
    asked: &mut Receiver<Request>,
    say: &Say<W>,
) -> Option<()> {
    tokio::pin!(pause);
    let gone = || Failure::new(Code::Daemon, "the daemon does not answer");
    loop {
        tokio::select! {
            () = &mut pause => return Some(()),
            request = asked.recv() => match request? {
                Request::Ask(question) => say.say(Event::Answered(question, Err(gone()))),
                Request::Do(deed) => say.say(Event::Done(deed, Err(gone()))),
            },
        }
    }
}
