//! The protocol of backup, forget, read and prune as an explicit-state model.

mod configuration;
mod forgetter;
mod invariants;
mod pruner;
mod reader;
mod search;
mod state;
mod step;
mod store;
mod writer;

use configuration::{Configuration, SMALL};

#[test]
fn small() {
    for mutant in [None, Some(configuration::Mutant::NoWaiting), Some(configuration::Mutant::PlansIgnored)] {
        let c = Configuration { mutant, ..SMALL };
        let t = std::time::Instant::now();
        let found = search::search(&c);
        println!("{:?} {mutant:?} states {} depth {} quiet {} {:?}", c.left, found.states, found.depth, found.quiet, t.elapsed());
        if let Some((i, way)) = found.violation {
            println!("{i}");
            for s in way { println!("   {s}"); }
        }
    }
    println!("{}", size_of::<state::State>());
}
