//! Which repository is meant, where a command takes its name.

use backup_model::{Class, Code, Failure};
use backupd_api::Service;
use serde::Serialize;

use crate::{context::Context, exit::Exit, show};

/// The name of a repository, for commands that look.
#[derive(clap::Args, Debug)]
pub(super) struct PlacesArg {
    /// A repository of the configuration; all of them by default.
    #[arg(id = "place", value_name = "REPOSITORY")]
    name: Option<String>,
}

impl PlacesArg {
    /// Asks for each repository that is meant. Where there are several, what one of them does not
    /// answer is told as a warning and keeps no other from it.
    pub(super) async fn ask<T>(
        &self,
        service: &dyn Service,
        context: &Context,
        question: impl AsyncFn(&str) -> Result<T, Failure>,
    ) -> Result<(Places<T>, Exit), Failure> {
        let names = match &self.name {
            None => service.repositories().await?,
            Some(name) => vec![choose(service.repositories().await?, Some(name))?],
        };
        let alone = names.len() == 1;
        let (mut repositories, mut exit) = (Vec::new(), Exit::DONE);
        for name in names {
            match question(&name).await {
                Ok(of) => repositories.push(Named { name, of }),
                Err(failure) if alone || failure.code.class() == Class::Cancelled => {
                    return Err(failure);
                }
                Err(failure) => {
                    context.output.warning(&failure);
                    exit = exit.worse(Exit::of(failure.code));
                }
            }
        }
        context.output.clear();
        Ok((Places { repositories }, exit))
    }
}

/// The name of a repository, for commands that change something.
#[derive(clap::Args, Debug)]
pub(super) struct PlaceArg {
    /// A repository of the configuration; may be left out where there is only one.
    #[arg(id = "place", value_name = "REPOSITORY")]
    name: Option<String>,
}

impl PlaceArg {
    /// The repository that is meant.
    pub(super) async fn choose(&self, service: &dyn Service) -> Result<String, Failure> {
        self.among(service.repositories().await?)
    }

    /// The one of these that is meant.
    pub(super) fn among(&self, known: Vec<String>) -> Result<String, Failure> {
        choose(known, self.name.as_deref())
    }

    /// Whether one was named.
    pub(super) const fn is_named(&self) -> bool {
        self.name.is_some()
    }
}

/// The one of the known names that is meant.
pub(super) fn choose(mut known: Vec<String>, name: Option<&str>) -> Result<String, Failure> {
    match name {
        Some(name) if known.iter().any(|known| known == name) => Ok(name.to_owned()),
        Some(name) => Err(Failure::new(
            Code::RepositoryMissing,
            format!(
                "no repository is called `{name}`; there are: {}",
                known.join(", ")
            ),
        )),
        None if known.len() == 1 => Ok(known.remove(0)),
        None => Err(Failure::new(
            Code::Usage,
            format!(
                "there are {}, name one: {}",
                show::count(known.len(), "repository", "repositories"),
                known.join(", ")
            ),
        )),
    }
}

/// What is said of a repository, under its name.
#[derive(Debug, Serialize)]
pub(super) struct Named<T> {
    /// Its name in the configuration.
    pub(super) name: String,
    /// What is said.
    #[serde(flatten)]
    pub(super) of: T,
}

/// One document about several repositories.
#[derive(Debug, Serialize)]
pub(super) struct Places<T> {
    /// Each of them.
    pub(super) repositories: Vec<Named<T>>,
}

impl<T> Places<T> {
    /// A text of theirs each, with an empty line in between.
    pub(super) fn text(&self, text: impl Fn(&Named<T>) -> String) -> String {
        let texts: Vec<String> = self.repositories.iter().map(text).collect();
        texts.join("\n\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_repository_needs_no_name_and_several_do() {
        let known = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(choose(known(&["main"]), None), Ok("main".to_owned()));
        assert_eq!(choose(known(&["a", "b"]), Some("b")), Ok("b".to_owned()));
        let refused = choose(known(&["a", "b"]), None).unwrap_err();
        assert_eq!(refused.code, Code::Usage);
        assert_eq!(refused.message, "there are 2 repositories, name one: a, b");
        let refused = choose(known(&["a", "b"]), Some("c")).unwrap_err();
        assert_eq!(refused.code, Code::RepositoryMissing);
    }
}
