//! Routes about tokens. None has a secret to give: each is made where it will be used.

use axum::response::Response;
use backupd_api::{CallerInfo, NewToken, Rotation};

use super::table::Call;
use crate::{
    clock,
    http::{
        error::{Refused, json},
        guard::Caller,
    },
};

type Answer = Result<Response, Refused>;

/// So that a program can say beforehand what would be refused.
pub(super) async fn caller(call: Call) -> Answer {
    let Caller { actor, scopes, .. } = call.caller;
    Ok(json(&CallerInfo { actor, scopes }))
}

pub(super) async fn list(call: Call) -> Answer {
    Ok(json(&call.api.0.tokens.list()))
}

pub(super) async fn add(mut call: Call) -> Answer {
    let new: NewToken = call.body().await?;
    Ok(json(&call.api.0.tokens.add(&new, clock::now())?))
}

pub(super) async fn rotate(mut call: Call) -> Answer {
    let id: String = call.param("id")?;
    let rotation: Rotation = call.body().await?;
    Ok(json(&call.api.0.tokens.rotate(
        &id,
        &rotation,
        clock::now(),
    )?))
}

pub(super) async fn revoke(call: Call) -> Answer {
    let id: String = call.param("id")?;
    Ok(json(&call.api.0.tokens.revoke(&id)?))
}
