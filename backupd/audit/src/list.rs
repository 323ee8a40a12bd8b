//! Lists of entries, the newest first.

use backup_model::{AuditEntry, AuditPage, AuditQuery};

use crate::{append::AuditLog, error::AuditError, files, month::Month};

/// So many entries a page has at most.
const PAGE: usize = 500;

impl AuditLog {
    /// A page of entries.
    pub fn list(&self, query: &AuditQuery) -> Result<AuditPage, AuditError> {
        let names = match &query.source {
            None => None,
            Some(address) => Some(self.pseudonyms.all_of(address)?),
        };
        let limit = query
            .limit
            .map_or(PAGE, |limit| limit as usize)
            .clamp(1, PAGE);
        let mut entries = Vec::new();
        let late = |month: &Month| query.since.is_none_or(|since| month.end() > since);
        let months = files::months(&self.folder)?;
        'files: for month in months.into_iter().rev().filter(late) {
            let path = files::file(&self.folder, month);
            let lines = files::lines(&path)?;
            let lines = lines.collect::<Result<Vec<_>, _>>()?;
            for entry in lines.into_iter().rev().filter_map(|line| line.entry) {
                if wanted(query, names.as_deref(), &entry) {
                    entries.push(entry);
                }
                // One more than asked for tells whether there is another page.
                if entries.len() > limit {
                    break 'files;
                }
            }
        }
        let more = entries.len() > limit;
        entries.truncate(limit);
        let next = entries.last().filter(|_| more).map(|last| last.seq);
        Ok(AuditPage { entries, next })
    }
}

fn wanted(query: &AuditQuery, names: Option<&[String]>, entry: &AuditEntry) -> bool {
    let action = |wanted: &String| {
        let rest = entry.action.strip_prefix(wanted.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    query.since.is_none_or(|since| entry.time >= since)
        && query.before.is_none_or(|before| entry.seq < before)
        && query
            .actor
            .as_ref()
            .is_none_or(|actor| *actor == entry.actor)
        && query.action.as_ref().is_none_or(action)
        && names.is_none_or(|names| {
            entry
                .source
                .as_ref()
                .is_some_and(|source| names.contains(source))
        })
}
