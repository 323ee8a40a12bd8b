//! A policy as somebody tries it out: what is said here stands in the place of what the job's own
//! policy says.

use backup_model::RetentionPolicy;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// What to change in a job's policy. A count of zero and a time of zero take a rule away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Trial {
    /// The zone whose calendar is meant.
    pub time_zone: Option<String>,
    /// The newest ones.
    pub keep_last: Option<u32>,
    /// By hours.
    pub keep_hourly: Option<u32>,
    /// By days.
    pub keep_daily: Option<u32>,
    /// By weeks.
    pub keep_weekly: Option<u32>,
    /// By months.
    pub keep_monthly: Option<u32>,
    /// By years.
    pub keep_yearly: Option<u32>,
    /// All of some time.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Duration>"))]
    pub keep_within: Option<SignedDuration>,
    /// By hours for some time.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Duration>"))]
    pub keep_within_hourly: Option<SignedDuration>,
    /// By days for some time.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Duration>"))]
    pub keep_within_daily: Option<SignedDuration>,
    /// By weeks for some time.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Duration>"))]
    pub keep_within_weekly: Option<SignedDuration>,
    /// By months for some time.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Duration>"))]
    pub keep_within_monthly: Option<SignedDuration>,
    /// By years for some time.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Duration>"))]
    pub keep_within_yearly: Option<SignedDuration>,
    /// So many stay in any case.
    pub min_keep: Option<u32>,
}

impl Trial {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The policy to use: the job's own with these changes. A job without one gets what is said
    /// here alone, by the calendar of UTC.
    pub fn of(&self, own: Option<&RetentionPolicy>) -> Option<RetentionPolicy> {
        if self.is_empty() {
            return own.cloned();
        }
        let own = own.cloned();
        let mut policy = own.unwrap_or_else(|| RetentionPolicy::new("UTC".to_owned()));
        if let Some(zone) = &self.time_zone {
            policy.time_zone.clone_from(zone);
        }
        for (own, tried) in [
            (&mut policy.keep_last, self.keep_last),
            (&mut policy.keep_hourly, self.keep_hourly),
            (&mut policy.keep_daily, self.keep_daily),
            (&mut policy.keep_weekly, self.keep_weekly),
            (&mut policy.keep_monthly, self.keep_monthly),
            (&mut policy.keep_yearly, self.keep_yearly),
            (&mut policy.min_keep, self.min_keep),
        ] {
            *own = tried.unwrap_or(*own);
        }
        for (own, tried) in [
            (&mut policy.keep_within, self.keep_within),
            (&mut policy.keep_within_hourly, self.keep_within_hourly),
            (&mut policy.keep_within_daily, self.keep_within_daily),
            (&mut policy.keep_within_weekly, self.keep_within_weekly),
            (&mut policy.keep_within_monthly, self.keep_within_monthly),
            (&mut policy.keep_within_yearly, self.keep_within_yearly),
        ] {
            if tried.is_some() {
                *own = tried.filter(|time| !time.is_zero());
            }
        }
        Some(policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_stands_in_the_place_of_the_policy() {
        let mut own = RetentionPolicy::new("Europe/Berlin".to_owned());
        own.keep_last = 3;
        own.keep_daily = 14;
        own.keep_within = Some(SignedDuration::from_hours(48));
        assert_eq!(Trial::default().of(None), None);
        assert_eq!(Trial::default().of(Some(&own)), Some(own.clone()));

        let trial = Trial {
            keep_last: Some(0),
            keep_weekly: Some(8),
            keep_within: Some(SignedDuration::ZERO),
            ..Trial::default()
        };
        let tried = trial.of(Some(&own)).unwrap();
        let (last, daily, weekly) = (tried.keep_last, tried.keep_daily, tried.keep_weekly);
        assert_eq!((last, daily, weekly), (0, 14, 8));
        assert_eq!(tried.keep_within, None);
        assert_eq!(tried.time_zone, "Europe/Berlin");
        assert_eq!(trial.of(None).unwrap().time_zone, "UTC");
    }
}
