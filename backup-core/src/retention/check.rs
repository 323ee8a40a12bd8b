//! What a policy must be before anything is forgotten by it.

use backup_model::{Code, RetentionPolicy};
use jiff::{SignedDuration, tz::TimeZone};

/// No count is higher.
pub(super) const MAX_COUNT: u32 = 100_000;

/// A policy that nobody can have meant.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RetentionError {
    /// Nothing says what to keep.
    #[error("the policy has no rule: it would keep nothing but the newest {min_keep}")]
    NoRule {
        /// What stays in any case.
        min_keep: u32,
    },
    /// Not even the newest would stay.
    #[error("`min_keep` is 0: at least the newest snapshot must stay")]
    NoMinimum,
    /// A count out of range.
    #[error("`{rule}` is {count}, more than {MAX_COUNT}")]
    Count {
        /// The key.
        rule: &'static str,
        /// Its value.
        count: u32,
    },
    /// A time out of range.
    #[error("`{rule}` is not a time above zero")]
    Time {
        /// The key.
        rule: &'static str,
    },
    /// No such zone.
    #[error("`{zone}` is not a time zone")]
    Zone {
        /// What the policy says.
        zone: String,
        /// Why not.
        source: jiff::Error,
    },
}

impl RetentionError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::NoRule { .. }
            | Self::NoMinimum
            | Self::Count { .. }
            | Self::Time { .. }
            | Self::Zone { .. } => Code::Policy,
        }
    }
}

/// Checks a policy, and gives its zone.
pub fn check(policy: &RetentionPolicy) -> Result<TimeZone, RetentionError> {
    let zone = TimeZone::get(&policy.time_zone).map_err(|source| RetentionError::Zone {
        zone: policy.time_zone.clone(),
        source,
    })?;
    if policy.min_keep == 0 {
        return Err(RetentionError::NoMinimum);
    }
    let counts = [
        ("min_keep", policy.min_keep),
        ("keep_last", policy.keep_last),
        ("keep_hourly", policy.keep_hourly),
        ("keep_daily", policy.keep_daily),
        ("keep_weekly", policy.keep_weekly),
        ("keep_monthly", policy.keep_monthly),
        ("keep_yearly", policy.keep_yearly),
    ];
    if let Some(&(rule, count)) = counts.iter().find(|(_, count)| *count > MAX_COUNT) {
        return Err(RetentionError::Count { rule, count });
    }
    let times = [
        ("keep_within", policy.keep_within),
        ("keep_within_hourly", policy.keep_within_hourly),
        ("keep_within_daily", policy.keep_within_daily),
        ("keep_within_weekly", policy.keep_within_weekly),
        ("keep_within_monthly", policy.keep_within_monthly),
        ("keep_within_yearly", policy.keep_within_yearly),
    ];
    let odd = |time: &SignedDuration| *time <= SignedDuration::ZERO;
    if let Some(&(rule, _)) = times
        .iter()
        .find(|(_, time)| time.as_ref().is_some_and(odd))
    {
        return Err(RetentionError::Time { rule });
    }
    let counted = counts.iter().skip(1).any(|(_, count)| *count > 0);
    if !counted && times.iter().all(|(_, time)| time.is_none()) {
        let min_keep = policy.min_keep;
        return Err(RetentionError::NoRule { min_keep });
    }
    Ok(zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_that_nobody_means_is_refused_with_its_reason() {
        let good = || RetentionPolicy {
            keep_daily: 7,
            ..RetentionPolicy::new("Europe/Berlin".to_owned())
        };
        check(&good()).unwrap();
        let week = SignedDuration::from_hours(168);
        check(&RetentionPolicy {
            keep_daily: 0,
            keep_within_daily: Some(week),
            ..good()
        })
        .unwrap();
        for (policy, text) in [
            (
                RetentionPolicy {
                    keep_daily: 0,
                    ..good()
                },
                "no rule",
            ),
            (
                RetentionPolicy {
                    min_keep: 0,
                    ..good()
                },
                "`min_keep` is 0",
            ),
            (
                RetentionPolicy {
                    keep_weekly: MAX_COUNT + 1,
                    ..good()
                },
                "`keep_weekly` is 100001",
            ),
            (
                RetentionPolicy {
                    keep_within: Some(-week),
                    ..good()
                },
                "`keep_within` is not",
            ),
            (
                RetentionPolicy {
                    keep_within_yearly: Some(SignedDuration::ZERO),
                    ..good()
                },
                "`keep_within_yearly`",
            ),
            (
                RetentionPolicy {
                    time_zone: "Europe/Atlantis".to_owned(),
                    ..good()
                },
                "Europe/Atlantis",
            ),
            (
                RetentionPolicy {
                    time_zone: String::new(),
                    ..good()
                },
                "is not a time zone",
            ),
        ] {
            let error = check(&policy).unwrap_err();
            assert!(error.to_string().contains(text), "{error}");
            assert_eq!(error.code(), Code::Policy);
        }
    }
}
