//! Deeds, as the daemon is asked for them. Long ones are begun and left to it: it goes on whatever
//! becomes of the window.

use backup_model::{Failure, Pause};
use backupd_api::{HttpService, Service as _, TaskRequest, VerifyRequest};

use crate::state::Deed;

/// Who pauses: the daemon puts the name of whoever asks in its place.
const NOBODY: &str = "";

pub(super) async fn perform(service: &HttpService, deed: &Deed) -> Result<String, Failure> {
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
