//! [`TrustService`], asked of a daemon.

use async_trait::async_trait;
use backup_model::{Failure, KitInfo, KitProof, TrustChange};
use http::Method;

use super::HttpService;
use crate::{TrustEdit, TrustMaterial, TrustService};

#[async_trait]
impl TrustService for HttpService {
    async fn trust(&self, repository: &str) -> Result<TrustMaterial, Failure> {
        let path = format!("/v1/repositories/{repository}/trust");
        self.daemon.patient().ask(Method::GET, &path).await
    }

    async fn change_trust(
        &self,
        repository: &str,
        edit: &TrustEdit,
    ) -> Result<TrustChange, Failure> {
        let path = format!("/v1/repositories/{repository}/trust");
        let daemon = self.daemon.patient();
        daemon.send(Method::POST, &path, None, edit).await
    }

    async fn confirm_kit(&self, repository: &str, proof: &KitProof) -> Result<KitInfo, Failure> {
        let path = format!("/v1/repositories/{repository}/kit-proof");
        let daemon = self.daemon.patient();
        daemon.send(Method::PUT, &path, None, proof).await
    }
}
