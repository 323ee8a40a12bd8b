//! Deeds, as the daemon is asked for them. Long ones are begun and left to it: it goes on whatever
//! becomes of the window.

use backup_model::{Failure, Level, Pause, Selection};
use backupd_api::{
    DatabaseOrder, HttpService, RestoreOrder, Service as _, TaskRequest, VerifyRequest,
};

use super::{Say, key::Keyring, keys};
use crate::state::{Deed, Event, Order};

/// Who pauses: the daemon puts the name of whoever asks in its place.
const NOBODY: &str = "";

pub(super) async fn perform<W: Fn()>(
    service: &HttpService,
    keyring: &Keyring,
    deed: &Deed,
    say: &Say<W>,
) -> Result<String, Failure> {
    Ok(match deed {
        Deed::BackUp(job) => {
            let request = TaskRequest::Backup { job: job.clone() };
            service.begin(&request).await?;
            "started on the server".to_owned()
        }
        Deed::Verify(selection) => {
            let request = TaskRequest::Verify(VerifyRequest {
                selection: selection.clone(),
                level: Deed::KEYLESS,
                keys: None,
            });
            service.begin(&request).await?;
            "started on the server".to_owned()
        }
        Deed::VerifyData(selection) => {
            let request = TaskRequest::Verify(VerifyRequest {
                selection: selection.clone(),
                level: Level::Data,
                keys: Some(keyring.unwrap(service, selection).await?),
            });
            service.begin(&request).await?;
            "started on the server".to_owned()
        }
        Deed::Restore(wanted) => {
            let request = TaskRequest::Restore(order(service, keyring, wanted).await?);
            say.say(Event::Begun(service.begin(&request).await?));
            "started on the server".to_owned()
        }
        Deed::Stop(task) => {
            service.cancel_task(task).await?;
            "asked to stop".to_owned()
        }
        Deed::Keys(work) => keys::perform(service, keyring, work).await?,
        Deed::Cancel(run) => {
            service.cancel_run(&run.to_string()).await?;
            "asked to stop".to_owned()
        }
        Deed::Pause {
            job,
            from,
            until,
            why,
        } => {
            let pause = Pause {
                who: NOBODY.to_owned(),
                at: *from,
                until: *until,
                why: Some(why.clone()).filter(|why| !why.is_empty()),
            };
            service.pause(job, &pause).await?;
            "paused".to_owned()
        }
        Deed::Resume(job) if service.resume(job).await? => "its schedule runs again".to_owned(),
        Deed::Resume(_) => "it was not paused".to_owned(),
        Deed::Hold { snapshot, reason } => {
            service.hold(snapshot, reason).await?;
            "it is not forgotten".to_owned()
        }
        Deed::Release(snapshot) if service.release(snapshot).await? => "let go again".to_owned(),
        Deed::Release(_) => "it was not held".to_owned(),
        Deed::TestChannel(name) => {
            service.test_channel(name).await?;
            "delivered".to_owned()
        }
    })
}

/// An order with what opens its snapshot.
pub(super) async fn order(
    service: &HttpService,
    keyring: &Keyring,
    wanted: &Order,
) -> Result<RestoreOrder, Failure> {
    let one = Selection::One(wanted.snapshot.clone());
    let keys = keyring.unwrap(service, &one).await?;
    let wanted = wanted.clone();
    Ok(RestoreOrder {
        snapshot: wanted.snapshot,
        streams: wanted.streams,
        paths: wanted.paths,
        folder: wanted.folder,
        database: wanted.database.map(|database| DatabaseOrder {
            name: database.name,
            server: database.server,
        }),
        in_place: wanted.in_place,
        confirm: wanted.confirm,
        safety_backup: wanted.safety_backup,
        no_owner: wanted.no_owner,
        numeric_owner: wanted.numeric_owner,
        keep_setid: wanted.keep_setid,
        stamp: wanted.stamp,
        keys,
    })
}
