//! `backupctl kit print`.

use std::path::PathBuf;

use backup_keys::kit::{Manual, PageError, RECOVERY_SCRIPT};
use backup_model::{Code, Failure};
use serde::Serialize;

use super::{file, place};
use crate::{context::Context, exit::Exit};

/// Make a page of a recovery kit, to print: one HTML file with its lines as text and QR codes.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The kit's file.
    kit: PathBuf,

    /// The page's file, which must not exist; by default the kit's with `.html`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Say which file would be made, and stop.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Printed {
    id: String,
    page: PathBuf,
    secret: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let (kit, exposed) = file::read(&args.kit)?;
    let beside = || args.kit.with_extension("html");
    let out = args.out.clone().unwrap_or_else(beside);
    file::check_place(&out, &place::reach(&kit, context)?.access)?;
    let program = kit.commands();
    let manual = Manual {
        program: &program,
        script: RECOVERY_SCRIPT,
    };
    let page = kit.to_page(manual).map_err(|error| {
        let code = match error {
            PageError::Kit(_) => Code::KitInvalid,
            _ => Code::Failed,
        };
        Failure::from_error(code, &error)
    })?;
    let printed = Printed {
        id: kit.repository.to_string(),
        page: out,
        secret: kit.is_secret(),
    };
    if args.dry_run {
        let text = |printed: &Printed| format!("would make {}\n", printed.page.display());
        context.output.document("kit-print-plan", &printed, text);
    } else {
        file::write(&printed.page, &page)?;
        context.output.document("kit-print", &printed, text);
    }
    if let Some(warning) = &exposed {
        context.output.warning(warning);
        return Ok(Exit::WARNINGS);
    }
    Ok(Exit::DONE)
}

fn text(printed: &Printed) -> String {
    let secret = if printed.secret {
        "It is secret: print it without a spooler that keeps it, and remove the file.\n"
    } else {
        ""
    };
    format!(
        "made {}\nOpen it in a browser and print it.\n{secret}",
        printed.page.display()
    )
}
