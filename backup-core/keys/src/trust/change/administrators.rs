//! Administrators: let in, and put out.

use backup_model::{JobName, KeyObject};

use super::{Change, ChangeError, RootSigner, signer::new_file};
use crate::{
    EditError, NewAdministrator, OpensKeyFiles, TrustRecord,
    administrator::{Access, AdministratorRecipient},
    names,
};

impl RootSigner<'_> {
    /// Lets somebody open the epochs that `by` opens, the current one among them. With his own key
    /// at hand, `proof`, he is only let in if it opens what was made for him; else he counts as not
    /// tested.
    pub fn add_administrator(
        &self,
        name: &JobName,
        recipient: &AdministratorRecipient,
        by: &dyn OpensKeyFiles,
        proof: Option<&dyn OpensKeyFiles>,
        access: &Access,
    ) -> Result<Change, ChangeError> {
        let mut new = NewAdministrator {
            name: name.clone(),
            kind: recipient.kind(),
            recipient: recipient.text().map(str::to_owned),
            files: Vec::new(),
        };
        let mut objects = Vec::new();
        let current = self.trust().current_epoch().map(|epoch| epoch.number);
        for epoch in &self.trust().epochs {
            let identity = match self.known.open(epoch, by) {
                Err(ChangeError::WrongIdentity { .. }) if Some(epoch.number) != current => continue,
                identity => identity?,
            };
            let bytes = recipient.wrap_epoch_key(epoch.number, &identity, access);
            let bytes = bytes.map_err(|source| ChangeError::KeyFile {
                administrator: name.clone(),
                epoch: epoch.number,
                source,
            })?;
            let place = epoch.next_file(name, self.known.stored_files());
            new.files.push(new_file(&place, &bytes));
            objects.push(KeyObject {
                object: place.object(),
                bytes,
            });
        }
        if let Some(key) = proof {
            let next = self.trust().add_administrator(self.edit(), &new);
            let next = next.map_err(ChangeError::Refused)?;
            for (file, object) in new.files.iter_mut().zip(&objects) {
                let epoch = next.epoch(file.epoch);
                let epoch = epoch.ok_or(ChangeError::Refused(EditError::NoEpoch(file.epoch)))?;
                let made = (object.object.clone(), &object.bytes[..]);
                self.known.prove_with(epoch, name, key, made)?;
                file.tested = true;
            }
        }
        let next = self.trust().add_administrator(self.edit(), &new);
        self.change(next, objects)
    }

    /// Puts an administrator out; his key files may be deleted then. What he has read he has read,
    /// and whoever has kept a copy of his key files opens what they open: only a new epoch keeps
    /// later data from him.
    pub fn remove_administrator(&self, name: &JobName) -> Result<Change, ChangeError> {
        let without = self.trust().remove_administrator(self.edit(), name);
        let without = without.map_err(ChangeError::Refused)?;
        for file in &without.files {
            self.somebody_opens(&without.trust, file.epoch)?;
        }
        self.change(Ok(without.trust), Vec::new())
    }

    /// That of those who have shown to open an epoch, one still has what he opened it with: his key
    /// file and the canary are there. Fails with what is wrong with the last one.
    fn somebody_opens(&self, trust: &TrustRecord, number: u64) -> Result<(), ChangeError> {
        let epoch = trust.epoch(number);
        let epoch = epoch.ok_or(ChangeError::Refused(EditError::NoEpoch(number)))?;
        if self.known.canary(epoch).is_none() {
            return Err(ChangeError::Missing(names::canary(number)));
        }
        let mut missing = None;
        for file in epoch.keys.iter().filter(|file| file.tested.is_some()) {
            if self.known.key_file(number, file).is_some() {
                return Ok(());
            }
            missing = Some(names::key_file(number, &file.administrator, file.number));
        }
        missing.map_or(Ok(()), |key| Err(ChangeError::Missing(key)))
    }
}
