//! A repository as it should be, to be copied and damaged, and its objects by kind.

use std::{collections::BTreeSet, fs, sync::Arc};

use backup_core::{
    crypt::Sealer,
    format::{Commit, ObjectRef, layout},
    repo::load_refs,
    store::Store,
};
use backup_keys::{Record, RecordKind, SecretKey};
use backup_model::{Digest, Seq, SnapshotName};
use bytes::Bytes;
use futures::TryStreamExt as _;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload, memory::InMemory, path::Path};
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::support::{World, job, world::Tree};

/// A repository as it should be, to be copied and damaged.
pub(super) struct Pristine {
    pub(super) world: World,
    pub(super) inner: Arc<InMemory>,
    pub(super) trees: Vec<(SnapshotName, Tree)>,
    /// Commits, in the order of `trees`.
    pub(super) commits: Vec<Commit>,
    /// Objects that a snapshot is put together from: its packs.
    pub(super) packs: Vec<BTreeSet<String>>,
}

pub(super) fn store(inner: &Arc<InMemory>) -> Store {
    let inner: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(inner);
    Store::new(inner, "memory".to_owned())
}

pub(super) async fn put(inner: &InMemory, key: &str, bytes: &[u8]) {
    let payload = PutPayload::from_bytes(Bytes::copy_from_slice(bytes));
    inner.put(&Path::from(key), payload).await.unwrap();
}

pub(super) async fn get(inner: &InMemory, key: &str) -> Bytes {
    let read = inner.get(&Path::from(key)).await.unwrap();
    read.bytes().await.unwrap()
}

pub(super) async fn keys(inner: &InMemory, folder: &str) -> Vec<String> {
    let listed = inner.list(Some(&Path::from(folder)));
    let listed: Vec<_> = listed.try_collect().await.unwrap();
    let mut keys: Vec<_> = listed.iter().map(|o| o.location.to_string()).collect();
    keys.sort();
    keys
}

pub(super) fn name(job_name: &str, seq: u64) -> SnapshotName {
    SnapshotName {
        job: job(job_name),
        seq: Seq(seq),
    }
}

pub(super) fn bytes(seed: u8, len: usize) -> Vec<u8> {
    let mut state = u32::from(seed) + 1;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(len).collect()
}

impl Pristine {
    /// Two jobs: `etc` with three snapshots, `srv` with one.
    pub(super) async fn new() -> Self {
        let inner = Arc::new(InMemory::new());
        let world = World::new(&store(&inner)).await;
        let mut trees = Vec::new();
        for (job_name, seq) in [("etc", 1u8), ("etc", 2), ("srv", 1), ("etc", 3)] {
            let source = world.source(&job(job_name));
            let text = bytes(seq, 900);
            fs::write(source.join(format!("file{seq}")), text).unwrap();
            let report = world.backup(&store(&inner), &job(job_name)).await.unwrap();
            assert_eq!(report.snapshot, name(job_name, seq.into()));
            trees.push((report.snapshot, world.tree(&job(job_name))));
        }
        trees.sort_by_key(|(name, _)| (name.job.clone(), name.seq));
        let mut pristine = Self {
            world,
            inner,
            trees,
            commits: Vec::new(),
            packs: Vec::new(),
        };
        pristine.learn().await;
        pristine
    }

    pub(super) async fn learn(&mut self) {
        let repository = self.world.open(&store(&self.inner)).await.unwrap();
        for (name, _) in &self.trees {
            let end = repository.run_end(&name.job, name.seq).await.unwrap();
            let commit = end.unwrap().commit().unwrap().clone();
            let refs = load_refs(&repository, &commit).await.unwrap();
            let packs = refs.packs.iter().map(|pack| layout::pack(&pack.0));
            self.packs.push(packs.collect());
            self.commits.push(commit);
        }
    }

    /// The object that stands for a kind, and the snapshots that need it.
    pub(super) fn object(&self, kind: &str) -> (String, BTreeSet<SnapshotName>) {
        let one = |name: SnapshotName| [name].into_iter().collect();
        let all: BTreeSet<_> = self.trees.iter().map(|(name, _)| name.clone()).collect();
        let etc = job("etc");
        let record = |seq| (layout::snapshot(&etc, Seq(seq)), one(name("etc", seq)));
        match kind {
            "repository.json" => (layout::REPOSITORY.to_owned(), all),
            "trust" => (layout::trust(1), all),
            "key file" => (layout::key_file(1, &job("admin"), 1), all),
            "canary" => (layout::canary(1), all),
            "session with an end" => (layout::session(&etc, Seq(2)), one(name("etc", 2))),
            "session without an end" => (layout::session(&etc, Seq(4)), one(name("etc", 4))),
            "first record" => record(1),
            "middle record" => record(2),
            "newest record" => record(3),
            "recipe" => (
                layout::recipe(&self.commits[1].recipe.sha256),
                one(name("etc", 2)),
            ),
            "refs" => (
                layout::refs(&self.commits[1].refs.sha256),
                one(name("etc", 2)),
            ),
            _ => {
                let pack = self.packs[1].intersection(&self.packs[2]).next().unwrap();
                let users = self.trees.iter().zip(&self.packs);
                let users = users.filter(|(_, packs)| packs.contains(pack));
                (
                    pack.clone(),
                    users.map(|((name, _), _)| name.clone()).collect(),
                )
            }
        }
    }

    /// A copy, in which a fourth run of `etc` has begun if the kind asks for one.
    pub(super) async fn copy(&self, kind: &str) -> Arc<InMemory> {
        let copy = Arc::new(self.inner.fork());
        if kind == "session without an end" {
            let session = get(&copy, &layout::session(&job("etc"), Seq(3))).await;
            let mut session: backup_core::format::Session = peek(&session);
            session.seq = Seq(4);
            let key = layout::session(&job("etc"), Seq(4));
            self.sign(&copy, &key, &session, self.world.host.key())
                .await;
        }
        copy
    }

    pub(super) async fn sign<T: RecordKind>(
        &self,
        to: &InMemory,
        key: &str,
        value: &T,
        by: &SecretKey,
    ) {
        let id = self.commits[0].repository;
        put(to, key, &Record::sign(value, id, key, by).unwrap()).await;
    }

    pub(super) fn tree(&self, snapshot: &SnapshotName) -> Option<&Tree> {
        let found = self.trees.iter().find(|(name, _)| name == snapshot);
        found.map(|(_, tree)| tree)
    }
}

pub(super) fn peek<T: RecordKind + DeserializeOwned>(record: &[u8]) -> T {
    let line = record.split(|&b| b == b'\n').next().unwrap();
    serde_json::from_slice(line).unwrap()
}

pub(super) fn sealed(plain: &[u8], recipient: &backup_keys::Recipient) -> Vec<u8> {
    let mut sealer = Sealer::new(recipient, 0).unwrap();
    sealer.write(plain).unwrap();
    sealer.finish().unwrap().bytes
}

pub(super) fn object_ref(bytes: &[u8]) -> ObjectRef {
    ObjectRef {
        sha256: Digest(Sha256::digest(bytes).into()),
        size: bytes.len() as u64,
    }
}
