//! How fast the pieces are, each alone on one core: chunker, chunk ids, look-ups, blocks, packs.
//!
//! `cargo bench -p backup-core` prints bytes a second of plaintext. What the pieces make together
//! is measured by `tests/bench`; figures from here say where that time goes.

mod block;
mod chunk;
mod index;
mod input;
mod pack;

fn main() {
    divan::main();
}
