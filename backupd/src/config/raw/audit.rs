//! The keys of the table `[audit]`.

use crate::config::{
    problem::Findings,
    table::{Field, Key, Table},
};

const FOLDER: Key = Key("folder", "folder = \"/var/log/backupd\"");
const KEEP: Key = Key("keep", "keep = \"400d\"");
const PSEUDONYM_KEEP: Key = Key("pseudonym_keep", "pseudonym_keep = \"30d\"");

/// The table `[audit]`.
#[derive(Debug)]
pub(crate) struct RawAudit {
    pub(crate) folder: Field<String>,
    pub(crate) keep: Field<String>,
    pub(crate) pseudonym_keep: Field<String>,
}

pub(super) fn read(mut table: Table<'_>, findings: &mut Findings) -> RawAudit {
    let raw = RawAudit {
        folder: table.text(FOLDER, findings),
        keep: table.text(KEEP, findings),
        pseudonym_keep: table.text(PSEUDONYM_KEEP, findings),
    };
    table.finish(findings);
    raw
}
