//! The key of a kit: the one that it holds, or else the one that is given.

use std::sync::Arc;

use backup_keys::{
    administrator::AdministratorIdentity,
    kit::{Kit, KitKey, KitKeyError},
};
use backup_model::{Code, Failure};

use super::super::administrator::{KeyArgs, of_identity};
use crate::context::Context;

pub(super) async fn of_kit(
    args: &KeyArgs,
    kit: &Kit,
    context: &Context,
) -> Result<Arc<AdministratorIdentity>, Failure> {
    match &kit.key {
        KitKey::Here(_) if args.is_given() => {
            let text = "the kit holds its key, which is what has to be proved: leave out \
                        --identity and --passphrase";
            Err(Failure::new(Code::Usage, text))
        }
        KitKey::Here(_) => {
            let access = args.access(context)?;
            let kit = kit.clone();
            let read = context.with_person(move || kit.identity(&access));
            read.await?
                .map(Arc::new)
                .map_err(|error| of_kit_key(&error))
        }
        KitKey::Elsewhere(_) => match args.read_if_given(context).await? {
            Some(key) => Ok(key.identity),
            None => Err(Failure::new(
                Code::IdentityMissing,
                "the kit says where its key lies, and does not hold it: fetch the key, and give \
                 it with --identity FILE or --passphrase",
            )),
        },
    }
}

/// Why the key in a kit is of no use.
fn of_kit_key(error: &KitKeyError) -> Failure {
    match error {
        KitKeyError::Identity(at) => of_identity(Code::KitInvalid, error.to_string(), at),
        _ => Failure::from_error(Code::KitInvalid, error),
    }
}
