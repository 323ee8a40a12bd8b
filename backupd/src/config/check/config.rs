//! The check as a whole: what concerns the file, and what concerns its parts together.

use std::{
    fmt::Display,
    net::SocketAddr,
    path::{Component, Path, PathBuf},
};

use backup_model::JobName;

use super::{known::Known, retention::Defaults, timing::TimingDefaults, upkeep::VerifyDefaults};
use crate::config::{
    AuditConfig, ChannelConfig, ChannelName, Config, HealthConfig, JobConfig, Places, Problems,
    RepositoryConfig, RepositoryName, ServerConfig, UpkeepConfig,
    problem::{Findings, Located, Spot},
    raw::RawFile,
    table::Field,
};

/// Checks all files together.
pub(in crate::config) fn check(
    files: &[RawFile],
    places: &Places,
    findings: Findings,
) -> Result<Config, Problems> {
    let known = |file: &&RawFile| !matches!(&file.version, Field::Got(v) if v.value != 1);
    let mut check = Check {
        complete: files.iter().filter(known).count() == findings.file_count(),
        findings,
        repositories: Known::new("repository"),
        jobs: Known::new("job"),
        channels: Known::new("channel"),
        defaults: Defaults::default(),
        timing: TimingDefaults::default(),
        verify: VerifyDefaults::default(),
        trees: Vec::new(),
    };
    check.versions(files);
    let state = check.state(files).unwrap_or_else(|| places.default_state());
    for raw in files.iter().flat_map(|file| &file.repositories) {
        check.repository(raw);
    }
    check.defaults(files);
    check.timing_defaults(files);
    let server = check.server(files, || places.default_socket(&state));
    let upkeep = check.upkeep(files);
    let audit = check.audit(files, &state);
    let health = check.health(files);
    check.verify_defaults(files);
    for raw in files.iter().flat_map(|file| &file.jobs) {
        check.job(raw);
    }
    for raw in files.iter().flat_map(|file| &file.channels) {
        check.channel(raw);
    }
    let metrics = check.metrics(files);
    check.overlaps();
    let tables = Tables {
        server,
        upkeep,
        audit,
        health,
        metrics,
    };
    check.finish(state, tables)
}

/// The tables that stand once.
struct Tables {
    server: ServerConfig,
    upkeep: UpkeepConfig,
    audit: AuditConfig,
    health: HealthConfig,
    metrics: Option<SocketAddr>,
}

pub(super) struct Check {
    pub(super) findings: Findings,
    /// Whether every file could be read: else what is missing may be in another one.
    pub(super) complete: bool,
    pub(super) repositories: Known<RepositoryName, Option<RepositoryConfig>>,
    pub(super) jobs: Known<JobName, Option<JobConfig>>,
    pub(super) channels: Known<ChannelName, Option<ChannelConfig>>,
    pub(super) defaults: Defaults,
    pub(super) timing: TimingDefaults,
    pub(super) verify: VerifyDefaults,
    /// What is backed up, and where that is said.
    pub(super) trees: Vec<Located<PathBuf>>,
}

impl Check {
    fn versions(&mut self, files: &[RawFile]) {
        for file in files {
            let main = file.start.file == 0;
            match &file.version {
                Field::Absent if main => {
                    let help = "Begin the file with `version = 1`.";
                    self.findings
                        .at(&file.start, "the file has no `version`", help);
                }
                Field::Got(version) if version.value != 1 => {
                    let message = format!("version {} is not known here", version.value);
                    let help = "This program reads `version = 1`. A newer one may be needed.";
                    self.findings.at(&version.at, message, help);
                }
                Field::Got(_) | Field::Absent | Field::Wrong => {}
            }
        }
    }

    fn state(&mut self, files: &[RawFile]) -> Option<PathBuf> {
        let mut given = files.iter().filter_map(|file| file.state.as_ref());
        let first = given.next()?;
        for other in given {
            let help = format!("It is set at {}, too.", self.findings.name_of(&first.at));
            self.findings.at(&other.at, "`state` is set twice", help);
        }
        let path = self.findings.folder(first.at.file).join(&first.value);
        if first.value.is_empty() {
            self.findings.at(
                &first.at,
                "`state` is empty",
                "Name a folder, or leave the key out.",
            );
            return None;
        }
        self.sound_path(&path, &first.at).then_some(path)
    }

    /// An absolute path without `..`.
    pub(super) fn absolute(&mut self, key: impl Display, raw: &Located<String>) -> Option<PathBuf> {
        let path = Path::new(&raw.value);
        if !path.is_absolute() {
            let message = format!("`{key}`: `{}` is not an absolute path", raw.value);
            self.findings
                .at(&raw.at, message, "Begin the path with `/`.");
            return None;
        }
        self.sound_path(path, &raw.at)
            .then(|| path.components().collect())
    }

    pub(super) fn sound_path(&mut self, path: &Path, at: &Spot) -> bool {
        let sound = path.components().all(|part| part != Component::ParentDir);
        if !sound {
            let message = format!("`{}` contains `..`", path.display());
            self.findings
                .at(at, message, "Write the path without `..`.");
        }
        sound
    }

    /// A repository must not back itself up, nor be what is backed up.
    fn overlaps(&mut self) {
        let repositories = self.repositories.by_name.iter();
        for (name, (_, config)) in repositories {
            let Some(folder) = config.as_ref().and_then(|config| config.url.folder()) else {
                continue;
            };
            let folder = real_path(folder);
            for tree in &self.trees {
                let path = real_path(&tree.value);
                let shown = tree.value.display();
                if folder.starts_with(&path) {
                    let message = format!("repository `{name}` is inside `{shown}`");
                    let help = "Move the repository, or name only folders beside it: \
                                each backup would hold all earlier ones.";
                    self.findings.at(&tree.at, message, help);
                } else if path.starts_with(&folder) {
                    let message = format!("`{shown}` is inside repository `{name}`");
                    self.findings
                        .at(&tree.at, message, "Back up something else, or move it out.");
                }
            }
        }
    }

    fn finish(self, state: PathBuf, tables: Tables) -> Result<Config, Problems> {
        let Tables {
            server,
            upkeep,
            audit,
            health,
            metrics,
        } = tables;
        if !self.findings.is_clean() {
            return Err(self.findings.into_problems());
        }
        let repositories = self.repositories.by_name.into_iter();
        let jobs = self.jobs.by_name.into_iter();
        let channels = self.channels.by_name.into_iter();
        let (files, warnings) = self.findings.into_warnings();
        Ok(Config {
            state,
            server,
            upkeep,
            audit,
            health,
            metrics,
            channels: channels
                .filter_map(|(name, (_, config))| Some((name, config?)))
                .collect(),
            warnings,
            repositories: repositories
                .filter_map(|(name, (_, config))| Some((name, config?)))
                .collect(),
            jobs: jobs
                .filter_map(|(name, (_, config))| Some((name, config?)))
                .collect(),
            files,
        })
    }
}

/// Where a path leads: links followed as far as it exists.
fn real_path(path: &Path) -> PathBuf {
    path.ancestors()
        .find_map(|ancestor| {
            let rest = path.strip_prefix(ancestor).ok()?;
            Some(ancestor.canonicalize().ok()?.join(rest))
        })
        .unwrap_or_else(|| path.to_owned())
}
