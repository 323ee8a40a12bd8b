//! Data set R: a backup of what does not compress, beside age alone.

use super::{Bench, bench::say, contest::Contest};
use crate::{
    data::make_noise,
    error::BenchError,
    keepers::{AgeKey, Input},
    places::bytes_below,
    table::megabytes,
};

/// Measures everything on R.
pub(crate) fn noise(bench: &mut Bench) -> Result<(), BenchError> {
    say("R: making noise");
    let folder = make_noise(&bench.options, &bench.places.data)?;
    let bytes = bytes_below(&folder)?;
    bench
        .table
        .note(format!("R: one file of {}.", megabytes(bytes)));
    for run in 1..=bench.options.runs {
        say(&format!("R, run {run} of {}", bench.options.runs));
        let what = "R, backup";
        let place = bench.places.fresh("age")?;
        let key = AgeKey::make(&place, &bench.runner)?;
        let mut age = key.encrypt(&bench.runner);
        age.arg(folder.join("noise"));
        let encrypted = place.join("noise.age");
        let measured = bench.runner.run_into_file(vec![age], &encrypted)?;
        bench.table.side(what, "age to a file").add(measured);
        let peers = bench.peers.clone();
        let mut contest = Contest::make(bench, &peers, Input::Folder(&folder))?;
        contest.store(bench, what, bytes)?;
        if run == 1 {
            say("R: checking what comes back");
            contest.check_tree_bytes(bench, "R", bytes)?;
            contest.check_our_tree(bench, "R", &folder)?;
        }
    }
    Ok(())
}
