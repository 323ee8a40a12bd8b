//! The configuration in force, and how another takes its place: as a whole, or not at all.
//!
//! It is read again when its files change or somebody says so. One that is wrong changes nothing
//! but what is said of it: what was in force stays in force.

use std::{path::PathBuf, sync::Arc};

use backup_model::{Code, Failure};
use tokio::sync::watch;

use crate::{
    config::{self, Config, Places, SecretSources},
    service::Access,
};

/// A configuration, and what it lets the daemon touch.
#[derive(Debug)]
pub struct InForce {
    /// The configuration.
    pub config: Config,
    /// Its repositories and jobs.
    pub access: Access,
}

/// What is in force now, and what is wrong with what should be.
#[derive(Clone, Debug)]
pub struct Current {
    /// What is in force.
    pub in_force: Arc<InForce>,
    /// Why the files, as they are now, are not.
    pub fault: Option<Failure>,
}

/// What came of reading the files again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// They say what they said before.
    Same,
    /// Something else is in force.
    Changed,
    /// They are wrong, and nothing has changed.
    Refused(Failure),
}

/// The configuration of a running daemon.
#[derive(Debug)]
pub struct Settings {
    /// Where its files are; none of one that was not read from files.
    places: Option<Places>,
    secrets: SecretSources,
    program_folders: Vec<PathBuf>,
    current: watch::Sender<Current>,
}

impl Settings {
    /// Reads the configuration for the first time: here a wrong one is an error.
    pub fn load(
        places: Places,
        secrets: SecretSources,
        program_folders: Vec<PathBuf>,
    ) -> Result<Self, config::LoadError> {
        let config = config::load(&places)?;
        let fixed = Self::fixed(config, secrets, program_folders);
        Ok(Self {
            places: Some(places),
            ..fixed
        })
    }

    /// A configuration that is in no file, and stays what it is.
    pub fn fixed(config: Config, secrets: SecretSources, program_folders: Vec<PathBuf>) -> Self {
        let access = Access::of_config(config.clone(), secrets.clone(), program_folders.clone());
        let current = Current {
            in_force: Arc::new(InForce { config, access }),
            fault: None,
        };
        Self {
            places: None,
            secrets,
            program_folders,
            current: watch::Sender::new(current),
        }
    }

    /// What is in force.
    pub fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.current.borrow().in_force)
    }

    /// What is in force, and each change of it.
    pub fn follow(&self) -> watch::Receiver<Current> {
        self.current.subscribe()
    }

    /// Reads the files again. Blocks for as long as that takes.
    pub fn reload(&self) -> Reloaded {
        let before = self.in_force();
        let Some(places) = &self.places else {
            return Reloaded::Same;
        };
        let config = match config::load(places) {
            Ok(config) => config,
            Err(error) => return self.refuse(error.into()),
        };
        // The state folder holds the lock and the ledger of this process.
        if config.state != before.config.state {
            let text = format!(
                "`state` says {}, and this daemon works in {}",
                config.state.display(),
                before.config.state.display()
            );
            return self.refuse(Failure::new(Code::Config, text));
        }
        let (in_force, outcome) = if config == before.config {
            (before, Reloaded::Same)
        } else {
            let (secrets, folders) = (self.secrets.clone(), self.program_folders.clone());
            let mut access = Access::of_config(config.clone(), secrets, folders);
            // One daemon writes one log.
            access.audit.clone_from(&before.access.audit);
            (Arc::new(InForce { config, access }), Reloaded::Changed)
        };
        self.current.send_replace(Current {
            in_force,
            fault: None,
        });
        outcome
    }

    fn refuse(&self, fault: Failure) -> Reloaded {
        let told = Some(fault.clone());
        self.current.send_modify(|current| current.fault = told);
        Reloaded::Refused(fault)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    fn write(folder: &Path, name: &str, job: &str) {
        let text = format!(
            "version = 1\nstate = \"{0}/state\"\n[repository.main]\nurl = \"file://{0}/repo\"\n\
             trust = \"RWQBAgMEBQYHCAECAwQFBgcIAQIDBAUGBwgBAgMEBQYHCAECAwQFBgcI\"\n[job.{job}]\n\
             repository = \"main\"\n[[job.{job}.source]]\nkind = \"files\"\npaths = [\"/srv\"]\n",
            folder.display()
        );
        fs::write(folder.join(name), text).unwrap();
    }

    fn settings(folder: &Path) -> Settings {
        let places = Places {
            flag: Some(folder.join("config.toml")),
            ..Places::default()
        };
        let secrets = SecretSources {
            env: |_| None,
            credentials: None,
        };
        Settings::load(places, secrets, Vec::new()).unwrap()
    }

    fn jobs(settings: &Settings) -> Vec<String> {
        let in_force = settings.in_force();
        in_force
            .config
            .jobs
            .keys()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_bad_file_keeps_what_was_in_force_and_a_good_one_replaces_it_whole() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "config.toml", "one");
        let settings = settings(folder.path());
        assert_eq!(settings.reload(), Reloaded::Same);
        for bad in ["", "version = 1\n[job.two]\n", "version = 7\n", "[[["] {
            fs::write(folder.path().join("config.toml"), bad).unwrap();
            let Reloaded::Refused(fault) = settings.reload() else {
                panic!("{bad:?} was taken");
            };
            assert_eq!(settings.follow().borrow().fault, Some(fault), "{bad:?}");
            assert_eq!(jobs(&settings), ["one"]);
        }
        fs::remove_file(folder.path().join("config.toml")).unwrap();
        assert!(matches!(settings.reload(), Reloaded::Refused(_)));
        write(folder.path(), "config.toml", "two");
        assert_eq!(settings.reload(), Reloaded::Changed);
        assert_eq!(jobs(&settings), ["two"]);
        assert_eq!(settings.follow().borrow().fault, None);
    }

    /// One of each kind that the loader refuses: none of them gets into a running daemon.
    #[test]
    fn no_kind_of_mistake_takes_the_place_of_what_is_in_force() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "config.toml", "one");
        let settings = settings(folder.path());
        let file = folder.path().join("config.toml");
        let good = fs::read_to_string(&file).unwrap();
        let with = |old: &str, new: &str| {
            let bad = good.replacen(old, new, 1);
            assert_ne!(bad, good, "{old}");
            bad.into_bytes()
        };
        let job = |line: &str| with("[job.one]\n", &format!("[job.one]\n{line}\n"));
        let top = |line: &str| with("version = 1\n", &format!("version = 1\n{line}\n"));
        let bads = [
            top("surprise = 1"),
            top("[server]\nlisten = [\"http://0.0.0.0:80\"]"),
            top("[server]\nparallel = 0"),
            top("[upkeep]\nprune = \"now and then\""),
            top("[defaults]\ntimezone = \"Europe/Nowhere\""),
            job("limit = \"12\""),
            job("schedule = \"@daily\""),
            job("schedule = \"0 0 31 2 *\""),
            job("retention = { keep_last = 0 }"),
            job("hooks = { before = [{ run = [] }] }"),
            with("repository = \"main\"", "repository = \"other\""),
            with("paths = [\"/srv\"]", "paths = 7"),
            with("kind = \"files\"", "kind = \"filse\""),
            [good.as_bytes(), b"\xff"].concat(),
            [&b"\xef\xbb\xbf\xef\xbb\xbf"[..], good.as_bytes()].concat(),
            [good.as_bytes(), &b"# more\n".repeat(200_000)].concat(),
            [good.as_bytes(), b"[job.one]\n"].concat(),
        ];
        for bad in bads {
            fs::write(&file, &bad).unwrap();
            let shown = String::from_utf8_lossy(&bad);
            let shown: String = shown.chars().take(200).collect();
            let Reloaded::Refused(fault) = settings.reload() else {
                panic!("it was taken: {shown}");
            };
            assert_eq!(fault.code, Code::Config, "{shown}");
            assert_eq!(jobs(&settings), ["one"]);
        }
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        assert!(matches!(settings.reload(), Reloaded::Refused(_)));
        fs::remove_dir(&file).unwrap();
        fs::write(&file, &good).unwrap();
        assert_eq!(settings.reload(), Reloaded::Same);
        assert_eq!(settings.follow().borrow().fault, None);
    }

    #[test]
    fn a_running_daemon_does_not_move_its_state() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "config.toml", "one");
        let settings = settings(folder.path());
        let text = fs::read_to_string(folder.path().join("config.toml")).unwrap();
        let moved = text.replace("/state\"", "/elsewhere\"");
        fs::write(folder.path().join("config.toml"), moved).unwrap();
        let Reloaded::Refused(fault) = settings.reload() else {
            panic!("it moved");
        };
        assert!(fault.message.contains("/elsewhere"), "{}", fault.message);
    }
}
