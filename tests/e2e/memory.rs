//! Memory: however large a stream is, the process that stores or reads it stays small. The
//! figures are the kernel's, of the largest of all processes that took part.

#![expect(clippy::print_stdout, reason = "the figures are the point")]

use crate::{
    program::stock,
    world::{JOB, World},
};

/// Of the whole process, all streams together.
const MOST_KIB: u64 = 128 << 10;

/// Runs a program to its end and adds the peak of its resident memory, in KiB, as a last line.
const PEAK: &str = "\
import resource, subprocess, sys
ended = subprocess.run(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(ended.returncode)
";

/// The peak of `backupctl` in KiB. It may take half an hour.
fn peak(world: &World, args: &[&str]) -> u64 {
    let mut command = stock("timeout");
    command.args(["1800", "python3", "-c", PEAK]);
    command.arg(world.program()).arg("--config");
    command.arg(world.path("config.toml")).args(args);
    let said = world.run(command).expect(0).text();
    said.lines().last().unwrap().parse().unwrap()
}

#[test]
fn twenty_gibibytes_need_no_more_than_128_mebibytes() {
    let world = World::new();
    let rows = world.program().with_file_name("backupd-rows");
    world.sources(&format!(
        "§ \"command\"\nname = \"rows\"\ncommand = [\"{}\", \"{}\"]\n",
        rows.display(),
        20_u64 << 30,
    ));
    let identity = world.identity();
    let backup = peak(&world, &["--no-progress", "backup", JOB]);
    let data = ["verify", JOB, "--level", "data", "--identity", &identity];
    let verify = peak(&world, &data);
    println!("20 GiB: backup {backup} KiB, verify data {verify} KiB, at most {MOST_KIB} KiB");
    assert!(backup <= MOST_KIB, "backup: {backup} KiB");
    assert!(verify <= MOST_KIB, "verify: {verify} KiB");
}
