//! Restores in place: what is there is replaced in one step and kept beside, or left alone.

#[cfg(test)]
#[expect(
    dead_code,
    unused_imports,
    reason = "other tests restore into new places"
)]
mod support;

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::symlink,
        path::{Path, PathBuf},
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering::Relaxed},
        },
    };

    use backup_core::{
        ops::{self, BackupJob, OpError, Prepared, RestoreRequest, Source},
        repo::Repository,
        sink::directory::{ExtractOptions, InPlace},
        source::files::FilesSpec,
        store::Store,
    };
    use backup_model::{
        Code, Event, Failure, JobName, Progress, RestorePlan, RestoreReport, Silent, SnapshotName,
    };
    use tempfile::TempDir;
    use tokio_util::sync::CancellationToken;

    use super::support::{
        World, job,
        world::{Tree, folder_job, read_tree},
    };

    const STAMP: &str = "20261122_140200";

    /// A repository on disk, a folder with a tree and a file beside it, and a snapshot of both.
    struct Scene {
        world: World,
        store: Store,
        objects: TempDir,
        /// What holds both roots.
        above: PathBuf,
        snapshot: SnapshotName,
    }

    impl Scene {
        async fn new() -> Self {
            let objects = tempfile::tempdir().unwrap();
            let store = Store::local(objects.path()).unwrap();
            let world = World::new(&store).await;
            let above = world.source(&job("files"));
            fs::create_dir_all(above.join("data/deep")).unwrap();
            fs::write(above.join("data/deep/one"), "1").unwrap();
            fs::write(above.join("data/two"), "22").unwrap();
            symlink("two", above.join("data/link")).unwrap();
            fs::write(above.join("only.conf"), "colour = blue\n").unwrap();
            let mut scene = Self {
                world,
                store,
                objects,
                above,
                snapshot: "files/1".parse().unwrap(),
            };
            scene.snapshot = scene.backup(&["data", "only.conf"]).await;
            scene
        }

        async fn backup(&self, roots: &[&str]) -> SnapshotName {
            let name: JobName = job("files");
            let spec = FilesSpec {
                roots: roots.iter().map(|root| self.above.join(root)).collect(),
                ..FilesSpec::default()
            };
            let backup = BackupJob {
                sources: vec![Source::Files {
                    name: "data".to_owned(),
                    spec,
                }],
                ..folder_job(&name, self.above.clone())
            };
            let repository = self.world.open(&self.store).await.unwrap();
            let cancel = CancellationToken::new();
            let now = || "2026-11-22T02:30:00Z".parse().unwrap();
            let host = &self.world.host;
            ops::backup(&repository, host, &backup, now, &silent(), &cancel)
                .await
                .unwrap()
                .snapshot
        }

        async fn plan(&self, confirm: Option<&str>) -> Result<(Repository, Prepared), OpError> {
            let repository = self.world.open(&self.store).await?;
            let request = RestoreRequest {
                snapshot: self.snapshot.clone(),
                streams: Vec::new(),
                paths: Vec::new(),
                folder: None,
                server: None,
                database: None,
                no_owner: false,
                in_place: true,
                confirm: confirm.map(str::to_owned),
                extract: ExtractOptions::default(),
                stamp: STAMP.to_owned(),
            };
            let prepared = ops::plan(&repository, request, &self.world.admin).await?;
            Ok((repository, prepared))
        }

        async fn restore(&self, confirm: Option<&str>) -> Result<RestoreReport, OpError> {
            let (repository, prepared) = self.plan(confirm).await?;
            let cancel = CancellationToken::new();
            ops::restore(&repository, prepared, &silent(), &cancel).await
        }

        async fn obstacles(&self) -> Vec<Failure> {
            let plan = self.plan(None).await.unwrap().1.plan;
            let all = plan.steps.into_iter().flat_map(|step| step.obstacles);
            all.collect()
        }

        fn tree(&self) -> Tree {
            read_tree(&self.above)
        }

        fn path(&self, name: &str) -> PathBuf {
            self.above.join(name)
        }

        fn kept(&self, name: &str) -> PathBuf {
            self.above.join(format!("{name}.before-{STAMP}"))
        }
    }

    fn silent() -> Arc<dyn Progress> {
        Arc::new(Silent)
    }

    fn kept_as(plan: &RestorePlan) -> Vec<Option<PathBuf>> {
        let steps = plan.steps.iter();
        steps
            .map(|step| step.kept_as.as_ref().map(PathBuf::from))
            .collect()
    }

    fn under(tree: &Tree, root: &str) -> Tree {
        let within = tree.iter().filter_map(|(path, about)| {
            let rest = path.strip_prefix(root).ok()?;
            Some((rest.to_owned(), about.clone()))
        });
        within.collect()
    }

    #[tokio::test]
    async fn a_folder_and_a_file_come_back_and_the_old_ones_are_kept() {
        let scene = Scene::new().await;
        let before = scene.tree();
        fs::remove_dir_all(scene.path("data/deep")).unwrap();
        fs::write(scene.path("data/two"), "spoilt").unwrap();
        fs::write(scene.path("data/new"), "new").unwrap();
        fs::write(scene.path("only.conf"), "spoilt").unwrap();
        let spoilt = scene.tree();

        let plan = scene.plan(None).await.unwrap().1.plan;
        let kept = [scene.kept("data"), scene.kept("only.conf")];
        assert_eq!(kept_as(&plan), kept.clone().map(Some));
        assert_eq!(plan.confirm.as_deref(), Some("files"));
        let report = scene.restore(Some("files")).await.unwrap();
        let places: Vec<_> = report.streams.iter().map(|one| &one.kept_as).collect();
        assert_eq!(places.len(), 2);
        assert_eq!(report.streams[0].entries, Some(5));

        let now = scene.tree();
        for root in ["data", "only.conf"] {
            assert_eq!(under(&now, root), under(&before, root));
            let kept = format!("{root}.before-{STAMP}");
            assert_eq!(under(&now, &kept), under(&spoilt, root));
        }
        let names = fs::read_dir(&scene.above).unwrap().count();
        assert_eq!(names, 4, "nothing else is left");
    }

    #[tokio::test]
    async fn what_is_gone_comes_back_under_its_name() {
        let mut scene = Scene::new().await;
        scene.snapshot = scene.backup(&["data"]).await;
        let before = scene.tree();
        fs::remove_dir_all(scene.path("data")).unwrap();
        let plan = scene.plan(None).await.unwrap().1.plan;
        assert_eq!(kept_as(&plan), [None]);
        let root = scene.path("data").display().to_string();
        assert_eq!(plan.confirm.as_ref(), Some(&root));
        let report = scene.restore(Some(&root)).await.unwrap();
        assert_eq!(report.streams[0].kept_as, None);
        assert_eq!(under(&scene.tree(), "data"), under(&before, "data"));
        assert_eq!(fs::read_dir(&scene.above).unwrap().count(), 2);
    }

    #[tokio::test]
    async fn without_the_right_word_nothing_is_done() {
        let scene = Scene::new().await;
        let before = scene.tree();
        for wrong in [None, Some(""), Some("file"), Some("data")] {
            let refused = scene.restore(wrong).await.unwrap_err();
            assert_eq!(refused.code(), Code::NotConfirmed, "{wrong:?}");
            assert!(refused.to_string().contains("`files`"), "{refused}");
        }
        assert_eq!(scene.tree(), before);
    }

    #[tokio::test]
    async fn damaged_data_replaces_nothing() {
        let scene = Scene::new().await;
        let before = scene.tree();
        let (repository, prepared) = scene.plan(Some("files")).await.unwrap();
        let mut packs = vec![scene.objects.path().join("packs")];
        let mut damaged = 0;
        while let Some(path) = packs.pop() {
            if path.is_dir() {
                let names = fs::read_dir(path).unwrap();
                packs.extend(names.map(|entry| entry.unwrap().path()));
                continue;
            }
            let mut bytes = fs::read(&path).unwrap();
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            fs::remove_file(&path).unwrap();
            fs::write(&path, bytes).unwrap();
            damaged += 1;
        }
        assert!(damaged > 0);
        let cancel = CancellationToken::new();
        let failed = ops::restore(&repository, prepared, &silent(), &cancel).await;
        let failed = failed.unwrap_err();
        assert_eq!(failed.code(), Code::Damaged, "{failed}");
        assert_eq!(scene.tree(), before);
    }

    #[tokio::test]
    async fn what_cannot_be_replaced_is_named_before() {
        let scene = Scene::new().await;
        let data = scene.path("data");
        fs::rename(&data, scene.path("elsewhere")).unwrap();
        symlink(scene.path("elsewhere"), &data).unwrap();
        fs::write(scene.kept("only.conf"), "kept of another time").unwrap();
        fs::create_dir(scene.path(".only.conf.partial")).unwrap();
        let before = scene.tree();
        let found = scene.obstacles().await;
        let texts: Vec<_> = found.iter().map(|one| one.message.as_str()).collect();
        for part in ["data` is a symbolic link", "could not be kept", "left over"] {
            assert!(texts.iter().any(|text| text.contains(part)), "{texts:?}");
        }
        assert_eq!(found.len(), 3, "{texts:?}");
        let refused = scene.restore(Some("files")).await.unwrap_err();
        assert_eq!(refused.code(), Code::TargetRefused);
        assert_eq!(scene.tree(), before);
    }

    #[test]
    fn mount_points_and_the_root_of_all_are_no_targets() {
        for mounted in ["/proc", "/dev/shm"] {
            let target = InPlace::new(Path::new(mounted), STAMP).unwrap();
            let (found, _) = target.preflight(0);
            assert!(
                found.iter().any(|one| one.message.contains("mount point")),
                "{mounted}: {found:?}"
            );
        }
        assert!(InPlace::new(Path::new("/"), STAMP).is_err());
        assert!(InPlace::new(Path::new("data"), STAMP).is_err());
    }

    /// Takes the name under which the second root's old one would be kept, once that is extracted.
    struct Meddling {
        taken: PathBuf,
        ended: AtomicUsize,
    }

    impl Progress for Meddling {
        fn event(&self, event: Event) {
            if matches!(event, Event::Ended { .. }) && self.ended.fetch_add(1, Relaxed) == 1 {
                fs::write(&self.taken, "of somebody else").unwrap();
            }
        }
    }

    #[tokio::test]
    async fn a_failure_in_between_says_what_is_in_place() {
        let scene = Scene::new().await;
        fs::write(scene.path("data/two"), "spoilt").unwrap();
        fs::write(scene.path("only.conf"), "spoilt, too").unwrap();
        let before = scene.tree();
        let (repository, prepared) = scene.plan(Some("files")).await.unwrap();
        let meddling: Arc<dyn Progress> = Arc::new(Meddling {
            taken: scene.kept("only.conf"),
            ended: AtomicUsize::new(0),
        });
        let cancel = CancellationToken::new();
        let failed = ops::restore(&repository, prepared, &meddling, &cancel).await;
        let failed = failed.unwrap_err();
        assert_eq!(failed.code(), Code::TargetNotEmpty);
        let text = failed.to_failure().message;
        for part in [scene.path("data"), scene.kept("data")] {
            assert!(text.contains(&part.display().to_string()), "{text}");
        }
        let now = scene.tree();
        assert_eq!(under(&now, "only.conf"), under(&before, "only.conf"));
        assert_eq!(fs::read(scene.path("data/two")).unwrap(), b"22");
        let kept = format!("data.before-{STAMP}");
        assert_eq!(under(&now, &kept), under(&before, "data"));
        let names = fs::read_dir(&scene.above).unwrap().count();
        assert_eq!(names, 4, "the quarantine is gone");
    }
}
