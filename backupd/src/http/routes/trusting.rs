//! Routes about who may read and write a repository: what a change is made of, and changes that
//! were signed elsewhere. None takes or gives a secret.

use axum::response::Response;
use backup_model::KitProof;
use backupd_api::TrustEdit;

use super::table::Call;
use crate::http::error::{Refused, json};

type Answer = Result<Response, Refused>;

pub(super) async fn show(call: Call) -> Answer {
    let name: String = call.param("repository")?;
    Ok(json(&call.api.service().trust(&name).await?))
}

pub(super) async fn change(mut call: Call) -> Answer {
    let name: String = call.param("repository")?;
    let edit: TrustEdit = call.body().await?;
    Ok(json(&call.api.service().change_trust(&name, &edit).await?))
}

pub(super) async fn confirm_kit(mut call: Call) -> Answer {
    let name: String = call.param("repository")?;
    let proof: KitProof = call.body().await?;
    Ok(json(&call.api.service().confirm_kit(&name, &proof).await?))
}
