//! Histories: folders that change at random between backups of one job. Every snapshot must give
//! back exactly the state that it was made of, however much of it later and earlier ones share.

#[cfg(test)]
mod support;

#[cfg(test)]
#[expect(clippy::print_stdout, reason = "the figures are the point")]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt as _, symlink},
        path::{Path, PathBuf},
    };

    use backup_core::{ops::Verifier, store::Store};
    use backup_model::Verdict;

    use super::support::{World, job, verify};

    const SEEDS: u64 = 4;
    const BACKUPS: u64 = 8;

    /// Numbers that look random and come again with the seed (splitmix64).
    struct Numbers(u64);

    impl Numbers {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        }

        fn below(&mut self, limit: u64) -> u64 {
            self.next() % limit
        }

        fn bytes(&mut self, limit: u64) -> Vec<u8> {
            let len = self.below(limit);
            (0..len).map(|_| self.next().to_le_bytes()[0]).collect()
        }
    }

    /// A path among few, so that names come again as other things.
    fn pick(numbers: &mut Numbers, root: &Path) -> PathBuf {
        let mut path = root.to_owned();
        for _ in 0..=numbers.below(3) {
            path.push(format!("n{}", numbers.below(4)));
        }
        path
    }

    fn remove(path: &Path) {
        match fs::symlink_metadata(path) {
            Ok(about) if about.is_dir() => fs::remove_dir_all(path).unwrap(),
            Ok(_) => fs::remove_file(path).unwrap(),
            Err(_) => {}
        }
    }

    /// Makes room for something: parents are folders, and nothing has the name.
    fn make_room(root: &Path, path: &Path) {
        let parents: Vec<_> = path.ancestors().skip(1).collect();
        for parent in parents.into_iter().rev().filter(|p| p.starts_with(root)) {
            if fs::symlink_metadata(parent).is_ok_and(|about| !about.is_dir()) {
                remove(parent);
            }
            fs::create_dir_all(parent).unwrap();
        }
        remove(path);
    }

    fn change(numbers: &mut Numbers, root: &Path) {
        let path = pick(numbers, root);
        let is_file = fs::symlink_metadata(&path).is_ok_and(|about| about.is_file());
        match numbers.below(8) {
            0 | 1 => {
                make_room(root, &path);
                fs::write(&path, numbers.bytes(200_000)).unwrap();
            }
            2 => {
                make_room(root, &path);
                fs::create_dir(&path).unwrap();
            }
            3 => {
                make_room(root, &path);
                symlink(format!("../n{}", numbers.below(9)), &path).unwrap();
            }
            4 => remove(&path),
            5 if is_file => {
                let mut content = fs::read(&path).unwrap();
                let at = usize::try_from(numbers.below(content.len() as u64 + 1)).unwrap();
                let insert = numbers.bytes(3_000);
                content.splice(at..at, insert);
                fs::write(&path, content).unwrap();
            }
            6 if is_file => {
                let mode = [0o600, 0o644, 0o755][usize::try_from(numbers.below(3)).unwrap()];
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
            _ if is_file => {
                let to = pick(numbers, root);
                let content = fs::read(&path).unwrap();
                make_room(root, &to);
                fs::write(&to, content).unwrap();
            }
            _ => {}
        }
    }

    #[tokio::test]
    async fn every_snapshot_is_the_state_it_was_made_of() {
        let (mut things, mut read, mut stored) = (0, 0, 0);
        for seed in 1..=SEEDS {
            let store = Store::memory();
            let world = World::new(&store).await;
            let name = job("etc");
            let root = world.source(&name);
            let mut numbers = Numbers(seed);
            let mut states = Vec::new();
            for _ in 0..BACKUPS {
                for _ in 0..numbers.below(10) {
                    change(&mut numbers, &root);
                }
                let report = world.backup(&store, &name).await.unwrap();
                assert!(report.complete, "seed {seed}: {:?}", report.warnings);
                read += report.read_bytes;
                stored += report.added_bytes;
                states.push((report.snapshot, world.tree(&name)));
            }
            let repository = world.open(&store).await.unwrap();
            for (snapshot, state) in &states {
                let restored = world.restore(&repository, snapshot).await.unwrap();
                assert_eq!(&restored, state, "seed {seed}: {snapshot}");
                things += state.len();
            }
            let data = Verifier::data(world.admin.clone());
            let reports = verify(&repository, &data).await.unwrap();
            assert_eq!(reports.len(), states.len());
            assert!(reports.iter().all(|report| report.verdict == Verdict::Good));
        }
        println!(
            "histories: {SEEDS} seeds of {BACKUPS} backups, {things} things compared, \
             {read} bytes read, {stored} stored"
        );
    }
}
