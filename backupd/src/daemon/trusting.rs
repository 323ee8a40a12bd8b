//! Trust and recovery kits at a running daemon: the same as in any process, and what is shown to
//! everybody is looked at anew.

use async_trait::async_trait;
use backup_model::{Failure, KitInfo, KitProof, TrustChange};
use backupd_api::{TrustEdit, TrustMaterial, TrustService};

use super::hosted::Hosted;

#[async_trait]
impl TrustService for Hosted {
    async fn trust(&self, repository: &str) -> Result<TrustMaterial, Failure> {
        self.direct().trust(repository).await
    }

    async fn change_trust(
        &self,
        repository: &str,
        edit: &TrustEdit,
    ) -> Result<TrustChange, Failure> {
        let changed = self.direct().change_trust(repository, edit).await;
        self.board.look_again();
        changed
    }

    async fn confirm_kit(&self, repository: &str, proof: &KitProof) -> Result<KitInfo, Failure> {
        let confirmed = self.direct().confirm_kit(repository, proof).await;
        self.board.look_again();
        confirmed
    }
}
