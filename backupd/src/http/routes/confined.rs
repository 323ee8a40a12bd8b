//! How far the scope `restore` reaches: into new databases of a job's own server, and into the
//! folders that the configuration names for it. What else a restore can do, it does with the
//! rights of the daemon's user: that is for the scope `admin`.

use std::path::{Path, PathBuf};

use backup_model::Code;
use backupd_api::{RestoreOrder, Scope};
use tokio::fs;

use crate::http::{api::Api, error::Refused, guard::Caller};

/// Refuses an order that goes further than its caller may. The folder becomes the one that was
/// looked at, without links. What is there is never replaced by a restore into a new place, so no
/// other one can put a link in its way before this one begins.
pub(super) async fn confined(
    api: &Api,
    caller: &Caller,
    order: &mut RestoreOrder,
) -> Result<(), Refused> {
    if caller.scopes.allow(Scope::Admin) {
        return Ok(());
    }
    if order.in_place {
        return Err(refused(
            "what is there is replaced by the scope `admin` only".to_owned(),
        ));
    }
    if order.numeric_owner || order.keep_setid {
        return Err(refused(
            "owners by number and set-uid bits come back by the scope `admin` only".to_owned(),
        ));
    }
    if order.database.as_ref().is_some_and(|d| d.server.is_some()) {
        return Err(refused(
            "another server than the job's own is reached by the scope `admin` only".to_owned(),
        ));
    }
    if let Some(folder) = &mut order.folder {
        let allowed = &api.0.settings.restore_folders;
        *folder = beneath(allowed, folder)
            .await
            .ok_or_else(|| refused(outside(allowed, folder)))?;
    }
    Ok(())
}

/// Where a new folder really is, if that is beneath one of these.
async fn beneath(allowed: &[PathBuf], folder: &Path) -> Option<PathBuf> {
    let (parent, name) = (folder.parent()?, folder.file_name()?);
    let parent = fs::canonicalize(parent).await.ok()?;
    for one in allowed {
        if let Ok(one) = fs::canonicalize(one).await
            && parent.starts_with(one)
        {
            return Some(parent.join(name));
        }
    }
    None
}

fn outside(allowed: &[PathBuf], folder: &Path) -> String {
    let allowed: Vec<_> = allowed
        .iter()
        .map(|one| format!("`{}`", one.display()))
        .collect();
    let folder = folder.display();
    if allowed.is_empty() {
        return format!("`{folder}`: without `restore_folders` the scope `admin` is needed");
    }
    let allowed = allowed.join(" or ");
    format!(
        "`{folder}` is no new folder in one that is there, in {allowed}: elsewhere the scope `admin` is needed"
    )
}

fn refused(text: String) -> Refused {
    Refused::new(Code::NotPermitted, text)
}
