//! Keys of a repository, changed from here: what is known of them comes from the daemon and is
//! checked by the root key; what is made and signed here goes back; secret keys do not.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use backup_keys::{
    Change, ChangeError, Known, PublicKey, RootSigner, SecretKey,
    administrator::{Access, AdministratorIdentity, AdministratorRecipient},
    kit::{Kit, KitKey, Manual, RECOVERY_SCRIPT, storage_lines},
    read_private, write_private,
};
use backup_model::{Code, Failure};
use backupd_api::{HttpService, TrustEdit, TrustMaterial, TrustService as _};
use secrecy::SecretString;
use tokio::task::spawn_blocking;

use super::key::{Held, Keyring, Typed};
use crate::{
    clock,
    state::{KeyChange, KeyWork},
};

/// Does it; gives what came of it in a few words.
pub(super) async fn perform(
    service: &HttpService,
    keyring: &Keyring,
    work: &KeyWork,
) -> Result<String, Failure> {
    let material = service.trust(&work.repository).await?;
    match &work.what {
        KeyChange::MakeKit { file, elsewhere } => {
            let held = keyring.in_hand()?;
            make_kit(material, held, file.clone(), elsewhere.clone()).await
        }
        KeyChange::ProveKit { file, passphrase } => {
            let (file, asked) = (file.clone(), Typed(passphrase.clone()));
            let proved = spawn_blocking(move || prove_kit(&material, &file, asked)).await;
            let proof = proved.map_err(|error| Failure::from_error(Code::Bug, &error))??;
            service.confirm_kit(&work.repository, &proof).await?;
            Ok("proved, and written down on the server".to_owned())
        }
        change => {
            let held = work.needs_key().then(|| keyring.in_hand()).transpose()?;
            let change = change.clone();
            let made = spawn_blocking(move || make(material, held.as_ref(), &change)).await;
            let made = made.map_err(|error| Failure::from_error(Code::Bug, &error))??;
            store(service, &work.repository, made).await
        }
    }
}

/// Has a change stored, and looks whether the daemon then shows what was sent.
async fn store(service: &HttpService, repository: &str, change: Change) -> Result<String, Failure> {
    let edit = TrustEdit {
        objects: change.objects,
        record: change.record,
    };
    let told = service.change_trust(repository, &edit).await?;
    let now = service.trust(repository).await?;
    if now.trust != edit.record {
        let text = "the daemon shows another record of trust than the one that was sent";
        return Err(Failure::new(Code::NotTrusted, text));
    }
    let out: Vec<String> = told.left_out.iter().map(ToString::to_string).collect();
    Ok(match out.as_slice() {
        [] => format!("done, version {} of trust", told.trust),
        out => format!("done; not let in: {}", out.join(", ")),
    })
}

/// Makes and signs a change. It takes as long as passphrases and hardware do.
fn make(
    material: TrustMaterial,
    held: Option<&Held>,
    change: &KeyChange,
) -> Result<Change, Failure> {
    let (KeyChange::Add { root, .. }
    | KeyChange::AddPassphrase { root, .. }
    | KeyChange::Remove { root, .. }
    | KeyChange::Rotate { root, .. }
    | KeyChange::Test { root }) = change
    else {
        return Err(Failure::new(Code::Bug, "this changes no trust"));
    };
    let root = root_key(root)?;
    let known = known(root.public(), material)?;
    let signer = RootSigner::new(&known, &root, clock::now()).map_err(|error| refused(&error))?;
    let access = Access::none();
    let identity = || {
        let held = held.map(|held| &*held.identity);
        held.ok_or_else(|| Failure::new(Code::IdentityMissing, "no key is open"))
    };
    let made = match change {
        KeyChange::Add {
            name, recipient, ..
        } => {
            let recipient = AdministratorRecipient::parse(recipient);
            let recipient = recipient.map_err(|error| Failure::from_error(Code::Usage, &error))?;
            signer.add_administrator(name, &recipient, identity()?, None, &access)
        }
        KeyChange::AddPassphrase {
            name, passphrase, ..
        } => {
            let text = passphrase.text();
            let recipient = AdministratorRecipient::passphrase(text.clone())
                .map_err(|error| Failure::from_error(Code::Usage, &error))?;
            let proof = AdministratorIdentity::passphrase(text.clone())
                .map_err(|error| Failure::from_error(Code::Usage, &error))?;
            signer.add_administrator(name, &recipient, identity()?, Some(&proof), &access)
        }
        KeyChange::Remove { name, .. } => signer.remove_administrator(name),
        KeyChange::Rotate { without, .. } => {
            let key = identity()?;
            let tester = known
                .owner(key)
                .map_err(|error| refused(&error))?
                .name
                .clone();
            let none = BTreeMap::new();
            signer.rotate((&tester, key), without.as_ref(), &none, &access)
        }
        _ => signer.mark_tested(&known.opened_by(identity()?)),
    };
    made.map_err(|error| refused(&error))
}

fn refused(error: &ChangeError) -> Failure {
    Failure::from_error(error.code(), error)
}

fn root_key(path: &Path) -> Result<SecretKey, Failure> {
    let text =
        read_private(path).map_err(|error| Failure::from_error(Code::IdentityInvalid, &error))?;
    SecretKey::from_file_text(&text).map_err(|error| {
        let why = Failure::from_error(Code::IdentityInvalid, &error);
        Failure {
            causes: [vec![why.message], why.causes].concat(),
            ..Failure::new(
                Code::IdentityInvalid,
                format!("{} is no root key", path.display()),
            )
        }
    })
}

fn known(root: &PublicKey, material: TrustMaterial) -> Result<Known, Failure> {
    let records = (&*material.repository, &*material.trust);
    Known::read(root, records, material.objects, material.stored, None)
        .map_err(|error| Failure::from_error(error.code(), &error))
}

/// Which root key signs the repository, as the daemon says. Who has the kit in hand can compare it.
fn told_root(material: &TrustMaterial) -> Result<PublicKey, Failure> {
    let first = material.repository.lines().next().unwrap_or_default();
    let record: Result<backup_keys::RepositoryRecord, _> = serde_json::from_str(first);
    record
        .map(|record| record.root)
        .map_err(|error| Failure::from_error(Code::RepositoryDamaged, &error))
}

async fn make_kit(
    material: TrustMaterial,
    held: Held,
    file: std::path::PathBuf,
    elsewhere: String,
) -> Result<String, Failure> {
    let made = spawn_blocking(move || kit(material, &held, &file, &elsewhere)).await;
    made.map_err(|error| Failure::from_error(Code::Bug, &error))?
}

fn kit(
    material: TrustMaterial,
    held: &Held,
    file: &Path,
    elsewhere: &str,
) -> Result<String, Failure> {
    let bucket = material.bucket.as_ref();
    let storage = bucket.map_or_else(Vec::new, |bucket| storage_lines(bucket, false));
    let location = (material.location.clone(), storage);
    let known = known(&told_root(&material)?, material)?;
    let owner = known
        .owner(&held.identity)
        .map_err(|error| refused(&error))?;
    let key = match (elsewhere.trim(), &held.text) {
        ("", Some(text)) => KitKey::Here(text.clone()),
        ("", None) => {
            let text = "this key cannot be in the kit: say where it lies";
            return Err(Failure::new(Code::Usage, text));
        }
        (words, _) => KitKey::Elsewhere(SecretString::from(words)),
    };
    let kit = Kit::of(&known, owner, location, key, clock::now());
    kit.decrypt_canaries(&known, &*held.identity)
        .map_err(|error| refused(&error))?;
    let program = kit.commands();
    let manual = Manual {
        program: &program,
        script: RECOVERY_SCRIPT,
    };
    let text = kit.to_text(manual).map_err(|error| Failure {
        causes: error.faults.iter().map(|f| f.fault.to_string()).collect(),
        ..Failure::new(Code::Failed, "the kit cannot be written")
    })?;
    write_private(file, &text).map_err(|error| Failure::from_error(Code::LocalIo, &error))?;
    Ok(format!(
        "written to {}; now prove it, then put it away",
        file.display()
    ))
}

fn prove_kit(
    material: &TrustMaterial,
    file: &Path,
    asked: Typed,
) -> Result<backup_model::KitProof, Failure> {
    let text = read_private(file).map_err(|error| Failure::from_error(Code::KitInvalid, &error))?;
    let kit = Kit::parse(&text).map_err(|error| Failure {
        causes: error.faults.iter().map(|f| f.fault.to_string()).collect(),
        ..Failure::new(Code::KitInvalid, format!("{} is no kit", file.display()))
    })?;
    let known = known(&kit.root, material.clone())?;
    kit.matches(known.repository(), known.trust())
        .map_err(|error| Failure::from_error(Code::KitMismatch, &error))?;
    let access = Access::none().asking(Arc::new(asked));
    let key = kit
        .identity(&access)
        .map_err(|error| Failure::from_error(Code::KitInvalid, &error))?;
    kit.decrypt_canaries(&known, &key)
        .map_err(|error| refused(&error))?;
    kit.confirmation(known.trust(), clock::now())
        .ok_or_else(|| {
            let text = "the kit's administrator is none of the repository";
            Failure::new(Code::KitMismatch, text)
        })
}
