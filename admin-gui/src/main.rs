//! Opens the window on a daemon.

use std::{
    error::Error as _,
    panic,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use admin_gui::{
    app::{App, Opening},
    servers::{Servers, TokenError, read_token},
    state::Home,
};
use backupd_api::{Address, Fingerprint, Target};
use clap::{Parser, ValueEnum};
use jiff::tz::TimeZone;
use secrecy::SecretString;

/// The backup console: whether everything is protected, and what to do where it is not.
#[derive(Parser, Debug)]
#[command(version)]
struct Arguments {
    /// The daemon: `https://vault01:8443`; without it, the server that was used last, or
    /// `unix:/run/backupd/api.sock`
    #[arg(short, long, env = "BACKUPCTL_SERVER")]
    server: Option<Address>,

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
    let opening = match opening(&arguments) {
        Ok(opening) => opening,
        Err(error) => return complain(&error),
    };
    if let Err(error) = screen() {
        return complain(&error);
    }
    let Some(renderer) = arguments.renderer else {
        // A renderer that fails may panic, and leaves anything behind: the other one gets a
        // process of its own.
        let first = panic::catch_unwind(|| open(opening, Renderer::Wgpu));
        return match first {
            Ok(Ok(())) => ExitCode::SUCCESS,
            Ok(Err(_)) | Err(_) => again().unwrap_or_else(|error| complain(&error)),
        };
    };
    match open(opening, renderer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&format!("no window can be opened here: {error}; {INSTEAD}")),
    }
}

/// Where the daemon of this machine is.
const SOCKET: &str = "/run/backupd/api.sock";
/// What there is without a window.
const INSTEAD: &str = "backupctl does the same in a terminal";

/// That there is a screen at all, which no renderer makes up for.
#[expect(clippy::disallowed_methods, reason = "a program reads the environment")]
fn screen() -> Result<(), String> {
    let named = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if named("DISPLAY") || named("WAYLAND_DISPLAY") || named("WAYLAND_SOCKET") {
        return Ok(());
    }
    Err(format!(
        "there is no screen: neither DISPLAY nor WAYLAND_DISPLAY is set; {INSTEAD}"
    ))
}

fn opening(arguments: &Arguments) -> Result<Opening, String> {
    let Arguments {
        server,
        token_file,
        pin,
        ..
    } = arguments;
    let socket = || Address::unix(Path::new(SOCKET));
    Ok(Opening {
        start: Target {
            address: server.clone().unwrap_or_else(socket),
            token: token_file.as_deref().map(token).transpose()?,
            pin: *pin,
        },
        is_asked_for: server.is_some() || token_file.is_some() || pin.is_some(),
        servers: Servers::in_folder(configuration()),
        programs: programs(),
        home: home(),
    })
}

/// Where this user's configuration is.
#[expect(clippy::disallowed_methods, reason = "a program reads the environment")]
fn configuration() -> Option<PathBuf> {
    let path = |name| std::env::var_os(name).map(PathBuf::from);
    let given = path("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let home = || path("HOME").map(|home| home.join(".config"));
    given.or_else(home).map(|folder| folder.join("backupd"))
}

/// Where this user's own daemon has its things, as `backupctl` looks for them.
#[expect(clippy::disallowed_methods, reason = "a program reads the environment")]
fn home() -> Option<Home> {
    let path = |name| std::env::var_os(name).map(PathBuf::from);
    let own = path("HOME").filter(|path| path.is_absolute())?;
    let state = path("XDG_STATE_HOME").filter(|path| path.is_absolute());
    let state = state.unwrap_or_else(|| own.join(".local/state"));
    Some(Home {
        configuration: configuration()?.join("config.toml"),
        state: state.join("backupd"),
        keys: own.join("backupd-keys"),
        zone: TimeZone::system().iana_name().unwrap_or("UTC").to_owned(),
        is_set_up: false,
    })
}

/// Where `backupd` is looked for: beside this program, and where any other is.
#[expect(clippy::disallowed_methods, reason = "a program reads the environment")]
fn programs() -> Vec<PathBuf> {
    let own = std::env::current_exe().ok();
    let beside = own.and_then(|own| own.parent().map(Path::to_owned));
    let path = std::env::var_os("PATH").unwrap_or_default();
    // A relative folder of PATH is whatever folder this was started in.
    let path = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
    beside.into_iter().chain(path).collect()
}

fn token(file: &Path) -> Result<SecretString, String> {
    read_token(file).map_err(|error| {
        if let TokenError::Exposed { path, .. } = &error {
            return format!("{error}: chmod 600 {}", path.display());
        }
        let cause = error.source().map(ToString::to_string);
        format!(
            "{error}: {}; backupctl token create NAME --scope status makes one",
            cause.unwrap_or_default()
        )
    })
}

/// Where windows have an icon of their own; elsewhere the desktop finds it by the entry.
const ICON: &[u8] = include_bytes!("../../assets/desktop/backupd-admin.png");

fn open(opening: Opening, renderer: Renderer) -> eframe::Result {
    let icon = eframe::icon_data::from_png_bytes(ICON).expect("a picture that a test reads");
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("Backup console")
            .with_app_id("backupd-admin")
            .with_icon(icon)
            .with_inner_size([1280.0, 800.0])
            .with_min_inner_size([900.0, 600.0]),
        renderer: renderer.into(),
        ..eframe::NativeOptions::default()
    };
    eframe::run_native(
        "backupd-admin",
        options,
        Box::new(|creation| {
            let app = App::new(&creation.egui_ctx, opening, TimeZone::system())?;
            Ok(Box::new(app))
        }),
    )
}

/// The same with the other renderer, in a process of its own.
fn again() -> Result<ExitCode, String> {
    let ran = std::env::current_exe().and_then(|program| {
        let arguments = std::env::args_os().skip(1);
        Command::new(program)
            .args(arguments)
            .args(["--renderer", "glow"])
            .status()
    });
    let status = ran.map_err(|error| format!("cannot be started again: {error}; {INSTEAD}"))?;
    let code = u8::try_from(status.code().unwrap_or(1)).unwrap_or(1);
    Ok(ExitCode::from(code))
}

#[expect(clippy::print_stderr, reason = "there is no window to say it in")]
fn complain(error: &str) -> ExitCode {
    eprintln!("admin-gui: {error}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_icon_is_a_picture() {
        let icon = eframe::icon_data::from_png_bytes(super::ICON).unwrap();
        assert_eq!((icon.width, icon.height), (128, 128));
    }
}
