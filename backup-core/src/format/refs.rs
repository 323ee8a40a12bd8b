//! Refs: the packs that a snapshot uses, and how much of each; public, so without any name.

use backup_model::{Digest, JobName, Nonce, RepositoryId, Seq};
use serde::{Deserialize, Serialize};

use super::recipe::{Lines, LinesError, MAX_PACK, PackLine, push_line};

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "refs")]
pub struct RefsHead {
    /// The repository.
    pub repository: RepositoryId,
    /// The job.
    pub job: JobName,
    /// The run's number.
    pub seq: Seq,
    /// The session's nonce.
    pub nonce: Nonce,
    /// How many packs follow.
    pub packs: u64,
}

/// A pack: digest, stored size, use in 1/64ths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefsPack(pub Digest, pub u64, pub u8);

/// Whole refs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refs {
    /// Whose they are.
    pub head: RefsHead,
    /// The packs, by digest.
    pub packs: Vec<RefsPack>,
}

impl Refs {
    /// Derives refs from what a recipe says: its packs, and how many distinct bytes of each all
    /// extents of all its streams use, by number.
    pub fn derive(head: RefsHead, packs: &[PackLine], used: &[u64]) -> Self {
        let mut lines: Vec<RefsPack> = packs
            .iter()
            .zip(used)
            .map(|(pack, &used)| RefsPack(pack.sha256, pack.size, share(used, pack.plain)))
            .collect();
        lines.sort_by_key(|pack| pack.0);
        Self { head, packs: lines }
    }

    /// The text, before compression.
    pub fn to_lines(&self) -> Vec<u8> {
        let mut out = Vec::new();
        push_line(&mut out, &self.head);
        for pack in &self.packs {
            push_line(&mut out, pack);
        }
        out
    }

    /// Reads and checks the text.
    pub fn parse(bytes: &[u8]) -> Result<Self, LinesError> {
        let mut lines = Lines::new(bytes);
        let head: RefsHead = lines.json("the head of refs")?;
        let mut packs: Vec<RefsPack> = Vec::new();
        for _ in 0..head.packs {
            let pack: RefsPack = lines.json("a pack")?;
            lines.rule(
                packs.last().is_none_or(|last| last.0 < pack.0),
                "packs are not sorted, or one comes twice",
            )?;
            lines.rule(
                pack.1 <= MAX_PACK && (1..=64).contains(&pack.2),
                "the pack is over the format's limits",
            )?;
            packs.push(pack);
        }
        lines.end()?;
        Ok(Self { head, packs })
    }
}

/// `used` of `plain` in 1/64ths, rounded up. Nothing gives 0, which refs must not say: a recipe
/// with a pack that it does not use agrees with no refs.
fn share(used: u64, plain: u64) -> u8 {
    let share = used.saturating_mul(64).div_ceil(plain.max(1));
    u8::try_from(share.min(64)).unwrap_or(64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_round_up() {
        assert_eq!(share(1, 1 << 20), 1);
        assert_eq!(share(1 << 20, 1 << 20), 64);
        assert_eq!(share((1 << 19) + 1, 1 << 20), 33);
        assert_eq!(share(0, 1 << 20), 0);
    }
}
