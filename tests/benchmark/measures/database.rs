//! Data set P: first and second backup, verification, restore, and rows added at the end.
//!
//! What everybody is compared with is one `pg_dump -Fc -Z0` to nowhere, or one `pg_restore -j2`
//! from an unencrypted folder, run just before them.

use super::{Bench, bench::say, contest::Contest};
use crate::{
    compare,
    data::{Database, NAME, State},
    error::BenchError,
    keepers::{Dump, Input, Keeper as _},
    server::Server,
    table::megabytes,
};

const RESTORED: &str = "bench_restored";

/// Measures everything on P.
pub(crate) fn database(bench: &mut Bench) -> Result<(), BenchError> {
    say("P: making the database and its states");
    let server = Server::start(&bench.runner, &bench.places.work)?;
    let database = Database::make(&bench.options, &bench.places.data, &bench.runner, server)?;
    bench.table.note(format!(
        "P: a database whose plain dump has {}; the server has given up durability (fsync is off) \
         and keeps 32 MB of buffers, for everybody.",
        megabytes(database.plain_bytes)
    ));
    for run in 1..=bench.options.runs {
        measure(bench, &database, run)?;
    }
    say("P: rows added at the end");
    added_at_the_end(bench, &database)?;
    database.server.stop()
}

fn measure(bench: &mut Bench, database: &Database, run: u32) -> Result<(), BenchError> {
    let runs = bench.options.runs;
    let say = |what| say(&format!("P, run {run} of {runs}: {what}"));
    let peers = bench.peers.clone();
    let mut contest = Contest::make(bench, &peers, Input::Database(&database.server))?;

    say("first backup");
    database.place(State::Before)?;
    dump_to_nowhere(bench, database, "P, first backup")?;
    contest.store(bench, "P, first backup", database.plain_bytes)?;
    say("verify");
    verify(bench, &contest)?;

    say("second backup");
    database.place(State::Changed)?;
    dump_to_nowhere(bench, database, "P, second backup")?;
    contest.store(bench, "P, second backup", database.plain_bytes)?;

    say("restore");
    restore(bench, database, &contest, run == 1)
}

fn dump_to_nowhere(bench: &mut Bench, database: &Database, what: &str) -> Result<(), BenchError> {
    let mut dump = database.server.pg_dump(NAME);
    dump.args(["-Fc", "-Z0"]);
    let measured = bench.runner.run(vec![dump])?;
    let side = bench.table.side(what, "pg_dump -Fc -Z0 to nowhere");
    side.add(measured);
    Ok(())
}

/// Ours on the first backup alone, so that both sides read the same packs.
fn verify(bench: &mut Bench, contest: &Contest<'_>) -> Result<(), BenchError> {
    let runner = &bench.runner;
    let packs = contest.ours.packs()?;
    let mut openssl = runner.command("openssl");
    openssl.args(["dgst", "-sha256"]).args(&packs);
    let measured = runner.run(vec![openssl])?;
    let what = "P, verify storage";
    let side = bench.table.side(what, "openssl dgst -sha256 of the packs");
    side.add(measured);
    let measured = runner.run(vec![contest.ours.verify_storage(runner)])?;
    bench.table.side(what, contest.ours.name()).add(measured);

    // Never sees more than a block: what is decrypted goes nowhere.
    let decode = r#"key=$1; shift; for pack; do age -d -i "$key" "$pack" | zstd -dc || exit; done"#;
    let mut pipes = runner.command("sh");
    pipes.args(["-c", decode, "sh"]);
    pipes.arg(contest.ours.epoch_key(runner)?).args(&packs);
    let measured = runner.run(vec![pipes])?;
    let what = "P, verify data";
    let side = bench.table.side(what, "age -d, zstd -d of the packs");
    side.add(measured);
    for keeper in contest.everybody() {
        if let Some(check) = keeper.verify(runner) {
            let measured = runner.run(vec![check])?;
            bench.table.side(what, keeper.name()).add(measured);
        }
    }
    Ok(())
}

/// The first backup into an empty database.
fn restore(
    bench: &mut Bench,
    database: &Database,
    contest: &Contest<'_>,
    check: bool,
) -> Result<(), BenchError> {
    let what = "P, restore";
    let server = &database.server;
    server.renew(RESTORED)?;
    let mut reference = server.pg_restore(RESTORED);
    reference.arg("-j2").arg(&database.dump_folder);
    let measured = bench.runner.run(vec![reference])?;
    let side = bench.table.side(what, "pg_restore -j2 of a folder");
    side.add(measured);
    server.drop_database(RESTORED)?;

    let ours = contest.ours.restore_database(&bench.runner, 1, RESTORED);
    let measured = bench.runner.run(vec![ours])?;
    bench.table.side(what, contest.ours.name()).add(measured);
    if check {
        check_database(bench, server, State::Before, contest.ours.name())?;
        server.drop_database(RESTORED)?;
        let second = contest.ours.restore_database(&bench.runner, 2, RESTORED);
        bench.runner.run(vec![second])?;
        check_database(bench, server, State::Changed, "backupctl, second backup")?;
    }
    for peer in &contest.peers {
        server.renew(RESTORED)?;
        let mut pipe = peer.first_again(&bench.runner);
        pipe.push(match peer.dump() {
            Dump::Archive => server.pg_restore(RESTORED),
            Dump::Plain => server.psql(RESTORED),
        });
        let measured = bench.runner.run(pipe)?;
        bench.table.side(what, peer.name()).add(measured);
        if check {
            check_database(bench, server, State::Before, peer.name())?;
        }
    }
    server.drop_database(RESTORED)
}

fn check_database(
    bench: &mut Bench,
    server: &Server,
    state: State,
    who: &str,
) -> Result<(), BenchError> {
    // The state that was changed is still under the name that was backed up.
    let original = match state {
        State::Changed => NAME,
        State::Before | State::Grown => state.name(),
    };
    let rows = compare::databases(server, original, RESTORED)?;
    let text = format!("P, {who}: restored, and {rows} rows and all definitions are equal");
    bench.checked.push(text);
    Ok(())
}

/// Once, since bytes do not depend on how busy the machine is.
fn added_at_the_end(bench: &mut Bench, database: &Database) -> Result<(), BenchError> {
    let what = "P, 1 % of rows added at the end";
    let peers = bench.peers.clone();
    database.place(State::Before)?;
    let mut contest = Contest::make(bench, &peers, Input::Database(&database.server))?;
    contest.prepare(bench)?;
    database.place(State::Grown)?;
    dump_to_nowhere(bench, database, what)?;
    contest.store(bench, what, database.plain_bytes)?;
    database.place(State::Before)
}
