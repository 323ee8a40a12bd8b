//! Who there is: a repository on some store, four hosts with three jobs, two of them with the same
//! one, whoever keeps, and readers.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use backup_core::{
    repo::{Host, TrustRoot},
    store::Store,
};
use backup_keys::SecretKey;
use object_store::memory::InMemory;
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::{
    admit::admit,
    keeper::Keeper,
    numbers::Numbers,
    reader::Reader,
    servers::S3Files,
    stage::Stage,
    support::{World, job},
    writer::Writer,
};

/// The job of each host.
const JOBS: [&str; 4] = ["shared", "shared", "lone", "other"];
const NAMES: [&str; 4] = ["host-0", "host-1", "host-2", "host-3"];

/// Where the objects are.
pub(crate) enum Place {
    Folder(TempDir),
    Memory(Arc<InMemory>),
    S3(S3Files),
}

impl Place {
    pub(crate) async fn named(name: &str) -> Self {
        match name {
            "folder" => Self::Folder(tempfile::tempdir().unwrap()),
            "memory" => Self::Memory(Arc::new(InMemory::new())),
            "s3" => Self::S3(S3Files::deciding().await),
            other => panic!("a soak is on `folder`, `memory` or `s3`, not `{other}`"),
        }
    }

    fn store(&self) -> Store {
        match self {
            Self::Folder(folder) => Store::local(folder.path()).unwrap(),
            Self::Memory(objects) => {
                let objects = Arc::<InMemory>::clone(objects);
                Store::new(objects, "memory".to_owned())
            }
            Self::S3(server) => server.store("soak"),
        }
    }
}

/// All of them, before they begin.
pub(crate) struct Cast {
    pub(crate) stage: Arc<Stage>,
    pub(crate) writers: Vec<Writer>,
    pub(crate) keepers: Vec<Keeper>,
    pub(crate) verifier: Reader,
    pub(crate) restorer: Reader,
}

impl Cast {
    pub(crate) async fn new(place: &Place, folder: &Path, seed: u64, time: Duration) -> Self {
        let store = place.store();
        let world = World::new(&store).await;
        let id = world.open(&store).await.unwrap().id();
        let host = |number: usize| {
            let key = SecretKey::generate().unwrap();
            Host::create(&folder.join(NAMES[number]), id, key).unwrap()
        };
        let hosts: Vec<Host> = (0..JOBS.len()).map(host).collect();
        let names = NAMES.into_iter().zip(&hosts);
        let names: Vec<_> = names
            .map(|(name, host)| (name, host.key().public()))
            .collect();
        admit(&world, &store, &names).await;
        let key = |number: usize| Arc::clone(hosts[number].key());
        let numbers = |actor| Numbers::of(seed, actor);
        let keepers = [(0, true), (3, false)].map(|(host, forgets)| Keeper {
            key: key(host),
            numbers: numbers(10 + host as u64),
            forgets,
        });
        let [verifier, restorer] = [1, 2].map(|host| Reader {
            key: key(host),
            numbers: numbers(20 + host as u64),
        });
        let source = |number: usize| folder.join("sources").join(NAMES[number]);
        let sources: Vec<_> = (0..JOBS.len()).map(source).collect();
        let stage = Arc::new(Stage {
            store,
            root: TrustRoot::Key(world.root.public().clone()),
            admin: world.admin.clone(),
            sources: sources.clone(),
            jobs: JOBS.into_iter().map(job).collect(),
            until: Instant::now() + time,
            ended: Notify::new(),
            told: Default::default(),
        });
        let writers = hosts.into_iter().zip(sources).enumerate();
        let writers = writers.map(|(number, (host, source))| {
            fs::create_dir_all(&source).unwrap();
            Writer {
                number,
                host,
                job: job(JOBS[number]),
                shared: JOBS.iter().filter(|each| **each == JOBS[number]).count() > 1,
                source,
                numbers: numbers(number as u64),
                versions: 0,
            }
        });
        Self {
            writers: writers.collect(),
            keepers: keepers.into(),
            verifier,
            restorer,
            stage,
        }
    }
}
