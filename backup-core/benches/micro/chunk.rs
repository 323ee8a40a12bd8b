//! Cutting a stream, and naming its chunks.

use std::{convert::Infallible, hint::black_box};

use backup_core::chunk::{ChunkId, ChunkSizes, Chunker, DedupSecret};
use divan::{Bencher, counter::BytesCount};

use super::input;

const STREAM_BYTES: usize = 16 << 20;
/// As much as a read of a pipe gives.
const READ_BYTES: usize = 64 << 10;

#[divan::bench]
fn cut_for_dumps(bencher: Bencher<'_, '_>) {
    cut(bencher, ChunkSizes::DUMP);
}

#[divan::bench]
fn cut_for_files(bencher: Bencher<'_, '_>) {
    cut(bencher, ChunkSizes::FILES);
}

fn cut(bencher: Bencher<'_, '_>, sizes: ChunkSizes) {
    let stream = input::text(STREAM_BYTES);
    let gear = DedupSecret::new(Box::new([7; 32])).gear_table();
    bencher
        .counter(BytesCount::of_slice(&stream))
        .bench_local(|| {
            let mut chunker = Chunker::new(sizes, gear.clone());
            let mut count = 0_usize;
            let mut take = |chunk: &[u8]| {
                count += black_box(chunk).len();
                Ok::<_, Infallible>(())
            };
            for read in stream.chunks(READ_BYTES) {
                let Ok(()) = chunker.push(read, &mut take);
            }
            let Ok(()) = chunker.cut(&mut take);
            count
        });
}

#[divan::bench(args = [4 << 10, 64 << 10, 1 << 20])]
fn id(bencher: Bencher<'_, '_>, chunk_bytes: usize) {
    let chunk = input::noise(chunk_bytes);
    let key = DedupSecret::new(Box::new([7; 32])).id_key();
    bencher
        .counter(BytesCount::of_slice(&chunk))
        .bench_local(|| ChunkId::of(&key, black_box(&chunk)));
}
