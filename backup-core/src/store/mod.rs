//! Keys and bytes: an object store with what the repository needs of it, and nothing else.
//!
//! Objects are created once and never rewritten. A put has three outcomes: done, failed, and
//! *unknown*, since an answer can get lost and a retry then meets its own object. So every put
//! that does not simply succeed is settled here, by reading back and comparing: callers learn
//! whether their bytes are stored, or whether somebody else's are.
//!
//! What a store promises is not taken for granted: [`probe`] asks it.

mod compare;
mod error;
mod objects;
mod pace;
mod probe;
mod s3;
mod wire;

pub use error::StoreError;
pub use objects::{Deleted, Object, Put, SizedObject, Store};
pub use probe::{Probe, is_create_refused, probe, store_time};
pub use s3::{Endpoint, EndpointError, Limits, S3Credentials, S3Options, is_region};
