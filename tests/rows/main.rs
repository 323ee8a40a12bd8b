//! Writes rows as a dump of a table has them to standard output: as many bytes as its argument
//! says, the same on every run, no row twice. They compress well, so that a test of the memory
//! that a large stream needs does not need a large disk too.

use std::{
    io::{self, BufWriter, ErrorKind, Write},
    process::ExitCode,
};

/// What the rows have in common, as rows do.
const WORDS: &str = "the quick brown fox jumps over the lazy dog and goes on to say that all is \
                     well, that the weather is fine, and that nothing much has happened since \
                     the last time it wrote; it sends its regards to everybody at home, and asks \
                     whether the parcel has come that it sent a fortnight ago with the night train";

fn main() -> ExitCode {
    let bytes = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let written = match bytes {
        Some(bytes) => rows(
            bytes,
            &mut BufWriter::with_capacity(1 << 20, io::stdout().lock()),
        ),
        None => Err(io::Error::new(
            ErrorKind::InvalidInput,
            "usage: backupd-rows BYTES",
        )),
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(io::stderr(), "backupd-rows: {error}").ok();
            ExitCode::FAILURE
        }
    }
}

/// Whole rows, the last one cut where the bytes end.
fn rows(mut left: usize, out: &mut impl Write) -> io::Result<()> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut row = Vec::new();
    for number in 1_u64.. {
        // The xorshift generator of Marsaglia (2003): noise enough for a column.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        row.clear();
        writeln!(
            row,
            "{number}\t{state:016x}\t{WORDS}\t2026-11-22 02:30:00+00\t\\N"
        )?;
        row.truncate(left);
        out.write_all(&row)?;
        left -= row.len();
        if left == 0 {
            break;
        }
    }
    out.flush()
}
