//! Reading runs: lists by pages, one run with its story, its log from where a reader has come to.

use backup_model::{
    RunDetail, RunId, RunInfo, RunLog, RunLogLine, RunOutcome, RunPage, RunPhase, RunQuery,
};
use rusqlite::{OptionalExtension as _, ToSql, params};

use super::{
    LedgerError,
    file::Book,
    row::{At, Json, RUN, Text, integer, run_info},
};

/// How many runs, or lines of a log, one call gives at most.
pub const PAGE_MAX: u32 = 500;

impl Book {
    /// Runs, the newest first.
    pub(super) fn list(&self, query: &RunQuery) -> Result<RunPage, LedgerError> {
        let limit = query.limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
        let mut conditions = vec!["true"];
        let mut values: Vec<Box<dyn ToSql>> = Vec::new();
        let mut demand = |condition, value: Box<dyn ToSql>| {
            conditions.push(condition);
            values.push(value);
        };
        if let Some(job) = &query.job {
            demand("job = ?", Box::new(Text(job.clone())));
        }
        if let Some(kind) = query.kind {
            demand("kind = ?", Box::new(Text(kind)));
        }
        if let Some(outcome) = query.outcome {
            demand("outcome = ?", Box::new(Text(outcome)));
        }
        if let Some(since) = query.since {
            demand("begun >= ?", Box::new(At(since)));
        }
        if let Some(before) = query.before {
            demand("id < ?", Box::new(Text(before)));
        }
        // One more than asked for tells whether there is another page.
        demand("true ORDER BY id DESC LIMIT ?", Box::new(limit + 1));
        let sql = format!("SELECT {RUN} FROM run WHERE {}", conditions.join(" AND "));
        let mut asked = self.file.prepare(&sql)?;
        let rows = asked.query_map(rusqlite::params_from_iter(values), run_info)?;
        let mut runs = rows.collect::<Result<Vec<RunInfo>, _>>()?;
        let more = runs.len() > limit as usize;
        runs.truncate(limit as usize);
        let next = runs.last().filter(|_| more).map(|last| last.run);
        Ok(RunPage { runs, next })
    }

    /// The run whose id this is, or the end of it.
    pub(super) fn find(&self, text: &str) -> Result<RunId, LedgerError> {
        if let Ok(run) = text.parse::<RunId>() {
            return self.info(run).map(|info| info.run);
        }
        let ending = text.to_ascii_uppercase();
        if !RunId::is_ending(&ending) {
            return Err(LedgerError::NoSuch(text.chars().take(80).collect()));
        }
        let mut asked = self
            .file
            .prepare("SELECT id FROM run WHERE substr(id, -length(?1)) = ?1")?;
        let rows = asked.query_map([&ending], |row| row.get::<_, Text<RunId>>(0))?;
        let found = rows.collect::<Result<Vec<_>, _>>()?;
        match found.as_slice() {
            [] => Err(LedgerError::NoSuch(text.to_owned())),
            [one] => Ok(one.0),
            many => Err(LedgerError::Ambiguous {
                text: text.to_owned(),
                count: many.len(),
            }),
        }
    }

    pub(super) fn info(&self, run: RunId) -> Result<RunInfo, LedgerError> {
        self.file
            .query_row(
                &format!("SELECT {RUN} FROM run WHERE id = ?1"),
                [Text(run)],
                run_info,
            )
            .optional()?
            .ok_or(LedgerError::NoRun(run))
    }

    /// One run with its story.
    pub(super) fn show(&self, run: RunId) -> Result<RunDetail, LedgerError> {
        // One transaction, so that a run which ends meanwhile is not half of each.
        let look = self.file.unchecked_transaction()?;
        let info = self.info(run)?;
        let mut asked = look.prepare(
            "SELECT phase, object, begun, ended FROM phase WHERE run = ?1 ORDER BY number",
        )?;
        let phases = asked
            .query_map([Text(run)], |row| {
                Ok(RunPhase {
                    phase: row.get::<_, Json<_>>(0)?.0,
                    object: row.get(1)?,
                    begun: row.get::<_, At>(2)?.0,
                    ended: row.get::<_, Option<At>>(3)?.map(|at| at.0),
                })
            })?
            .collect::<Result<_, _>>()?;
        let mut asked =
            look.prepare("SELECT failure FROM warning WHERE run = ?1 ORDER BY number")?;
        let first_warnings = asked
            .query_map([Text(run)], |row| Ok(row.get::<_, Json<_>>(0)?.0))?
            .collect::<Result<_, _>>()?;
        Ok(RunDetail {
            info,
            phases,
            first_warnings,
        })
    }

    /// The log of a run from this line on.
    pub(super) fn log(&self, run: RunId, from: u64) -> Result<RunLog, LedgerError> {
        let look = self.file.unchecked_transaction()?;
        let (outcome, dropped): (Text<RunOutcome>, i64) = look
            .query_row(
                "SELECT outcome, dropped FROM run WHERE id = ?1",
                [Text(run)],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?
            .ok_or(LedgerError::NoRun(run))?;
        let mut asked = look.prepare(
            "SELECT number, at, level, text FROM line WHERE run = ?1 AND number >= ?2
             ORDER BY number LIMIT ?3",
        )?;
        let lines = asked
            .query_map(params![Text(run), integer(from), PAGE_MAX], |row| {
                let number: i64 = row.get(0)?;
                Ok(RunLogLine {
                    number: u64::try_from(number).unwrap_or(0),
                    at: row.get::<_, At>(1)?.0,
                    level: row.get::<_, Text<_>>(2)?.0,
                    text: row.get(3)?,
                })
            })?
            .collect::<Result<Vec<_>, _>>()?;
        let whole = lines.len() < PAGE_MAX as usize;
        Ok(RunLog {
            next: lines.last().map_or(from, |line| line.number + 1),
            dropped: u64::try_from(dropped).unwrap_or(0),
            ended: whole && outcome.0 != RunOutcome::Running,
            lines,
        })
    }
}
