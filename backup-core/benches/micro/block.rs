//! Compressing and decompressing blocks of the size that the pipeline closes them at.

use std::hint::black_box;

use backup_core::codec::{compress_block, decompress_block};
use divan::{Bencher, counter::BytesCount};

use super::input;

const BLOCK_BYTES: usize = 1 << 20;

#[divan::bench(args = [1, 3, 6])]
fn compress(bencher: Bencher<'_, '_>, level: i32) {
    let block = input::text(BLOCK_BYTES);
    bencher
        .counter(BytesCount::of_slice(&block))
        .bench_local(|| compress_block(black_box(&block), level));
}

#[divan::bench]
fn compress_noise(bencher: Bencher<'_, '_>) {
    let block = input::noise(BLOCK_BYTES);
    bencher
        .counter(BytesCount::of_slice(&block))
        .bench_local(|| compress_block(black_box(&block), 3));
}

#[divan::bench(args = [1, 3, 6])]
fn decompress(bencher: Bencher<'_, '_>, level: i32) {
    let block = input::text(BLOCK_BYTES);
    let frame = compress_block(&block, level).expect("a block compresses");
    bencher
        .counter(BytesCount::of_slice(&block))
        .bench_local(|| decompress_block(black_box(&frame), block.len()));
}
