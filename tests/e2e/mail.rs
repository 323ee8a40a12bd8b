//! Mail: that letters arrive at a real server, in clear on this machine, by TLS and after STARTTLS,
//! and at nobody who cannot prove who it is; and the daily digest.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::{
    certificate::certificate, guard::Daemon, notify::secret, supervised::busy_with, world::World,
};

const CANARY: &str = "canary4Zt8Nb1Xs6";

/// How a server speaks.
#[derive(Clone)]
enum Speech {
    Clear,
    Tls(Arc<ServerConfig>),
    StartTls(Arc<ServerConfig>),
}

/// A mail server at loopback: its port, and each letter that it took, with the lines before it.
fn server(speech: Speech) -> (u16, Receiver<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (took, taken) = sync_channel(100);
    let serve = move || {
        for socket in listener.incoming().map_while(Result::ok) {
            // A client that does not like the certificate goes away.
            drop(one(socket, &speech, &took));
        }
    };
    let named = thread::Builder::new().name("mail".to_owned());
    named.spawn(serve).unwrap();
    (port, taken)
}

fn one(
    mut socket: TcpStream,
    speech: &Speech,
    took: &SyncSender<Vec<String>>,
) -> std::io::Result<()> {
    let secured = |tls: &Arc<ServerConfig>, socket| {
        let connection = ServerConnection::new(Arc::clone(tls)).unwrap();
        StreamOwned::new(connection, socket)
    };
    match speech {
        Speech::Clear => talk(socket, true, took),
        Speech::Tls(tls) => talk(secured(tls, socket), true, took),
        Speech::StartTls(tls) => {
            socket.write_all(b"220 here\r\n")?;
            for answer in ["250-here\r\n250 STARTTLS\r\n", "220 go\r\n"] {
                let mut line = [0; 512];
                let len = socket.read(&mut line)?;
                assert!(!String::from_utf8_lossy(&line[..len]).contains("AUTH"));
                socket.write_all(answer.as_bytes())?;
            }
            talk(secured(tls, socket), false, took)
        }
    }
}

fn talk(
    stream: impl Read + Write,
    greet: bool,
    took: &SyncSender<Vec<String>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut said = Vec::new();
    let mut in_letter = false;
    if greet {
        stream.get_mut().write_all(b"220 here\r\n")?;
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end_matches(['\r', '\n']).to_owned();
        let word = line.split(' ').next().unwrap_or_default().to_uppercase();
        let answer = match &*word {
            "." if in_letter => {
                in_letter = false;
                took.send(std::mem::take(&mut said)).unwrap();
                "250 taken"
            }
            _ if in_letter => {
                said.push(line);
                continue;
            }
            "EHLO" => "250-here\r\n250 AUTH PLAIN",
            "AUTH" => "235 welcome",
            "DATA" => {
                in_letter = true;
                "354 go on"
            }
            "QUIT" => "221 bye",
            _ => "250 fine",
        };
        said.push(line);
        stream
            .get_mut()
            .write_all(format!("{answer}\r\n").as_bytes())?;
        stream.get_mut().flush()?;
    }
}

fn letter(taken: &Receiver<Vec<String>>) -> String {
    taken
        .recv_timeout(Duration::from_secs(90))
        .unwrap()
        .join("\n")
}

fn mail(name: &str, more: &str) -> String {
    format!(
        "[notify.{name}]\nkind = \"smtp\"\nurl = {{ file = \"{name}.url\" }}\n\
         from = \"backupd <vault@example.net>\"\nto = [\"ops@example.net\", \"eva@example.net\"]\n{more}\n"
    )
}

fn made(channels: &str) -> World {
    let source = "§\"command\"\nname = \"made\"\ncommand = [\"cat\", \"WORLD/made\"]\n";
    let world = busy_with(source, channels);
    fs::write(world.path("made"), "made").unwrap();
    world
}

#[test]
fn letters_go_to_who_proves_who_it_is_and_to_nobody_else() {
    let token = "events = []\ntoken = { file = \"password\" }\n".to_owned();
    let names = ["clear", "tls", "later", "unknown", "bare"];
    let channels: String = names.map(|name| mail(name, &token)).concat();
    let world = made(&channels);
    secret(&world, "password", &format!("p@ss/{CANARY}\n"));
    let (tls, root) = certificate("127.0.0.1", 2040);
    let (later, later_root) = certificate("0.0.0.0", 2040);
    let (unknown, _) = certificate("127.0.0.1", 2040);
    fs::write(world.path("ca.pem"), root + &later_root).unwrap();
    let (clear_port, clear) = server(Speech::Clear);
    let (tls_port, tls) = server(Speech::Tls(Arc::new(tls)));
    // An address that is not loopback's, and leads there: in clear would be wrong.
    let (later_port, later) = server(Speech::StartTls(Arc::new(later)));
    let (unknown_port, unknown) = server(Speech::Tls(Arc::new(unknown)));
    for (name, url) in [
        ("clear", format!("smtp://127.0.0.1:{clear_port}")),
        (
            "tls",
            format!("smtps://ops%40example.net@127.0.0.1:{tls_port}"),
        ),
        (
            "later",
            format!("smtp://ops@0.0.0.0:{later_port}?tls=opportunistic"),
        ),
        ("unknown", format!("smtps://ops@127.0.0.1:{unknown_port}")),
        ("bare", format!("smtp://ops@0.0.0.0:{clear_port}")),
    ] {
        secret(&world, &format!("{name}.url"), &url);
    }
    let ca = world.path("ca.pem");
    let trust = [("SSL_CERT_FILE", ca.as_str())];
    let daemon = Daemon::begin_with(&world, &trust);
    let ask = |name: &str| {
        let script =
            format!("\"$BACKUPCTL\" --config \"$W/config.toml\" --direct notify test {name}");
        world.shell(&script, &trust)
    };
    for (name, taken, user) in [("tls", &tls, "ops@example.net"), ("later", &later, "ops")] {
        ask(name).expect(0);
        let letter = letter(taken);
        let plain = format!("\0{user}\0p@ss/{CANARY}");
        let plain = data_encoding::BASE64.encode(plain.as_bytes());
        assert!(letter.contains(&format!("AUTH PLAIN {plain}")), "{letter}");
        for wanted in [
            "MAIL FROM:<vault@example.net>",
            "RCPT TO:<ops@example.net>",
            "RCPT TO:<eva@example.net>",
            "Subject: backupd on ",
            "Auto-Submitted: auto-generated",
            "This is a test.",
        ] {
            assert!(letter.contains(wanted), "{wanted} is not in {letter}");
        }
    }
    ask("clear").expect(0);
    assert!(letter(&clear).contains("This is a test."));
    let refused = ask("unknown").expect(1);
    assert!(
        refused.stderr.contains("none that can be trusted"),
        "{}",
        refused.stderr
    );
    assert!(unknown.try_recv().is_err());
    let bare = ask("bare").expect(1);
    assert!(bare.stderr.contains("no STARTTLS"), "{}", bare.stderr);
    assert!(clear.try_recv().is_err());
    let listed = world.backupctl(&["notify", "list"]).expect(0).text();
    let log = daemon.stop_and_read();
    for text in [&listed, &log, &refused.stderr, &bare.stderr] {
        assert!(!text.contains(CANARY), "{text}");
    }
}

#[test]
fn what_was_due_while_nobody_ran_is_told_once() {
    let world = made(&mail("daily", "events = []\ndigest = \"08:00\"\n"));
    let (port, taken) = server(Speech::Clear);
    secret(&world, "daily.url", &format!("smtp://127.0.0.1:{port}"));
    let known = "{\"name\":\"daily\",\"kind\":\"smtp\",\"last_digest\":\"2026-01-01T08:00:00Z\"}";
    fs::create_dir_all(world.path("state/channels")).unwrap();
    fs::write(world.path("state/channels/daily.json"), known).unwrap();
    let told = || fs::read_to_string(world.path("state/channels/daily.json")).unwrap();
    let mut daemon = Daemon::begin(&world);
    let first = letter(&taken);
    assert!(first.contains("\njob app: "), "{first}");
    // It is remembered once the server has said that it has it.
    let begun = Instant::now();
    while told().contains("2026-01-01") {
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", told());
        daemon.listen(Duration::from_millis(50));
    }
    daemon.stop();
    let mut daemon = Daemon::start(&world);
    daemon.listen(Duration::from_secs(3));
    daemon.stop();
    assert!(taken.try_recv().is_err());
}
