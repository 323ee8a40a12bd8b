//! The sample: a chat application's database and a folder of configuration, and a day's changes.

use std::{
    fs::{self, File},
    io::{Seek as _, SeekFrom, Write as _},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use backup_core::postgres::Connection;
use backup_keys::write_private;
use backup_model::{Code, Failure};

use super::{
    server::Server,
    workplace::{Input, Workplace, job, local},
};

const DATABASE: &str = "chat";
const CHAT_SQL: &str = include_str!("../../../assets/sample/chat.sql");
const CHANGE_SQL: &str = include_str!("../../../assets/sample/change.sql");

/// The configuration folder, file by file.
const CONFIG: [(&str, &str); 5] = [
    (".env", include_str!("../../../assets/sample/config/.env")),
    (
        "README.md",
        include_str!("../../../assets/sample/config/README.md"),
    ),
    (
        "docker-compose.yml",
        include_str!("../../../assets/sample/config/docker-compose.yml"),
    ),
    (
        "mcpo/config.json",
        include_str!("../../../assets/sample/config/mcpo/config.json"),
    ),
    (
        "nginx/open-webui.conf",
        include_str!("../../../assets/sample/config/nginx/open-webui.conf"),
    ),
];

/// The sample's database and folder.
#[derive(Debug)]
pub(super) struct Sample {
    database: Connection,
    folder: PathBuf,
}

impl Sample {
    /// Makes and fills both.
    pub(super) async fn make(server: &Server, workplace: &Workplace) -> Result<Self, Failure> {
        run(&server.connection("postgres"), "create database chat").await?;
        let database = server.connection(DATABASE);
        run(&database, CHAT_SQL).await?;
        let folder = workplace.dir().join("sample");
        make_folder(&folder)
            .map_err(|error| local(&format!("fill {}", folder.display()), &error))?;
        Ok(Self { database, folder })
    }

    /// As a job reads it.
    pub(super) fn input(&self, workplace: &Workplace) -> Result<Input, Failure> {
        let password_file = workplace.dir().join("keys/sample-password");
        if let Some(password) = &self.database.password {
            write_private(&password_file, password)
                .map_err(|error| Failure::from_error(Code::LocalIo, &error))?;
        }
        Ok(Input {
            job: job("chat")?,
            database: Some(self.database.clone()),
            password_file: Some(password_file),
            paths: vec![self.folder.clone()],
        })
    }

    /// A day's work on both.
    pub(super) async fn change(&self) -> Result<(), Failure> {
        run(&self.database, CHANGE_SQL).await?;
        let env = self.folder.join(".env");
        let change = || {
            File::options()
                .append(true)
                .open(&env)?
                .write_all(b"WEBUI_BANNER=maintenance on Sunday\n")?;
            fs::write(
                self.folder.join("added-today.json"),
                "{\"model\":\"small\"}\n",
            )?;
            fs::remove_file(self.folder.join("odd/remove me"))
        };
        change().map_err(|error| local(&format!("change {}", self.folder.display()), &error))
    }
}

async fn run(database: &Connection, sql: &str) -> Result<(), Failure> {
    let session = database
        .connect()
        .await
        .map_err(|error| Failure::from_error(error.code(), &error))?;
    session
        .client()
        .batch_execute(sql)
        .await
        .map_err(|error| Failure::from_error(Code::PgQuery, &error))
}

/// The configuration, and what file systems hold beside plain files.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    for (name, text) in CONFIG {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)?;
    }
    fs::set_permissions(folder.join(".env"), fs::Permissions::from_mode(0o600))?;
    let odd = folder.join("odd");
    fs::create_dir_all(odd.join("empty folder"))?;
    symlink("../docker-compose.yml", odd.join("link"))?;
    symlink("nowhere", odd.join("dangling link"))?;
    fs::hard_link(folder.join("README.md"), odd.join("second name"))?;
    fs::write(odd.join("remove me"), "gone tomorrow\n")?;
    fs::write(odd.join("a".repeat(200)), "a long name\n")?;
    fs::write(odd.join("ünïcode \n and a line feed"), "an odd name\n")?;
    let mut sparse = File::create(odd.join("sparse"))?;
    sparse.seek(SeekFrom::Start(64 << 20))?;
    sparse.write_all(b"the end of a hole")?;
    sparse.set_len(128 << 20)
}
