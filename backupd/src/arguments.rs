//! What is wrong with an argument, without the argument: it may hold a secret, and clap repeats
//! what it refuses. For both programs.

use backup_core::store::EndpointError;
use backup_model::{Code, Failure};
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::config::UrlError;

/// The flags whose values are not repeated: addresses, into which people write access keys, and
/// what stands beside them.
const UNREPEATED: [&str; 3] = ["--repository", "--endpoint", "--region"];

/// The failure to show instead of what clap says of such a flag; none for any other error.
pub fn refused_value(error: &clap::Error) -> Option<Failure> {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let flag = argument.split([' ', '=']).next()?;
    if error.kind() != ErrorKind::ValueValidation || !UNREPEATED.contains(&flag) {
        return None;
    }
    let source = std::error::Error::source(error)?;
    let secret = matches!(source.downcast_ref(), Some(UrlError::Password))
        || matches!(source.downcast_ref(), Some(EndpointError::Credentials));
    let code = if secret {
        Code::SecretInArgument
    } else {
        Code::Usage
    };
    Some(Failure::new(code, format!("{flag}: {source}")))
}
