//! `backupctl quickstart`.

use std::path::PathBuf;

use backup_model::{BackupReport, Code, Failure};
use backupd::environment;
use backupd::quickstart::{self, Compared, Report, Request};

use crate::{context::Context, exit::Exit, show};

/// Go the whole way once: make a repository, back up twice, verify, restore, compare.
///
/// Without arguments the input is a sample: a chat application's database on a private throw-away
/// server, and a folder of configuration. With --database or --path it is your own, of which
/// nothing is changed. Everything that stays is in one new folder; the throw-away server has its
/// data in the temporary folder ($TMPDIR) while it runs.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The new folder.
    #[arg(long, value_name = "DIR", default_value = "backupd-quickstart")]
    dir: PathBuf,

    /// Your database, as postgres://user@host:port/name. A password does not belong here.
    #[arg(long, value_name = "URL")]
    database: Option<String>,

    /// The file with the database's password; others must not be able to read it.
    #[arg(long, value_name = "FILE", requires = "database")]
    password_file: Option<PathBuf>,

    /// Your folder or file; may be given several times.
    #[arg(long = "path", value_name = "FOLDER")]
    paths: Vec<PathBuf>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let absolute = |path: PathBuf| {
        std::path::absolute(&path).map_err(|error| Failure::from_error(Code::Usage, &error))
    };
    let request = Request {
        dir: absolute(args.dir)?,
        database: args.database,
        password_file: args.password_file.map(absolute).transpose()?,
        paths: args.paths,
        temp: std::env::temp_dir(),
        program_folders: environment::program_folders(),
        secrets: environment::secret_sources(),
    };
    let say = |step: &str| context.output.note(&format!("· {step}"));
    let report = quickstart::quickstart(request, &say, &context.task()).await?;
    context.output.clear();
    let warnings = [&report.first.warnings, &report.second.warnings];
    for warning in warnings
        .into_iter()
        .flatten()
        .chain(&report.restored.warnings)
    {
        context.output.warning(warning);
    }
    context.output.document("quickstart", &report, summary);
    let warned = [&report.first, &report.second]
        .iter()
        .any(|backup| !backup.complete || !backup.warnings.is_empty())
        || !report.restored.warnings.is_empty();
    Ok(match (report.is_equal(), report.sample) {
        (true, _) if !warned => Exit::DONE,
        // The user's own may have changed between backup and comparison.
        (true, _) | (false, false) => Exit::WARNINGS,
        (false, true) => Exit::of(Code::Damaged),
    })
}

fn summary(report: &Report) -> String {
    let mut text = String::from("\n");
    text.push_str(&backup_line("first backup", &report.first));
    text.push_str(&backup_line("second backup", &report.second));
    text.push_str(&added(report));
    text.push_str(&format!(
        "  {:15}{}, every byte read, {}\n",
        "verified",
        show::count(report.verified, "snapshot", "snapshots"),
        show::duration(report.verify_secs)
    ));
    text.push_str(&format!(
        "  {:15}{} in {}\n",
        "restored",
        report.restored.snapshot,
        show::duration(report.restored.took_secs)
    ));
    text.push_str(&compared("database", report.database.as_ref()));
    text.push_str(&compared("folders", report.folders.as_ref()));
    text.push_str(&where_and_next(report));
    text
}

fn backup_line(title: &str, backup: &BackupReport) -> String {
    format!(
        "  {title:15}{}   read {:>10}   stored {:>10}   {}\n",
        backup.snapshot,
        show::bytes(backup.read_bytes),
        show::bytes(backup.added_bytes),
        show::duration(backup.took_secs),
    )
}

/// What the second backup cost, which is the point of it.
fn added(report: &Report) -> String {
    let percent = report.second.added_bytes as f64 * 100.0 / report.first.added_bytes.max(1) as f64;
    let after = if report.sample {
        "after a day's changes"
    } else {
        "right after the first"
    };
    format!(
        "  {:15}{percent:.1} % of what the first one stored, {after}\n",
        "  it added"
    )
}

fn compared(title: &str, compared: Option<&Compared>) -> String {
    match compared {
        None => String::new(),
        Some(compared) if compared.different.is_empty() => {
            format!("  {title:15}✓ {}: equal to the original\n", compared.what)
        }
        Some(compared) => format!(
            "  {title:15}✗ {} of {} differ from the original (or it changed meanwhile): {}\n",
            compared.different.len(),
            compared.what,
            compared.different.join(", ")
        ),
    }
}

fn where_and_next(report: &Report) -> String {
    let config = report.config.display();
    let identity = report.identity.display();
    let mut text = format!(
        "\nWhere everything is\n\
         \x20 repository     {}   unreadable without the identity\n\
         \x20 identity       {identity}   restores every backup: keep it elsewhere\n\
         \x20 root key       {}   decides who may read and write: likewise\n\
         \x20 configuration  {config}\n",
        report.repository.display(),
        report.root_key.display(),
    );
    if let Some(folder) = &report.restored_folder {
        text.push_str(&format!("  restored       {}\n", folder.display()));
    }
    let job = &report.job;
    text.push_str(&format!(
        "\nNext\n\
         \x20 backupctl -c {config} snapshot list\n\
         \x20 backupctl -c {config} snapshot show {job} --identity {identity}\n\
         \x20 backupctl -c {config} verify --all --level data --identity {identity}\n",
    ));
    if report.folders.is_some() {
        text.push_str(&format!(
            "  backupctl -c {config} restore {job} --to-folder NEW --identity {identity}\n"
        ));
    }
    if report.sample {
        text.push_str(
            "  backupctl quickstart --dir NEW --database postgres://user@host/name --path /srv/folder\n\
             \nThe sample's server was thrown away; its backups are in the repository.\n",
        );
    } else {
        text.push_str(&format!("  backupctl -c {config} backup {job}\n"));
    }
    text
}
