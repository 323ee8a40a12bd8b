//! A door to a database server: an address of its own on loopback, which lets everything through
//! until a moment that a test chooses.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

/// When the door shuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shut {
    /// For the connection of this number, counted from 1: it is closed at once.
    For(usize),
    /// When the connection of this number comes, which then waits.
    Before(usize),
    /// When somebody sends these words, which do not arrive.
    At(&'static str),
}

/// The door. It ends with the process of the test.
pub(crate) struct Door {
    pub(crate) port: u16,
    shut: Receiver<()>,
}

impl Door {
    pub(crate) fn to(socket: PathBuf, when: Shut) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, shut) = sync_channel(1);
        let accept = move || {
            for (number, client) in listener.incoming().map_while(Result::ok).enumerate() {
                let number = number + 1;
                match when {
                    Shut::For(chosen) if chosen == number => {
                        sender.try_send(()).unwrap();
                        continue;
                    }
                    Shut::Before(chosen) if chosen == number => {
                        sender.try_send(()).unwrap();
                        spawn("waits", move || wait(client));
                        continue;
                    }
                    _ => {}
                }
                let server = UnixStream::connect(&socket).unwrap();
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                spawn("answers", move || answers(back.0, back.1));
                let sender = sender.clone();
                spawn("questions", move || {
                    questions(client, server, when, &sender);
                });
            }
        };
        spawn("door", accept);
        Self { port, shut }
    }

    /// Waits until it has shut.
    pub(crate) fn wait_until_shut(&self) {
        self.shut.recv().unwrap();
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(work).unwrap();
}

/// Holds a client until it goes.
fn wait(mut client: TcpStream) {
    while let Ok(1..) = client.read(&mut [0; 1 << 10]) {}
}

fn answers(mut server: UnixStream, mut client: TcpStream) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(len @ 1..) = server.read(&mut buffer) {
        if client.write_all(&buffer[..len]).is_err() {
            break;
        }
    }
    drop(client.shutdown(Shutdown::Write));
}

fn questions(mut client: TcpStream, mut server: UnixStream, when: Shut, shut: &SyncSender<()>) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(len @ 1..) = client.read(&mut buffer) {
        let bytes = &buffer[..len];
        if let Shut::At(words) = when
            && bytes
                .windows(words.len())
                .any(|part| part == words.as_bytes())
        {
            shut.try_send(()).unwrap();
            return wait(client);
        }
        if server.write_all(bytes).is_err() {
            break;
        }
    }
    drop(server.shutdown(Shutdown::Write));
}
