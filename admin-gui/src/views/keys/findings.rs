//! What is to be mended about a repository's keys: whatever lets one loss be the loss of all
//! backups.

use backup_model::{AdministratorInfo, KeysReport};

use crate::kit::{Mark, words};

/// So many are named; the table has all of them.
const NAMED: usize = 3;

/// Something to be mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) mark: Mark,
    pub(super) name: &'static str,
    pub(super) sentence: String,
    pub(super) fix: &'static str,
}

/// All of it, the worst first.
pub(super) fn of(keys: &KeysReport) -> Vec<Found> {
    let found = [openers(keys), kit(keys), untested(keys)];
    found.into_iter().flatten().collect()
}

/// Who opens what is backed up now.
fn openers(keys: &KeysReport) -> Option<Found> {
    let epoch = keys.epochs.last().map_or(0, |epoch| epoch.number);
    let opens = |it: &&AdministratorInfo| it.opens.contains(&epoch);
    let names: Vec<&str> = keys
        .administrators
        .iter()
        .filter(opens)
        .map(|it| it.name.as_str())
        .collect();
    match names.as_slice() {
        [] => Some(Found {
            mark: Mark::Failed,
            name: "Nobody can read",
            sentence: format!("No administrator opens epoch {epoch}, to which data is encrypted"),
            fix: "Begin an epoch that somebody opens: key rotate",
        }),
        [one] => Some(Found {
            mark: Mark::Warn,
            name: "A second one missing",
            sentence: format!(
                "{} alone opens epoch {epoch}: if that key is lost, so are all backups",
                words::one_line(one)
            ),
            fix: "Let a second administrator in: key add",
        }),
        _ => None,
    }
}

fn kit(keys: &KeysReport) -> Option<Found> {
    keys.kit.at_risk.then(|| Found {
        mark: Mark::Warn,
        name: "Kit not proved",
        sentence: format!("Recovery kit: {}", keys.kit.standing),
        fix: "Make one with kit create, and prove it with kit confirm",
    })
}

/// A key that never opened anything may be one that cannot.
fn untested(keys: &KeysReport) -> Option<Found> {
    let untested = keys.administrators.iter().filter(|it| it.tested.is_none());
    let names: Vec<String> = untested.map(|it| words::one_line(&it.name)).collect();
    let named = match names.len() {
        ..=NAMED => names.join(", "),
        all => format!("{} and {} more", names[..NAMED].join(", "), all - NAMED),
    };
    (!names.is_empty()).then(|| Found {
        mark: Mark::Warn,
        name: "Never tested",
        sentence: format!("Nobody has seen a backup opened with the key of {named}"),
        fix: "Let whoever holds it show that it opens: key test",
    })
}

#[cfg(test)]
mod tests {
    use backup_model::{EpochInfo, KitInfo};
    use jiff::Timestamp;

    use super::*;

    fn administrator(name: &str, opens: &[u64], tested: bool) -> AdministratorInfo {
        AdministratorInfo {
            name: name.to_owned(),
            kind: "x25519".to_owned(),
            recipient: None,
            added: Timestamp::UNIX_EPOCH,
            opens: opens.to_vec(),
            tested: tested.then_some(Timestamp::UNIX_EPOCH),
        }
    }

    fn keys(administrators: Vec<AdministratorInfo>, at_risk: bool) -> KeysReport {
        let epoch = |number| EpochInfo {
            number,
            recipient: "age1…".to_owned(),
            created: Timestamp::UNIX_EPOCH,
        };
        KeysReport {
            repository: "main".to_owned(),
            trust: 1,
            administrators,
            epochs: vec![epoch(1), epoch(2)],
            writers: Vec::new(),
            kit: KitInfo {
                at_risk,
                standing: "none was proved from this machine".to_owned(),
                proved: None,
                until: None,
            },
        }
    }

    fn names(keys: &KeysReport) -> Vec<&'static str> {
        of(keys).iter().map(|found| found.name).collect()
    }

    #[test]
    fn two_who_showed_it_and_a_kit_are_enough() {
        let two = vec![
            administrator("anna", &[1, 2], true),
            administrator("ben", &[2], true),
        ];
        assert_eq!(of(&keys(two, false)), []);
    }

    #[test]
    fn one_alone_is_not_enough_however_many_opened_older_ones() {
        let one = vec![
            administrator("anna", &[1, 2], true),
            administrator("ben", &[1], true),
        ];
        let found = of(&keys(one, true));
        assert_eq!(found[0].name, "A second one missing");
        assert!(found[0].sentence.starts_with("anna alone opens epoch 2"));
        assert_eq!(found[1].name, "Kit not proved");
    }

    #[test]
    fn nobody_is_worst_and_who_never_tried_is_named() {
        let found = of(&keys(vec![administrator("eva", &[1], false)], false));
        assert_eq!(found[0].mark, Mark::Failed);
        assert_eq!(names(&keys(Vec::new(), false)), ["Nobody can read"]);
        assert!(found[1].sentence.ends_with("the key of eva"));
    }
}
