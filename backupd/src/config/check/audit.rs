//! Checks of the table `[audit]`.

use std::path::Path;

use super::config::Check;
use crate::config::{
    AuditConfig,
    raw::{RawAudit, RawFile},
    table::Field,
};

impl Check {
    /// The table `[audit]`, from whichever files have it; each key stands once.
    pub(super) fn audit(&mut self, files: &[RawFile], state: &Path) -> AuditConfig {
        let raw: Vec<&RawAudit> = files.iter().filter_map(|f| f.audit.as_ref()).collect();
        let texts = |key: fn(&RawAudit) -> &Field<String>| -> Vec<&Field<String>> {
            raw.iter().map(|raw| key(raw)).collect()
        };
        let mut config = AuditConfig::below(state);
        if let Some(raw) = self.once("folder", &texts(|raw| &raw.folder)).got()
            && let Some(folder) = self.absolute("folder", &raw.cloned())
        {
            config.folder = folder;
        }
        if let Some(raw) = self.once("keep", &texts(|raw| &raw.keep)).got()
            && let Some(keep) = self.duration("keep", &raw)
        {
            config.keep = keep;
        }
        if let Some(raw) = self
            .once("pseudonym_keep", &texts(|raw| &raw.pseudonym_keep))
            .got()
            && let Some(keep) = self.duration("pseudonym_keep", &raw)
        {
            config.pseudonym_keep = keep;
        }
        config
    }
}
