//! Trust of a repository, shown to whoever changes it elsewhere, and stored once that is signed. No
//! key of a person comes here.

use async_trait::async_trait;
use backup_core::{ops, repo::write_kit_proof};
use backup_keys::kit::KitStanding;
use backup_model::{BucketInfo, Code, Failure, KitInfo, KitProof, TrustChange};
use backupd_api::{TrustEdit, TrustMaterial, TrustService};

use super::{Direct, Place, public};
use crate::{clock, config::SecretRef};

#[async_trait]
impl TrustService for Direct {
    async fn trust(&self, repository: &str) -> Result<TrustMaterial, Failure> {
        let place = self.place(repository)?;
        let opened = self.access.open(place).await?;
        let texts = ops::trust_texts(&opened).await;
        let texts = texts.map_err(|error| error.to_failure())?;
        Ok(TrustMaterial {
            location: place.url.shown(),
            bucket: place.bucket(),
            repository: texts.repository,
            trust: texts.trust,
            objects: texts.objects,
            stored: texts.stored,
        })
    }

    async fn change_trust(
        &self,
        repository: &str,
        edit: &TrustEdit,
    ) -> Result<TrustChange, Failure> {
        let TrustEdit { objects, record } = edit.clone();
        let place = self.place(repository)?;
        let (opened, _) = place.open_to_write(&self.access.secrets).await?;
        let changed = ops::change_trust(&opened, objects, record).await;
        changed.map_err(|error| error.to_failure())
    }

    async fn confirm_kit(&self, repository: &str, proof: &KitProof) -> Result<KitInfo, Failure> {
        let place = self.place(repository)?;
        let opened = self.access.open(place).await?;
        let now = clock::now();
        // A clock that is ahead must not make the proof last longer.
        let proof = KitProof {
            at: proof.at.min(now),
            ..proof.clone()
        };
        match KitStanding::of(Some(&proof), opened.trust(), &place.url.shown(), now) {
            KitStanding::Confirmed(_) => {}
            KitStanding::Lapsed(why) => return Err(Failure::from_error(Code::KitMismatch, &why)),
            KitStanding::Old(_) | KitStanding::Unconfirmed => {
                let text = "the kit was proved more than a year ago, which says nothing any more";
                return Err(Failure::new(Code::KitMismatch, text));
            }
        }
        write_kit_proof(&self.access.state, &proof)
            .map_err(|error| Failure::from_error(error.code(), &error))?;
        Ok(public::keys(&self.access, place, &opened, now)?.kit)
    }
}

impl Place {
    /// How its bucket is reached, as far as that is no secret; none for a folder.
    pub fn bucket(&self) -> Option<BucketInfo> {
        let s3 = self.s3.as_ref()?;
        Some(BucketInfo {
            endpoint: s3.endpoint.as_ref().map(ToString::to_string),
            region: s3.region.clone(),
            path_style: s3.path_style,
            access_key_id_at: lies(&s3.credentials.access_key_id),
            secret_access_key_at: lies(&s3.credentials.secret_access_key),
        })
    }
}

/// Where a secret lies on the host; nothing of a program's arguments.
fn lies(at: &SecretRef) -> String {
    match at {
        SecretRef::Env(name) => format!("the host's variable {name}"),
        SecretRef::File(path) => format!("the host's file {}", path.display()),
        SecretRef::Credential(name) => format!("the host's credential {name}"),
        SecretRef::Command(_) => "what a program of the host's configuration prints".to_owned(),
    }
}
