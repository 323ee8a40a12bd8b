//! What the operations say of a damaged copy, held against what they must.

use std::{collections::BTreeSet, sync::Arc};

use backup_core::{
    ops::{self, OpError, Verifier},
    repo::Repository,
};
use backup_model::{Code, End, Failure, Selection, SnapshotName, Verdict};
use object_store::memory::InMemory;

use super::{
    pristine::{Pristine, store},
    support::verify,
    table::{
        Row,
        Says::{self, Codes, Fine, NoEnd},
    },
};

#[derive(Debug)]
pub(super) struct Case<'a> {
    pub(super) kind: &'a str,
    pub(super) action: String,
    pub(super) key: &'a str,
    pub(super) snapshots: &'a BTreeSet<SnapshotName>,
    pub(super) row: Row,
}

impl Case<'_> {
    pub(super) fn expect(&self, what: &str, says: Says, failure: Option<&Failure>) {
        let context = format!("{what} of {} ({}): {failure:?}", self.kind, self.action);
        match (says, failure) {
            (Fine, None) => {}
            (Codes(codes), Some(failure)) => {
                assert!(codes.contains(&failure.code), "{context}");
                let told = format!("{} {}", failure.message, failure.causes.join(" "));
                // These speak of the repository as a whole.
                let whole = [
                    Code::NotARepository,
                    Code::NotTrusted,
                    Code::RepositoryNewer,
                ];
                let named = told.contains(self.key) || whole.contains(&failure.code);
                assert!(named, "{context}: does not name {}", self.key);
            }
            _ => panic!("{context}: {says:?} expected"),
        }
    }
}

impl Pristine {
    pub(super) async fn examine(&self, inner: &Arc<InMemory>, case: &Case<'_>) {
        let repository = match self.world.open(&store(inner)).await {
            Ok(repository) => {
                assert_eq!(case.row.open, Fine, "{case:?} opened");
                repository
            }
            Err(error) => {
                let error = OpError::from(error).to_failure();
                return case.expect("open", case.row.open, Some(&error));
            }
        };
        self.list(&repository, case).await;
        let data = Verifier::data(self.world.admin.clone());
        for (what, says, verifier) in [
            ("storage", case.row.storage, Verifier::Storage),
            ("data", case.row.data, data),
        ] {
            self.verify(&repository, case, (what, says), &verifier)
                .await;
        }
        let target = case.snapshots.iter().find(|s| self.tree(s).is_some());
        let Some(target) = target else { return };
        match self.world.restore(&repository, target).await {
            Ok(tree) => {
                assert_eq!(Some(&tree), self.tree(target), "{case:?}: wrong bytes");
                case.expect("restore", case.row.restore, None);
            }
            Err(error) if case.row.restore == NoEnd => {
                assert_eq!(error.code(), Code::NoSnapshot, "{case:?}");
            }
            Err(error) => case.expect("restore", case.row.restore, Some(&error.to_failure())),
        }
    }

    async fn list(&self, repository: &Repository, case: &Case<'_>) {
        let runs = ops::list(repository, &Selection::All).await.unwrap();
        let bad: Vec<_> = runs.iter().filter_map(|run| run.as_ref().err()).collect();
        let open = runs.iter().flatten().find(|run| run.end == End::Open);
        match case.row.list {
            Fine => assert!(bad.is_empty(), "{case:?}: {bad:?}"),
            NoEnd => assert_eq!(
                open.map(|run| &run.snapshot),
                case.snapshots.first(),
                "{case:?}"
            ),
            Codes(_) => {
                assert_eq!(bad.len(), 1, "{case:?}: {bad:?}");
                let failure = Failure::from_error(bad[0].code(), bad[0]);
                case.expect("list", case.row.list, Some(&failure));
            }
        }
    }

    async fn verify(
        &self,
        repository: &Repository,
        case: &Case<'_>,
        (what, says): (&str, Says),
        verifier: &Verifier,
    ) {
        let reports = verify(repository, verifier).await;
        let reports = reports.unwrap_or_else(|error| panic!("{case:?}: {what}: {error:?}"));
        let damaged = reports.iter().filter(|r| r.verdict != Verdict::Good);
        let damaged: BTreeSet<_> = damaged.map(|r| r.snapshot.clone()).collect();
        let reported = reports
            .iter()
            .filter(|r| case.snapshots.contains(&r.snapshot));
        let reported: Vec<_> = reported.collect();
        match says {
            Fine => assert!(damaged.is_empty(), "{case:?}: {what}: {reports:?}"),
            NoEnd => assert!(
                reported.is_empty() && damaged.is_empty(),
                "{case:?}: {what}"
            ),
            Codes(_) => {
                assert_eq!(&damaged, case.snapshots, "{case:?}: {what}");
                for report in reported {
                    let Verdict::Damaged { faults } = &report.verdict else {
                        panic!("{case:?}: {what}: {report:?}");
                    };
                    assert_eq!(faults.len(), 1, "{case:?}: {what}: {faults:?}");
                    case.expect(what, says, faults.first());
                }
            }
        }
    }
}
