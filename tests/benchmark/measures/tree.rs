//! Data set F: a first backup of a tree, and one when nothing has changed.

use super::{Bench, bench::say, contest::Contest};
use crate::{
    data::make_tree,
    error::BenchError,
    keepers::Input,
    options::Peer,
    places::{bytes_below, files_below},
    table::megabytes,
};

/// Measures everything on F.
pub(crate) fn tree(bench: &mut Bench) -> Result<(), BenchError> {
    say("F: making the tree");
    let tree = make_tree(&bench.options, &bench.places.data)?;
    let bytes = bytes_below(&tree)?;
    let count = files_below(&tree)?.len();
    bench
        .table
        .note(format!("F: {count} files of {}.", megabytes(bytes)));
    let input = Input::Folder(&tree);
    // Once before any clock runs, so that all find the files in memory.
    read_by_tar(bench, input)?;
    for run in 1..=bench.options.runs {
        say(&format!("F, run {run} of {}", bench.options.runs));
        let what = "F, first backup";
        // The pipe is what we are compared with, whether it is measured as a peer or not.
        let peers = bench.peers.clone();
        let others: Vec<Peer> = peers
            .into_iter()
            .filter(|peer| *peer != Peer::Pipe)
            .collect();
        let mut pipe = crate::keepers::make(
            Peer::Pipe,
            input,
            &bench.places.fresh("pipe")?,
            &bench.runner,
        )?;
        let measured = pipe.store(&bench.runner)?;
        let stored = pipe.kept_bytes()?;
        let side = bench.table.side(what, pipe.name());
        side.add(measured);
        side.added(stored, bytes);
        let measured = read_by_tar(bench, input)?;
        bench.table.side(what, "tar to nowhere").add(measured);
        let mut contest = Contest::make(bench, &others, input)?;
        contest.store(bench, what, bytes)?;
        contest.peers.push(pipe);
        if run == 1 {
            say("F: checking what comes back");
            contest.check_tree_bytes(bench, "F", bytes)?;
            contest.check_our_tree(bench, "F", &tree)?;
        }

        let what = "F, nothing changed";
        let mut find = bench.runner.command("find");
        // A question of sizes makes it look at every file.
        find.arg(&tree).args(["-size", "+1000000G"]);
        let measured = bench.runner.run(vec![find])?;
        let side = bench.table.side(what, "find, looking at every file");
        side.add(measured);
        contest.peers.retain(|peer| peer.deduplicates());
        contest.store(bench, what, bytes)?;
    }
    Ok(())
}

/// tar, read by a program that forgets: into nowhere itself, tar would not read the files.
fn read_by_tar(bench: &Bench, input: Input<'_>) -> Result<crate::program::Measured, BenchError> {
    let cat = bench.runner.command("cat");
    bench.runner.run(vec![input.archive(&bench.runner), cat])
}
