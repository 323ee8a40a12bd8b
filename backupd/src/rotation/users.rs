//! Who uses a database password: the sources that read it from one file, and those that sign in as
//! the same role without reading it there. Told by the configuration alone; no server is asked.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
};

use backup_model::JobName;

use super::RotationError;
use crate::config::{JobConfig, PostgresSource, SecretRef, SourceKind, SourceName};

/// A database source with its job.
#[derive(Clone, Copy, Debug)]
pub(super) struct User<'a> {
    job: &'a JobName,
    name: &'a SourceName,
    pub(super) source: &'a PostgresSource,
}

impl fmt::Display for User<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.job, self.name)
    }
}

/// A password in a file, and who uses it.
#[derive(Debug)]
pub struct PasswordUse<'a> {
    /// The file.
    pub file: &'a Path,
    /// Who reads it: the source that was asked for, and others.
    pub(super) readers: Vec<User<'a>>,
    /// Who signs in as the same role, at another address, by another password.
    pub(super) perhaps: Vec<User<'a>>,
}

impl<'a> PasswordUse<'a> {
    /// The password of a job's database, or of the one of its databases that is called `name`.
    pub fn of(
        jobs: &'a BTreeMap<JobName, JobConfig>,
        job: &'a JobName,
        name: Option<&str>,
    ) -> Result<Self, RotationError> {
        let all = users(jobs);
        let first = chosen(&all, job, name)?;
        let what = || format!("the password of {first}");
        let file = match &first.source.password {
            Some(SecretRef::File(file)) => file,
            None => return Err(RotationError::None { what: what() }),
            Some(other) => {
                return Err(RotationError::NotAFile {
                    what: what(),
                    origin: other.origin(),
                });
            }
        };
        let me = &first.source.connection;
        let (mut readers, mut perhaps) = (vec![first], Vec::new());
        for user in all {
            let other = &user.source.connection;
            let Some(reference) = &user.source.password else {
                continue;
            };
            if (user.job, user.name) == (first.job, first.name) {
                continue;
            }
            if is_file(reference, file) {
                if other.user != me.user {
                    return Err(RotationError::OneFile {
                        path: file.clone(),
                        what: "the password",
                        for_whom: format!("the role `{}` of {user}", other.user),
                    });
                }
                readers.push(user);
            } else if other.user == me.user {
                if (&other.host, other.port) == (&me.host, me.port) {
                    return Err(elsewhere(user, reference));
                }
                perhaps.push(user);
            }
        }
        Ok(Self {
            file,
            readers,
            perhaps,
        })
    }

    /// The role whose password it is.
    pub fn role(&self) -> &'a str {
        self.readers
            .first()
            .map_or("", |first| first.source.connection.user.as_str())
    }

    /// Who reads the file, as `job/source`.
    pub fn readers(&self) -> Vec<String> {
        self.readers.iter().map(ToString::to_string).collect()
    }
}

/// Somebody whose password would be wrong afterwards.
pub(super) fn elsewhere(user: User<'_>, reference: &SecretRef) -> RotationError {
    RotationError::Elsewhere {
        other: user.to_string(),
        role: user.source.connection.user.clone(),
        origin: reference.origin(),
    }
}

/// Whether a reference is to this file, however the two are written.
pub(super) fn is_file(reference: &SecretRef, file: &Path) -> bool {
    // One that is not there is compared as it is written.
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path));
    matches!(reference, SecretRef::File(path) if path == file || real(path) == real(file))
}

/// All databases of all jobs.
pub(super) fn users(jobs: &BTreeMap<JobName, JobConfig>) -> Vec<User<'_>> {
    let mut users = Vec::new();
    for (job, config) in jobs {
        for source in &config.sources {
            if let SourceKind::Postgres(postgres) = &source.kind {
                users.push(User {
                    job,
                    name: &source.name,
                    source: postgres,
                });
            }
        }
    }
    users
}

fn chosen<'a>(
    all: &[User<'a>],
    job: &JobName,
    name: Option<&str>,
) -> Result<User<'a>, RotationError> {
    let of_job: Vec<User<'a>> = all.iter().filter(|user| user.job == job).copied().collect();
    let Some((first, others)) = of_job.split_first() else {
        return Err(RotationError::NoDatabase(job.clone()));
    };
    if let Some(name) = name {
        let found = of_job.iter().find(|user| user.name.as_str() == name);
        return found.copied().ok_or_else(|| RotationError::NoSource {
            job: job.clone(),
            source_name: name.to_owned(),
        });
    }
    let same = |user: &User<'_>| user.source.password == first.source.password;
    if others.iter().all(same) {
        return Ok(*first);
    }
    Err(RotationError::Several {
        job: job.clone(),
        names: of_job.iter().map(|user| user.name.to_string()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use backup_model::Code;

    use super::*;
    use crate::{
        config::{Connection, SourceConfig, VerifyConfig},
        hooks::Hooks,
    };

    fn source(
        name: &str,
        host: &str,
        user: &str,
        password: impl Into<Option<SecretRef>>,
    ) -> SourceConfig {
        SourceConfig {
            name: name.parse().unwrap(),
            kind: SourceKind::Postgres(PostgresSource {
                connection: Connection {
                    host: host.to_owned(),
                    port: 5432,
                    user: user.to_owned(),
                    dbname: name.to_owned(),
                },
                password: password.into(),
                bin_dir: None,
                globals: false,
                stall_timeout: Duration::from_secs(1),
            }),
        }
    }

    fn jobs<const N: usize>(sources: [SourceConfig; N]) -> BTreeMap<JobName, JobConfig> {
        let job = |(number, source)| {
            let config = JobConfig {
                repository: "main".parse().unwrap(),
                timing: None,
                rpo: None,
                limit: None,
                retention: None,
                hooks: Hooks::default(),
                verify: VerifyConfig::default(),
                sources: vec![source],
            };
            (format!("job{number}").parse().unwrap(), config)
        };
        sources.into_iter().enumerate().map(job).collect()
    }

    fn file(path: &str) -> SecretRef {
        SecretRef::File(path.into())
    }

    fn refusal(jobs: &BTreeMap<JobName, JobConfig>) -> String {
        let job = "job0".parse().unwrap();
        let error = PasswordUse::of(jobs, &job, None).unwrap_err();
        assert_eq!(error.code(), Code::RotationRefused);
        error.to_string()
    }

    #[test]
    fn who_reads_the_file_is_found_in_all_jobs() {
        let jobs = jobs([
            source("a", "db", "app", file("/s/a")),
            source("b", "other", "app", file("/s/a")),
            source("c", "other", "app", file("/s/c")),
            source("d", "db", "root", file("/s/d")),
            source("e", "db", "app", None),
        ]);
        let job = "job0".parse().unwrap();
        let found = PasswordUse::of(&jobs, &job, None).unwrap();
        assert_eq!(found.readers(), ["job0/a", "job1/b"]);
        assert_eq!(found.role(), "app");
        let perhaps: Vec<_> = found.perhaps.iter().map(ToString::to_string).collect();
        assert_eq!(perhaps, ["job2/c"]);
    }

    #[test]
    fn what_would_break_somebody_is_refused_by_name() {
        let command = SecretRef::Command(vec!["pass".to_owned()]);
        let text = refusal(&jobs([
            source("a", "db", "app", file("/s/a")),
            source("b", "db", "app", command),
        ]));
        assert!(text.contains("job1/b") && text.contains("`pass`"), "{text}");
        let text = refusal(&jobs([
            source("a", "db", "app", file("/s/a")),
            source("b", "db", "other", file("/s/a")),
        ]));
        assert!(text.contains("role `other` of job1/b"), "{text}");
    }

    #[test]
    fn only_a_file_is_replaced() {
        for reference in [
            SecretRef::Env("PW".to_owned()),
            SecretRef::Credential("pw".to_owned()),
            SecretRef::Command(vec!["pass".to_owned()]),
        ] {
            let origin = reference.origin();
            let text = refusal(&jobs([source("a", "db", "app", reference)]));
            assert!(text.contains(&origin), "{text}");
        }
        let text = refusal(&jobs([source("a", "db", "app", None)]));
        assert!(text.contains("not in the configuration"), "{text}");
    }

    #[test]
    fn one_of_several_databases_is_named() {
        let mut jobs = jobs([source("a", "db", "app", file("/s/a"))]);
        let job: JobName = "job0".parse().unwrap();
        let sources = &mut jobs.get_mut(&job).unwrap().sources;
        sources.push(source("b", "db", "reader", file("/s/b")));
        let error = PasswordUse::of(&jobs, &job, None).unwrap_err();
        assert_eq!(error.code(), Code::Usage);
        assert!(error.to_string().ends_with("a, b"), "{error}");
        let found = PasswordUse::of(&jobs, &job, Some("b")).unwrap();
        assert_eq!(found.file, Path::new("/s/b"));
        assert!(PasswordUse::of(&jobs, &job, Some("c")).is_err());
        assert!(PasswordUse::of(&jobs, &"none".parse().unwrap(), None).is_err());
    }
}
