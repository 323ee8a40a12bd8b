//! A failure as an answer: its JSON, with the status that the table of codes has for it.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use backup_model::{Code, Failure};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// A failure on its way out.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Failure);

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl Refused {
    pub(super) fn new(code: Code, text: impl Into<String>) -> Self {
        Self(Failure::new(code, text))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.http());
        let mut response = json(&self.0);
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.extensions_mut().insert(self.0.code);
        if self.0.code == Code::SignIn {
            let challenge = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// An answer.
pub(super) fn json(value: &impl Serialize) -> Response {
    let body = match serde_json::to_vec(value) {
        Ok(body) => body,
        Err(error) => {
            return Refused(Failure::from_error(Code::Bug, &error)).into_response();
        }
    };
    let mut response = Response::new(Body::from(body));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
