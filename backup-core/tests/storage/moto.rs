//! moto: a server that speaks S3, a process of its own on loopback, which decides races right.
//!
//! It looks whether an object is there and then stores it, in threads: right only while no other
//! thread comes in between, so its threads are told to go on until they wait for something.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use tempfile::TempDir;

/// How long it may take to start on a busy machine.
const READY: Duration = Duration::from_mins(2);
const INSTALL: &str = "moto_server is not installed: python3 -m venv target/moto && \
                       target/moto/bin/pip install 'moto[s3]' flask flask-cors";

const UNHURRIED: &str = "import sys\nsys.setswitchinterval(10)\n";

/// A server of our own, gone with this value. It takes any key.
pub(crate) struct Moto {
    pub(crate) endpoint: String,
    child: Child,
    _start_up: TempDir,
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Moto {
    /// Starts it on a port that it chooses, waits until it says which, and makes a bucket.
    pub(crate) fn start(bucket: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        let mut ours = root.map(|folder| folder.join("target/moto/bin/moto_server"));
        let program = ours.find(|program| program.exists());
        let start_up = tempfile::tempdir().unwrap();
        fs::write(start_up.path().join("sitecustomize.py"), UNHURRIED).unwrap();
        let mut child = Command::new(program.unwrap_or_else(|| "moto_server".into()))
            .args(["-H", "127.0.0.1", "-p", "0"])
            .env("PYTHONPATH", start_up.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect(INSTALL);
        let log = child.stderr.take().unwrap();
        let mut moto = Self {
            endpoint: String::new(),
            child,
            _start_up: start_up,
        };
        let (sender, lines) = mpsc::sync_channel(64);
        // Its log is read to the end, so that it never waits on a full pipe.
        let reader = move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                drop(sender.try_send(line));
            }
        };
        let thread = std::thread::Builder::new().name("moto".to_owned());
        thread.spawn(reader).unwrap();
        let mut seen = Vec::new();
        while moto.endpoint.is_empty() {
            let line = lines.recv_timeout(READY);
            let line = line.unwrap_or_else(|_| panic!("{INSTALL}\nit said: {seen:?}"));
            if let Some((_, address)) = line.split_once("Running on ") {
                let end = address.find(|letter: char| !letter.is_ascii_graphic());
                address[..end.unwrap_or(address.len())].clone_into(&mut moto.endpoint);
            }
            seen.push(line);
        }
        moto.make(bucket);
        moto
    }

    /// Ends it.
    pub(crate) fn stop(&mut self) {
        // It may have ended already; either way it is waited for.
        drop(self.child.kill());
        drop(self.child.wait());
    }

    fn make(&self, bucket: &str) {
        let host = self.endpoint.strip_prefix("http://").unwrap();
        let mut socket = TcpStream::connect(host).unwrap();
        let request = format!(
            "PUT /{bucket} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}
