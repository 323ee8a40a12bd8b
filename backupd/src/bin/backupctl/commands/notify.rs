//! `backupctl notify …`.

use backup_model::{ChannelState, Code, Failure};
use backupd::clock;
use backupd_api::Service;
use jiff::Timestamp;

use crate::{
    context::Context,
    exit::Exit,
    show,
    table::{Align, table},
};

/// What to do with the channels by which people are told.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    /// List the channels, and when something last arrived by each.
    List,
    /// Send a test message now.
    Test(TestArgs),
}

/// By which channel.
#[derive(clap::Args, Debug)]
pub(crate) struct TestArgs {
    /// The channel; all of them by default.
    name: Option<String>,
}

pub(crate) async fn run(command: Command, context: &Context) -> Result<Exit, Failure> {
    let service = context.service().await?;
    match command {
        Command::List => {
            let channels = service.channels().await?;
            context
                .output
                .document("channels", &channels, |all| text(all));
            Ok(Exit::DONE)
        }
        Command::Test(args) => test(&*service, args, context).await,
    }
}

/// One after the other, whatever becomes of the others; the worst counts.
async fn test(service: &dyn Service, args: TestArgs, context: &Context) -> Result<Exit, Failure> {
    let names: Vec<String> = if let Some(name) = args.name {
        vec![name]
    } else {
        let channels = service.channels().await?.into_iter();
        channels.map(|channel| channel.name).collect()
    };
    if names.is_empty() {
        let text = "no channel is configured";
        return Err(Failure::new(Code::NoChannel, text));
    }
    let mut exit = Exit::DONE;
    for name in names {
        match service.test_channel(&name).await {
            Ok(state) => {
                let line = format!("✓ {}  delivered by {}", show::name(&state.name), state.kind);
                context.output.document("channel", &state, |_| line);
            }
            Err(failure) => exit = exit.worse(context.output.failure(&failure)),
        }
    }
    Ok(exit)
}

fn text(channels: &[ChannelState]) -> String {
    if channels.is_empty() {
        return "no channel is configured".to_owned();
    }
    let now = clock::now();
    table(
        [
            ("CHANNEL", Align::Left),
            ("KIND", Align::Left),
            ("DELIVERED", Align::Left),
            ("GIVEN UP", Align::Left),
            ("WHY", Align::Left),
        ],
        channels.iter().map(|channel| row(channel, now)),
    )
}

fn row(channel: &ChannelState, now: Timestamp) -> [String; 5] {
    let ago = |time: Option<Timestamp>| {
        time.map_or_else(
            || "-".to_owned(),
            |time| format!("{} ago", backup_model::Span(now.duration_since(time))),
        )
    };
    [
        show::name(&channel.name),
        channel.kind.to_string(),
        ago(channel.last_delivered),
        ago(channel.last_failed),
        channel.failure.clone().unwrap_or_default(),
    ]
}
