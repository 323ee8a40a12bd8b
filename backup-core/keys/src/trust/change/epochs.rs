//! A new epoch begun.

use std::collections::BTreeMap;

use backup_model::{JobName, KeyObject};

use super::{Change, ChangeError, RootSigner, proving::prove, signer::new_file};
use crate::{
    Administrator, CanaryFile, EditError, KeyFileName, NewEpoch, NewKeys, OpensKeyFiles,
    administrator::{Access, AdministratorRecipient},
    digest::digest,
    names,
};

impl RootSigner<'_> {
    /// Begins a new epoch: what is backed up from now on is encrypted to another key, for which
    /// every administrator gets a key file but the one to be kept out. `tester`, with his key, shows
    /// that it opens. Administrators by passphrase need theirs among `passphrases`, else they are
    /// left out and have to be let in again.
    ///
    /// What a rotation that died has left of the epoch is in the way, and nothing here takes it
    /// away: it might be another administrator's, a moment from its trust record.
    pub fn rotate(
        &self,
        (tester, key): (&JobName, &dyn OpensKeyFiles),
        without: Option<&JobName>,
        passphrases: &BTreeMap<JobName, AdministratorRecipient>,
        access: &Access,
    ) -> Result<Change, ChangeError> {
        let last = self.trust().current_epoch().map_or(0, |epoch| epoch.number);
        let number = last + 1;
        let folder = format!("{}/{number}", names::KEYS);
        if self.known.holds_any_of(&folder) {
            return Err(ChangeError::LeftOver(folder));
        }
        let failed = |administrator: &JobName, source| ChangeError::KeyFile {
            administrator: administrator.clone(),
            epoch: number,
            source,
        };
        let epoch = NewEpoch::generate(self.trust().repository, number);
        let epoch = epoch.map_err(|source| failed(tester, source))?;
        let mut keys = new_keys(&epoch);
        let mut objects = vec![KeyObject {
            object: names::canary(number),
            bytes: epoch.canary.file.clone(),
        }];
        for administrator in &self.trust().administrators {
            let name = &administrator.name;
            if without == Some(name) {
                continue;
            }
            let own = self.recipient(administrator)?;
            let Some(recipient) = own.as_ref().or_else(|| passphrases.get(name)) else {
                continue;
            };
            let file = recipient.wrap_epoch_key(number, epoch.identity(), access);
            let bytes = file.map_err(|source| failed(name, source))?;
            let place = KeyFileName {
                epoch: number,
                administrator: name.clone(),
                number: 1,
            };
            keys.files.push((name.clone(), new_file(&place, &bytes)));
            objects.push(KeyObject {
                object: place.object(),
                bytes,
            });
        }
        self.show(&mut keys, (tester, key), &objects)?;
        let next = self.trust().new_epoch(self.edit(), &keys);
        let mut change = self.change(next, objects)?;
        change.report.left_out.retain(|name| Some(name) != without);
        Ok(change)
    }

    /// Opens the new epoch, and marks whose key it was.
    fn show(
        &self,
        keys: &mut NewKeys,
        (name, key): (&JobName, &dyn OpensKeyFiles),
        objects: &[KeyObject],
    ) -> Result<(), ChangeError> {
        let mut files = keys.files.iter_mut();
        if let Some((_, file)) = files.find(|(of, _)| of == name) {
            file.tested = true;
        }
        let next = self.trust().new_epoch(self.edit(), keys);
        let next = next.map_err(ChangeError::Refused)?;
        let no_epoch = || ChangeError::Refused(EditError::NoEpoch(keys.number));
        let epoch = next.epoch(keys.number).ok_or_else(no_epoch)?;
        let made = |object: &str| {
            let made = objects.iter().find(|made| made.object == object);
            made.map_or(&[][..], |made| &made.bytes)
        };
        let file = names::key_file(keys.number, name, 1);
        let canary = made(&names::canary(keys.number));
        prove(epoch, name, key, (file.clone(), made(&file)), canary)
    }

    /// What an administrator's key files are encrypted to; none for a passphrase.
    fn recipient(
        &self,
        administrator: &Administrator,
    ) -> Result<Option<AdministratorRecipient>, ChangeError> {
        let text = administrator.recipient.as_deref();
        let parsed = text.map(AdministratorRecipient::parse).transpose();
        parsed.map_err(|_| {
            let rule = format!("the recipient of `{}` is none", administrator.name);
            ChangeError::rule(names::trust(self.trust().version), rule)
        })
    }
}

fn new_keys(epoch: &NewEpoch) -> NewKeys {
    NewKeys {
        number: epoch.number,
        recipient: epoch.recipient.to_string(),
        canary: CanaryFile {
            size: epoch.canary.file.len() as u64,
            sha256: digest(&epoch.canary.file),
            opens_to: epoch.canary.opens_to,
        },
        files: Vec::new(),
    }
}
