//! The tasks that there are: begun once for each idempotency key, listed, cancelled, and kept for
//! a while after their end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use backup_model::{Code, Failure};
use backupd_api::{Kind, Service, TaskInfo, TaskRequest, TaskState};
use backupd_audit::Act;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    log::{self, Log},
    work,
};
use crate::audit::Audit;

/// Tasks that run at one time. A job's own limits are the service's.
const MOST_RUNNING: usize = 16;
/// Ended tasks that are kept, and what their logs may take all together.
const MOST_ENDED: usize = 100;
const LARGEST_ENDED: usize = 64 << 20;

/// A begun task and how it is known.
struct Entry {
    info: TaskInfo,
    /// Who said which idempotency key, and the digest of what came with it.
    key: Option<(String, [u8; 32])>,
    log: Arc<Log>,
    cancel: CancellationToken,
}

/// What asks for a task.
pub(in crate::http) struct Begun {
    /// Who asks.
    pub(in crate::http) actor: String,
    /// Where it is put on record, and as what.
    pub(in crate::http) record: Option<(Audit, Act)>,
    /// The idempotency key, and the digest of the request's body.
    pub(in crate::http) key: Option<(String, [u8; 32])>,
    /// Why it cannot begin now, unless it has begun already.
    pub(in crate::http) busy: Option<Failure>,
    /// What to do.
    pub(in crate::http) request: TaskRequest,
    /// When.
    pub(in crate::http) now: Timestamp,
}

/// All tasks, oldest first.
#[derive(Default)]
pub(in crate::http) struct Tasks {
    entries: Mutex<Vec<Entry>>,
    running: TaskTracker,
}

impl Tasks {
    /// Begins a task, or finds the one that the same key began.
    pub(in crate::http) fn begin(
        self: &Arc<Self>,
        begun: Begun,
        service: Arc<dyn Service>,
    ) -> Result<TaskInfo, Failure> {
        let Begun {
            actor,
            record,
            key,
            busy,
            request,
            now,
        } = begun;
        let key = key.map(|(key, digest)| (format!("{actor} {key}"), digest));
        let mut entries = self.entries();
        if let Some(info) = known(&entries, key.as_ref())? {
            return Ok(info);
        }
        if let Some(busy) = busy {
            return Err(busy);
        }
        if self.running.is_closed() {
            return Err(Failure::new(Code::Overloaded, "the daemon is stopping"));
        }
        admit(&entries, &request)?;
        let mut id = [0_u8; 16];
        getrandom::fill(&mut id).map_err(|error| Failure::from_error(Code::Bug, &error))?;
        let info = TaskInfo {
            id: HEXLOWER.encode(&id),
            kind: request.kind(),
            object: request.object(),
            actor,
            began: now,
            state: TaskState::Running,
            failure: None,
        };
        let log = Log::new();
        let cancel = CancellationToken::new();
        entries.push(Entry {
            info: info.clone(),
            key,
            log: Arc::clone(&log),
            cancel: cancel.clone(),
        });
        let tasks = Arc::clone(self);
        let (id, actor) = (info.id.clone(), info.actor.clone());
        self.running.spawn(async move {
            // On its own, so that a mistake in the work ends the work and nothing else.
            let heard = Arc::clone(&log);
            let work = async {
                let work = tokio::spawn(work::run(service, request, actor, heard, cancel));
                work.await.unwrap_or_else(|_| {
                    let text = "the task ended by a mistake in the daemon";
                    Err(Failure::new(Code::Bug, text))
                })
            };
            let ended = match record {
                Some((audit, act)) => {
                    let session = Some(id.clone());
                    audit.around(Act { session, ..act }, work).await
                }
                None => work.await,
            };
            tasks.end(&id, &log, ended);
        });
        Ok(info)
    }

    fn end(&self, id: &str, log: &Log, ended: Result<(), Failure>) {
        let mut entries = self.entries();
        if let Some(entry) = entries.iter_mut().find(|entry| entry.info.id == id) {
            entry.info.failure = ended.as_ref().err().cloned();
            entry.info.state = match ended {
                Ok(()) => TaskState::Done,
                Err(_) => TaskState::Failed,
            };
        }
        // The list says so first: whoever has read the end finds it there.
        log.add(log::end(ended)).ok();
        forget_old(&mut entries);
    }

    /// All tasks, newest first.
    pub(in crate::http) fn list(&self) -> Vec<TaskInfo> {
        let entries = self.entries();
        entries
            .iter()
            .rev()
            .map(|entry| entry.info.clone())
            .collect()
    }

    /// One task.
    pub(in crate::http) fn get(&self, id: &str) -> Result<TaskInfo, Failure> {
        self.with(id, |entry| entry.info.clone())
    }

    /// The log of a task.
    pub(in crate::http) fn log(&self, id: &str) -> Result<Arc<Log>, Failure> {
        self.with(id, |entry| Arc::clone(&entry.log))
    }

    /// Asks a task to stop. Its log says when it has.
    pub(in crate::http) fn cancel(&self, id: &str) -> Result<TaskInfo, Failure> {
        self.with(id, |entry| {
            entry.cancel.cancel();
            entry.info.clone()
        })
    }

    /// Begins nothing more, and waits until all have ended.
    pub(in crate::http) async fn drain(&self) {
        self.running.close();
        self.running.wait().await;
    }

    /// Begins nothing more, asks all to stop, and waits until they have.
    pub(in crate::http) async fn stop(&self) {
        self.running.close();
        for entry in self.entries().iter() {
            entry.cancel.cancel();
        }
        self.running.wait().await;
    }

    fn with<R>(&self, id: &str, get: impl FnOnce(&Entry) -> R) -> Result<R, Failure> {
        let entries = self.entries();
        let entry = entries.iter().find(|entry| entry.info.id == id);
        let shown = || id.chars().take(40).collect::<String>();
        entry
            .map(get)
            .ok_or_else(|| Failure::new(Code::NoTask, format!("there is no task {}", shown())))
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that was begun by this key.
fn known(entries: &[Entry], key: Option<&(String, [u8; 32])>) -> Result<Option<TaskInfo>, Failure> {
    let Some((key, digest)) = key else {
        return Ok(None);
    };
    let same = |entry: &&Entry| entry.key.as_ref().is_some_and(|(known, _)| known == key);
    match entries.iter().find(same) {
        None => Ok(None),
        Some(entry) if entry.key.as_ref().is_some_and(|(_, known)| known == digest) => {
            Ok(Some(entry.info.clone()))
        }
        Some(entry) => {
            let text = format!(
                "this idempotency key began task {}, another one",
                entry.info.id
            );
            Err(Failure::new(Code::KeyReused, text))
        }
    }
}

fn admit(entries: &[Entry], request: &TaskRequest) -> Result<(), Failure> {
    let running = entries
        .iter()
        .filter(|e| e.info.state == TaskState::Running);
    let running: Vec<&TaskInfo> = running.map(|entry| &entry.info).collect();
    if running.len() >= MOST_RUNNING {
        let text = format!("{MOST_RUNNING} tasks run already");
        return Err(Failure::new(Code::Overloaded, text));
    }
    if let TaskRequest::Backup { job } = request {
        let same = |info: &&&TaskInfo| info.kind == Kind::Backup && info.object == job.as_str();
        if let Some(info) = running.iter().find(same) {
            let text = format!("the job `{job}` runs already, as task {}", info.id);
            return Err(Failure::new(Code::Busy, text));
        }
    }
    Ok(())
}

fn forget_old(entries: &mut Vec<Entry>) {
    let mut kept = 0;
    let mut bytes = 0;
    // From the newest on, which is last.
    let mut keep: Vec<bool> = Vec::with_capacity(entries.len());
    for entry in entries.iter().rev() {
        let ended = entry.info.state != TaskState::Running;
        kept += usize::from(ended);
        bytes += if ended { entry.log.bytes() } else { 0 };
        keep.push(!ended || kept == 1 || (kept <= MOST_ENDED && bytes <= LARGEST_ENDED));
    }
    let mut keep = keep.into_iter().rev();
    entries.retain(|_| keep.next().unwrap_or(true));
}
