//! The pool: a few named threads that compress blocks and finish packs for all streams of a run.
//!
//! It knows bytes and levels, no chunks, no store. The queue needs no bound of its own: each lane
//! waits for its oldest block before it hands in one too many, and has one pack to finish at a
//! time.

use std::{
    collections::VecDeque,
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};

use super::{
    PipelineError,
    level::{LevelControl, LevelMode, Observation},
};
use crate::codec::BlockCodec;

/// A compressed block.
#[derive(Debug)]
pub(super) struct Block {
    /// One zstd frame.
    pub(super) frame: Vec<u8>,
    /// What it was made of.
    pub(super) plain: Vec<u8>,
}

/// The result of work that was handed in.
#[derive(Debug)]
pub(super) struct Answer<T>(Receiver<T>);

impl<T> Answer<T> {
    /// Waits for it.
    pub(super) fn wait(self) -> Result<T, PipelineError> {
        self.0.recv().map_err(|_| {
            let error = io::Error::other("a thread of the pool ended early");
            PipelineError::Thread(error)
        })
    }
}

type Task = Box<dyn FnOnce(&mut BlockCodec) + Send>;

struct Queue {
    /// Finishing a pack frees memory, so it goes before blocks.
    packs: VecDeque<Task>,
    blocks: VecDeque<Task>,
    levels: LevelControl,
    /// How long workers have waited for the uploader since a block was last looked at.
    held: Duration,
    closed: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    ready: Condvar,
    workers: usize,
}

/// The threads, which end when this is dropped.
pub struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({} threads)", self.threads.len())
    }
}

impl Pool {
    /// Starts `workers` threads.
    pub fn start(workers: usize, mode: LevelMode) -> Result<Self, PipelineError> {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue {
                packs: VecDeque::new(),
                blocks: VecDeque::new(),
                levels: LevelControl::new(mode, u32::try_from(workers).unwrap_or(u32::MAX)),
                held: Duration::ZERO,
                closed: false,
            }),
            ready: Condvar::new(),
            workers,
        });
        let mut pool = Self {
            shared,
            threads: Vec::new(),
        };
        for number in 0..workers {
            let shared = Arc::clone(&pool.shared);
            let thread = thread::Builder::new()
                .name(format!("codec-{number}"))
                .spawn(move || work(&shared))
                .map_err(PipelineError::Thread)?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// Blocks that a lane may have under way: enough to keep all threads at work.
    pub(super) fn in_flight(&self) -> usize {
        self.shared.workers + 2
    }

    /// Compresses a block, at the level that the pool's load allows.
    pub(super) fn compress(&self, plain: Vec<u8>) -> Answer<Result<Block, PipelineError>> {
        let shared = Arc::clone(&self.shared);
        self.hand_in(
            |queue| &mut queue.blocks,
            move |codec| {
                let (level, waiting) = shared.before_block();
                let (started, cpu) = (Instant::now(), thread_cpu());
                let frame = codec.compress(&plain, level);
                shared.after_block(waiting, thread_cpu().saturating_sub(cpu), started.elapsed());
                let frame = frame.map_err(PipelineError::Compress)?;
                Ok(Block { frame, plain })
            },
        )
    }

    /// For telling how busy it is.
    pub(super) fn load(&self) -> Load {
        Load(Arc::clone(&self.shared))
    }

    /// Runs work that ends a pack.
    pub(super) fn finish<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut BlockCodec) -> T + Send + 'static,
    ) -> Answer<T> {
        self.hand_in(|queue| &mut queue.packs, work)
    }

    fn hand_in<T: Send + 'static>(
        &self,
        line: impl FnOnce(&mut Queue) -> &mut VecDeque<Task>,
        work: impl FnOnce(&mut BlockCodec) -> T + Send + 'static,
    ) -> Answer<T> {
        let (done, answer) = sync_channel(1);
        let task: Task = Box::new(move |codec| {
            // A dropped receiver means that nobody waits any more.
            done.send(work(codec)).ok();
        });
        line(&mut self.shared.lock()).push_back(task);
        self.shared.ready.notify_one();
        Answer(answer)
    }
}

/// What the pool is told of what its threads wait for.
pub(super) struct Load(Arc<Shared>);

impl Load {
    /// A thread had to wait until the uploader took a pack.
    pub(super) fn held(&self, waited: Duration) {
        self.0.lock().held += waited;
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.ready.notify_all();
        for thread in self.threads.drain(..) {
            // A thread that panicked was noticed by whoever waited for its answer.
            thread.join().ok();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The level of a block, and how many others wait.
    fn before_block(&self) -> (i32, usize) {
        let queue = self.lock();
        (queue.levels.level(), queue.blocks.len())
    }

    fn after_block(&self, waiting: usize, cpu: Duration, wall: Duration) {
        let mut queue = self.lock();
        let held = std::mem::take(&mut queue.held);
        queue.levels.next(&Observation {
            cpu,
            wall,
            held,
            waiting,
            capacity: self.workers + 2,
        });
    }

    /// The next task; `None` when no more will come.
    fn next(&self) -> Option<Task> {
        let mut queue = self.lock();
        loop {
            let task = queue.packs.pop_front().or_else(|| queue.blocks.pop_front());
            if task.is_some() || queue.closed {
                return task;
            }
            let woken = self.ready.wait(queue);
            queue = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn work(shared: &Shared) {
    let mut codec = BlockCodec::new();
    while let Some(task) = shared.next() {
        // Whoever waits for the answer learns of a panic; the others still need this thread.
        if catch_unwind(AssertUnwindSafe(|| task(&mut codec))).is_err() {
            codec = BlockCodec::new();
        }
    }
}

/// The processor time of this thread.
fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}
