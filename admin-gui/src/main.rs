//! Opens the window on a daemon.

use std::{
    fs,
    path::PathBuf,
    process::{Command, ExitCode},
};

use admin_gui::app::App;
use backupd_api::{Address, Fingerprint, Target};
use clap::{Parser, ValueEnum};
use jiff::tz::TimeZone;
use secrecy::SecretString;

/// The backup console: whether everything is protected, and what to do where it is not.
#[derive(Parser, Debug)]
#[command(version)]
struct Arguments {
    /// The daemon: `unix:/run/backupd/api.sock`, `https://vault01:8443`
    #[arg(
        short,
        long,
        env = "BACKUPCTL_SERVER",
        default_value = "unix:/run/backupd/api.sock"
    )]
    server: Address,

    /// The file that holds the token
    #[arg(long, value_name = "FILE", env = "BACKUPCTL_TOKEN_FILE")]
    token_file: Option<PathBuf>,

    /// The key that the daemon must have: `sha256//…`
    #[arg(long, value_name = "FINGERPRINT", env = "BACKUPCTL_PIN")]
    pin: Option<Fingerprint>,

    /// What draws; without it, wgpu, and glow where that does not work
    #[arg(long)]
    renderer: Option<Renderer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Renderer {
    Wgpu,
    Glow,
}

impl From<Renderer> for eframe::Renderer {
    fn from(renderer: Renderer) -> Self {
        match renderer {
            Renderer::Wgpu => Self::Wgpu,
            Renderer::Glow => Self::Glow,
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let renderer = arguments.renderer.unwrap_or(Renderer::Wgpu);
    let first = arguments.renderer.is_none();
    let target = match target(&arguments) {
        Ok(target) => target,
        Err(error) => return complain(&error),
    };
    match open(target, renderer) {
        Ok(()) => ExitCode::SUCCESS,
        // A renderer that failed may have left anything behind: the other one gets a process of
        // its own.
        Err(error) if first => match again() {
            Some(status) => status,
            None => complain(&no_window(&error)),
        },
        Err(error) => complain(&no_window(&error)),
    }
}

fn target(arguments: &Arguments) -> Result<Target, String> {
    let read = |file: &PathBuf| {
        let text = fs::read_to_string(file);
        let text = text.map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        Ok::<_, String>(SecretString::from(text.trim().to_owned()))
    };
    Ok(Target {
        address: arguments.server.clone(),
        token: arguments.token_file.as_ref().map(read).transpose()?,
        pin: arguments.pin,
    })
}

fn open(target: Target, renderer: Renderer) -> eframe::Result {
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("Backup console")
            .with_app_id("backupd-admin")
            .with_inner_size([1280.0, 800.0])
            .with_min_inner_size([900.0, 600.0]),
        renderer: renderer.into(),
        ..eframe::NativeOptions::default()
    };
    eframe::run_native(
        "backupd-admin",
        options,
        Box::new(|creation| {
            let app = App::new(&creation.egui_ctx, target, TimeZone::system())?;
            Ok(Box::new(app))
        }),
    )
}

/// The same with the other renderer, in a process of its own.
fn again() -> Option<ExitCode> {
    let program = std::env::current_exe().ok()?;
    let status = Command::new(program)
        .args(std::env::args_os().skip(1))
        .args(["--renderer", "glow"])
        .status()
        .ok()?;
    let code = u8::try_from(status.code().unwrap_or(1)).unwrap_or(1);
    Some(ExitCode::from(code))
}

fn no_window(error: &eframe::Error) -> String {
    format!("no window can be opened here: {error}; backupctl does the same in a terminal")
}

#[expect(clippy::print_stderr, reason = "there is no window to say it in")]
fn complain(error: &str) -> ExitCode {
    eprintln!("admin-gui: {error}");
    ExitCode::FAILURE
}
