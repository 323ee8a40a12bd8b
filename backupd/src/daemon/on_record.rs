//! What the daemon itself puts on record: that it began and ended, and which configuration it goes
//! by. None of it depends on the log: a daemon that cannot write it still backs up.

use backup_model::{AuditOutcome, Failure};
use backupd_audit::Act;

use super::Settings;

const SELF: &str = "backupd";

/// Puts on record that this came to pass.
pub(super) async fn note(settings: &Settings, action: &str) {
    put(settings, action, AuditOutcome::Done, None).await;
}

/// Puts on record that a configuration was refused.
pub(super) async fn refused(settings: &Settings, failure: &Failure) {
    let code = Some(failure.code.as_str().to_owned());
    put(settings, "configuration", AuditOutcome::Refused, code).await;
}

async fn put(settings: &Settings, action: &str, outcome: AuditOutcome, details: Option<String>) {
    let in_force = settings.in_force();
    let Some(audit) = &in_force.access.audit else {
        return;
    };
    let version = Some(concat!("backupd ", env!("CARGO_PKG_VERSION")).to_owned());
    let act = Act {
        client: version,
        ..Act::new(SELF, action, &in_force.config.server.name)
    };
    audit.came_to(&act, outcome, details).await;
}
