//! Sealing packs and opening them, as full as the pipeline makes them.

use std::hint::black_box;

use backup_core::crypt::{Sealed, Sealer, open};
use backup_keys::Identity;
use divan::{Bencher, counter::BytesCount};

use super::input;

const PACK_BYTES: usize = 16 << 20;
/// What a compressed block adds at a time.
const WRITE_BYTES: usize = 350 << 10;

#[divan::bench]
fn seal(bencher: Bencher<'_, '_>) {
    let identity = Identity::generate();
    let plain = input::noise(PACK_BYTES);
    bencher
        .counter(BytesCount::of_slice(&plain))
        .bench_local(|| sealed(&identity, black_box(&plain)));
}

#[divan::bench]
fn open_with_identity(bencher: Bencher<'_, '_>) {
    let identity = Identity::generate();
    let plain = input::noise(PACK_BYTES);
    let pack = sealed(&identity, &plain);
    bencher
        .counter(BytesCount::of_slice(&plain))
        .bench_local(|| open(black_box(&pack.bytes), identity.as_age()));
}

fn sealed(identity: &Identity, plain: &[u8]) -> Sealed {
    let mut sealer = Sealer::new(&identity.recipient(), plain.len()).expect("a recipient");
    for piece in plain.chunks(WRITE_BYTES) {
        sealer.write(piece).expect("memory takes it");
    }
    sealer.finish().expect("memory takes it")
}
