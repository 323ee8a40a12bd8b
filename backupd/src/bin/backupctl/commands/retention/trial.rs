//! The flags that try a policy out.

use backupd::units::parse_duration;
use backupd_api::Trial;
use jiff::SignedDuration;

/// What to try instead of what the configuration says; 0 takes a rule away.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Try another policy (0 takes a rule away)")]
pub(super) struct TrialFlags {
    /// The newest N.
    #[arg(long, value_name = "N")]
    keep_last: Option<u32>,
    /// The newest of each of the last N hours that have one.
    #[arg(long, value_name = "N")]
    keep_hourly: Option<u32>,
    /// The same by days.
    #[arg(long, value_name = "N")]
    keep_daily: Option<u32>,
    /// By weeks from Monday.
    #[arg(long, value_name = "N")]
    keep_weekly: Option<u32>,
    /// By months.
    #[arg(long, value_name = "N")]
    keep_monthly: Option<u32>,
    /// By years.
    #[arg(long, value_name = "N")]
    keep_yearly: Option<u32>,
    /// All that are not older than the newest by more than TIME, as in 14d.
    #[arg(long, value_name = "TIME", value_parser = time)]
    keep_within: Option<SignedDuration>,
    /// Of those, the newest of each hour.
    #[arg(long, value_name = "TIME", value_parser = time)]
    keep_within_hourly: Option<SignedDuration>,
    /// Of each day.
    #[arg(long, value_name = "TIME", value_parser = time)]
    keep_within_daily: Option<SignedDuration>,
    /// Of each week.
    #[arg(long, value_name = "TIME", value_parser = time)]
    keep_within_weekly: Option<SignedDuration>,
    /// Of each month.
    #[arg(long, value_name = "TIME", value_parser = time)]
    keep_within_monthly: Option<SignedDuration>,
    /// Of each year.
    #[arg(long, value_name = "TIME", value_parser = time)]
    keep_within_yearly: Option<SignedDuration>,
    /// So many of the newest stay, whatever the rules say.
    #[arg(long, value_name = "N")]
    min_keep: Option<u32>,
    /// The zone whose calendar is meant, as in Europe/Berlin.
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
}

impl From<TrialFlags> for Trial {
    fn from(flags: TrialFlags) -> Self {
        Self {
            time_zone: flags.time_zone,
            keep_last: flags.keep_last,
            keep_hourly: flags.keep_hourly,
            keep_daily: flags.keep_daily,
            keep_weekly: flags.keep_weekly,
            keep_monthly: flags.keep_monthly,
            keep_yearly: flags.keep_yearly,
            keep_within: flags.keep_within,
            keep_within_hourly: flags.keep_within_hourly,
            keep_within_daily: flags.keep_within_daily,
            keep_within_weekly: flags.keep_within_weekly,
            keep_within_monthly: flags.keep_within_monthly,
            keep_within_yearly: flags.keep_within_yearly,
            min_keep: flags.min_keep,
        }
    }
}

fn time(text: &str) -> Result<SignedDuration, String> {
    if text == "0" {
        return Ok(SignedDuration::ZERO);
    }
    let time = parse_duration(text).map_err(|error| error.to_string())?;
    SignedDuration::try_from(time).map_err(|error| error.to_string())
}
