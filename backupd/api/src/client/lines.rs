//! Answers that come line by line: read as they come, with a bound for each line and none for all
//! of them, so that an answer of any length takes the memory of its longest line.

use std::time::Duration;

use backup_model::{Code, Failure};
use bytes::{Buf as _, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde::{Serialize, de::DeserializeOwned};

use super::{HttpService, connection::unreadable};
use crate::{ListingLine, Task};

/// An answer that goes on has a line, if an empty one, every 15 s: nobody is there who misses four.
const SILENCE: Duration = Duration::from_mins(1);
/// What a line may take: more than any report that a task makes.
const LONGEST: usize = 64 << 20;

/// The lines of an answer that comes while it is made.
pub(super) struct Lines {
    body: Incoming,
    text: BytesMut,
    /// So much of the text has no end of a line.
    seen: usize,
}

impl Lines {
    pub(super) fn of(body: Incoming) -> Self {
        Self {
            body,
            text: BytesMut::new(),
            seen: 0,
        }
    }

    /// The next one that says something.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> Result<T, Failure> {
        loop {
            if let Some(line) = self.whole_line() {
                if line.is_empty() {
                    continue;
                }
                return serde_json::from_slice(&line).map_err(|error| unreadable(&error));
            }
            if self.text.len() > LONGEST {
                let text = format!("the daemon's answer has a line of more than {LONGEST} bytes");
                return Err(Failure::new(Code::Daemon, text));
            }
            let broken = || Failure::new(Code::Daemon, "the daemon's answer broke off");
            let frame = tokio::time::timeout(SILENCE, self.body.frame()).await;
            let silent = |_| Failure::new(Code::Daemon, "the daemon says nothing any more");
            let frame = frame.map_err(silent)?.ok_or_else(broken)?;
            if let Ok(data) = frame.map_err(|_| broken())?.into_data() {
                self.text.extend_from_slice(&data);
            }
        }
    }

    fn whole_line(&mut self) -> Option<BytesMut> {
        let unseen = self.text[self.seen..].iter();
        let Some(end) = unseen.clone().position(|&byte| byte == b'\n') else {
            self.seen = self.text.len();
            return None;
        };
        let line = self.text.split_to(self.seen + end);
        self.text.advance(1);
        self.seen = 0;
        Some(line)
    }
}

impl HttpService {
    /// Asks for a listing and reads it to its end. Going away is how to stop it.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        request: &(impl Serialize + Sync),
        item: &mut (dyn FnMut(T) + Send),
        task: &Task,
    ) -> Result<u64, Failure> {
        let read = async {
            let body = self.daemon.patient().stream_of(path, request).await?;
            let mut lines = Lines::of(body);
            loop {
                match lines.next().await? {
                    ListingLine::Item(found) => item(found),
                    ListingLine::Done(count) => return Ok(count),
                    ListingLine::Failed(failure) => return Err(failure),
                }
            }
        };
        tokio::select! {
            ended = read => ended,
            () = task.cancel.cancelled() => Err(Failure::new(Code::Interrupted, "stopped")),
        }
    }
}
