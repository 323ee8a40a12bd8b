//! Checks of a job: the repository that it goes to, and its sources with their names.

use std::path::{Path, PathBuf};

use super::{config::Check, known::Known};
use crate::config::{
    FilesSource, JobConfig, RepositoryName, SourceConfig, SourceKind, SourceName,
    problem::Located,
    raw::{RawJob, RawKind, RawSource},
    table::{Field, suggestion},
};

impl Check {
    pub(super) fn job(&mut self, raw: &RawJob) {
        let repository = self.repository_of(raw);
        let sources = self.sources(raw);
        let config = repository.map(|repository| JobConfig {
            repository,
            sources,
        });
        self.jobs.add(&raw.name, config, &mut self.findings);
    }

    fn repository_of(&mut self, raw: &RawJob) -> Option<RepositoryName> {
        let known = &self.repositories.by_name;
        match &raw.repository {
            Field::Wrong => None,
            Field::Got(name) => {
                let found = known.keys().find(|known| known.as_str() == name.value);
                if found.is_none() && self.complete {
                    let names: Vec<_> = known.keys().map(RepositoryName::as_str).collect();
                    let help = suggestion(&name.value, &names);
                    let message = format!("there is no repository `{}`", name.value);
                    self.findings.at(&name.at, message, help);
                }
                found.cloned()
            }
            Field::Absent if known.len() == 1 => known.keys().next().cloned(),
            Field::Absent if !self.complete => None,
            Field::Absent => {
                let (message, help) = if known.is_empty() {
                    let help = "Define one: `[repository.main]` with `url` and `trust`.";
                    ("there is no repository for it", help)
                } else {
                    let help = "There are several: choose one with `repository = \"…\"`.";
                    ("it does not say which repository", help)
                };
                let message = format!("job `{}`: {message}", raw.name.value);
                self.findings.at(&raw.name.at, message, help);
                None
            }
        }
    }

    fn sources(&mut self, raw: &RawJob) -> Vec<SourceConfig> {
        let sources = match &raw.sources {
            Field::Wrong => return Vec::new(),
            Field::Absent => &[],
            Field::Got(sources) => sources.value.as_slice(),
        };
        if sources.is_empty() {
            let message = format!("job `{}` has no source", raw.name.value);
            let help = format!("Add `[[job.{}.source]]` with a `kind`.", raw.name.value);
            self.findings.at(&raw.name.at, message, help);
        }
        let mut known: Known<SourceName, Option<SourceKind>> = Known::new("source");
        let mut checked = Vec::new();
        for source in sources {
            let kind = self.kind(source);
            let Some(name) = self.source_name(source) else {
                continue;
            };
            known.add(&name, None, &mut self.findings);
            if let (Ok(name), Some(kind)) = (name.value.parse(), kind) {
                checked.push(SourceConfig { name, kind });
            }
        }
        checked
    }

    /// The name that a source has or gets; `None` where it cannot get one.
    fn source_name(&mut self, raw: &RawSource) -> Option<Located<String>> {
        match (&raw.name, &raw.kind) {
            (Field::Got(name), _) => Some(name.clone()),
            (Field::Wrong, _) | (Field::Absent, RawKind::Unknown) => None,
            (Field::Absent, RawKind::Files(_)) => Some(Located {
                value: "files".to_owned(),
                at: raw.at.clone(),
            }),
            (Field::Absent, RawKind::Postgres(raw_postgres)) => {
                let dbname = raw_postgres.connection.as_ref()?.dbname.as_ref()?;
                if dbname.value.parse::<SourceName>().is_ok() {
                    return Some(Located {
                        value: dbname.value.clone(),
                        at: raw.at.clone(),
                    });
                }
                let message = format!("the source needs a name: `{}` cannot be one", dbname.value);
                let help = "Add `name = \"…\"`: 1 to 64 of a-z 0-9 - _, from a letter or digit.";
                self.findings.at(&dbname.at, message, help);
                None
            }
        }
    }

    fn kind(&mut self, raw: &RawSource) -> Option<SourceKind> {
        match &raw.kind {
            RawKind::Unknown => None,
            RawKind::Postgres(raw) => self.postgres(raw).map(SourceKind::Postgres),
            RawKind::Files(paths) => self.files(raw, paths).map(SourceKind::Files),
        }
    }

    fn files(
        &mut self,
        raw: &RawSource,
        paths: &Field<Vec<Located<String>>>,
    ) -> Option<FilesSource> {
        let paths = match paths {
            Field::Wrong => return None,
            Field::Absent => &[],
            Field::Got(paths) => paths.value.as_slice(),
        };
        if paths.is_empty() {
            let help = "Add `paths = [\"/srv/webui\"]`.";
            self.findings.at(&raw.at, "the source has no paths", help);
            return None;
        }
        let mut checked: Vec<PathBuf> = Vec::new();
        for raw in paths {
            let Some(path) = self.absolute("paths", raw) else {
                continue;
            };
            if let Some(other) = checked.iter().find(|other| nested(other, &path)) {
                let message = format!("`{}` and `{}` overlap", path.display(), other.display());
                self.findings
                    .at(&raw.at, message, "Name only the outer one.");
            }
            let at = raw.at.clone();
            let value = path.clone();
            self.trees.push(Located { value, at });
            checked.push(path);
        }
        Some(FilesSource { paths: checked })
    }
}

fn nested(one: &Path, other: &Path) -> bool {
    one.starts_with(other) || other.starts_with(one)
}
