//! Pauses of jobs. They outlive the daemon; the RPO's clock does not stop for them.

use std::collections::BTreeMap;

use backup_model::{JobName, Pause};
use jiff::Timestamp;
use rusqlite::params;

use super::{
    LedgerError,
    file::Book,
    row::{At, Text},
};

impl Book {
    /// Pauses a job, in the place of a pause that it has.
    pub(super) fn pause(&mut self, job: &JobName, pause: &Pause) -> Result<(), LedgerError> {
        self.file.execute(
            "INSERT OR REPLACE INTO pause (job, who, at, until, why) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                Text(job),
                pause.who,
                At(pause.at),
                pause.until.map(At),
                pause.why
            ],
        )?;
        Ok(())
    }

    /// Ends a pause. Says whether there was one.
    pub(super) fn resume(&mut self, job: &JobName) -> Result<bool, LedgerError> {
        let ended = self
            .file
            .execute("DELETE FROM pause WHERE job = ?1", [Text(job)])?;
        Ok(ended > 0)
    }

    /// The pauses that count at this time.
    pub(super) fn pauses(&self, now: Timestamp) -> Result<BTreeMap<JobName, Pause>, LedgerError> {
        let mut asked = self
            .file
            .prepare("SELECT job, who, at, until, why FROM pause")?;
        let rows = asked.query_map([], |row| {
            let pause = Pause {
                who: row.get(1)?,
                at: row.get::<_, At>(2)?.0,
                until: row.get::<_, Option<At>>(3)?.map(|at| at.0),
                why: row.get(4)?,
            };
            Ok((row.get::<_, Text<JobName>>(0)?.0, pause))
        })?;
        let mut pauses = rows.collect::<Result<BTreeMap<_, _>, _>>()?;
        pauses.retain(|_, pause| pause.holds(now));
        Ok(pauses)
    }
}
