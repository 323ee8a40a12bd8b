//! The records of a prune: what it may delete, what it deletes, and that it has.

use backup_keys::RecordKind;
use backup_model::{Amount, Digest, RepositoryId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ObjectRef, forget::ascends};

/// Objects by kind. Each list is sorted by digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objects {
    /// Packs.
    pub packs: Vec<SizedDigest>,
    /// Recipes.
    pub recipes: Vec<SizedDigest>,
    /// Refs.
    pub refs: Vec<SizedDigest>,
}

/// An object: its digest and its stored size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SizedDigest(pub Digest, pub u64);

impl From<ObjectRef> for SizedDigest {
    fn from(object: ObjectRef) -> Self {
        Self(object.sha256, object.size)
    }
}

impl Objects {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.packs.is_empty() && self.recipes.is_empty() && self.refs.is_empty()
    }

    /// Whether all of these are in `other`.
    pub fn is_within(&self, other: &Self) -> bool {
        let within = |these: &[SizedDigest], those: &[SizedDigest]| {
            these.iter().all(|one| those.binary_search(one).is_ok())
        };
        within(&self.packs, &other.packs)
            && within(&self.recipes, &other.recipes)
            && within(&self.refs, &other.refs)
    }

    /// How many packs, and their size.
    pub fn pack_amount(&self) -> Amount {
        amount(&self.packs)
    }

    /// How many recipes and refs, and their size.
    pub fn list_amount(&self) -> Amount {
        amount(&self.recipes).and(amount(&self.refs))
    }

    fn is_sorted(&self) -> bool {
        [&self.packs, &self.recipes, &self.refs]
            .into_iter()
            .all(|list| ascends(list.iter().map(|object| object.0)))
    }
}

fn amount(list: &[SizedDigest]) -> Amount {
    let mut amount = Amount::default();
    for object in list {
        amount.add(object.1);
    }
    amount
}

/// `prune/<generation>/plan.json`: what no snapshot named when somebody looked. Writers that begin
/// from now on leave it alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "plan")]
pub struct Plan {
    /// The repository.
    pub repository: RepositoryId,
    /// 1, 2, 3, … without a gap.
    pub generation: u64,
    /// When it was written.
    pub created: Timestamp,
    /// What may be deleted.
    pub candidates: Objects,
}

impl RecordKind for Plan {}

/// `prune/<generation>/final.json`: what is deleted. It is never live again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "final")]
pub struct Final {
    /// The repository.
    pub repository: RepositoryId,
    /// The plan's.
    pub generation: u64,
    /// The digest of the plan.
    pub plan: Digest,
    /// When it was written.
    pub created: Timestamp,
    /// Those of the candidates that still nobody names.
    pub delete: Objects,
}

impl RecordKind for Final {}

/// `prune/<generation>/done.json`: all of it is deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "done")]
pub struct Done {
    /// The repository.
    pub repository: RepositoryId,
    /// The plan's.
    pub generation: u64,
    /// The digest of the final.
    pub r#final: Digest,
    /// When it was written.
    pub created: Timestamp,
    /// How many objects the store keeps and refused to delete.
    pub retained: u64,
}

impl RecordKind for Done {}

impl Plan {
    /// What no program of ours writes, beside its place.
    pub fn broken_rule(&self) -> Option<&'static str> {
        (!self.candidates.is_sorted()).then_some("its objects are not sorted, or one comes twice")
    }
}

impl Final {
    /// What no program of ours writes, beside its place.
    pub fn broken_rule(&self, plan: &Plan, plan_digest: Digest) -> Option<&'static str> {
        if self.plan != plan_digest {
            return Some("it belongs to another plan");
        }
        if !self.delete.is_sorted() {
            return Some("its objects are not sorted, or one comes twice");
        }
        (!self.delete.is_within(&plan.candidates))
            .then_some("it deletes what its plan does not name")
    }
}
