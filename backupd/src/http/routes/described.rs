//! The API's description, `OpenAPI` 3.1: served from the file that is checked in, and made from the
//! table of routes where a test compares the two.

use axum::{body::Body, response::Response};
use http::{HeaderValue, header};

use super::table::Call;
use crate::http::error::Refused;

#[cfg(feature = "schema")]
mod made;

#[cfg(feature = "schema")]
pub use made::describe;
#[cfg(feature = "schema")]
pub(in crate::http) use made::{Form, Shape};

/// The file.
const OPENAPI: &str = include_str!("../../../api/openapi.json");

pub(super) async fn openapi(_: Call) -> Result<Response, Refused> {
    let mut response = Response::new(Body::from(OPENAPI));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}
