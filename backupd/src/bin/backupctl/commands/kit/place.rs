//! Which repository a kit is for.

use std::collections::BTreeMap;

use backup_keys::kit::Kit;
use backup_model::{Code, Failure};
use backupd::{
    config::RepositoryUrl,
    environment,
    service::{Access, Place, Watched},
};
use clap::Parser as _;

use super::super::place::PlaceArg;
use crate::{
    cli::{Cli, S3Flags},
    context::{Context, s3_by},
};

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

/// What can be reached, and whether the configuration says so: only then is this a machine that
/// has anything to do with the repository.
pub(super) struct Reach {
    pub(super) access: Access,
    pub(super) is_configured: bool,
}

/// What can be reached with a kit at hand. On a bare machine the kit alone says where the
/// repository is and who signs it.
pub(super) fn reach(kit: &Kit, context: &Context) -> Result<Reach, Failure> {
    let global = &context.global;
    let reached = context.access();
    if global.repository.is_some() {
        let mut access = reached?;
        for place in &mut access.places {
            place.trust.get_or_insert_with(|| kit.root.to_string());
        }
        return Ok(Reach {
            access,
            is_configured: false,
        });
    }
    match reached {
        Err(failure) if failure.code == Code::ConfigMissing && global.config.is_none() => {
            Ok(Reach {
                access: bare(kit, context)?,
                is_configured: false,
            })
        }
        configured => Ok(Reach {
            access: configured?,
            is_configured: true,
        }),
    }
}

fn bare(kit: &Kit, context: &Context) -> Result<Access, Failure> {
    let url: RepositoryUrl = kit
        .location
        .parse()
        .map_err(|error| Failure::from_error(Code::KitInvalid, &error))?;
    let secrets = environment::secret_sources();
    let flags = match kit.storage_flags() {
        Some(flags) if context.global.s3.endpoint.is_none() => s3_flags(flags)?,
        _ => context.global.s3.clone(),
    };
    Ok(Access {
        places: vec![Place {
            name: url.shown(),
            s3: s3_by(&flags, &url, &secrets)?,
            url,
            trust: Some(kit.root.to_string()),
            single_writer: false,
            state: context.places().default_state(),
        }],
        jobs: BTreeMap::new(),
        audit: None,
        state: context.places().default_state(),
        secrets,
        program_folders: environment::program_folders(),
        watched: Watched::default(),
    })
}

/// The flags of a kit, read as those of the command line are. None can be anything else.
fn s3_flags(text: &str) -> Result<S3Flags, Failure> {
    let words = ["backupctl", "version"].into_iter();
    let read = Cli::try_parse_from(words.chain(text.split_whitespace()));
    read.map(|cli| cli.global.s3).map_err(|_| {
        let text = "the line `storage` with `flags` is not understood";
        Failure::new(Code::KitInvalid, text)
    })
}
