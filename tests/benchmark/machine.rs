//! On what it was measured, and with which versions: figures mean nothing without.

use std::{fmt, fs, path::Path};

use crate::{
    error::BenchError,
    options::Options,
    program::{Runner, is_installed},
};

/// Where this was built from.
const SOURCE: &str = env!("CARGO_MANIFEST_DIR");
/// How programs are asked for their version, beside ours and PostgreSQL's.
const PROGRAMS: [(&str, &str); 8] = [
    ("age", "--version"),
    ("zstd", "--version"),
    ("openssl", "version"),
    ("tar", "--version"),
    ("restic", "version"),
    ("borg", "--version"),
    ("gpg", "--version"),
    ("psql", "--version"),
];

/// The machine, and how busy others kept it since this was made.
#[derive(Debug)]
pub(crate) struct Machine {
    lines: Vec<String>,
    begun: Ticks,
}

/// Clock ticks of all cores, from /proc/stat.
#[derive(Clone, Copy, Debug)]
struct Ticks {
    all: u64,
    idle: u64,
    stolen: u64,
}

impl Machine {
    /// Looks at the machine.
    pub(crate) fn look(options: &Options, runner: &Runner) -> Result<Self, BenchError> {
        let cpu = read("/proc/cpuinfo")?;
        let models: Vec<&str> = fields(&cpu, "model name").collect();
        let flags = fields(&cpu, "flags").next().unwrap_or_default();
        let has = |flag| flags.split(' ').any(|one| one == flag);
        let memory = read("/proc/meminfo")?;
        let printed = |program: &str, args: &[&str]| {
            let mut command = runner.command(program);
            command.args(args);
            let text = runner.read(vec![command])?;
            let first = text.lines().next().unwrap_or_default();
            Ok::<_, BenchError>(first.trim_matches([' ', '*']).to_owned())
        };
        let ours = options.program.display().to_string();
        let mut versions = vec![printed(&ours, &["--version"])?];
        for (program, argument) in PROGRAMS {
            if is_installed(program) {
                versions.push(format!("{program}: {}", printed(program, &[argument])?));
            }
        }
        let safe = ["-c", "safe.directory=*", "-C", SOURCE];
        let git = |args: &[&str]| printed("git", &[&safe, args].concat());
        // Without git, or outside of a clone, there is no commit to tell.
        let commit = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_default();
        let changes = git(&["status", "--porcelain"]).unwrap_or_default();
        let lines = vec![
            format!(
                "{}, commit {commit}{}; scale {}, seed {}",
                printed("date", &["-u", "+%Y-%m-%d %H:%M UTC"])?,
                if changes.is_empty() {
                    ""
                } else {
                    " with changes"
                },
                options.scale,
                options.seed,
            ),
            format!(
                "{} cores of {}{}{}; {} of memory; Linux {}; {}",
                models.len(),
                models.first().copied().unwrap_or("an unknown model"),
                if has("sha_ni") { ", SHA" } else { "" },
                if has("aes") { ", AES" } else { "" },
                fields(&memory, "MemTotal").next().unwrap_or_default(),
                read("/proc/sys/kernel/osrelease")?.trim(),
                printed(
                    "stat",
                    &["-f", "-c", "%T", &options.dir.display().to_string()]
                )?,
            ),
            versions.join(" \u{b7} "),
        ];
        Ok(Self {
            lines,
            begun: Ticks::now()?,
        })
    }

    /// What was taken from us since the beginning, in per cent of all time: by other machines
    /// on the same hardware, and the share in which nothing was done at all.
    pub(crate) fn busy(&self) -> Result<String, BenchError> {
        let now = Ticks::now()?;
        let all = now.all.saturating_sub(self.begun.all).max(1) as f64;
        let share = |now: u64, begun: u64| 100.0 * now.saturating_sub(begun) as f64 / all;
        Ok(format!(
            "meanwhile {:.1} % of the cores' time was stolen by other machines, and {:.0} % was \
             idle; load now {}",
            share(now.stolen, self.begun.stolen),
            share(now.idle, self.begun.idle),
            read("/proc/loadavg")?.split(' ').next().unwrap_or_default(),
        ))
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}

impl Ticks {
    fn now() -> Result<Self, BenchError> {
        let stat = read("/proc/stat")?;
        let first = stat.lines().next().unwrap_or_default();
        Self::parse(first).ok_or_else(|| BenchError::Strange {
            what: "/proc/stat",
            text: first.to_owned(),
        })
    }

    /// `cpu user nice system idle iowait irq softirq steal …`; guests are in user already.
    fn parse(line: &str) -> Option<Self> {
        let ticks: Vec<u64> = line
            .strip_prefix("cpu ")?
            .split_whitespace()
            .take(8)
            .map_while(|field| field.parse().ok())
            .collect();
        Some(Self {
            all: ticks.iter().sum(),
            idle: ticks.get(3)? + ticks.get(4)?,
            stolen: *ticks.get(7)?,
        })
    }
}

fn read(path: &str) -> Result<String, BenchError> {
    fs::read_to_string(path).map_err(BenchError::io("read", Path::new(path)))
}

/// The values of all lines of the form `name : value`.
fn fields<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter_map(move |line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then_some(value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stolen_time_is_the_eighth_field() {
        let ticks = Ticks::parse("cpu  10 1 5 100 4 0 2 7 3 0").unwrap();
        assert_eq!((ticks.all, ticks.idle, ticks.stolen), (129, 104, 7));
        assert!(Ticks::parse("cpu  10 1 5").is_none());
    }
}
