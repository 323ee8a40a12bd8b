//! What is thought of a repository that answers.

use std::time::Duration;

use backup_model::{AdministratorInfo, HealthItem, KeysReport, KitInfo, Span};
use jiff::{SignedDuration, Timestamp};

pub(super) const KIT: &str = "recovery-kit";
pub(super) const ADMINISTRATORS: &str = "administrators";
pub(super) const CREATE: &str = "repository-create-if-absent";

/// A small request that takes longer makes a backup of many packs a matter of hours.
const SLOW: Duration = Duration::from_secs(2);
/// Time enough to make a new key and have it let in.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);
/// A run may take a while between its last word and its commit, and stores round to seconds.
const SKEW: SignedDuration = SignedDuration::from_mins(2);

/// How fast small requests are answered.
pub(super) fn latency(object: &str, latencies: &[Duration]) -> HealthItem {
    let mut sorted = latencies.to_vec();
    sorted.sort_unstable();
    let at = |part: f64| {
        let place = (sorted.len().saturating_sub(1)) as f64 * part;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in a short list"
        )]
        let place = place.ceil() as usize;
        sorted.get(place).copied().unwrap_or_default()
    };
    let (median, high) = (at(0.5), at(0.95));
    let evidence = format!(
        "median {:.1} ms, p95 {:.1} ms of {} small requests",
        median.as_secs_f64() * 1e3,
        high.as_secs_f64() * 1e3,
        sorted.len()
    );
    let item = if high > SLOW {
        let fix = "Look at the network between here and the storage, and at its own load.";
        HealthItem::at_risk("repository-latency", object, evidence, fix)
    } else {
        HealthItem::ok("repository-latency", object, evidence)
    };
    item.with("median_us", median.as_micros())
        .with("p95_us", high.as_micros())
}

/// Whether a store keeps two writers apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// It does.
    Apart,
    /// It does not, as the configuration says.
    Said,
    /// It does not, as was found.
    Found,
}

/// Whether the store keeps a second writer out.
pub(super) fn create(object: &str, kept: Kept) -> HealthItem {
    let fix = "Let one host alone write to it, or move to a store that honours `If-None-Match: *`: \
               backupctl repo probe";
    let evidence = match kept {
        Kept::Apart => {
            return HealthItem::ok(CREATE, object, "the store refuses to create what is there");
        }
        Kept::Said => "the configuration says `single_writer`: nothing keeps a second host out",
        Kept::Found => "the store lets a second writer replace what is there",
    };
    HealthItem::at_risk(CREATE, object, evidence, fix)
}

/// Whether somebody could restore without this host.
pub(super) fn kit(object: &str, kit: &KitInfo) -> HealthItem {
    if !kit.at_risk {
        let until = kit
            .until
            .map(|until| until.strftime(", again due %Y-%m-%d"));
        let until = until.map_or_else(String::new, |until| until.to_string());
        return HealthItem::ok(KIT, object, format!("{}{until}", kit.standing));
    }
    let fix = "Make one and prove it: backupctl kit create, backupctl kit confirm FILE";
    HealthItem::at_risk(KIT, object, kit.standing.clone(), fix)
}

/// Whether the loss of one person's key is the loss of all backups.
pub(super) fn openers(object: &str, keys: &KeysReport) -> HealthItem {
    let epoch = keys.epochs.last().map_or(0, |epoch| epoch.number);
    let opens = |it: &&AdministratorInfo| it.opens.contains(&epoch);
    let names: Vec<&str> = keys
        .administrators
        .iter()
        .filter(opens)
        .map(|it| it.name.as_str())
        .collect();
    let item = match names.as_slice() {
        [] => {
            let evidence = format!("nobody opens epoch {epoch}");
            let fix = "Begin an epoch that somebody opens: backupctl key rotate";
            HealthItem::breached(ADMINISTRATORS, object, evidence, fix)
        }
        [one] => {
            let evidence = format!("{one} alone opens epoch {epoch}: his key is all there is");
            let fix = "Let a second one in: backupctl key add NAME --recipient KEY";
            HealthItem::at_risk(ADMINISTRATORS, object, evidence, fix)
        }
        several => {
            let evidence = format!("{} open epoch {epoch}", several.join(", "));
            HealthItem::ok(ADMINISTRATORS, object, evidence)
        }
    };
    item.with("administrators", names.len())
}

/// For how long this host may write.
pub(super) fn writer(object: &str, until: Option<Timestamp>, now: Timestamp) -> HealthItem {
    const ID: &str = "writer-key";
    let Some(until) = until else {
        return HealthItem::ok(ID, object, "this host's writer key does not end");
    };
    let left = until.duration_since(now);
    let fix =
        "Make it count for longer: backupctl key host, then key add NAME --writer KEY --replace";
    let item = if left <= SignedDuration::ZERO {
        let evidence = format!("this host's writer key ended {} ago", Span(-left));
        HealthItem::breached(ID, object, evidence, fix)
    } else {
        let evidence = format!("this host's writer key ends in {}", Span(left));
        if left < SOON {
            HealthItem::at_risk(ID, object, evidence, fix)
        } else {
            HealthItem::ok(ID, object, evidence)
        }
    };
    item.with("left_days", left.as_hours() / 24)
}

/// Whether the clock that dates snapshots goes as the store's does.
pub(super) fn clock(
    object: &str,
    snapshot: &str,
    dated: Timestamp,
    stored: Timestamp,
) -> HealthItem {
    const ID: &str = "repository-clock";
    let skew = stored.duration_since(dated);
    let evidence = format!(
        "{snapshot} is dated {} {} the storage's clock",
        Span(skew.abs()),
        if skew.is_negative() {
            "after"
        } else {
            "before"
        }
    );
    let item = if skew.abs() > SKEW {
        let fix = "Set this host's clock by NTP: timedatectl set-ntp true";
        HealthItem::at_risk(ID, object, evidence, fix)
    } else {
        HealthItem::ok(ID, object, evidence)
    };
    item.with("skew_secs", skew.as_secs())
}

#[cfg(test)]
mod tests {
    use backup_model::{EpochInfo, HealthState};

    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + secs).unwrap()
    }

    #[test]
    fn latency_is_the_median_and_the_slowest() {
        let times = [5, 1, 2, 4, 3].map(Duration::from_millis);
        let item = latency("r", &times);
        assert_eq!(item.state, HealthState::Ok);
        assert_eq!(
            (item.numbers["median_us"], item.numbers["p95_us"]),
            (3_000, 5_000)
        );
        let slow = [1, 1, 1, 1, 2_001].map(Duration::from_millis);
        assert_eq!(latency("r", &slow).state, HealthState::AtRisk);
    }

    #[test]
    fn a_store_that_keeps_nobody_out_is_a_risk_and_so_is_one_that_is_said_to() {
        assert_eq!(create("r", Kept::Apart).state, HealthState::Ok);
        assert_eq!(create("r", Kept::Found).state, HealthState::AtRisk);
        assert_eq!(create("r", Kept::Said).state, HealthState::AtRisk);
    }

    #[test]
    fn a_kit_counts_once_it_is_proved() {
        let info = |at_risk| KitInfo {
            at_risk,
            standing: "proved".to_owned(),
            proved: None,
            until: Some(at(0)),
        };
        assert_eq!(kit("r", &info(false)).state, HealthState::Ok);
        assert_eq!(kit("r", &info(true)).state, HealthState::AtRisk);
    }

    #[test]
    fn one_administrator_is_a_risk_and_none_a_loss() {
        let administrator = |name: &str, opens: &[u64]| AdministratorInfo {
            name: name.to_owned(),
            kind: "x25519".to_owned(),
            recipient: None,
            added: at(0),
            opens: opens.to_vec(),
            tested: None,
        };
        let keys = |administrators| KeysReport {
            repository: "main".to_owned(),
            trust: 1,
            administrators,
            epochs: vec![EpochInfo {
                number: 2,
                recipient: String::new(),
                created: at(0),
            }],
            writers: Vec::new(),
            kit: KitInfo {
                at_risk: true,
                standing: String::new(),
                proved: None,
                until: None,
            },
        };
        let state = |all| openers("r", &keys(all)).state;
        let (ann, bob) = (administrator("ann", &[1, 2]), administrator("bob", &[2]));
        assert_eq!(state(vec![ann.clone(), bob]), HealthState::Ok);
        // Who opens older epochs only does not count.
        let left = administrator("left", &[1]);
        assert_eq!(state(vec![ann, left.clone()]), HealthState::AtRisk);
        assert_eq!(state(vec![left]), HealthState::Breached);
    }

    #[test]
    fn a_key_that_ends_is_told_two_weeks_before() {
        let day = 24 * 3_600;
        for (until, state) in [
            (None, HealthState::Ok),
            (Some(at(15 * day)), HealthState::Ok),
            (Some(at(14 * day)), HealthState::Ok),
            (Some(at(14 * day - 1)), HealthState::AtRisk),
            (Some(at(1)), HealthState::AtRisk),
            (Some(at(0)), HealthState::Breached),
        ] {
            assert_eq!(writer("r", until, at(0)).state, state, "{until:?}");
        }
    }

    #[test]
    fn clocks_may_differ_a_little_either_way() {
        for (skew, state) in [
            (0, HealthState::Ok),
            (120, HealthState::Ok),
            (-120, HealthState::Ok),
            (121, HealthState::AtRisk),
            (-121, HealthState::AtRisk),
        ] {
            assert_eq!(clock("r", "a/1", at(0), at(skew)).state, state, "{skew}");
        }
    }
}
