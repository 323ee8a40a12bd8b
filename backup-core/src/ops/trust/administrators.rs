//! Administrators: let in, and put out.

use backup_keys::{
    EditError, NewAdministrator, OpensKeyFiles, TrustRecord,
    administrator::{Access, AdministratorRecipient},
};
use backup_model::{Code, Digest, Failure, JobName, TrustChange};

use super::{super::OpError, Authority};
use crate::{
    format::{ObjectRef, layout},
    repo::{RepoError, check_object, sized_object, unlock},
    store::Deleted,
};

impl Authority<'_> {
    /// Lets somebody open the epochs that `by` opens, the current one among them. With his own key
    /// at hand, `proof`, he is only let in if it opens what was made for him; else he counts as not
    /// tested.
    pub async fn add_administrator(
        &self,
        name: &JobName,
        recipient: &AdministratorRecipient,
        by: &dyn OpensKeyFiles,
        proof: Option<&dyn OpensKeyFiles>,
        access: &Access,
    ) -> Result<TrustChange, OpError> {
        let mut new = NewAdministrator {
            name: name.clone(),
            kind: recipient.kind(),
            recipient: recipient.text().map(str::to_owned),
            files: Vec::new(),
        };
        let stored = self.stored_files().await?;
        let current = self.repository.current_epoch()?.0;
        for epoch in &self.trust().epochs {
            let number = epoch.number;
            let identity = match unlock(self.repository, number, by).await {
                Err(RepoError::WrongIdentity { .. }) if number != current => continue,
                identity => identity?,
            };
            let file = recipient.wrap_epoch_key(number, &identity, access);
            let file = file.map_err(|source| OpError::KeyFile {
                administrator: name.clone(),
                epoch: number,
                source,
            })?;
            let place = epoch.next_file(name, stored.iter().cloned());
            new.files.push(self.store_file(&place, file).await?);
        }
        if let Some(key) = proof {
            let next = self.trust().add_administrator(self.edit(), &new);
            let next = next.map_err(OpError::Trust)?;
            for file in &mut new.files {
                self.prove(&next, file.epoch, name, key).await?;
                file.tested = true;
            }
        }
        let next = self.trust().add_administrator(self.edit(), &new);
        Ok(TrustChange {
            trust: self.store(next).await?,
            epochs: new.files.iter().map(|file| file.epoch).collect(),
            tested: proof.is_some(),
            left_out: Vec::new(),
            left: Vec::new(),
            unread: Vec::new(),
        })
    }

    /// Puts an administrator out, and deletes his key files. What he has read he has read, and
    /// whoever has kept a copy of his key files opens what they open: only a new epoch keeps later
    /// data from him.
    pub async fn remove_administrator(&self, name: &JobName) -> Result<TrustChange, OpError> {
        let without = self.trust().remove_administrator(self.edit(), name);
        let without = without.map_err(OpError::Trust)?;
        for file in &without.files {
            self.somebody_opens(&without.trust, file.epoch).await?;
        }
        let mut change = TrustChange {
            trust: self.store(Ok(without.trust)).await?,
            epochs: without.files.iter().map(|file| file.epoch).collect(),
            tested: false,
            left_out: Vec::new(),
            left: Vec::new(),
            unread: Vec::new(),
        };
        for file in &without.files {
            let key = layout::key_file(file.epoch, &file.administrator, file.number);
            if let Some(left) = self.delete(&key).await {
                change.left.push(left);
            }
        }
        Ok(change)
    }

    /// That of those who have shown to open an epoch, one still has what he opened it with: his key
    /// file and the canary are read. Fails with what is wrong with the last one.
    async fn somebody_opens(&self, trust: &TrustRecord, number: u64) -> Result<(), OpError> {
        let epoch = trust.epoch(number);
        let epoch = epoch.ok_or(OpError::Trust(EditError::NoEpoch(number)))?;
        let canary = &epoch.canary;
        self.whole(&layout::canary(number), canary.size, canary.sha256)
            .await?;
        let mut wrong = None;
        for file in epoch.keys.iter().filter(|file| file.tested.is_some()) {
            let key = layout::key_file(number, &file.administrator, file.number);
            match self.whole(&key, file.size, file.sha256).await {
                Ok(()) => return Ok(()),
                Err(error) => wrong = Some(error),
            }
        }
        wrong.map_or(Ok(()), |error| Err(error.into()))
    }

    async fn whole(&self, key: &str, size: u64, sha256: Digest) -> Result<(), RepoError> {
        let bytes = sized_object(self.repository.store(), key, size).await?;
        check_object(key, &bytes, ObjectRef { sha256, size })
    }

    async fn delete(&self, key: &str) -> Option<Failure> {
        match self.repository.store().delete(key).await {
            Ok(Deleted::Gone) => None,
            Ok(Deleted::Retained) => Some(Failure::new(
                Code::Retained,
                format!("the store keeps {key}"),
            )),
            Err(error) => Some(Failure::from_error(error.code(), &error)),
        }
    }
}
