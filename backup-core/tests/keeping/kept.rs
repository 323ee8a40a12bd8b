//! A repository in memory with some snapshots, and what is done to it.

use std::{collections::BTreeSet, fs};

use backup_core::{
    ops::{self, OpError, PruneOptions, Verifier},
    repo::Repository,
    store::Store,
};
use backup_keys::{Record, RecordKind, SecretKey};
use backup_model::{
    Code, Digest, ForgetReport, PruneReport, Seq, Silent, SnapshotName, Verdict, Why,
};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::support::{World, job, verify, world::Tree};

pub(crate) const AT_ONCE: PruneOptions = PruneOptions {
    grace_secs: 0,
    allow_large: true,
};

/// A repository in memory with snapshots 1 to `count` of one job, each of other files.
pub(crate) struct Kept {
    pub(crate) world: World,
    pub(crate) store: Store,
    pub(crate) trees: Vec<Tree>,
}

impl Kept {
    pub(crate) async fn new(count: u64) -> Self {
        let store = Store::memory();
        let world = World::new(&store).await;
        let mut kept = Self {
            world,
            store,
            trees: Vec::new(),
        };
        for _ in 0..count {
            kept.back_up().await;
        }
        kept
    }

    /// Two thirds of the files are others each time.
    pub(crate) async fn back_up(&mut self) {
        let number = u8::try_from(self.trees.len()).unwrap() + 1;
        let folder = self.world.source(&job("etc"));
        for (name, seed) in [("a", number), ("b", number / 2), ("c", 100 + number)] {
            fs::write(folder.join(name), noise(seed)).unwrap();
        }
        let report = self.world.backup(&self.store, &job("etc")).await.unwrap();
        assert_eq!(report.snapshot, snapshot(number.into()));
        self.trees.push(self.world.tree(&job("etc")));
    }

    pub(crate) async fn open(&self) -> Repository {
        self.world.open(&self.store).await.unwrap()
    }

    pub(crate) fn key(&self) -> &SecretKey {
        self.world.host.key()
    }

    pub(crate) async fn forget(&self, numbers: &[u64]) -> Result<ForgetReport, OpError> {
        let names: Vec<_> = numbers.iter().copied().map(snapshot).collect();
        ops::forget(
            &self.open().await,
            self.key(),
            &names,
            Why::Request,
            clock(),
        )
        .await
    }

    pub(crate) async fn hold(&self, number: u64) -> Result<(), OpError> {
        let (repository, name) = (self.open().await, snapshot(number));
        let held = ops::hold(
            &repository,
            self.key(),
            &name,
            "the auditors asked",
            clock(),
        )
        .await;
        held.map(drop)
    }

    pub(crate) async fn prune(&self) -> Result<PruneReport, OpError> {
        self.prune_with(AT_ONCE).await
    }

    pub(crate) async fn prune_with(&self, options: PruneOptions) -> Result<PruneReport, OpError> {
        let cancel = CancellationToken::new();
        let repository = self.open().await;
        ops::prune(
            &repository,
            self.key(),
            None,
            options,
            clock,
            &Silent,
            &cancel,
        )
        .await
    }

    /// These snapshots live and are whole, and there are no others.
    pub(crate) async fn has(&self, numbers: &[u64]) {
        let repository = self.open().await;
        let verifier = Verifier::data(self.world.admin.clone());
        let reports = verify(&repository, &verifier).await.unwrap();
        let good: Vec<_> = reports
            .iter()
            .map(|report| {
                assert_eq!(report.verdict, Verdict::Good, "{report:?}");
                report.snapshot.seq.0
            })
            .collect();
        assert_eq!(good, numbers);
        for &number in numbers {
            let restored = self.world.restore(&repository, &snapshot(number)).await;
            let index = usize::try_from(number).unwrap() - 1;
            assert_eq!(restored.unwrap(), self.trees[index], "{number}");
        }
    }

    /// Stores a record signed by a key, and gives its digest.
    pub(crate) async fn plant<T: RecordKind>(
        &self,
        key: &str,
        record: &T,
        by: &SecretKey,
    ) -> Digest {
        let id = self.open().await.id();
        let bytes = Record::sign(record, id, key, by).unwrap();
        let digest = Record::parse_list(&bytes, id, key).unwrap().digest();
        self.store.put_new(key, bytes.into()).await.unwrap();
        digest
    }

    pub(crate) async fn keys(&self) -> BTreeSet<String> {
        let objects = self.store.list_all().await.unwrap();
        objects.into_iter().map(|object| object.key).collect()
    }
}

pub(crate) fn snapshot(number: u64) -> SnapshotName {
    SnapshotName {
        job: job("etc"),
        seq: Seq(number),
    }
}

pub(crate) fn clock() -> Timestamp {
    "2026-11-22T02:30:00Z".parse().unwrap()
}

/// 30,000 bytes that do not compress and are others for each seed.
pub(crate) fn noise(seed: u8) -> Vec<u8> {
    let mut bytes = vec![0; 30_000];
    blake3::Hasher::new()
        .update(&[seed])
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

pub(crate) fn code<T: std::fmt::Debug>(result: Result<T, OpError>) -> Code {
    result.unwrap_err().code()
}
