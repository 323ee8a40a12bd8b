//! Everybody who stores one input, each in a new place, and their turns.

use super::Bench;
use crate::{
    error::BenchError,
    keepers::{Input, Keeper, Ours, make},
    options::Peer,
    places::remove,
};

/// Everybody who stores one input.
pub(super) struct Contest<'a> {
    pub(super) ours: Ours<'a>,
    pub(super) peers: Vec<Box<dyn Keeper + 'a>>,
}

impl<'a> Contest<'a> {
    /// Us and `peers`, with nothing stored yet.
    pub(super) fn make(
        bench: &Bench,
        peers: &[Peer],
        input: Input<'a>,
    ) -> Result<Self, BenchError> {
        let runner = &bench.runner;
        let folder = bench.places.fresh("backupctl")?;
        let ours = Ours::make(input, &bench.options.program, &folder, runner)?;
        let mut made = Vec::new();
        for peer in peers {
            let folder = bench.places.fresh(&format!("{peer:?}").to_lowercase())?;
            made.push(make(*peer, input, &folder, runner)?);
        }
        Ok(Self { ours, peers: made })
    }

    /// Everybody, we first.
    pub(super) fn everybody(&self) -> impl Iterator<Item = &(dyn Keeper + 'a)> {
        let ours: &(dyn Keeper + 'a) = &self.ours;
        std::iter::once(ours).chain(self.peers.iter().map(AsRef::as_ref))
    }

    /// Everybody stores the input as it is now, which has `bytes`.
    pub(super) fn store(
        &mut self,
        bench: &mut Bench,
        what: &str,
        bytes: u64,
    ) -> Result<(), BenchError> {
        let ours: &mut (dyn Keeper + 'a) = &mut self.ours;
        let peers = self.peers.iter_mut().map(AsMut::as_mut);
        for keeper in std::iter::once(ours).chain(peers) {
            let before = keeper.kept_bytes()?;
            let measured = keeper.store(&bench.runner)?;
            let added = keeper.kept_bytes()?.saturating_sub(before);
            let side = bench.table.side(what, keeper.name());
            side.add(measured);
            side.added(added, bytes);
        }
        Ok(())
    }

    /// Everybody stores the input, and nobody looks at a clock.
    pub(super) fn prepare(&mut self, bench: &Bench) -> Result<(), BenchError> {
        self.ours.store(&bench.runner)?;
        for peer in &mut self.peers {
            peer.store(&bench.runner)?;
        }
        Ok(())
    }

    /// Everybody's stored tree has as many bytes in its files as the one that was stored.
    pub(super) fn check_tree_bytes(
        &self,
        bench: &mut Bench,
        what: &str,
        bytes: u64,
    ) -> Result<(), BenchError> {
        for keeper in self.everybody() {
            let mut pipe = keeper.first_again(&bench.runner);
            let mut tar = bench.runner.command("tar");
            tar.args(["-xOf", "-"]);
            let mut wc = bench.runner.command("wc");
            wc.arg("-c");
            pipe.extend([tar, wc]);
            let counted = bench.runner.read(pipe)?;
            if counted.trim() != bytes.to_string() {
                return Err(BenchError::Wrong(format!(
                    "{}: {} bytes came back of {bytes}",
                    keeper.name(),
                    counted.trim()
                )));
            }
            let text = format!(
                "{what}, {}: {bytes} bytes of files came back",
                keeper.name()
            );
            bench.checked.push(text);
        }
        Ok(())
    }

    /// Our stored tree comes back byte by byte, with modes and times.
    pub(super) fn check_our_tree(
        &self,
        bench: &mut Bench,
        what: &str,
        original: &std::path::Path,
    ) -> Result<(), BenchError> {
        let to = bench.places.fresh("restored")?;
        remove(&to)?;
        let restore = self.ours.restore_folder(&bench.runner, 1, &to);
        bench.runner.run(vec![restore])?;
        let copy = to.join(original.strip_prefix("/").unwrap_or(original));
        crate::compare::folders(&bench.runner, original, &copy)?;
        remove(&to)?;
        let text = format!("{what}, backupctl: restored, and every file, mode and time is equal");
        bench.checked.push(text);
        Ok(())
    }
}
