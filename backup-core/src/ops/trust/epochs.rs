//! Epochs: a new one begun, and who has shown to open what.

use std::collections::BTreeMap;

use backup_keys::{
    CanaryFile, KeyFileName, NewEpoch, NewKeys, OpensKeyFiles,
    administrator::{Access, AdministratorRecipient},
};
use backup_model::{Digest, JobName, KeyTest, TrustChange};
use sha2::{Digest as _, Sha256};

use super::{super::OpError, Authority};
use crate::{format::layout, repo::RepoError, store::Put};

impl Authority<'_> {
    /// Begins a new epoch: what is backed up from now on is encrypted to another key, for which
    /// every administrator gets a key file but the one to be kept out. `tester`, with his key, shows
    /// that it opens. Administrators by passphrase need theirs among `passphrases`, else they are
    /// left out and have to be let in again.
    ///
    /// What a rotation that died has left of the epoch is in the way, and nothing here takes it
    /// away: it might be another administrator's, a moment from its trust record.
    pub async fn rotate(
        &self,
        tester: (&JobName, &dyn OpensKeyFiles),
        without: Option<&JobName>,
        passphrases: &BTreeMap<JobName, AdministratorRecipient>,
        access: &Access,
    ) -> Result<TrustChange, OpError> {
        let number = self.repository.current_epoch()?.0 + 1;
        self.is_free(number).await?;
        let failed = |administrator: &JobName| {
            let administrator = administrator.clone();
            move |source| OpError::KeyFile {
                administrator,
                epoch: number,
                source,
            }
        };
        let epoch = NewEpoch::generate(self.repository.id(), number).map_err(failed(tester.0))?;
        let mut keys = NewKeys {
            number,
            recipient: epoch.recipient.to_string(),
            canary: self.store_canary(&epoch).await?,
            files: Vec::new(),
        };
        let mut left_out = Vec::new();
        for administrator in &self.trust().administrators {
            let name = &administrator.name;
            if without == Some(name) {
                continue;
            }
            let parsed = match &administrator.recipient {
                Some(text) => Some(AdministratorRecipient::parse(text).map_err(|_| {
                    let rule = format!("the recipient of `{name}` is none");
                    RepoError::rule(&layout::trust(self.trust().version), rule)
                })?),
                None => None,
            };
            let Some(recipient) = parsed.as_ref().or_else(|| passphrases.get(name)) else {
                left_out.push(name.clone());
                continue;
            };
            let file = recipient
                .wrap_epoch_key(number, epoch.identity(), access)
                .map_err(failed(name))?;
            let place = KeyFileName {
                epoch: number,
                administrator: name.clone(),
                number: 1,
            };
            keys.files
                .push((name.clone(), self.store_file(&place, file).await?));
        }
        self.show(&mut keys, tester).await?;
        let next = self.trust().new_epoch(self.edit(), &keys);
        Ok(TrustChange {
            trust: self.store(next).await?,
            epochs: vec![number],
            tested: true,
            left_out,
            left: Vec::new(),
            unread: Vec::new(),
        })
    }

    /// Fails if anything is stored of an epoch that no trust record names.
    async fn is_free(&self, number: u64) -> Result<(), OpError> {
        let folder = format!("{}/{number}", layout::KEYS);
        let left = self.repository.store().list(&folder).await;
        if left.map_err(RepoError::from)?.is_empty() {
            return Ok(());
        }
        Err(OpError::LeftOver(folder))
    }

    /// Opens the new epoch as it is stored, and marks whose key it was.
    async fn show(
        &self,
        keys: &mut NewKeys,
        (name, key): (&JobName, &dyn OpensKeyFiles),
    ) -> Result<(), OpError> {
        let mut tested = keys.clone();
        let mut files = tested.files.iter_mut();
        if let Some((_, file)) = files.find(|(of, _)| of == name) {
            file.tested = true;
        }
        let next = self.trust().new_epoch(self.edit(), &tested);
        let next = next.map_err(OpError::Trust)?;
        self.prove(&next, keys.number, name, key).await?;
        *keys = tested;
        Ok(())
    }

    async fn store_canary(&self, epoch: &NewEpoch) -> Result<CanaryFile, OpError> {
        let key = layout::canary(epoch.number);
        let file = &epoch.canary.file;
        let listed = CanaryFile {
            size: file.len() as u64,
            sha256: Digest(Sha256::digest(file).into()),
            opens_to: epoch.canary.opens_to,
        };
        let bytes = file.clone().into();
        let put = self.repository.store().put_deciding(&key, bytes).await;
        match put.map_err(RepoError::from)? {
            Put::Stored => Ok(listed),
            Put::Taken => Err(RepoError::Contended(layout::KEYS).into()),
        }
    }

    /// Says in trust what a test has shown.
    pub async fn mark_tested(&self, tests: &[KeyTest]) -> Result<TrustChange, OpError> {
        let shown = tests.iter().filter_map(|test| {
            Some(KeyFileName {
                epoch: test.epoch,
                administrator: test.administrator.clone()?,
                number: test.number?,
            })
        });
        let shown: Vec<_> = shown.collect();
        let next = self.trust().mark_tested(self.edit(), &shown);
        Ok(TrustChange {
            trust: self.store(next).await?,
            epochs: shown.iter().map(|file| file.epoch).collect(),
            tested: true,
            left_out: Vec::new(),
            left: Vec::new(),
            unread: Vec::new(),
        })
    }
}
