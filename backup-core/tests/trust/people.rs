//! A repository in memory, its root key, and two administrators.

use std::fs;

use backup_core::{
    ops::{self, Authority, OpError, Verifier},
    repo::Repository,
    store::Store,
};
use backup_keys::{
    Identity, OpensKeyFiles,
    administrator::{Access, AdministratorRecipient},
};
use backup_model::{Code, JobName, SnapshotName, TrustChange, Verdict};
use jiff::Timestamp;

use crate::support::{World, job, verify};

pub(crate) fn clock() -> Timestamp {
    "2026-11-22T02:30:00Z".parse().unwrap()
}

pub(crate) struct People {
    pub(crate) world: World,
    pub(crate) store: Store,
    /// Who is not yet let in.
    pub(crate) second: Identity,
}

impl People {
    /// With one snapshot of `etc`.
    pub(crate) async fn new() -> Self {
        let store = Store::memory();
        let people = Self {
            world: World::new(&store).await,
            store,
            second: Identity::generate(),
        };
        people.back_up("first").await.unwrap();
        people
    }

    pub(crate) async fn back_up(&self, content: &str) -> Result<SnapshotName, OpError> {
        let folder = self.world.source(&job("etc"));
        fs::write(folder.join("file"), content).unwrap();
        let report = self.world.backup(&self.store, &job("etc")).await?;
        Ok(report.snapshot)
    }

    pub(crate) async fn open(&self) -> Repository {
        self.world.open(&self.store).await.unwrap()
    }

    /// What a key can read: the numbers of the snapshots that verify with it. Those that it does
    /// not open are an error of their own.
    pub(crate) async fn reads(&self, key: &Identity) -> Result<Vec<u64>, Code> {
        let repository = self.open().await;
        let reports = verify(&repository, &Verifier::data(key.clone())).await;
        let reports = reports.map_err(|error| error.code())?;
        let good = reports.iter().map(|report| {
            assert_eq!(report.verdict, Verdict::Good, "{report:?}");
            report.snapshot.seq.0
        });
        Ok(good.collect())
    }

    pub(crate) async fn let_second_in(&self, store: &Store) -> Result<TrustChange, OpError> {
        let repository = self.world.open(store).await?;
        let recipient = AdministratorRecipient::from(self.second.recipient());
        let (by, access) = (&self.world.admin, Access::none());
        Authority::new(&repository, &self.world.root, clock())?
            .add_administrator(&second(), &recipient, by, Some(&self.second), &access)
            .await
    }

    pub(crate) async fn rotate(
        &self,
        store: &Store,
        tester: (&JobName, &dyn OpensKeyFiles),
        without: Option<&JobName>,
    ) -> Result<TrustChange, OpError> {
        let repository = self.world.open(store).await?;
        let (none, access) = (Default::default(), Access::none());
        Authority::new(&repository, &self.world.root, clock())?
            .rotate(tester, without, &none, &access)
            .await
    }

    pub(crate) async fn remove(
        &self,
        store: &Store,
        name: &JobName,
    ) -> Result<TrustChange, OpError> {
        let repository = self.world.open(store).await?;
        Authority::new(&repository, &self.world.root, clock())?
            .remove_administrator(name)
            .await
    }

    /// Which epochs a key has shown to open.
    pub(crate) async fn opens(&self, key: &dyn OpensKeyFiles) -> Vec<u64> {
        let tests = ops::test_key(&self.open().await, key).await.unwrap();
        assert!(tests.iter().all(|test| test.faults.is_empty()), "{tests:?}");
        let opened = tests.iter().filter(|test| test.administrator.is_some());
        opened.map(|test| test.epoch).collect()
    }
}

pub(crate) fn first() -> JobName {
    job("admin")
}

pub(crate) fn second() -> JobName {
    job("second")
}
