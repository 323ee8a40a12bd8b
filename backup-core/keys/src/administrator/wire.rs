//! The line to a running plugin: stanzas there and back, as C2SP's age-plugin says.
//!
//! Not age's own: that one hands our whole environment to the plugin, where passwords may be, and
//! prints file keys if the environment says so.

use std::{
    ffi::OsString,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use age_core::format::Stanza;
use data_encoding::BASE64_NOPAD;
use zeroize::Zeroizing;

/// No line of a stanza is longer; a post-quantum recipient is in one.
const MAX_LINE: u64 = 8 * 1024;
/// No body is longer.
const MAX_BODY: usize = 64 * 1024;
/// Columns of a body's lines, but the last.
const COLUMNS: usize = 64;

/// A running plugin. Dies with this.
pub(super) struct Wire {
    child: Child,
    input: BufReader<ChildStdout>,
    output: Option<ChildStdin>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        // Both fail for one that has ended, which is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Wire {
    /// Runs a plugin with this environment and no other.
    pub(super) fn start(
        program: &Path,
        environment: &[(OsString, OsString)],
        machine: &str,
    ) -> io::Result<Self> {
        let mut child = Command::new(program)
            .arg(format!("--age-plugin={machine}"))
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (input, output) = (child.stdout.take(), child.stdin.take());
        let input = input.ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self {
            child,
            input: BufReader::new(input),
            output,
        })
    }

    /// Sends a stanza.
    pub(super) fn send(&mut self, tag: &str, args: &[&str], body: &[u8]) -> io::Result<()> {
        let encoded = Zeroizing::new(BASE64_NOPAD.encode(body));
        let mut text = Zeroizing::new(Vec::with_capacity(encoded.len() * 2 + MAX_BODY));
        text.extend_from_slice(b"-> ");
        text.extend_from_slice(tag.as_bytes());
        for arg in args {
            text.push(b' ');
            text.extend_from_slice(arg.as_bytes());
        }
        text.push(b'\n');
        for line in encoded.as_bytes().chunks(COLUMNS) {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        // The last line is a short one, empty if need be.
        if encoded.len().is_multiple_of(COLUMNS) {
            text.push(b'\n');
        }
        let output = self.output.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        output.write_all(&text)?;
        output.flush()
    }

    /// Receives a stanza.
    pub(super) fn receive(&mut self) -> io::Result<Stanza> {
        let head = self.line()?;
        let head = std::str::from_utf8(&head).ok();
        let head = head.and_then(|head| head.strip_prefix("-> "));
        let mut words = head.ok_or_else(|| bad("no stanza"))?.split(' ');
        let tag = words.next().unwrap_or_default().to_owned();
        let args = words.map(ToOwned::to_owned).collect();
        let mut body = Vec::with_capacity(MAX_BODY);
        loop {
            let line = self.line()?;
            if line.len() > COLUMNS || body.len() + COLUMNS > MAX_BODY {
                return Err(bad("a stanza that is too long"));
            }
            let part = BASE64_NOPAD.decode(&line);
            body.extend_from_slice(&Zeroizing::new(part.map_err(|_| bad("no base64"))?));
            if line.len() < COLUMNS {
                return Ok(Stanza { tag, args, body });
            }
        }
    }

    /// Waits for the plugin's end. It is done, and nothing more is read from it.
    pub(super) fn end(mut self) -> io::Result<()> {
        self.output = None;
        self.child.wait().map(drop)
    }

    fn line(&mut self) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut line = Zeroizing::new(Vec::with_capacity(256));
        let mut limited = (&mut self.input).take(MAX_LINE);
        limited.read_until(b'\n', &mut line)?;
        match line.pop() {
            Some(b'\n') => Ok(line),
            Some(_) => Err(bad("a line without an end")),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("it sent {what}"))
}
