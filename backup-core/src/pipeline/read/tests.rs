//! Reading by any extents, with little memory, of packs that are whole or damaged.

use std::{io::Read as _, sync::Arc};

use backup_keys::Identity;
use backup_model::{Code, Digest};
use bytes::Bytes;

use super::{
    Extents, Fetcher, Packs, StreamReader, blocks::Blocks, error::Carried, error::unwrap_io,
    needs::Needs, on_thread,
};
use crate::{
    codec::{compress_block, seek_table},
    crypt::Sealer,
    format::{Extent, PackLine, layout},
    repo::RepoError,
    store::Store,
};

/// Bytes that do not compress.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut noise = vec![0; len];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.finalize_xof().fill(&mut noise);
    noise
}

struct Numbers(blake3::OutputReader);

impl Numbers {
    fn new(seed: u64) -> Self {
        Self(
            blake3::Hasher::new()
                .update(&seed.to_le_bytes())
                .finalize_xof(),
        )
    }

    fn below(&mut self, limit: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes) % limit
    }
}

struct Made {
    identity: Identity,
    lines: Vec<PackLine>,
    plain: Vec<Vec<u8>>,
    stored: Vec<Bytes>,
}

impl Made {
    /// Packs of blocks of some 100 KiB.
    fn packs(count: u64, blocks: u64) -> Self {
        let identity = Identity::generate();
        let mut made = Self {
            identity,
            lines: Vec::new(),
            plain: Vec::new(),
            stored: Vec::new(),
        };
        for pack in 0..count {
            let mut sealer = Sealer::new(&made.identity.recipient(), 0).unwrap();
            let (mut sizes, mut plain) = (Vec::new(), Vec::new());
            for block in 0..blocks {
                let len = 90_000 + usize::try_from(block * 7_919 % 20_000).unwrap();
                let block = noise(pack * 1000 + block, len);
                let frame = compress_block(&block, 1).unwrap();
                sizes.push((
                    u32::try_from(frame.len()).unwrap(),
                    u32::try_from(block.len()).unwrap(),
                ));
                sealer.write(&frame).unwrap();
                plain.extend(block);
            }
            sealer.write(&seek_table(&sizes)).unwrap();
            let sealed = sealer.finish().unwrap();
            made.lines.push(PackLine {
                sha256: sealed.sha256,
                size: sealed.bytes.len() as u64,
                head: sealed.head,
                plain: plain.len() as u64,
            });
            made.plain.push(plain);
            made.stored.push(sealed.bytes.into());
        }
        made
    }

    async fn store(&self) -> Store {
        let store = Store::memory();
        for (line, bytes) in self.lines.iter().zip(&self.stored) {
            let key = layout::pack(&line.sha256);
            store.put_new(&key, bytes.clone()).await.unwrap();
        }
        store
    }

    fn expected(&self, extents: &[Extent]) -> Vec<u8> {
        let mut out = Vec::new();
        for extent in extents {
            let pack = &self.plain[usize::try_from(extent.pack).unwrap()];
            let from = usize::try_from(extent.offset).unwrap();
            out.extend_from_slice(&pack[from..][..usize::try_from(extent.length).unwrap()]);
        }
        out
    }

    async fn read(
        &self,
        store: Store,
        extents: Vec<Extent>,
        budget: u64,
        window: usize,
    ) -> Result<Vec<u8>, RepoError> {
        let fetcher = Fetcher::spawn(store);
        let packs = Packs::new(fetcher, self.identity.clone(), self.lines.clone());
        on_thread("test", move || {
            let packs = Arc::new(packs);
            let length = extents.iter().map(|extent| extent.length).sum();
            let list = || {
                let packs = Arc::clone(&packs);
                Extents::inline(packs, "list".to_owned(), extents.clone(), length)
            };
            let needs = Needs::of(&packs, list())?;
            let blocks = Blocks::new(Arc::clone(&packs), needs, budget);
            let mut out = Vec::new();
            let read = StreamReader::new(blocks, Box::new(list()), window).read_to_end(&mut out);
            match read.map_err(unwrap_io) {
                Ok(_) => Ok(out),
                Err(Carried::Repo(error)) => Err(error),
                Err(other) => panic!("{other:?}"),
            }
        })
        .await
        .unwrap()
    }
}

#[tokio::test]
async fn any_extents_give_their_bytes_with_any_budget() {
    let made = Made::packs(5, 9);
    let store = made.store().await;
    for seed in 0..60 {
        let mut numbers = Numbers::new(seed);
        // Few long runs, or many short ones.
        let longest = [300, 9_000, 200_000, 800_000][usize::try_from(seed % 4).unwrap()];
        let count = 1 + numbers.below(400_000 / longest + 1);
        let extents: Vec<Extent> = (0..count)
            .map(|_| {
                let pack = numbers.below(5);
                let plain = made.lines[usize::try_from(pack).unwrap()].plain;
                let offset = numbers.below(plain);
                let length = 1 + numbers.below(longest.min(plain - offset));
                Extent {
                    pack,
                    offset,
                    length,
                }
            })
            .collect();
        let budget = [1, 250_000, 1_000_000, 3_000_000, 50_000_000];
        let budget = budget[usize::try_from(seed % 5).unwrap()];
        let window = [1, 2, 1000][usize::try_from(seed % 3).unwrap()];
        let expected = made.expected(&extents);
        let read = made.read(store.clone(), extents, budget, window).await;
        assert!(read.unwrap() == expected, "seed {seed}");
    }
}

fn extent(offset: u64, length: u64) -> Vec<Extent> {
    vec![Extent {
        pack: 0,
        offset,
        length,
    }]
}

#[tokio::test]
async fn damage_shows_in_part_and_whole_and_is_named() {
    let made = Made::packs(2, 9);
    let key = layout::pack(&made.lines[0].sha256);
    let size = made.stored[0].len();
    let (part, whole) = (extent(400_000, 10), extent(0, made.lines[0].plain));
    let flipped = |at: usize| {
        let mut bytes = made.stored[0].to_vec();
        bytes[at] ^= 4;
        Some(Bytes::from(bytes))
    };
    let mac = made.stored[0].windows(5).position(|five| five == b"\n--- ");
    let mac = mac.unwrap() + 1;
    let line = made.stored[0][mac..].iter().position(|&byte| byte == b'\n');
    let nonce = mac + line.unwrap() + 5;
    let damages = [
        ("missing", None, true),
        ("cut", Some(made.stored[0].slice(..size - 1)), true),
        (
            "cut to a piece",
            Some(made.stored[0].slice(..200_000)),
            true,
        ),
        ("empty", Some(Bytes::new()), true),
        (
            "longer",
            Some([&made.stored[0][..], b"x"].concat().into()),
            false,
        ),
        ("another", Some(made.stored[1].clone()), true),
        ("its head", flipped(100), true),
        ("its nonce", flipped(nonce), true),
        ("its table", flipped(size - 20), true),
        ("what is wanted", flipped(400_100), true),
        ("what is not", flipped(800_000), false),
    ];
    for (what, bytes, in_part) in damages {
        let store = Store::memory();
        if let Some(bytes) = bytes {
            store.put_new(&key, bytes).await.unwrap();
        }
        for (extents, seen) in [(&part, in_part), (&whole, true)] {
            let expected = made.expected(extents);
            match made
                .read(store.clone(), extents.clone(), 9_000_000, 9)
                .await
            {
                Err(error) => {
                    assert_eq!(error.code(), Code::Damaged, "{what}: {error}");
                    assert!(error.to_string().contains(&key), "{what}: {error}");
                }
                Ok(read) => assert!(!seen && read == expected, "{what}: not seen"),
            }
        }
    }
}

#[tokio::test]
async fn extents_and_packs_must_fit() {
    let mut made = Made::packs(1, 9);
    let store = made.store().await;
    let plain = made.lines[0].plain;
    let beyond = extent(plain - 5, 6);
    let none = vec![Extent {
        pack: 1,
        offset: 0,
        length: 1,
    }];
    for extents in [beyond, none, extent(0, 0)] {
        let read = made.read(store.clone(), extents, 1_000_000, 9).await;
        assert!(read.unwrap_err().to_string().contains("do not fit"));
    }
    // A recipe that says more of the pack than the pack itself.
    made.lines[0].plain += 1;
    for extents in [extent(5, 6), extent(0, plain)] {
        let read = made.read(store.clone(), extents, 1_000_000, 9).await;
        assert!(
            read.unwrap_err()
                .to_string()
                .contains("could not decompress")
        );
    }
    made.lines[0].plain -= 1;
    made.lines[0].head = Digest([0; 32]);
    for extents in [extent(5, 6), extent(0, plain)] {
        let read = made.read(store.clone(), extents, 1_000_000, 9).await;
        assert!(read.unwrap_err().to_string().contains("head"));
    }
}

#[tokio::test]
async fn what_is_held_stays_within_the_budget() {
    let made = Made::packs(2, 20);
    let budget = 2 * made.lines[0].size + 200_000;
    let extents: Vec<Extent> = (0..40)
        .map(|number| Extent {
            pack: number % 2,
            offset: number / 2 * 90_000,
            length: 90_000,
        })
        .collect();
    let packs = Packs::new(
        Fetcher::spawn(made.store().await),
        made.identity.clone(),
        made.lines.clone(),
    );
    on_thread("test", move || {
        let packs = Arc::new(packs);
        let needs = Needs::of(&packs, extents.iter().copied().map(Ok)).unwrap();
        let mut blocks = Blocks::new(packs, needs, budget);
        for (number, extent) in (0..).zip(&extents) {
            blocks.block(extent.pack, extent.offset, number).unwrap();
            assert!(blocks.used() <= budget, "{} at {number}", blocks.used());
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_pack_that_grew_too_large_to_read_is_damage() {
    let made = Made::packs(1, 2);
    let key = layout::pack(&made.lines[0].sha256);
    let store = Store::memory();
    let large = Bytes::from(vec![0; (256 << 20) + 1]);
    store.put_new(&key, large).await.unwrap();
    let whole = extent(0, made.lines[0].plain);
    let read = made.read(store, whole, 9_000_000, 9).await;
    assert_eq!(read.unwrap_err().code(), Code::Damaged);
}
