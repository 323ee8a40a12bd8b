//! Tasks as whoever did not begin them sees them: listed, followed, stopped.

use backup_model::{Code, Failure};
use futures::{StreamExt as _, stream, stream::BoxStream};
use http::Method;

use super::{HttpService, lines::Lines, service::is_word};
use crate::{Numbered, Page, TaskInfo, TaskLine};

/// What a task says, line by line, to its end.
pub type TaskLines = BoxStream<'static, Result<Numbered, Failure>>;

impl HttpService {
    /// The tasks that run and those that ended of late, the newest first.
    pub async fn tasks(&self) -> Result<Vec<TaskInfo>, Failure> {
        let mut tasks = Vec::new();
        loop {
            let path = format!("/v1/tasks?from={}", tasks.len());
            let page: Page<TaskInfo> = self.daemon.ask(Method::GET, &path).await?;
            let is_last = page.next.is_none() || page.items.is_empty();
            tasks.extend(page.items);
            if is_last {
                return Ok(tasks);
            }
        }
    }

    /// What a task says from this line on, and what it will say. It ends after the line that says
    /// how the task ended, or with why it broke off.
    pub async fn follow_task(&self, id: &str, from: u64) -> Result<TaskLines, Failure> {
        let path = format!("/v1/tasks/{}/events?from={from}", task_segment(id)?);
        let lines = Lines::of(self.daemon.stream(&path).await?);
        let lines = stream::unfold(Some(lines), async |lines| {
            let mut lines = lines?;
            match lines.next::<Numbered>().await {
                Ok(line) if matches!(line.line, TaskLine::End(_)) => Some((Ok(line), None)),
                Ok(line) => Some((Ok(line), Some(lines))),
                Err(failure) => Some((Err(failure), None)),
            }
        });
        Ok(lines.boxed())
    }

    /// Asks a task to stop. What it says at its end tells whether it did.
    pub async fn cancel_task(&self, id: &str) -> Result<TaskInfo, Failure> {
        let path = format!("/v1/tasks/{}", task_segment(id)?);
        self.daemon.ask(Method::DELETE, &path).await
    }
}

fn task_segment(id: &str) -> Result<&str, Failure> {
    let none = || Failure::new(Code::NoTask, format!("there is no task `{id}`"));
    is_word(id).then_some(id).ok_or_else(none)
}
