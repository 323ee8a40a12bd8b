//! The API at addresses: who gets in without a token, from where a request comes, and how much
//! one source may take.

use std::time::Duration;

use backup_model::Code;
use backupd_api::{Scope, TokenText};
use tokio::{io::AsyncReadExt as _, net::TcpStream};
use tokio_util::sync::CancellationToken;

use super::fixture::{Fixture, Talk, bearer, request, with};
use crate::{config::Listen, http::source::Peer};

fn from(address: &str) -> Peer {
    let address = address.parse().unwrap();
    Peer::Network { address }
}

#[tokio::test]
async fn nobody_on_a_network_gets_in_without_a_token() {
    let fixture = Fixture::with(|settings| {
        settings.group_scopes = backupd_api::Scopes(vec![Scope::Admin]);
    })
    .await;
    for address in ["127.0.0.1", "::1", "192.0.2.7"] {
        let answer = fixture
            .ask(from(address), request("GET", "/v1/jobs", ""))
            .await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (401, &"E-SIGN-IN".into())
        );
        let token = fixture.token(&[Scope::Status]);
        let asked = with(&token, request("GET", "/v1/jobs", ""));
        assert_eq!(fixture.ask(from(address), asked).await.status, 200);
    }
    let stop = CancellationToken::new();
    let at = fixture.serve_tcp(&stop).await;
    let mut talk = Talk(TcpStream::connect(at).await.unwrap());
    assert_eq!(talk.get("/v1/jobs", "").await.unwrap().0, 401);
    let line = bearer(&fixture.token(&[Scope::Status]));
    let (status, body) = talk.get("/v1/jobs", &line).await.unwrap();
    assert_eq!((status, body.as_str()), (200, r#"["app"]"#));
}

/// A proxy that runs as root and speaks to the socket would make everybody root.
#[tokio::test]
async fn a_proxy_before_the_socket_gives_nobody_its_rights() {
    let fixture = Fixture::new().await;
    for name in ["x-forwarded-for", "forwarded", "x-real-ip", "via"] {
        let mut asked = request("GET", "/v1/jobs", "");
        asked
            .headers_mut()
            .insert(name, "192.0.2.7".parse().unwrap());
        let answer = fixture.ask(Peer::Local { uid: 0 }, asked).await;
        assert_eq!(answer.status, 401, "{name}");
    }
}

#[tokio::test]
async fn a_forged_source_is_not_believed() {
    let fixture = Fixture::with(|settings| {
        settings.trusted_proxies = vec!["10.0.0.0/24".parse().unwrap()];
    })
    .await;
    let wrong = TokenText::generate().unwrap();
    let ask = async |peer: &str, forwarded: &str| {
        let mut asked = with(&wrong, request("GET", "/v1/jobs", ""));
        let value = forwarded.parse().unwrap();
        asked.headers_mut().insert("x-forwarded-for", value);
        fixture.ask(from(peer), asked).await.status
    };
    // Whoever invents a source for each guess waits like anybody else.
    for n in 0..20 {
        let status = ask("192.0.2.7", &format!("198.51.100.{n}")).await;
        assert_eq!(status, if n < 6 { 401 } else { 429 }, "{n}");
    }
    // So does whoever invents it before a proxy of ours.
    for n in 0..20 {
        let status = ask("10.0.0.1", &format!("198.51.100.{n}, 192.0.2.8")).await;
        assert_eq!(status, if n < 6 { 401 } else { 429 }, "{n}");
    }
    // And another client behind that proxy is another source.
    assert_eq!(ask("10.0.0.1", "192.0.2.9").await, 401);
    let said = fixture.said.lock().unwrap();
    let sources: Vec<_> = said
        .iter()
        .map(|line| line.split(' ').nth(1).unwrap())
        .collect();
    let expected = [
        vec!["srcip=192.0.2.7"; 6],
        vec!["srcip=192.0.2.8"; 6],
        vec!["srcip=192.0.2.9"],
    ];
    assert_eq!(sources, expected.concat());
}

#[tokio::test]
async fn one_source_does_not_take_all_connections() {
    let fixture = Fixture::with(|settings| settings.limits.per_source = 3).await;
    let stop = CancellationToken::new();
    let at = fixture.serve_tcp(&stop).await;
    let line = bearer(&fixture.token(&[Scope::Status]));
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut talk = Talk(TcpStream::connect(at).await.unwrap());
        assert_eq!(talk.get("/v1/jobs", &line).await.unwrap().0, 200);
        held.push(talk);
    }
    let mut more = Talk(TcpStream::connect(at).await.unwrap());
    assert_eq!(more.get("/v1/jobs", &line).await, None);
    // Another source has its own, and so has whoever comes over the socket.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = Talk(socket.connect(at).await.unwrap());
    assert_eq!(other.get("/v1/jobs", &line).await.unwrap().0, 200);
    // A connection that ends makes room.
    drop(held.pop());
    let again = async {
        loop {
            let mut talk = Talk(TcpStream::connect(at).await.unwrap());
            if let Some((status, _)) = talk.get("/v1/jobs", &line).await {
                return status;
            }
        }
    };
    let again = tokio::time::timeout(Duration::from_secs(10), again).await;
    assert_eq!(again.expect("a place came back"), 200);
}

#[tokio::test]
async fn a_full_network_leaves_the_socket_free() {
    let fixture = Fixture::with(|settings| settings.limits.connections = 2).await;
    let (socket, _stop, _served) = fixture.serve().await;
    let path = fixture.path("other.sock");
    let both = [
        Listen::Unix(path.clone()),
        Listen::Http("127.0.0.1:0".parse().unwrap()),
    ];
    let listeners = fixture.listen(&both).await.unwrap();
    let backupd_api::Address::Http(at) = listeners.addresses()[1].clone() else {
        panic!("{listeners:?}");
    };
    let stop = CancellationToken::new();
    let served = fixture.serve_on(listeners, &stop);
    let mut held = Vec::new();
    for _ in 0..5 {
        held.push(TcpStream::connect(at).await.unwrap());
    }
    let local = tokio::net::UnixStream::connect(&path).await.unwrap();
    assert_eq!(Talk(local).get("/v1/jobs", "").await.unwrap().0, 200);
    stop.cancel();
    drop(held);
    served.await.unwrap();
    let first = tokio::net::UnixStream::connect(&socket).await.unwrap();
    assert_eq!(Talk(first).get("/v1/jobs", "").await.unwrap().0, 200);
}

#[tokio::test]
async fn a_port_that_is_taken_and_an_address_that_is_not_ours_are_refused() {
    let fixture = Fixture::new().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap();
    for listen in [Listen::Http(at), Listen::Https(at)] {
        let refused = fixture.listen(&[listen]).await.unwrap_err();
        assert_eq!(refused.code, Code::Listen);
        assert_eq!(refused.message, format!("cannot listen at {at}"));
        assert!(refused.causes[0].contains("in use"), "{refused:?}");
    }
    let foreign = Listen::Https("192.0.2.1:8443".parse().unwrap());
    let refused = fixture.listen(&[foreign]).await.unwrap_err();
    assert_eq!(refused.code, Code::Listen);
}

#[tokio::test]
async fn nothing_is_in_clear_beyond_loopback() {
    let fixture = Fixture::new().await;
    for at in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let plain = Listen::Http(at.parse().unwrap());
        let refused = fixture.listen(&[plain]).await.unwrap_err();
        assert_eq!(refused.code, Code::Listen);
        assert_eq!(refused.causes, ["http:// is for loopback addresses only"]);
    }
}

#[tokio::test]
async fn whoever_speaks_no_tls_is_not_waited_for() {
    let fixture =
        Fixture::with(|settings| settings.limits.handshake = Duration::from_millis(200)).await;
    let at = Listen::Https("127.0.0.1:0".parse().unwrap());
    let listeners = fixture.listen(&[at]).await.unwrap();
    let backupd_api::Address::Https { port, .. } = listeners.addresses()[0].clone() else {
        panic!("{listeners:?}");
    };
    fixture.serve_on(listeners, &CancellationToken::new());
    let mut silent = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut heard = Vec::new();
    silent.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"");
    let mut plain = Talk(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    assert_eq!(plain.get("/v1/jobs", "").await, None);
}
