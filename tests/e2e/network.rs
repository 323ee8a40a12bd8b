//! The daemon on a network: as curl asks it, with a certificate that ends and one that follows it,
//! and with many clients at once while somebody guesses tokens.

#![expect(
    clippy::print_stdout,
    reason = "figures are for whoever asks to see them"
)]

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use backupd_api::{Address, Fingerprint, HttpService, Service as _, Target, TokenText};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    runtime::Runtime,
    task::JoinSet,
};

use crate::{
    guard::Daemon,
    program::{Ran, stock},
    world::World,
};

const CLIENTS: usize = 64;
const EACH: usize = 20;
/// So many connections guess at the same time.
const GUESSERS: usize = 32;
/// By far the slowest answer that is bearable, on a machine that does other things besides.
const SLOWEST: Duration = Duration::from_secs(10);

/// A world whose daemon is on a network.
pub(crate) struct Network {
    pub(crate) world: World,
    https: u16,
    http: u16,
}

impl Network {
    /// With these lines at the end of its configuration, in which `WORLD` is its folder.
    pub(crate) fn new(more: &str) -> Self {
        let world = World::new();
        let [https, http] = free_ports();
        let path = world.path("config.toml");
        let config = fs::read_to_string(&path).unwrap();
        let socket = world.path("api.sock");
        let server = format!(
            "\n[server]\nlisten = [\"unix:{socket}\", \"https://127.0.0.1:{https}\", \
             \"http://127.0.0.1:{http}\"]\n{more}"
        );
        let server = server.replace("WORLD", &world.dir.display().to_string());
        fs::write(&path, config + &server).unwrap();
        Self { world, https, http }
    }

    /// Starts the daemon; with it comes the key by which clients know it.
    pub(crate) fn start(&self) -> (Daemon, Fingerprint) {
        let mut daemon = Daemon::begin(&self.world);
        let line = daemon.says("the API is known by this key");
        daemon.says("is up");
        let (_, pin) = line.split_once("fingerprint=").unwrap();
        (daemon, pin.trim().parse().unwrap())
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        format!("https://127.0.0.1:{}", self.https)
    }

    /// A token with a scope.
    pub(crate) fn token(&self, scope: &str) -> SecretString {
        let args = ["--json", "token", "create", scope, "--scope", scope];
        let made = self.world.backupctl(&args).expect(0).message("token");
        made["token"].as_str().unwrap().into()
    }

    /// What stock curl says, with the status of the answer in a last line.
    fn curl(&self, args: &[&str], path: &str) -> Ran {
        let mut command = stock("curl");
        command.args(["-sS", "--max-time", "60", "-w", "\n%{http_code}"]);
        command.args(args);
        command.arg(format!("https://127.0.0.1:{}{path}", self.https));
        self.world.run(command)
    }

    /// The same, with a pin and perhaps a token.
    fn pinned(&self, pin: Fingerprint, token: Option<&SecretString>, more: &[&str]) -> String {
        let pin = pin.to_string();
        let header = token.map(|token| format!("Authorization: Bearer {}", token.expose_secret()));
        let mut args = vec!["-k", "--pinnedpubkey", &pin];
        args.extend(header.iter().flat_map(|header| ["-H", header.as_str()]));
        args.extend(more);
        let path = if more.is_empty() {
            "/v1/jobs"
        } else {
            "/v1/tasks"
        };
        self.curl(&args, path).expect(0).text()
    }
}

/// Two that were free a moment ago.
pub(crate) fn free_ports() -> [u16; 2] {
    let held = [0; 2].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

#[test]
fn stock_curl_asks_it_and_gets_in_only_as_it_should() {
    let network = Network::new("");
    let (daemon, pin) = network.start();
    let token = network.token("status");
    let status = |answer: &str| answer.rsplit_once('\n').unwrap().1.to_owned();
    assert_eq!(network.pinned(pin, Some(&token), &[]), "[\"app\"]\n200");
    let refused = network.pinned(pin, None, &[]);
    assert!(refused.contains("E-SIGN-IN"), "{refused}");
    assert_eq!(status(&refused), "401");
    let wrong = TokenText::generate().unwrap().whole();
    assert_eq!(status(&network.pinned(pin, Some(&wrong), &[])), "401");
    let backup = [
        "-H",
        "Content-Type: application/json",
        "-d",
        r#"{"backup":{"job":"app"}}"#,
    ];
    let refused = network.pinned(pin, Some(&token), &backup);
    assert!(refused.contains("E-NOT-PERMITTED"), "{refused}");
    assert_eq!(status(&refused), "403");
    let may = network.token("run");
    assert_eq!(status(&network.pinned(pin, Some(&may), &backup)), "202");

    // Another daemon's key, and no pin where no authority vouches for the name.
    let other = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    network
        .curl(&["-k", "--pinnedpubkey", other], "/v1/jobs")
        .expect(90);
    network.curl(&[], "/v1/jobs").expect(60);
    let mut local = stock("curl");
    local.args(["-sS", "--unix-socket", &network.world.path("api.sock")]);
    local.arg("http://localhost/v1/jobs");
    assert_eq!(network.world.run(local).expect(0).text(), "[\"app\"]");
    daemon.stop();
}

/// Puts a certificate of this machine with a new key into a folder.
fn issue(folder: &Path, until: i32) {
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 1, 1));
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
    let path = folder.join("key.pem");
    fs::write(&path, key.serialize_pem()).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_certificate_follows_another_and_one_that_has_ended_is_named() {
    let network = Network::new(
        "[server.tls]\ncertificate = \"WORLD/tls/cert.pem\"\n\
         key = { file = \"WORLD/tls/key.pem\" }\n",
    );
    let folder = network.world.dir.join("tls");
    fs::create_dir(&folder).unwrap();
    issue(&folder, 2090);
    let (mut daemon, pin) = network.start();
    let token = network.token("status");
    // Whoever trusts the certificate needs no pin.
    let [old, new] = ["old.pem", "tls/cert.pem"].map(|name| network.world.path(name));
    fs::copy(folder.join("cert.pem"), &old).unwrap();
    let trusts = |file: &str, status: i32| {
        network.curl(&["--cacert", file], "/v1/jobs").expect(status);
    };
    trusts(&old, 0);

    issue(&folder, 2091);
    daemon.says("another certificate is in force");
    trusts(&new, 0);
    trusts(&old, 60);
    let former = pin.to_string();
    let pinned = ["-k", "--pinnedpubkey", &former];
    network.curl(&pinned, "/v1/jobs").expect(90);

    issue(&folder, 2021);
    let why = daemon.says("the certificate stays as it was");
    assert!(why.contains("2021-01-01"), "{why}");
    daemon.stop();
    let mut daemon = Daemon::begin(&network.world);
    let said = daemon.says("the certificate has ended");
    assert!(
        said.contains("cert.pem") && said.contains("2021-01-01"),
        "{said}"
    );
    let line = daemon.says("the API is known by this key");
    daemon.says("is up");
    // Backups go on, and whoever pins the key still gets in; nobody else does.
    let pin = line.split_once("fingerprint=").unwrap().1.trim().parse();
    let jobs = network.pinned(pin.unwrap(), Some(&token), &[]);
    assert_eq!(jobs, "[\"app\"]\n200");
    trusts(&new, 60);
    daemon.stop();
}

/// What so many of a hundred took at most.
fn percentile(times: &[Duration], percent: usize) -> Duration {
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

/// All clients at once; gives the times of their requests, sorted, and how many failed.
async fn ask(target: &Target) -> (Vec<Duration>, usize) {
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let target = target.clone();
        clients.spawn(async move {
            let service = HttpService::reach(target).await.unwrap();
            let (mut times, mut errors) = (Vec::new(), 0);
            for _ in 0..EACH {
                let begun = Instant::now();
                let answer = service.status().await;
                errors += usize::from(answer.is_err_and(|error| {
                    println!("error: {error:?}");
                    true
                }));
                times.push(begun.elapsed());
            }
            (times, errors)
        });
    }
    let all = clients.join_all().await;
    let errors = all.iter().map(|(_, errors)| errors).sum();
    let mut times: Vec<_> = all.into_iter().flat_map(|(times, _)| times).collect();
    times.sort_unstable();
    (times, errors)
}

/// Guesses tokens from an address of its own until told to stop, and counts the refusals.
async fn guess(at: SocketAddr, stop: Arc<AtomicBool>, refused: Arc<AtomicUsize>) {
    while !stop.load(Ordering::Relaxed) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let mut stream: TcpStream = socket.connect(at).await.unwrap();
        let wrong = TokenText::generate().unwrap().whole();
        let request = format!(
            "GET /v1/status HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\
             Authorization: Bearer {}\r\n\r\n",
            wrong.expose_secret()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let word = answer.split(' ').nth(1);
        assert!(matches!(word, Some("401" | "429")), "{answer}");
        refused.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn many_clients_are_answered_while_somebody_guesses_tokens() {
    let network = Network::new("");
    let (daemon, pin) = network.start();
    let target = Target {
        address: Address::Https {
            host: "127.0.0.1".to_owned(),
            port: network.https,
        },
        token: Some(network.token("status")),
        pin: Some(pin),
    };
    let at = SocketAddr::from(([127, 0, 0, 1], network.http));
    let (stop, refused) = (Arc::new(AtomicBool::new(false)), Arc::default());
    let (calm, stormy) = Runtime::new().unwrap().block_on(async {
        let calm = ask(&target).await;
        let mut storm = JoinSet::new();
        for _ in 0..GUESSERS {
            storm.spawn(guess(at, Arc::clone(&stop), Arc::clone(&refused)));
        }
        let stormy = ask(&target).await;
        stop.store(true, Ordering::Relaxed);
        storm.join_all().await;
        (calm, stormy)
    });
    let refused = refused.load(Ordering::Relaxed);
    for (what, (times, errors)) in [("calm", &calm), ("storm", &stormy)] {
        let [p50, p99] = [50, 99].map(|percent| percentile(times, percent));
        println!(
            "{what}: {CLIENTS} clients, {} requests by TLS: p50 {p50:?}, p99 {p99:?}, \
             errors {errors}",
            times.len()
        );
        assert_eq!((times.len(), *errors), (CLIENTS * EACH, 0));
        assert!(p99 < SLOWEST, "{p99:?}");
    }
    println!("{refused} wrong tokens refused meanwhile");
    assert!(refused >= GUESSERS, "{refused}");
    daemon.stop();
}
