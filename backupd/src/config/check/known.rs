//! Things by name: a name is sound, and stands once, in whichever file.

use std::{collections::BTreeMap, str::FromStr};

use backup_model::InvalidId;

use crate::config::problem::{Findings, Located, Spot};

/// Things by name. One that is there without a value is known to be wrong.
pub(super) struct Known<K, V> {
    what: &'static str,
    pub(super) by_name: BTreeMap<K, (Spot, V)>,
}

impl<K: Ord + FromStr<Err = InvalidId>, V> Known<K, V> {
    pub(super) const fn new(what: &'static str) -> Self {
        Self {
            what,
            by_name: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, name: &Located<String>, value: V, findings: &mut Findings) {
        let what = self.what;
        let key = match name.value.parse::<K>() {
            Ok(key) => key,
            Err(error) => {
                let message = format!("`{}` cannot be the name of a {what}", error.text);
                findings.at(&name.at, message, rule(&error));
                return;
            }
        };
        if let Some((first, _)) = self.by_name.get(&key) {
            let message = format!("{what} `{}` is defined twice", name.value);
            let help = format!("The other one is at {}. Keep one.", findings.name_of(first));
            findings.at(&name.at, message, help);
            return;
        }
        self.by_name.insert(key, (name.at.clone(), value));
    }
}

/// A name's rule as a sentence.
fn rule(error: &InvalidId) -> String {
    format!("It must be {}.", error.what)
}
