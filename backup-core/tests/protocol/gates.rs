//! A store that stops at every call of every actor until it is told to go on.
//!
//! An actor is somebody who works on the repository: a backup, a prune, a reader. Each has its own
//! [`GateStore`] on the same objects. A call stops before it is done, and a put or delete again
//! after it, before its answer is heard. What an actor does between two stops nobody else can see,
//! so whoever decides who goes next decides all that interleaving can be.
//!
//! Knows nothing of what the objects mean, nor of how to choose.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    hash::{DefaultHasher, Hash, Hasher as _},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use backup_core::store::Store;
use futures::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, memory::InMemory,
    path::Path,
};
use tokio::sync::{Notify, oneshot};

/// Whoever does not stop or end in this time hangs.
const PATIENCE: Duration = Duration::from_mins(1);
/// After everybody has stopped, tasks that an actor started may still be about to.
const YIELDS: usize = 4;

/// The number of an actor.
pub(crate) type Actor = usize;

/// One call.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Get(Path),
    List(String),
    Put(Path, PutPayload, PutOptions),
    Delete(Path),
}

impl Call {
    fn changes(&self) -> bool {
        matches!(self, Self::Put(..) | Self::Delete(_))
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Get(key) => write!(f, "get {key}"),
            Self::List(folder) => write!(f, "list {folder}"),
            Self::Put(key, ..) => write!(f, "put {key}"),
            Self::Delete(key) => write!(f, "delete {key}"),
        }
    }
}

/// What becomes of calls that had not been done when their caller died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// They never arrive.
    Cut,
    /// Puts and deletes are on their way, and arrive whenever they like.
    Slow,
}

/// A call that waits at a gate.
#[derive(Debug)]
struct Waiting {
    actor: Actor,
    call: Call,
    done: bool,
    go: oneshot::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Waiting>,
    /// Calls that go on and have not come to their next stop.
    running: usize,
    ended: BTreeSet<Actor>,
    dead: BTreeSet<Actor>,
    /// Calls of the dead that may still arrive.
    late: Vec<Call>,
    /// How much later the store's clock is than that of the machine.
    shift: Duration,
    /// The shift at which objects were written.
    written: BTreeMap<Path, Duration>,
    /// Objects that actors put, by what they are: the n-th of which actor.
    labels: BTreeMap<Path, u64>,
    puts: BTreeMap<Actor, u64>,
    /// Objects that were there from the start and are not any more.
    gone: BTreeSet<Path>,
    /// The objects that are there, as one number.
    print: u64,
}

/// All gates of one schedule.
#[derive(Debug)]
pub(crate) struct Gates {
    state: Mutex<State>,
    changed: Notify,
    inner: Arc<InMemory>,
}

impl Gates {
    pub(crate) fn new(inner: Arc<InMemory>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            changed: Notify::new(),
            inner,
        })
    }

    /// The store as an actor has it.
    pub(crate) fn store(self: &Arc<Self>, actor: Actor) -> Store {
        let gates = Arc::clone(self);
        Store::new(
            Arc::new(GateStore { gates, actor }),
            format!("actor {actor}"),
        )
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Says that an actor has nothing more to do.
    pub(crate) fn end(&self, actor: Actor) {
        self.state().ended.insert(actor);
        self.changed.notify_one();
    }

    /// Waits until every actor has ended or stands at a gate; gives those who stand.
    pub(crate) async fn still(&self, actors: usize) -> Vec<Actor> {
        let mut seen = 0;
        let still = async {
            loop {
                let found = self.standing(actors);
                match found {
                    Some((waiting, standing)) if waiting == seen => return standing,
                    Some((waiting, _)) => {
                        seen = waiting;
                        for _ in 0..YIELDS {
                            tokio::task::yield_now().await;
                        }
                    }
                    None => self.changed.notified().await,
                }
            }
        };
        let still = tokio::time::timeout(PATIENCE, still).await;
        still.unwrap_or_else(|_| panic!("somebody hangs: {:?}", self.state()))
    }

    /// How many calls wait, and whose, once everybody stands.
    fn standing(&self, actors: usize) -> Option<(usize, Vec<Actor>)> {
        let mut state = self.state();
        state.waiting.retain(|waiting| !waiting.go.is_closed());
        let standing: BTreeSet<Actor> = state.waiting.iter().map(|call| call.actor).collect();
        let ready = |actor| standing.contains(&actor) || state.ended.contains(&actor);
        let still = state.running == 0 && (0..actors).all(ready);
        still.then(|| (state.waiting.len(), standing.into_iter().collect()))
    }

    /// What an actor that stands would do next.
    pub(crate) fn next(&self, actor: Actor) -> String {
        let state = self.state();
        let first = state.waiting.iter().find(|call| call.actor == actor);
        first.expect("the actor stands").call.to_string()
    }

    /// Lets an actor go on with the call that stopped first; gives what it is.
    pub(crate) fn go(&self, actor: Actor) -> String {
        let mut state = self.state();
        let first = state.waiting.iter().position(|call| call.actor == actor);
        let call = state.waiting.remove(first.expect("the actor stands"));
        let text = if call.done {
            format!("{actor} hears of {}", call.call)
        } else {
            format!("{actor} {}", call.call)
        };
        if call.go.send(()).is_ok() {
            state.running += 1;
        }
        text
    }

    /// Lets an actor die where it stands. Whoever calls this drops what the actor does.
    pub(crate) fn kill(&self, actor: Actor, wire: Wire) {
        let mut state = self.state();
        state.dead.insert(actor);
        state.ended.insert(actor);
        let waiting = std::mem::take(&mut state.waiting);
        for call in waiting {
            if call.actor != actor {
                state.waiting.push(call);
            } else if wire == Wire::Slow && !call.done && call.call.changes() {
                state.late.push(call.call);
            }
        }
    }

    /// How many calls of the dead are still on their way.
    pub(crate) fn late(&self) -> usize {
        self.state().late.len()
    }

    /// Lets the oldest late call arrive.
    pub(crate) async fn arrive(&self) -> String {
        let call = self.state().late.remove(0);
        let text = format!("late: {call}");
        match call {
            Call::Put(key, payload, options) => {
                let put = self.inner.put_opts(&key, payload, options).await;
                if put.is_ok() {
                    self.is_there(usize::MAX, &key);
                }
            }
            Call::Delete(key) => {
                let gone = self.inner.delete_stream(stream::iter([Ok(key)]).boxed());
                let gone: Vec<_> = gone.collect().await;
                self.are_gone(&gone);
            }
            Call::Get(_) | Call::List(_) => {}
        }
        text
    }

    /// The store's clock goes on.
    pub(crate) fn pass(&self, time: Duration) {
        self.state().shift += time;
    }

    /// The objects that are there, as one number: equal for equal states of schedules that start
    /// from the same.
    pub(crate) fn print(&self) -> u64 {
        self.state().print
    }

    async fn stop(&self, actor: Actor, call: &Call, done: bool) {
        let (go, gone) = oneshot::channel();
        {
            let mut state = self.state();
            if done {
                state.running -= 1;
            }
            if !state.dead.contains(&actor) {
                state.waiting.push(Waiting {
                    actor,
                    call: call.clone(),
                    done,
                    go,
                });
            }
        }
        self.changed.notify_one();
        if gone.await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    fn went_on(&self) {
        self.state().running -= 1;
        self.changed.notify_one();
    }

    fn is_there(&self, actor: Actor, key: &Path) {
        let mut state = self.state();
        let shift = state.shift;
        state.written.insert(key.clone(), shift);
        let count = state.puts.entry(actor).or_default();
        *count += 1;
        let label = hash(&(actor, *count));
        state.labels.insert(key.clone(), label);
        state.print ^= label;
    }

    fn are_gone(&self, keys: &[Result<Path>]) {
        let mut state = self.state();
        for key in keys.iter().flatten() {
            if let Some(label) = state.labels.remove(key) {
                state.print ^= label;
            } else if state.gone.insert(key.clone()) {
                state.print ^= hash(key.as_ref());
            }
        }
    }

    fn dated(&self, mut meta: ObjectMeta) -> ObjectMeta {
        if let Some(&shift) = self.state().written.get(&meta.location) {
            meta.last_modified += shift;
        }
        meta
    }
}

fn hash(of: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// The store of one actor.
#[derive(Debug)]
struct GateStore {
    gates: Arc<Gates>,
    actor: Actor,
}

impl fmt::Display for GateStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GateStore of {}", self.actor)
    }
}

#[async_trait]
impl ObjectStore for GateStore {
    async fn put_opts(
        &self,
        key: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let call = Call::Put(key.clone(), payload.clone(), options.clone());
        self.gates.stop(self.actor, &call, false).await;
        let put = self.gates.inner.put_opts(key, payload, options).await;
        if put.is_ok() {
            self.gates.is_there(self.actor, key);
        }
        self.gates.stop(self.actor, &call, true).await;
        self.gates.went_on();
        put
    }

    async fn get_opts(&self, key: &Path, options: GetOptions) -> Result<GetResult> {
        let call = Call::Get(key.clone());
        self.gates.stop(self.actor, &call, false).await;
        let got = self.gates.inner.get_opts(key, options).await;
        let got = got.map(|got| GetResult {
            meta: self.gates.dated(got.meta.clone()),
            ..got
        });
        self.gates.went_on();
        got
    }

    /// A listing is no snapshot: its second half may be read when the first is out of date.
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (gates, actor) = (Arc::clone(&self.gates), self.actor);
        let prefix = prefix.cloned();
        let listed = async move {
            let folder = prefix.as_ref().map_or("", |prefix| prefix.as_ref());
            let call = Call::List(folder.to_owned());
            gates.stop(actor, &call, false).await;
            let first: Vec<_> = gates.inner.list(prefix.as_ref()).try_collect().await?;
            gates.went_on();
            let Some(middle) = first.get(first.len() / 2).map(|meta| &meta.location) else {
                return Ok(Vec::new());
            };
            gates.stop(actor, &call, false).await;
            let second: Vec<_> = gates.inner.list(prefix.as_ref()).try_collect().await?;
            gates.went_on();
            let first = first.iter().filter(|meta| meta.location < *middle);
            let second = second.iter().filter(|meta| meta.location >= *middle);
            let both = first.chain(second).cloned();
            Ok::<Vec<ObjectMeta>, Error>(both.map(|meta| gates.dated(meta)).collect())
        };
        let listed = stream::once(listed).map_ok(|metas| stream::iter(metas.into_iter().map(Ok)));
        listed.try_flatten().boxed()
    }

    fn delete_stream(
        &self,
        keys: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let (gates, actor) = (Arc::clone(&self.gates), self.actor);
        let delete = move |key: Path| {
            let gates = Arc::clone(&gates);
            async move {
                let call = Call::Delete(key.clone());
                gates.stop(actor, &call, false).await;
                let gone = gates.inner.delete_stream(stream::iter([Ok(key)]).boxed());
                let gone: Vec<_> = gone.collect().await;
                gates.are_gone(&gone);
                gates.stop(actor, &call, true).await;
                gates.went_on();
                gone.into_iter().next().expect("one key, one answer")
            }
        };
        keys.and_then(delete).boxed()
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(Error::NotImplemented {
            operation: "put_multipart_opts".to_owned(),
            implementer: self.to_string(),
        })
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let call = Call::List(prefix.map(Path::to_string).unwrap_or_default());
        self.gates.stop(self.actor, &call, false).await;
        let listed = self.gates.inner.list_with_delimiter(prefix).await;
        self.gates.went_on();
        listed
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(Error::NotImplemented {
            operation: "copy_opts".to_owned(),
            implementer: self.to_string(),
        })
    }
}
