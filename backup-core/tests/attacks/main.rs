//! Attacks on a repository by somebody who may write to its store and knows whom its data is
//! encrypted to; some of them have a writer's key besides. Each is one function and one row of the
//! table in `table.rs`; each is done to a repository of its own, then everybody looks.

#[cfg(test)]
mod data;
#[cfg(test)]
mod keeping;
#[cfg(test)]
mod roots;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod stage;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
#[cfg(test)]
mod table;
#[cfg(test)]
mod victim;

#[cfg(test)]
#[expect(clippy::print_stdout, reason = "the table is the point")]
mod tests {
    use std::collections::BTreeSet;

    use backup_core::{ops::Verifier, store::Store};
    use backup_model::Verdict;

    use crate::{
        data, keeping, runs,
        stage::{Stage, clock, record, time},
        support::{job, verify},
        table::{Script, scripts},
        victim::{By, Seen, look, prune_at},
    };

    #[tokio::test]
    async fn each_attack_is_refused_with_object_and_rule() {
        println!("| attack | refused by | object | rule |\n|---|---|---|---|");
        for script in scripts() {
            let stage = Stage::new().await;
            let object = (script.object)(&stage);
            let mut seen = Seen::default();
            (script.attack)(&stage, &mut seen).await;
            look(&stage, &mut seen).await;
            let (name, rule) = (script.name, script.rule);
            let mut by = seen.by();
            if !script.by.contains(&By::Memory) {
                // Whoever remembers sees more than the others, in words of his own.
                by.retain(|&by| by != By::Memory);
            }
            assert_eq!(by, script.by, "{name}: {seen:#?}");
            for &by in script.by {
                let named = rule.split('|').any(|rule| seen.has(by, &object, rule));
                assert!(named, "{name}: {by}: {object}, {rule} in {seen:#?}");
            }
            println!("{}", line(&script, &object));
        }
    }

    fn line(script: &Script, object: &str) -> String {
        let by: Vec<_> = script.by.iter().map(ToString::to_string).collect();
        let by = if by.is_empty() {
            "nobody: nobody reads it".to_owned()
        } else {
            by.join(", ")
        };
        // Of a digest a few digits are enough.
        let words = object.split('/').map(|word| match word.split_once('.') {
            Some((digest, kind)) if digest.len() == 64 => format!("{}….{kind}", &digest[..8]),
            _ => word.to_owned(),
        });
        let object = words.collect::<Vec<_>>().join("/");
        let rule = script.rule.replace('|', " / ");
        format!("| {} | {by} | {object} | {rule} |", script.name)
    }

    /// Without any attack nobody is told anything, and nothing is taken away.
    #[tokio::test]
    async fn where_nobody_attacks_nobody_complains() {
        let (stage, mut seen) = (Stage::new().await, Seen::default());
        look(&stage, &mut seen).await;
        assert_eq!(seen.by(), [], "{seen:#?}");
        assert_eq!(good(&stage, &stage.store()).await, 5);
    }

    /// What counts for nothing takes space until the next prune, and no longer.
    #[tokio::test]
    async fn what_counts_for_nothing_is_swept_away() {
        let stage = Stage::new().await;
        let before = stage.keys().await;
        data::pack_of_nobody(&stage).await;
        assert_ne!(stage.keys().await, before);
        keeping::put_back(&stage).await;
        prune_at(&stage, &stage.store()).await.unwrap();
        let after = stage.keys().await;
        let packs = |keys: &BTreeSet<String>| {
            let packs = keys.iter().filter(|key| key.starts_with("packs/"));
            packs.cloned().collect::<BTreeSet<_>>()
        };
        assert!(packs(&after).is_subset(&packs(&before)));
        assert!(!after.contains(&record("etc", 1)));
        assert_eq!(good(&stage, &stage.store()).await, 3);
    }

    /// `until` says when a key may begin its last run, and nothing of what it has signed: so an
    /// expired key that was stolen must be removed.
    #[tokio::test]
    async fn what_a_key_signed_outlives_it() {
        let stage = Stage::new().await;
        let while_valid = || time("2026-06-01T00:00:00Z");
        runs::run_by_at(&stage, &stage.stolen.late, while_valid)
            .await
            .unwrap();
        assert_eq!(good(&stage, &stage.store()).await, 5);
        let error = runs::run_by_at(&stage, &stage.stolen.late, clock).await;
        assert!(error.is_err());
        assert_eq!(good(&stage, &stage.store()).await, 5);
        let made = stage.world.backup(&stage.store(), &job("etc")).await;
        assert_eq!(made.unwrap().snapshot.seq.0, 5);
    }

    /// How many snapshots there are, all of them whole.
    async fn good(stage: &Stage, store: &Store) -> usize {
        let repository = stage.world.open(store).await.unwrap();
        let data = Verifier::data(stage.world.admin.clone());
        let reports = verify(&repository, &data).await.unwrap();
        for report in &reports {
            assert_eq!(report.verdict, Verdict::Good, "{report:?}");
        }
        reports.len()
    }
}
