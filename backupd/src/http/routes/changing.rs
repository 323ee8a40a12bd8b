//! Routes that change or send something at once: holds, test messages.

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

pub(super) async fn test_channel(call: Call) -> Result<Response, Refused> {
    let name: String = call.param("channel")?;
    Ok(json(&call.api.service().test_channel(&name).await?))
}
