//! Checks of a job: the repository that it goes to, and its sources with their names.

use super::{config::Check, known::Known, timing::JobTiming};
use crate::config::{
    JobConfig, RepositoryName, SourceConfig, SourceKind, SourceName,
    problem::{Located, Spot},
    raw::{RawJob, RawKind, RawSource},
    table::{Field, suggestion},
};

impl Check {
    pub(super) fn job(&mut self, raw: &RawJob) {
        let repository = self.repository_of(raw);
        let retention = self.retention(&raw.retention);
        let JobTiming { timing, rpo } = self.timing(&raw.timing);
        let limit = raw.limit.as_ref();
        let limit = limit.and_then(|limit| self.duration("limit", &limit.as_ref()));
        let hooks = self.hooks(raw.hooks.as_ref());
        let verify = self.verify(&raw.verify);
        let sources = self.sources(raw);
        let config = repository.map(|repository| JobConfig {
            repository,
            timing,
            rpo,
            limit,
            retention,
            hooks,
            verify,
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
                self.named_after(raw, &dbname.value, &dbname.at)
            }
            (Field::Absent, RawKind::Command(raw_command)) => {
                let Field::Got(command) = &raw_command.command else {
                    return None;
                };
                // `/usr/bin/mysqldump` is named `mysqldump`.
                let program = command.value.first().filter(|it| !it.value.is_empty())?;
                let name = program.value.rsplit('/').next().unwrap_or_default();
                self.named_after(raw, name, &program.at)
            }
        }
    }

    /// A source without a name gets that of what it reads, if that can be one.
    fn named_after(&mut self, raw: &RawSource, name: &str, at: &Spot) -> Option<Located<String>> {
        if name.parse::<SourceName>().is_ok() {
            return Some(Located {
                value: name.to_owned(),
                at: raw.at.clone(),
            });
        }
        let message = format!("the source needs a name: `{name}` cannot be one");
        let help = "Add `name = \"…\"`: 1 to 64 of a-z 0-9 - _, from a letter or digit.";
        self.findings.at(at, message, help);
        None
    }

    fn kind(&mut self, raw: &RawSource) -> Option<SourceKind> {
        match &raw.kind {
            RawKind::Unknown => None,
            RawKind::Postgres(raw) => self.postgres(raw).map(SourceKind::Postgres),
            RawKind::Files(files) => self.files(raw, files).map(SourceKind::Files),
            RawKind::Command(command) => self.command(raw, command).map(SourceKind::Command),
        }
    }
}
