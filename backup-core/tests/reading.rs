//! Reading without waste: what is fetched of the store, counted, and right all the same.

#[cfg(test)]
mod support;

#[cfg(test)]
#[expect(clippy::print_stdout, reason = "the figures are the point")]
mod tests {
    use std::{
        collections::BTreeMap,
        fmt, fs, io,
        ops::Range,
        os::unix::fs::MetadataExt as _,
        path::{Path as FilePath, PathBuf},
        result,
        sync::{Arc, Mutex, PoisonError},
    };

    use async_trait::async_trait;
    use backup_core::{
        codec::{compress_block, seek_table},
        crypt::Sealer,
        format::{Extent, ListRef, PackLine, Recipe, RecipeHead, RecipeStream, StreamLine, layout},
        ops::{self, OpError, Verifier},
        pipeline::{Fetcher, SnapshotReader, on_thread},
        repo::{Repository, load_recipe, unlock},
        store::Store,
    };
    use backup_keys::Identity;
    use backup_model::{
        Aspect, Change, Code, Difference, Digest, EntryInfo, EntryKind, Found, Selection, Seq,
        SnapshotName, StreamKind, Verdict,
    };
    use bytes::Bytes;
    use futures::stream::BoxStream;
    use object_store::{
        CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
        PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, memory::InMemory,
        path::Path,
    };
    use sha2::{Digest as _, Sha256};
    use tokio_util::sync::CancellationToken;

    use super::support::{
        World, job, verify,
        world::{read_tree, restore_paths},
    };

    /// Counts what is read of packs.
    #[derive(Debug, Default)]
    struct Counted {
        inner: InMemory,
        read: Mutex<Read>,
    }

    #[derive(Clone, Debug, Default)]
    struct Read {
        requests: usize,
        bytes: u64,
        packs: BTreeMap<String, u64>,
    }

    impl fmt::Display for Counted {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("counted")
        }
    }

    impl Counted {
        fn take(&self) -> Read {
            std::mem::take(&mut self.read.lock().unwrap_or_else(PoisonError::into_inner))
        }

        fn note(&self, key: &Path, range: &Range<u64>) {
            if key.as_ref().starts_with("packs/") {
                let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
                let bytes = range.end - range.start;
                read.requests += 1;
                read.bytes += bytes;
                *read.packs.entry(key.to_string()).or_default() += bytes;
            }
        }
    }

    #[async_trait]
    impl ObjectStore for Counted {
        async fn put_opts(
            &self,
            key: &Path,
            payload: PutPayload,
            options: PutOptions,
        ) -> Result<PutResult> {
            self.inner.put_opts(key, payload, options).await
        }

        async fn get_opts(&self, key: &Path, options: GetOptions) -> Result<GetResult> {
            let got = self.inner.get_opts(key, options).await?;
            self.note(key, &got.range);
            Ok(got)
        }

        async fn get_ranges(&self, key: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
            for range in ranges {
                self.note(key, range);
            }
            self.inner.get_ranges(key, ranges).await
        }

        fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
            self.inner.list(prefix)
        }

        async fn put_multipart_opts(
            &self,
            key: &Path,
            options: PutMultipartOptions,
        ) -> Result<Box<dyn MultipartUpload>> {
            self.inner.put_multipart_opts(key, options).await
        }

        fn delete_stream(
            &self,
            keys: BoxStream<'static, Result<Path>>,
        ) -> BoxStream<'static, Result<Path>> {
            self.inner.delete_stream(keys)
        }

        async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
            self.inner.list_with_delimiter(prefix).await
        }

        async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
            self.inner.copy_opts(from, to, options).await
        }
    }

    type Outcome<T> = result::Result<T, OpError>;

    /// A snapshot of 60 MB that does not compress, and some small files.
    struct Large {
        world: World,
        counted: Arc<Counted>,
        repository: Repository,
        source: PathBuf,
        dir: tempfile::TempDir,
    }

    fn name(seq: u64) -> SnapshotName {
        SnapshotName {
            job: job("data"),
            seq: Seq(seq),
        }
    }

    fn noise(seed: u8, len: usize) -> Vec<u8> {
        let mut noise = vec![0; len];
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[seed]);
        hasher.finalize_xof().fill(&mut noise);
        noise
    }

    impl Large {
        async fn new() -> Self {
            let counted = Arc::new(Counted::default());
            let inner: Arc<dyn ObjectStore> = Arc::<Counted>::clone(&counted);
            let store = Store::new(inner, "counted".to_owned());
            let world = World::new(&store).await;
            let source = world.source(&job("data"));
            for folder in ["a", "m/inner", "z"] {
                fs::create_dir_all(source.join(folder)).unwrap();
            }
            for (seed, big) in (0u8..).zip(["a/big", "b", "m/big", "n", "o", "z/big"]) {
                fs::write(source.join(big), noise(seed, 10_000_000)).unwrap();
            }
            fs::write(source.join("m/.env"), "SECRET=1\n").unwrap();
            fs::write(source.join("m/inner/one"), "one").unwrap();
            fs::hard_link(source.join("m/inner/one"), source.join("z/link")).unwrap();
            fs::hard_link(source.join("m/inner/one"), source.join("z/more")).unwrap();
            world.backup(&store, &job("data")).await.unwrap();
            let repository = world.open(&store).await.unwrap();
            counted.take();
            Self {
                world,
                counted,
                repository,
                source,
                dir: tempfile::tempdir().unwrap(),
            }
        }

        fn inside(&self) -> PathBuf {
            self.source.strip_prefix("/").unwrap().to_owned()
        }

        async fn restore(&self, paths: &[&str]) -> (Outcome<PathBuf>, Read) {
            let target = self.dir.path().join("restored");
            fs::remove_dir_all(&target).ok();
            let paths = paths.iter().map(|path| self.source.join(path));
            let (repository, admin) = (&self.repository, &self.world.admin);
            let done = restore_paths(repository, admin, &name(1), &target, paths.collect()).await;
            let inside = target.join(self.inside());
            (done.map(|()| inside), self.counted.take())
        }

        async fn ls(&self, path: Option<&str>, recursive: bool) -> Outcome<Vec<EntryInfo>> {
            let mut entries = Vec::new();
            let path = path.map(|path| self.source.join(path));
            let (name, cancel) = (name(1), CancellationToken::new());
            let what = (path.as_deref(), recursive);
            let (repository, admin) = (&self.repository, &self.world.admin);
            let mut each = |entry| entries.push(entry);
            ops::ls(repository, &name, what, admin, &mut each, &cancel).await?;
            Ok(entries)
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_whole_snapshot_fetches_each_pack_about_once() {
        let large = Large::new().await;
        let (repository, admin) = (&large.repository, &large.world.admin);
        let tree = large.world.restore(repository, &name(1)).await.unwrap();
        let read = large.counted.take();
        println!("{} requests, {} bytes", read.requests, read.bytes);
        assert_eq!(tree, large.world.tree(&job("data")));
        // Some 61 MB. Where the machine is busy, blocks end up further from their neighbours, and
        // some are fetched again.
        assert!(read.bytes < 80_000_000, "{read:?}");
        assert!(read.requests < 50, "{read:?}");
        let reports = verify(repository, &Verifier::data(admin.clone())).await;
        assert_eq!(reports.unwrap()[0].verdict, Verdict::Good);
    }

    const BLOCK: usize = 1 << 20;

    /// A pack of twelve blocks that do not compress, in the store; and what it holds.
    async fn pack(counted: &Counted, identity: &Identity, seed: u8) -> (PackLine, Vec<u8>) {
        let (bytes, mut sizes) = (noise(seed, 12 * BLOCK), Vec::new());
        let mut sealer = Sealer::new(&identity.recipient(), 0).unwrap();
        for block in bytes.chunks(BLOCK) {
            let frame = compress_block(block, 1).unwrap();
            sealer.write(&frame).unwrap();
            sizes.push((u32::try_from(frame.len()).unwrap(), 1 << 20));
        }
        sealer.write(&seek_table(&sizes)).unwrap();
        let sealed = sealer.finish().unwrap();
        let line = PackLine {
            sha256: sealed.sha256,
            size: sealed.bytes.len() as u64,
            head: sealed.head,
            plain: bytes.len() as u64,
        };
        let key = Path::from(layout::pack(&sealed.sha256));
        let put = PutPayload::from_bytes(sealed.bytes.into());
        let done = counted.inner.put_opts(&key, put, PutOptions::default());
        done.await.unwrap();
        (line, bytes)
    }

    fn recipe(packs: Vec<PackLine>, extents: Vec<Extent>, digest: Digest) -> Recipe {
        let line = StreamLine {
            number: 0,
            kind: StreamKind::Postgres,
            name: "dump".to_owned(),
            length: extents.iter().map(|extent| extent.length).sum(),
            digest,
            extents: ListRef {
                count: extents.len() as u64,
                stream: None,
            },
            entries: None,
            facts: None,
        };
        Recipe {
            head: RecipeHead {
                repository: "0".repeat(32).parse().unwrap(),
                job: job("data"),
                seq: Seq(1),
                nonce: "0".repeat(32).parse().unwrap(),
                epoch: 1,
                packs: packs.len() as u64,
                streams: 1,
            },
            packs,
            streams: vec![RecipeStream {
                line,
                extents: Some(extents),
                entries: None,
            }],
        }
    }

    /// A stream that goes round six packs, a little of each at a time, as an old dump's does.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_scattered_stream_fetches_each_block_about_once() {
        const PIECE: usize = 100_000;
        let counted = Arc::new(Counted::default());
        let identity = Identity::generate();
        let (mut lines, mut plain) = (Vec::new(), Vec::new());
        for seed in 0..6 {
            let (line, bytes) = pack(&counted, &identity, seed).await;
            lines.push(line);
            plain.push(bytes);
        }
        let stored: u64 = lines.iter().map(|pack| pack.size).sum();
        let (mut extents, mut digest) = (Vec::new(), Sha256::new());
        for from in (0..12 * BLOCK).step_by(PIECE) {
            for (pack, bytes) in (0u64..).zip(&plain) {
                let piece = &bytes[from..bytes.len().min(from + PIECE)];
                digest.update(piece);
                extents.push(Extent {
                    pack,
                    offset: from as u64,
                    length: piece.len() as u64,
                });
            }
        }
        drop(plain);
        let recipe = recipe(lines, extents, Digest(digest.finalize().into()));
        let inner: Arc<dyn ObjectStore> = Arc::<Counted>::clone(&counted);
        let fetcher = Fetcher::spawn(Store::new(inner, "counted".to_owned()));
        let snapshot = SnapshotReader::new(fetcher, identity, Arc::new(recipe));
        let read = on_thread("test", move || {
            let stream = snapshot.recipe().streams[0].clone();
            let mut reader = snapshot.open(&stream).unwrap();
            io::copy(&mut reader, &mut io::sink()).unwrap()
        });
        assert_eq!(read.await.unwrap(), 72 * BLOCK as u64);
        let read = counted.take();
        println!(
            "{} requests, {} of {stored} bytes",
            read.requests, read.bytes
        );
        assert!(read.bytes * 4 < stored * 5, "{read:?}");
        assert!(read.requests < 110, "{read:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn single_files_fetch_little() {
        let large = Large::new().await;
        let (inside, read) = large.restore(&["m/.env"]).await;
        let inside = inside.unwrap();
        println!("{} requests, {} bytes", read.requests, read.bytes);
        let tree = read_tree(&inside);
        let names: Vec<_> = tree.keys().map(|path| path.to_str().unwrap()).collect();
        assert_eq!(names, ["m", "m/.env"]);
        assert_eq!(fs::read(inside.join("m/.env")).unwrap(), b"SECRET=1\n");
        // One block, the ends of its pack, and the small pack with the list.
        assert!(read.bytes < 2_500_000, "{read:?}");
        assert!(read.packs.len() <= 2, "{read:?}");

        // A folder, and a link whose first name is elsewhere.
        let (inside, read) = large.restore(&["z", "m/inner"]).await;
        let tree = read_tree(&inside.unwrap());
        let all = read_tree(&large.source);
        let is_in = |path: &FilePath| path.starts_with("z") || path.starts_with("m/inner");
        for (path, facts) in all.iter().filter(|(path, _)| is_in(path)) {
            assert_eq!(tree.get(path), Some(facts), "{}", path.display());
        }
        assert_eq!(
            tree.len(),
            all.keys().filter(|path| is_in(path)).count() + 1
        );
        assert!(read.bytes < 25_000_000, "{read:?}");

        let (inside, read) = large.restore(&["z/more", "z/link"]).await;
        let inside = inside.unwrap();
        let facts = |name: &str| fs::metadata(inside.join(name)).unwrap();
        assert_eq!(fs::read(inside.join("z/link")).unwrap(), b"one");
        assert_eq!(facts("z/more").ino(), facts("z/link").ino());
        assert!(!inside.join("m").exists());
        assert!(read.bytes < 5_000_000, "{read:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_path_that_is_not_there_is_named() {
        let large = Large::new().await;
        let (done, _) = large.restore(&["m/.env", "inner/.env"]).await;
        let error = done.unwrap_err();
        assert_eq!(error.code(), Code::NoPath);
        let text = error.to_string();
        assert!(
            text.contains("inner/.env") && text.contains("m/.env"),
            "{text}"
        );
        let listed = large.ls(Some("nothing"), false).await;
        assert_eq!(listed.unwrap_err().code(), Code::NoPath);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_chosen_file_that_was_damaged_is_not_restored() {
        let large = Large::new().await;
        let admin = &large.world.admin;
        let epoch = unlock(&large.repository, 1, admin).await.unwrap();
        let end = large.repository.run_end(&job("data"), Seq(1)).await;
        let commit = end.unwrap().unwrap().commit().unwrap().clone();
        let recipe = load_recipe(&large.repository, &commit, &epoch)
            .await
            .unwrap();
        // Everything but the two ends of each large pack, by which it is opened.
        for pack in recipe.packs.iter().filter(|pack| pack.size > 1 << 20) {
            let key = Path::from(layout::pack(&pack.sha256));
            let got = large
                .counted
                .inner
                .get_opts(&key, GetOptions::default())
                .await;
            let mut bytes = got.unwrap().bytes().await.unwrap().to_vec();
            let end = bytes.len() - 200_000;
            for byte in bytes[5_000..end].iter_mut().step_by(1000) {
                *byte ^= 1;
            }
            let put = PutPayload::from_bytes(bytes.into());
            let done = large
                .counted
                .inner
                .put_opts(&key, put, PutOptions::default());
            done.await.unwrap();
        }
        let (done, _) = large.restore(&["m/.env"]).await;
        let error = done.unwrap_err();
        assert_eq!(error.code(), Code::Damaged, "{error}");
        assert!(error.to_string().contains("packs/"), "{error}");
        assert!(!large.dir.path().join("restored").exists());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn folders_are_listed() {
        let large = Large::new().await;
        let names = |entries: Vec<EntryInfo>| -> Vec<String> {
            let inside = large.inside().display().to_string();
            let paths = entries.into_iter().map(|entry| entry.path);
            let short = paths.map(|path| path.strip_prefix(&inside).unwrap().to_owned());
            short.collect()
        };
        assert_eq!(names(large.ls(None, false).await.unwrap()), [""]);
        let top = large.ls(Some(""), false).await.unwrap();
        assert_eq!(names(top), ["/a", "/b", "/m", "/n", "/o", "/z"]);
        let inner = large.ls(Some("m"), true).await.unwrap();
        assert_eq!(
            names(inner),
            ["/m/.env", "/m/big", "/m/inner", "/m/inner/one"]
        );
        let one = large.ls(Some("z/link"), false).await.unwrap();
        assert_eq!((one[0].kind, one.len()), (EntryKind::Hardlink, 1));
        assert!(one[0].target.as_ref().unwrap().ends_with("m/inner/one"));
        let all = large.ls(None, true).await.unwrap();
        assert_eq!(all.len(), 1 + read_tree(&large.source).len());
        let read = large.counted.take();
        assert!(read.bytes < 2_000_000, "only lists are read: {read:?}");
    }

    /// What is said of entries, by their paths beneath the source.
    fn told(large: &Large, differences: Vec<Difference>) -> Vec<(Change, String, Vec<Aspect>)> {
        let entries = differences.into_iter().filter_map(|difference| {
            let Difference::Entry {
                change,
                aspects,
                before,
                after,
            } = difference
            else {
                return None;
            };
            let entry = after.or(before)?;
            let short = FilePath::new(&entry.path).strip_prefix(large.inside());
            Some((change, short.unwrap().display().to_string(), aspects))
        });
        entries.collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_differs_is_said_and_what_is_searched_is_found() {
        let large = Large::new().await;
        let at = |path: &str| large.source.join(path);
        fs::write(at("m/.env"), "SECRET=22\n").unwrap();
        fs::remove_file(at("b")).unwrap();
        fs::write(at("b-new"), "new").unwrap();
        let store = large.repository.store().clone();
        large.world.backup(&store, &job("data")).await.unwrap();
        let admin = &large.world.admin;
        let cancel = CancellationToken::new();
        let diff = async |from: u64, to: u64, path: Option<PathBuf>| {
            let mut found = Vec::new();
            let (from, to) = (name(from), name(to));
            let open = async || large.world.open(&store).await.unwrap();
            let sides = [(open().await, &from), (open().await, &to)];
            let mut each = |difference| found.push(difference);
            let done = ops::diff(&sides, path.as_deref(), admin, &mut each, &cancel).await;
            done.map(|()| found)
        };
        let told = |differences: Vec<Difference>| told(&large, differences);
        let env = (
            Change::Changed,
            "m/.env".to_owned(),
            vec![Aspect::Size, Aspect::Modified],
        );
        let (there, back) = (diff(1, 2, None).await, diff(2, 1, None).await);
        let there = told(there.unwrap());
        assert_eq!(
            there,
            [
                (Change::Changed, String::new(), vec![Aspect::Modified]),
                (Change::Removed, "b".to_owned(), vec![]),
                (Change::Added, "b-new".to_owned(), vec![]),
                env.clone()
            ]
        );
        assert_eq!(told(back.unwrap()).len(), there.len());
        let part = diff(1, 2, Some(at("m"))).await.unwrap();
        assert_eq!(told(part), [env]);
        assert_eq!(diff(1, 1, None).await.unwrap(), []);
        let none = diff(1, 2, Some(at("none"))).await;
        assert_eq!(none.unwrap_err().code(), Code::NoPath);

        let find = async |glob: &str| {
            let mut found: Vec<Found> = Vec::new();
            let mut each = |one: result::Result<Found, _>| found.push(one.unwrap());
            let (repository, all) = (&large.repository, Selection::All);
            let count = ops::find(repository, &all, glob, admin, &mut each, &cancel).await;
            assert_eq!(count.unwrap(), found.len() as u64);
            found
        };
        let found = find("*.env").await;
        let seen = found.iter().map(|f| (f.snapshot.seq, f.entry.size_bytes));
        assert_eq!(seen.collect::<Vec<_>>(), [(Seq(2), 10), (Seq(1), 9)]);
        assert_eq!(find("b").await.len(), 1);
        assert_eq!(find("/**/inner/*").await.len(), 2);
        assert_eq!(find("nothing").await.len(), 0);
    }
}
