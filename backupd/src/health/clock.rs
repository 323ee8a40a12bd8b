//! Whether this machine's clock is kept right by somebody.
//!
//! The kernel knows, and is asked through the programs that may ask it: a system call for it
//! would need unsafe code. Where none of them answers, nothing is known.

use std::{path::Path, process::Stdio};

use backup_model::HealthItem;
use tokio::{process::Command, time::timeout};

use super::look::PATIENCE;

pub(super) const OBJECT: &str = "this machine";

/// What systemd's own client leaves when it has set the clock.
const MARK: &str = "/run/systemd/timesync/synchronized";

/// What was heard of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// Somebody keeps it right.
    Kept,
    /// Nobody does, says the kernel.
    Adrift,
    /// Nobody could be asked.
    Nothing,
}

pub(super) async fn check() -> Vec<HealthItem> {
    let kernel = said(
        "timedatectl",
        &["show", "--property=NTPSynchronized", "--value"],
    )
    .await;
    let mut heard = timedatectl(kernel.as_deref());
    if heard == Heard::Nothing {
        let chrony = said("chronyc", &["-n", "tracking"]).await;
        heard = chronyc(chrony.as_deref());
    }
    if heard == Heard::Nothing && Path::new(MARK).exists() {
        heard = Heard::Kept;
    }
    vec![judge(heard)]
}

/// What a program printed, if it is there and ends well in time.
async fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let output = timeout(PATIENCE / 2, command.output()).await.ok()?.ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(text)
}

fn timedatectl(said: Option<&str>) -> Heard {
    match said.map(str::trim) {
        Some("yes") => Heard::Kept,
        Some("no") => Heard::Adrift,
        _ => Heard::Nothing,
    }
}

fn chronyc(said: Option<&str>) -> Heard {
    let mut lines = said.unwrap_or_default().lines();
    let leap = lines.find_map(|line| line.strip_prefix("Leap status")?.split_once(':'));
    match leap.map(|(_, status)| status.trim()) {
        Some("Not synchronised") => Heard::Adrift,
        Some(_) => Heard::Kept,
        None => Heard::Nothing,
    }
}

fn judge(heard: Heard) -> HealthItem {
    const ID: &str = "clock";
    let fix = "Have it set by NTP: timedatectl set-ntp true";
    match heard {
        Heard::Kept => HealthItem::ok(ID, OBJECT, "the clock is kept right by NTP"),
        Heard::Adrift => {
            let evidence = "nobody keeps the clock right: schedules and ages are as wrong as it is";
            HealthItem::at_risk(ID, OBJECT, evidence, fix)
        }
        Heard::Nothing => {
            let why = "neither timedatectl nor chronyc says whether the clock is kept right";
            HealthItem::unknown(ID, OBJECT, why, fix)
        }
    }
}

#[cfg(test)]
mod tests {
    use backup_model::HealthState;

    use super::*;

    #[test]
    fn what_programs_say_of_the_clock_is_understood() {
        assert_eq!(timedatectl(Some("yes\n")), Heard::Kept);
        assert_eq!(timedatectl(Some("no\n")), Heard::Adrift);
        assert_eq!(timedatectl(Some("")), Heard::Nothing);
        assert_eq!(timedatectl(None), Heard::Nothing);
        let tracking = "Reference ID    : C0000201\nLeap status     : Normal\n";
        assert_eq!(chronyc(Some(tracking)), Heard::Kept);
        let tracking = "Leap status     : Not synchronised\n";
        assert_eq!(chronyc(Some(tracking)), Heard::Adrift);
        assert_eq!(chronyc(Some("506 Cannot talk to daemon")), Heard::Nothing);
    }

    #[test]
    fn a_clock_of_which_nobody_tells_is_unknown() {
        assert_eq!(judge(Heard::Kept).state, HealthState::Ok);
        assert_eq!(judge(Heard::Adrift).state, HealthState::AtRisk);
        assert_eq!(judge(Heard::Nothing).state, HealthState::Unknown);
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_says_nothing() {
        assert_eq!(said("/nonexistent", &[]).await, None);
        assert_eq!(said("false", &[]).await, None);
        assert_eq!(said("echo", &["yes"]).await.as_deref(), Some("yes\n"));
    }
}
