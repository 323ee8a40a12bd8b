//! The one place where a secret becomes part of a request: identities of epochs, which a daemon
//! needs for the operation that they come with.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Serializer, ser::SerializeSeq as _};

/// Writes secrets as texts.
pub(crate) fn exposed<S: Serializer>(
    secrets: &[SecretString],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(secrets.len()))?;
    for secret in secrets {
        list.serialize_element(secret.expose_secret())?;
    }
    list.end()
}
