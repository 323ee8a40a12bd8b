//! Which repository a kit is for.

use std::collections::BTreeMap;

use backup_keys::kit::Kit;
use backup_model::{Code, Failure};
use backupd::{
    config::RepositoryUrl,
    service::{Access, Place},
};

use super::super::place::PlaceArg;
use crate::{context::Context, environment};

/// The repository that is named, or the only one.
pub(super) fn chosen<'a>(arg: &PlaceArg, access: &'a Access) -> Result<&'a Place, Failure> {
    let names = access.places.iter().map(|place| place.name.clone());
    let name = arg.among(names.collect())?;
    let mut places = access.places.iter();
    places.find(|place| place.name == name).ok_or_else(|| {
        let text = format!("no repository is called `{name}`");
        Failure::new(Code::RepositoryMissing, text)
    })
}

/// The same for a kit at hand: where several may be meant, the one at its address.
pub(super) fn of_kit<'a>(
    arg: &PlaceArg,
    kit: &Kit,
    access: &'a Access,
) -> Result<&'a Place, Failure> {
    let mut places = access.places.iter();
    let there = places.find(|place| place.url.shown() == kit.location);
    match there.filter(|_| !arg.is_named()) {
        Some(place) => Ok(place),
        None => chosen(arg, access),
    }
}

/// What a bare machine has: the kit alone says where the repository is and who signs it.
pub(super) fn access(kit: &Kit, context: &Context) -> Result<Access, Failure> {
    let global = &context.global;
    if global.repository.is_some() {
        let mut access = context.access()?;
        for place in &mut access.places {
            place.trust.get_or_insert_with(|| kit.root.to_string());
        }
        return Ok(access);
    }
    match context.access() {
        Err(failure) if failure.code == Code::ConfigMissing && global.config.is_none() => {}
        other => return other,
    }
    let url: RepositoryUrl = kit
        .location
        .parse()
        .map_err(|error| Failure::from_error(Code::KitInvalid, &error))?;
    let secrets = environment::secret_sources();
    Ok(Access {
        places: vec![Place {
            name: url.shown(),
            s3: context.s3(&url, &secrets)?,
            url,
            trust: Some(kit.root.to_string()),
            single_writer: false,
        }],
        jobs: BTreeMap::new(),
        state: context.places().default_state(),
        secrets,
        program_folders: environment::program_folders(),
    })
}
