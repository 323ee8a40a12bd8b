//! What is attacked: a repository in memory with snapshots of two jobs, and the keys that an
//! attacker may have.

use std::{collections::BTreeSet, fs, sync::Arc};

use backup_core::{
    crypt::Sealer,
    format::{Commit, ObjectRef, layout},
    repo::{JobRuns, Memory, RepoError, Repository, load_refs},
    store::Store,
};
use backup_keys::{Record, RecordKind, Role, SecretKey, TrustRecord, Writer};
use backup_model::{Digest, RepositoryId, Seq, SnapshotName};
use bytes::Bytes;
use futures::TryStreamExt as _;
use jiff::Timestamp;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload, memory::InMemory, path::Path};
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::support::{World, job, world::Tree};

/// Keys that an attacker has, one at a time.
pub(crate) struct Stolen {
    /// Nobody's.
    pub(crate) stranger: SecretKey,
    /// May write `srv`, and nothing else.
    pub(crate) clerk: SecretKey,
    /// May sign proofs, of every job.
    pub(crate) prover: SecretKey,
    /// May write every job; began its last backup long ago.
    pub(crate) late: SecretKey,
    /// May write every job, from next year on.
    pub(crate) early: SecretKey,
}

/// An honest snapshot.
pub(crate) struct Honest {
    pub(crate) name: SnapshotName,
    pub(crate) tree: Tree,
    pub(crate) commit: Commit,
    /// The digest of its record.
    pub(crate) record: Digest,
    pub(crate) packs: Vec<(Digest, u64)>,
}

/// Snapshots 1 to 3 of `etc` and 1 of `srv`, under the second version of trust.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) stolen: Stolen,
    pub(crate) honest: Vec<Honest>,
    pub(crate) inner: Arc<InMemory>,
    /// All objects before the last snapshot.
    old: Vec<(String, Bytes)>,
    /// What a machine remembers that has seen everything before the attack.
    memory: tempfile::TempDir,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let inner = Arc::new(InMemory::new());
        let world = World::new(&store_of(&inner)).await;
        let key = || SecretKey::generate().unwrap();
        let stolen = Stolen {
            stranger: key(),
            clerk: key(),
            prover: key(),
            late: key(),
            early: key(),
        };
        let mut stage = Self {
            world,
            stolen,
            honest: Vec::new(),
            inner,
            old: Vec::new(),
            memory: tempfile::tempdir().unwrap(),
        };
        stage.trust_all().await;
        for (name, content) in [("etc", 1), ("etc", 2), ("srv", 3)] {
            stage.back_up(name, content).await;
        }
        for key in stage.keys().await {
            let bytes = stage.get(&key).await;
            stage.old.push((key, bytes));
        }
        stage.back_up("etc", 4).await;
        stage.remembers().await.unwrap();
        stage
    }

    async fn trust_all(&self) {
        let like_host = |writer: &Writer, name: &str, key: &SecretKey| Writer {
            name: job(name),
            key: key.public().clone(),
            roles: vec![Role::Write],
            ..writer.clone()
        };
        self.retrust(&self.world.root, |trust| {
            let host = trust.writers[0].clone();
            let mut clerk = like_host(&host, "clerk", &self.stolen.clerk);
            clerk.jobs = Some(vec![job("srv")]);
            let mut prover = like_host(&host, "prover", &self.stolen.prover);
            prover.roles = vec![Role::Prove];
            let mut late = like_host(&host, "late", &self.stolen.late);
            (late.from, late.until) = (time("2026-01-01T00:00:00Z"), Some(LATE.parse().unwrap()));
            let mut early = like_host(&host, "early", &self.stolen.early);
            early.from = time("2027-01-01T00:00:00Z");
            trust.writers.extend([clerk, prover, late, early]);
        })
        .await;
    }

    async fn back_up(&mut self, name: &str, content: u8) {
        let folder = self.world.source(&job(name));
        fs::write(folder.join(format!("file{content}")), noise(content)).unwrap();
        let made = self.world.backup(&self.store(), &job(name)).await.unwrap();
        let name = made.snapshot;
        let repository = self.open().await;
        let end = repository.run_end(&name.job, name.seq).await.unwrap();
        let record = end.unwrap();
        let commit = record.commit().unwrap().clone();
        let refs = load_refs(&repository, &commit).await.unwrap();
        self.honest.push(Honest {
            tree: self.world.tree(&name.job),
            name,
            record: record.digest,
            packs: refs.packs.iter().map(|pack| (pack.0, pack.1)).collect(),
            commit,
        });
    }

    pub(crate) fn store(&self) -> Store {
        store_of(&self.inner)
    }

    pub(crate) async fn open(&self) -> Repository {
        self.world.open(&self.store()).await.unwrap()
    }

    /// All jobs, seen by the machine that remembers.
    pub(crate) async fn remembers(&self) -> Result<Vec<JobRuns>, RepoError> {
        let repository = self.world.open(&self.store()).await?;
        let memory = Memory::open(self.memory.path(), repository.id()).unwrap();
        let repository = repository.remembering(memory)?;
        let mut all = Vec::new();
        for name in ["etc", "srv"] {
            all.push(repository.runs(&job(name)).await?);
        }
        Ok(all)
    }

    /// Puts the whole store back to what it was before the last snapshot.
    pub(crate) async fn roll_back(&self) {
        for key in self.keys().await {
            self.delete(&key).await;
        }
        for (key, bytes) in &self.old {
            self.put(key, bytes).await;
        }
    }

    pub(crate) fn id(&self) -> RepositoryId {
        self.honest[0].commit.repository
    }

    /// A snapshot of `etc`.
    pub(crate) fn etc(&self, number: u64) -> &Honest {
        let found = self.honest.iter().find(|h| h.name == name("etc", number));
        found.unwrap()
    }

    /// The key of the largest pack of `etc/2`.
    pub(crate) fn pack(&self) -> String {
        let largest = self.etc(2).packs.iter().max_by_key(|pack| pack.1);
        layout::pack(&largest.unwrap().0)
    }

    /// The key of a pack of `srv/1` only.
    pub(crate) fn other_pack(&self) -> String {
        let srv = self.honest.iter().find(|h| h.name == name("srv", 1));
        layout::pack(&srv.unwrap().packs[0].0)
    }

    /// Puts an object, over another one too.
    pub(crate) async fn put(&self, key: &str, bytes: &[u8]) {
        let payload = PutPayload::from_bytes(Bytes::copy_from_slice(bytes));
        self.inner.put(&Path::from(key), payload).await.unwrap();
    }

    pub(crate) async fn get(&self, key: &str) -> Bytes {
        let read = self.inner.get(&Path::from(key)).await.unwrap();
        read.bytes().await.unwrap()
    }

    pub(crate) async fn delete(&self, key: &str) {
        self.inner.delete(&Path::from(key)).await.unwrap();
    }

    /// Puts an object where another one has its name.
    pub(crate) async fn copy(&self, from: &str, to: &str) {
        let bytes = self.get(from).await;
        self.put(to, &bytes).await;
    }

    /// Signs a record for a place and puts it there; gives its digest.
    pub(crate) async fn sign<T: RecordKind>(&self, key: &str, value: &T, by: &SecretKey) -> Digest {
        let id = self.open().await.id();
        let bytes = Record::sign(value, id, key, by).unwrap();
        self.put(key, &bytes).await;
        line_digest(&bytes)
    }

    /// Puts a record without a signature.
    pub(crate) async fn write_unsigned<T: RecordKind>(&self, key: &str, value: &T) {
        let line = serde_json::to_string(value).unwrap();
        self.put(key, format!("{line}\n").as_bytes()).await;
    }

    /// A record as it is stored, read without any check.
    pub(crate) async fn peek<T: DeserializeOwned>(&self, key: &str) -> T {
        let bytes = self.get(key).await;
        serde_json::from_slice(bytes.split(|&b| b == b'\n').next().unwrap()).unwrap()
    }

    /// Signs the next version of trust.
    pub(crate) async fn retrust(&self, by: &SecretKey, change: impl FnOnce(&mut TrustRecord)) {
        let repository = self.open().await;
        let mut trust = repository.trust().clone();
        let newest = self.get(&layout::trust(trust.version)).await;
        trust.version += 1;
        trust.prev = line_digest(&newest);
        change(&mut trust);
        self.sign(&layout::trust(trust.version), &trust, by).await;
    }

    /// Encrypts for the epoch's recipient, as anybody can.
    pub(crate) async fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let (_, recipient) = self.open().await.current_epoch().unwrap();
        let mut sealer = Sealer::new(&recipient, 0).unwrap();
        sealer.write(plain).unwrap();
        sealer.finish().unwrap().bytes
    }

    pub(crate) async fn keys(&self) -> BTreeSet<String> {
        let listed: Vec<_> = self.inner.list(None).try_collect().await.unwrap();
        listed.iter().map(|o| o.location.to_string()).collect()
    }
}

/// When the key `late` expired, half an hour ago.
const LATE: &str = "2026-11-22T02:00:00Z";

pub(crate) fn store_of(inner: &Arc<InMemory>) -> Store {
    let inner: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(inner);
    Store::new(inner, "memory".to_owned())
}

pub(crate) fn name(job_name: &str, seq: u64) -> SnapshotName {
    SnapshotName {
        job: job(job_name),
        seq: Seq(seq),
    }
}

/// The key of a run's record.
pub(crate) fn record(job_name: &str, seq: u64) -> String {
    layout::snapshot(&job(job_name), Seq(seq))
}

/// The key of a run's session.
pub(crate) fn session(job_name: &str, seq: u64) -> String {
    layout::session(&job(job_name), Seq(seq))
}

pub(crate) fn object_ref(bytes: &[u8]) -> ObjectRef {
    ObjectRef {
        sha256: Digest(Sha256::digest(bytes).into()),
        size: bytes.len() as u64,
    }
}

/// The digest of a record.
pub(crate) fn line_digest(record: &[u8]) -> Digest {
    object_ref(record.split_inclusive(|&b| b == b'\n').next().unwrap()).sha256
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// When everything happens.
pub(crate) fn clock() -> Timestamp {
    time("2026-11-22T02:30:00Z")
}

/// 20,000 bytes that do not compress and are others for each seed.
pub(crate) fn noise(seed: u8) -> Vec<u8> {
    let mut bytes = vec![0; 20_000];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[seed]).finalize_xof().fill(&mut bytes);
    bytes
}
