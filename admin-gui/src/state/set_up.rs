//! A machine that somebody sets up: what they want, and the configuration that it becomes. That
//! anything of it is written is the link's concern.

use std::path::PathBuf;

use backup_model::JobName;
use secrecy::SecretString;

use super::{Secret, StorageAccess};

/// Where things of this machine's own daemon are, or go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// Its configuration.
    pub configuration: PathBuf,
    /// What it must remember.
    pub state: PathBuf,
    /// The keys of its first administrator, until they are taken elsewhere.
    pub keys: PathBuf,
    /// The zone of its schedules and of what is kept, by its IANA name.
    pub zone: String,
    /// Whether there is a configuration.
    pub is_set_up: bool,
}

/// What somebody wants set up.
#[derive(Clone, Debug, PartialEq)]
pub struct SetUp {
    /// Where all snapshots go: a whole path, or the URL of a bucket.
    pub location: String,
    /// How the bucket is reached.
    pub storage: StorageAccess,
    /// The folder for the administrator's keys.
    pub keys: PathBuf,
    /// The first job.
    pub job: JobName,
    /// When it runs, in cron's words.
    pub schedule: String,
    /// The database that it reads.
    pub database: Option<JobDatabase>,
    /// The files and folders that it reads, by whole paths.
    pub paths: Vec<String>,
    /// Whether what Open WebUI can download again is left out of them.
    pub open_webui: bool,
}

/// A database of PostgreSQL.
#[derive(Clone, Debug, PartialEq)]
pub struct JobDatabase {
    /// The name or address of its server, or the folder of its socket.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// Its name.
    pub name: String,
    /// Who reads it.
    pub user: String,
    /// What they show for it; none where the server or `~/.pgpass` makes that needless.
    pub password: Option<Secret>,
}

/// What is known of a repository once it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRepository {
    /// Where it is.
    pub url: String,
    /// What it must be signed by.
    pub trust: String,
    /// Its store does not keep two writers apart.
    pub single_writer: bool,
}

/// What is kept of old snapshots, unless somebody says otherwise later.
const RETENTION: &str =
    "{ keep_last = 3, keep_daily = 14, keep_weekly = 8, keep_monthly = 12, min_keep = 2 }";

impl Home {
    /// Where the daemon is asked.
    pub fn socket(&self) -> PathBuf {
        self.state.join("api.sock")
    }

    fn secret(&self, name: &str) -> PathBuf {
        let folder = self.configuration.with_file_name("secrets");
        folder.join(name)
    }
}

impl SetUp {
    /// The secrets that the configuration names, each with the file that it is to be in.
    pub fn secrets(&self, home: &Home) -> Vec<(PathBuf, Secret)> {
        let password = self.database.as_ref().and_then(|one| one.password.clone());
        let id = self.storage.key_id.as_deref();
        let id = id.map(|id| Secret::new(SecretString::from(id)));
        [
            (self.password_file(home), password),
            (home.secret("store-key-id"), id),
            (home.secret("store-key"), self.storage.secret_key.clone()),
        ]
        .into_iter()
        .filter_map(|(path, secret)| Some((path, secret?)))
        .collect()
    }

    fn password_file(&self, home: &Home) -> PathBuf {
        home.secret(&format!("postgres-{}", self.job))
    }

    /// The configuration. It holds no secret.
    pub fn configuration(&self, home: &Home, repository: &NewRepository) -> String {
        let socket = format!("unix:{}", home.socket().display());
        let state = quoted(&home.state.display().to_string());
        let mut text = format!(
            "version = 1\nstate   = {state}\n\n[server]\nlisten = [{}]\n",
            quoted(&socket)
        );
        self.repository(&mut text, home, repository);
        text.push_str("\n[defaults]\n");
        line(&mut text, "timezone ", &quoted(&home.zone));
        line(&mut text, "retention", RETENTION);
        let job = &self.job;
        let schedule = quoted(&self.schedule);
        text.push_str(&format!("\n[job.{job}]\nschedule = {schedule}\n"));
        if let Some(database) = &self.database {
            self.database(&mut text, home, database);
        }
        if !self.paths.is_empty() {
            self.files(&mut text);
        }
        text
    }

    fn repository(&self, text: &mut String, home: &Home, repository: &NewRepository) {
        text.push_str("\n[repository.main]\n");
        line(text, "url  ", &quoted(&repository.url));
        line(text, "trust", &quoted(&repository.trust));
        for (key, value) in [
            ("endpoint", &self.storage.endpoint),
            ("region", &self.storage.region),
        ] {
            if let Some(value) = value {
                line(text, key, &quoted(value));
            }
        }
        if self.location.starts_with("s3://") {
            let file = |name| {
                let path = home.secret(name);
                format!("{{ file = {} }}", quoted(&path.display().to_string()))
            };
            let (id, secret) = if self.storage.secret_key.is_some() {
                (file("store-key-id"), file("store-key"))
            } else {
                let variable = |name| format!("{{ env = \"{name}\" }}");
                (
                    variable("AWS_ACCESS_KEY_ID"),
                    variable("AWS_SECRET_ACCESS_KEY"),
                )
            };
            let both = format!("{{ access_key_id = {id}, secret_access_key = {secret} }}");
            line(text, "credentials", &both);
        }
        if repository.single_writer {
            line(text, "single_writer", "true");
        }
    }

    fn database(&self, text: &mut String, home: &Home, database: &JobDatabase) {
        let JobDatabase {
            host,
            port,
            name,
            user,
            password,
        } = database;
        let (host, name, user) = (quoted(host), quoted(name), quoted(user));
        text.push_str(&format!("\n[[job.{}.source]]\n", self.job));
        line(text, "kind      ", "\"postgres\"");
        let connection =
            format!("{{ host = {host}, port = {port}, dbname = {name}, user = {user} }}");
        line(text, "connection", &connection);
        if password.is_some() {
            let path = self.password_file(home).display().to_string();
            line(
                text,
                "password  ",
                &format!("{{ file = {} }}", quoted(&path)),
            );
        }
    }

    fn files(&self, text: &mut String) {
        text.push_str(&format!("\n[[job.{}.source]]\n", self.job));
        line(text, "kind  ", "\"files\"");
        line(text, "name  ", "\"files\"");
        let paths: Vec<String> = self.paths.iter().map(|path| quoted(path)).collect();
        line(text, "paths ", &format!("[{}]", paths.join(", ")));
        if self.open_webui {
            line(text, "preset", "\"open-webui\"");
        }
    }
}

fn line(text: &mut String, key: &str, value: &str) {
    text.push_str(&format!("{key} = {value}\n"));
}

/// A string of TOML.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> Home {
        Home {
            configuration: "/home/anna/.config/backupd/config.toml".into(),
            state: "/home/anna/.local/state/backupd".into(),
            keys: "/home/anna/backupd-keys".into(),
            zone: "Europe/Berlin".to_owned(),
            is_set_up: false,
        }
    }

    fn wanted() -> SetUp {
        SetUp {
            location: "/srv/backups".to_owned(),
            storage: StorageAccess::default(),
            keys: home().keys,
            job: "webui".parse().unwrap(),
            schedule: "15 */2 * * *".to_owned(),
            database: None,
            paths: vec!["/srv/web \"ui\"".to_owned()],
            open_webui: true,
        }
    }

    fn made() -> NewRepository {
        NewRepository {
            url: "/srv/backups".to_owned(),
            trust: "RWQf6LRCGA9i53".to_owned(),
            single_writer: false,
        }
    }

    #[test]
    fn what_is_typed_cannot_leave_its_quotes() {
        let text = wanted().configuration(&home(), &made());
        let read: toml::Table = text.parse().unwrap();
        let source = &read["job"]["webui"]["source"][0];
        assert_eq!(source["paths"][0].as_str(), Some("/srv/web \"ui\""));
        assert_eq!(source["preset"].as_str(), Some("open-webui"));
        let listen = &read["server"]["listen"][0];
        let socket = "unix:/home/anna/.local/state/backupd/api.sock";
        assert_eq!(listen.as_str(), Some(socket));
        assert_eq!(read["repository"]["main"].get("single_writer"), None);
    }

    #[test]
    fn secrets_are_in_files_that_the_configuration_names() {
        let secret = |text: &str| Secret::new(SecretString::from(text));
        let wanted = SetUp {
            location: "s3://bucket/main".to_owned(),
            storage: StorageAccess {
                key_id: Some("AKIA7".to_owned()),
                secret_key: Some(secret("geheim")),
                ..StorageAccess::default()
            },
            database: Some(JobDatabase {
                host: "127.0.0.1".to_owned(),
                port: 5432,
                name: "webui".to_owned(),
                user: "backup".to_owned(),
                password: Some(secret("pssst")),
            }),
            paths: Vec::new(),
            ..wanted()
        };
        let text = wanted.configuration(&home(), &made());
        let read: toml::Table = text.parse().unwrap();
        assert!(!text.contains("geheim") && !text.contains("pssst") && !text.contains("AKIA7"));
        let secrets = wanted.secrets(&home());
        let named = |value: &toml::Value| PathBuf::from(value["file"].as_str().unwrap());
        let credentials = &read["repository"]["main"]["credentials"];
        let sources = read["job"]["webui"]["source"].as_array().unwrap();
        let named = [
            named(&sources[0]["password"]),
            named(&credentials["access_key_id"]),
            named(&credentials["secret_access_key"]),
        ];
        assert_eq!(
            secrets.iter().map(|one| &one.0).collect::<Vec<_>>(),
            named.iter().collect::<Vec<_>>()
        );
        assert_eq!(sources.len(), 1, "no files were named");
    }

    #[test]
    fn without_an_access_key_the_environments_is_named() {
        let wanted = SetUp {
            location: "s3://bucket".to_owned(),
            ..wanted()
        };
        let single = NewRepository {
            single_writer: true,
            ..made()
        };
        let text = wanted.configuration(&home(), &single);
        assert!(text.contains("secret_access_key = { env = \"AWS_SECRET_ACCESS_KEY\" }"));
        assert!(text.contains("single_writer = true"));
        assert_eq!(wanted.secrets(&home()), []);
    }
}
