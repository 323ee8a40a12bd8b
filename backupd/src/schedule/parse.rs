//! What may be written as a schedule.
//!
//! The pattern is read by croner, in the version that tokio-cron-scheduler has. What cron programs
//! disagree about is refused rather than chosen: a day of the month together with a weekday is
//! "both" to some and "either" to others, tokio-cron-scheduler and cron among them.

use std::fmt;

use croner::{
    Cron,
    errors::CronError,
    parser::{CronParser, Seconds, Year},
};
use jiff::tz::TimeZone;

use crate::units::{UnitError, parse_duration};

/// The short names, and what they stand for.
const NICKNAMES: [(&str, &str); 4] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
];

/// When something happens, again and again, by the clocks of one time zone.
#[derive(Clone)]
pub struct Schedule {
    text: String,
    pub(super) zone: TimeZone,
    pub(super) rule: Rule,
}

#[derive(Clone)]
pub(super) enum Rule {
    /// At the times of a calendar.
    Cron(Box<Pattern>),
    /// At every multiple of so many seconds since 1970.
    Every(i64),
}

#[derive(Clone)]
pub(super) struct Pattern {
    pub(super) cron: Cron,
    /// Whether it names its hours, and so means a time of the day rather than an interval.
    pub(super) is_fixed: bool,
}

/// Why a text is no schedule.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// It begins like a short name.
    #[error("`{0}` is not a name of a schedule")]
    Nickname(String),
    /// What follows `every` is no time.
    #[error("what follows `every` is not a time")]
    Every(#[source] UnitError),
    /// Neither five nor six fields.
    #[error("a schedule has five fields, or six with seconds, not {0}")]
    Fields(usize),
    /// A day of the month and a weekday.
    #[error(
        "a day of the month together with a weekday means different things to different programs"
    )]
    BothDays,
    /// A field is wrong.
    #[error("`{text}` is not a cron pattern")]
    Pattern {
        /// What was written.
        text: String,
        /// What the parser says.
        #[source]
        source: CronError,
    },
    /// There is no such day.
    #[error("`{0}` never comes")]
    Never(String),
}

impl Schedule {
    /// Reads `every 6h`, a short name such as `@daily`, or a cron pattern of five or six fields.
    pub fn parse(text: &str, zone: TimeZone) -> Result<Self, ScheduleError> {
        let rule = match text.split_once(' ') {
            Some(("every", period)) => every(period.trim())?,
            _ if text.starts_with('@') => {
                let found = NICKNAMES.iter().find(|(name, _)| *name == text);
                let (_, meant) = found.ok_or_else(|| ScheduleError::Nickname(text.to_owned()))?;
                cron(meant)?
            }
            _ => cron(text)?,
        };
        Ok(Self {
            text: text.to_owned(),
            zone,
            rule,
        })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn every(period: &str) -> Result<Rule, ScheduleError> {
    let period = parse_duration(period).map_err(ScheduleError::Every)?;
    // A century at most, so it fits.
    Ok(Rule::Every(period.as_secs().cast_signed()))
}

fn cron(text: &str) -> Result<Rule, ScheduleError> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [.., hours, days, _, weekdays] = fields.as_slice() else {
        return Err(ScheduleError::Fields(fields.len()));
    };
    if !matches!(fields.len(), 5 | 6) {
        return Err(ScheduleError::Fields(fields.len()));
    }
    let any = |field: &str| matches!(field, "*" | "?");
    if !any(days) && !any(weekdays) {
        return Err(ScheduleError::BothDays);
    }
    let parser = CronParser::builder()
        .seconds(Seconds::Optional)
        .year(Year::Disallowed)
        .build();
    let pattern = Pattern {
        cron: parser
            .parse(text)
            .map_err(|source| ScheduleError::Pattern {
                text: text.to_owned(),
                source,
            })?,
        is_fixed: !hours.contains(['*', '?']),
    };
    if pattern.days_apart().is_none() {
        return Err(ScheduleError::Never(text.to_owned()));
    }
    Ok(Rule::Cron(Box::new(pattern)))
}

/// Schedules are the same when they were written the same, for the same zone.
impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.zone == other.zone
    }
}

impl Eq for Schedule {}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zone = self.zone.iana_name().unwrap_or("a zone without a name");
        write!(f, "{:?} in {zone}", self.text)
    }
}
