//! Lists of entries, the newest first.

use std::{io::Read as _, ops::ControlFlow};

use backup_model::{AuditEntry, AuditPage, AuditQuery};

use crate::{
    append::AuditLog,
    error::{AuditError, at},
    files,
    month::Month,
};

/// So many entries a page has at most.
const PAGE: usize = 500;

/// So much is copied at a time.
const PART: usize = 64 << 10;

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
        let Some((folder, _lock)) = self.at_rest()? else {
            return Ok(AuditPage {
                entries,
                next: None,
            });
        };
        let late = |month: &Month| query.since.is_none_or(|since| month.end() > since);
        'files: for month in files::months(&folder)?.into_iter().rev().filter(late) {
            let name = files::name(month);
            let Some(file) = folder.read(&name)? else {
                continue;
            };
            let lines = files::lines(&folder.at(&name), file).collect::<Result<Vec<_>, _>>()?;
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

impl AuditLog {
    /// Gives all lines as they are, the oldest first and some at a time, until whoever takes them
    /// has had enough.
    pub fn export<B>(
        &self,
        mut take: impl FnMut(&[u8]) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>, AuditError> {
        let Some((folder, _lock)) = self.at_rest()? else {
            return Ok(ControlFlow::Continue(()));
        };
        let mut some = vec![0; PART];
        for month in files::months(&folder)? {
            let name = files::name(month);
            let Some(mut file) = folder.read(&name)? else {
                continue;
            };
            loop {
                let read = file.read(&mut some).map_err(at(&folder.at(&name)))?;
                if read == 0 {
                    break;
                }
                if let ControlFlow::Break(enough) = take(&some[..read]) {
                    return Ok(ControlFlow::Break(enough));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
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
