//! Routes that change something at once: holds.

use axum::response::Response;
use backupd_api::{HoldReason, Released};

use super::{reading::named, table::Call};
use crate::http::error::{Refused, json};

pub(super) async fn hold(mut call: Call) -> Result<Response, Refused> {
    let name = named(&call)?;
    let HoldReason { reason } = call.body().await?;
    Ok(json(&call.api.service().hold(&name, &reason).await?))
}

pub(super) async fn release(call: Call) -> Result<Response, Refused> {
    let name = named(&call)?;
    let was_held = call.api.service().release(&name).await?;
    Ok(json(&Released { was_held }))
}
