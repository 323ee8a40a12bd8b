//! Crash points: a backup is stopped at each of its calls to the store, in each way that a store
//! or a process can fail there. Whatever happens, nothing that was committed is lost, nothing is
//! called a success that is not one, and the next backup works.

#[cfg(test)]
mod support;

#[cfg(test)]
#[expect(clippy::print_stdout, reason = "the figures are the point")]
mod tests {
    use std::{
        fmt, fs, io,
        ops::Range,
        sync::{
            Arc,
            atomic::{AtomicU64, Ordering},
        },
    };

    use async_trait::async_trait;
    use backup_core::{
        ops::{self, Verifier},
        store::Store,
    };
    use backup_model::{Code, End, Selection, Seq, Verdict};
    use bytes::Bytes;
    use futures::{
        StreamExt as _,
        stream::{self, BoxStream},
    };
    use object_store::{
        CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
        PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, memory::InMemory,
        path::Path,
    };
    use tokio::sync::Notify;

    use super::support::{World, job, verify};

    /// How the store fails at one call.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Fault {
        /// The call fails and does nothing.
        Fails,
        /// It is done, but the answer is an error.
        LosesAnswer,
        /// Likewise, and the call after it fails too.
        LosesAnswerAndNext,
        /// It fails, and so does every later one.
        Gone,
        /// It is done, the answer is lost, and every later call fails.
        GoneAfter,
        /// It never returns: the process dies before it was done.
        DiesBefore,
        /// It never returns: the process dies after it was done.
        DiesAfter,
    }

    const FAULTS: [Fault; 7] = [
        Fault::Fails,
        Fault::LosesAnswer,
        Fault::LosesAnswerAndNext,
        Fault::Gone,
        Fault::GoneAfter,
        Fault::DiesBefore,
        Fault::DiesAfter,
    ];

    /// What becomes of one call.
    #[derive(Clone, Copy)]
    struct Fate {
        done: bool,
        answer: Answer,
    }

    #[derive(Clone, Copy)]
    enum Answer {
        Given,
        Lost,
        Never,
    }

    /// A store that fails at its `at`-th call.
    struct FaultStore {
        inner: Arc<InMemory>,
        fault: Fault,
        at: u64,
        calls: AtomicU64,
        dead: Notify,
    }

    impl fmt::Debug for FaultStore {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{self}")
        }
    }

    impl fmt::Display for FaultStore {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{:?} at call {}", self.fault, self.at)
        }
    }

    fn lost() -> object_store::Error {
        object_store::Error::Generic {
            store: "fault",
            source: Box::new(io::Error::other("injected")),
        }
    }

    impl FaultStore {
        fn new(inner: Arc<InMemory>, fault: Fault, at: u64) -> Arc<Self> {
            Arc::new(Self {
                inner,
                fault,
                at,
                calls: AtomicU64::new(0),
                dead: Notify::new(),
            })
        }

        fn store(self: &Arc<Self>) -> Store {
            let inner: Arc<dyn ObjectStore> = Arc::<Self>::clone(self);
            Store::new(inner, "fault".to_owned())
        }

        fn fate(&self) -> Fate {
            let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
            let fate = |done, answer| Fate { done, answer };
            let fine = fate(true, Answer::Given);
            if call < self.at {
                return fine;
            }
            let here = call == self.at;
            match self.fault {
                Fault::Fails if here => fate(false, Answer::Lost),
                Fault::LosesAnswer | Fault::LosesAnswerAndNext | Fault::GoneAfter if here => {
                    fate(true, Answer::Lost)
                }
                Fault::LosesAnswerAndNext if call == self.at + 1 => fate(false, Answer::Lost),
                Fault::Gone | Fault::GoneAfter => fate(false, Answer::Lost),
                Fault::DiesBefore => fate(false, Answer::Never),
                Fault::DiesAfter => fate(here, Answer::Never),
                Fault::Fails | Fault::LosesAnswer | Fault::LosesAnswerAndNext => fine,
            }
        }

        async fn call<T>(&self, work: impl Future<Output = Result<T>> + Send) -> Result<T> {
            let fate = self.fate();
            let result = if fate.done { work.await } else { Err(lost()) };
            match fate.answer {
                Answer::Given => result,
                Answer::Lost => Err(lost()),
                Answer::Never => {
                    self.dead.notify_one();
                    std::future::pending().await
                }
            }
        }
    }

    #[async_trait]
    impl ObjectStore for FaultStore {
        async fn put_opts(
            &self,
            key: &Path,
            payload: PutPayload,
            options: PutOptions,
        ) -> Result<PutResult> {
            self.call(self.inner.put_opts(key, payload, options)).await
        }

        async fn get_opts(&self, key: &Path, options: GetOptions) -> Result<GetResult> {
            self.call(self.inner.get_opts(key, options)).await
        }

        fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
            let fate = self.fate();
            let listed = if fate.done {
                self.inner.list(prefix)
            } else {
                stream::empty().boxed()
            };
            match fate.answer {
                Answer::Given => listed,
                Answer::Lost => listed.chain(stream::iter([Err(lost())])).boxed(),
                Answer::Never => {
                    self.dead.notify_one();
                    stream::pending().boxed()
                }
            }
        }

        async fn put_multipart_opts(
            &self,
            key: &Path,
            options: PutMultipartOptions,
        ) -> Result<Box<dyn MultipartUpload>> {
            self.inner.put_multipart_opts(key, options).await
        }

        async fn get_ranges(&self, key: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
            self.inner.get_ranges(key, ranges).await
        }

        fn delete_stream(
            &self,
            keys: BoxStream<'static, Result<Path>>,
        ) -> BoxStream<'static, Result<Path>> {
            self.inner.delete_stream(keys)
        }

        async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
            self.inner.list_with_delimiter(prefix).await
        }

        async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
            self.inner.copy_opts(from, to, options).await
        }
    }

    /// What the enumeration has seen.
    #[derive(Debug, Default)]
    struct Tally {
        points: u64,
        succeeded: u64,
        failed: u64,
        died: u64,
        /// Failures of which the snapshot is there all the same: the answer got lost for good.
        unknown: u64,
        losses: u64,
    }

    fn memory(inner: &Arc<InMemory>) -> Store {
        let inner: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(inner);
        Store::new(inner, "memory".to_owned())
    }

    /// Kills a backup that starts from `before` at each of its calls in each way.
    async fn enumerate(world: &World, before: &InMemory, tally: &mut Tally) {
        let name = job("etc");
        let index = world.host.read_index(&name);
        for fault in FAULTS {
            for at in 1.. {
                if let Some(index) = &index {
                    world.host.write_index(&name, index).unwrap();
                }
                let inner = Arc::new(before.fork());
                let faulty = FaultStore::new(Arc::clone(&inner), fault, at);
                let store = faulty.store();
                let outcome = tokio::select! {
                    biased;
                    outcome = world.backup(&store, &name) => Some(outcome),
                    () = faulty.dead.notified() => None,
                };
                let reached = faulty.calls.load(Ordering::Relaxed) >= at;
                let committed = outcome.as_ref().and_then(|o| o.as_ref().ok());
                let committed = committed.map(|report| report.snapshot.seq);
                match &outcome {
                    None => tally.died += 1,
                    Some(Ok(_)) => tally.succeeded += 1,
                    Some(Err(_)) => tally.failed += 1,
                }
                let told = outcome.is_some();
                check(world, &inner, &faulty, (told, committed), tally).await;
                if !reached {
                    assert!(matches!(outcome, Some(Ok(_))), "{faulty}: {outcome:?}");
                    break;
                }
                tally.points += 1;
            }
        }
    }

    /// With the store well again: what was committed is whole, what was told is true, and the
    /// next backup works.
    async fn check(
        world: &World,
        inner: &Arc<InMemory>,
        faulty: &FaultStore,
        (told, success): (bool, Option<Seq>),
        tally: &mut Tally,
    ) {
        let (name, store) = (job("etc"), memory(inner));
        let repository = world.open(&store).await.unwrap();
        let data = Verifier::Data(world.admin.clone());
        let reports = verify(&repository, &data).await.unwrap();
        for report in &reports {
            if report.verdict != Verdict::Good {
                tally.losses += 1;
            }
            assert_eq!(report.verdict, Verdict::Good, "{faulty}");
        }
        let newest = reports.iter().map(|report| report.snapshot.seq).max();
        let run = runs(&repository).await.last().map(|(seq, _)| *seq);
        let present = newest.filter(|_| newest == run);
        match success {
            Some(seq) => assert_eq!(present, Some(seq), "{faulty}: a success that is none"),
            None if told && present > Some(Seq(1)) => {
                let may = [Fault::LosesAnswerAndNext, Fault::GoneAfter];
                assert!(
                    may.contains(&faulty.fault),
                    "{faulty}: a failure that is none"
                );
                tally.unknown += 1;
            }
            None => {}
        }
        let next = world.backup(&store, &name).await;
        let next = next.unwrap_or_else(|error| panic!("{faulty}: {:?}", error.to_failure()));
        let repository = world.open(&store).await.unwrap();
        let ends = runs(&repository).await;
        assert!(
            ends.iter().all(|(_, end)| *end != End::Open),
            "{faulty}: {ends:?}"
        );
        let good = verify(&repository, &data).await.unwrap();
        assert_eq!(
            good.len(),
            reports.len() + 1,
            "{faulty}: a snapshot got lost"
        );
        assert!(good.iter().all(|report| report.verdict == Verdict::Good));
        let restored = world.restore(&repository, &next.snapshot).await.unwrap();
        assert_eq!(restored, world.tree(&name), "{faulty}");
    }

    async fn runs(repository: &backup_core::repo::Repository) -> Vec<(Seq, End)> {
        let runs = ops::list(repository, &Selection::All).await.unwrap();
        let runs = runs.into_iter().map(Result::unwrap);
        runs.map(|run| (run.snapshot.seq, run.end)).collect()
    }

    async fn start() -> (World, Arc<InMemory>) {
        let inner = Arc::new(InMemory::new());
        let world = World::new(&memory(&inner)).await;
        let source = world.source(&job("etc"));
        fs::write(source.join("one"), vec![1; 20_000]).unwrap();
        world.backup(&memory(&inner), &job("etc")).await.unwrap();
        fs::write(source.join("two"), vec![2; 30_000]).unwrap();
        (world, inner)
    }

    /// A pruner of theirs may be about to delete what a backup of ours would name.
    #[tokio::test]
    async fn where_newer_programs_have_worked_nothing_is_begun() {
        for key in ["prune/1/plan.json", "forget/1.json"] {
            let (world, inner) = start().await;
            let store = memory(&inner);
            store.put_new(key, Bytes::from_static(b"x")).await.unwrap();
            let refused = world.backup(&store, &job("etc")).await.unwrap_err();
            assert_eq!(refused.code(), Code::RepositoryNewer, "{key}");
            let repository = world.open(&store).await.unwrap();
            assert_eq!(runs(&repository).await, [(Seq(1), End::Complete)]);
            let good = verify(&repository, &Verifier::Storage).await.unwrap();
            assert!(good.iter().all(|report| report.verdict == Verdict::Good));
        }
    }

    #[tokio::test]
    async fn a_backup_that_stops_anywhere_loses_nothing() {
        let (world, inner) = start().await;
        let mut tally = Tally::default();
        enumerate(&world, &inner, &mut tally).await;

        // Again, after a run that died: it must be closed first.
        let index = world.host.read_index(&job("etc")).unwrap();
        let key = Path::from("snapshots/etc/000002.json");
        world.backup(&memory(&inner), &job("etc")).await.unwrap();
        let last = [Ok(key)];
        let deleted = inner.delete_stream(stream::iter(last).boxed());
        assert!(deleted.collect::<Vec<_>>().await.iter().all(Result::is_ok));
        world.host.write_index(&job("etc"), &index).unwrap();
        enumerate(&world, &inner, &mut tally).await;

        println!("crash points: {tally:?}");
        assert!(tally.points > 200, "{tally:?}");
        assert!(tally.unknown <= 4, "{tally:?}");
        assert_eq!(tally.losses, 0);
    }
}
