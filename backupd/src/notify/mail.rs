//! Mail: a message becomes a letter, which a server takes in time or does not.

use std::time::Duration;

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor,
    message::header::{ContentType, HeaderName, HeaderValue},
    transport::smtp,
};
use reqwest::Url;
use secrecy::ExposeSecret as _;

use super::{
    Message,
    request::{Target, Unusable, names_loopback},
    undelivered::Undelivered,
    words,
};
use crate::config::MailConfig;

/// Servers let a stranger wait before they greet.
const PATIENCE: Duration = Duration::from_secs(30);

/// One try.
pub(super) async fn send(
    target: &Target<'_>,
    mail: &MailConfig,
    message: &Message,
) -> Result<(), Undelivered> {
    let unusable = |error: Unusable| Undelivered::lasting(error.to_string());
    let server = server(target).map_err(unusable)?;
    let letter = letter(target.server, mail, message);
    let letter = letter.ok_or_else(|| unusable(Unusable::NotCarried))?;
    let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(server.as_str());
    let transport = transport.map_err(|_| unusable(Unusable::NoUrl))?;
    let transport = transport.timeout(Some(PATIENCE)).build();
    let sent = tokio::time::timeout(PATIENCE, transport.send(letter)).await;
    match sent {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(failed(&error)),
        Err(_) => Err(late()),
    }
}

/// Where the letter is handed in: by TLS from the first byte, or after `STARTTLS`, and in clear
/// to a server on this machine only.
fn server(target: &Target<'_>) -> Result<Url, Unusable> {
    let text = target.url.expose_secret();
    let mut url: Url = text.trim().parse().map_err(|_| Unusable::NoServer)?;
    let local = names_loopback(&url);
    let tls = match url.scheme() {
        "smtps" => None,
        "smtp" if local => None,
        "smtp" => Some("tls=required"),
        _ => return Err(Unusable::NoServer),
    };
    url.host_str()
        .filter(|host| !host.is_empty())
        .ok_or(Unusable::NoServer)?;
    // What else an address could ask for would undo what was just decided.
    url.set_query(tls);
    url.set_fragment(None);
    url.set_path("");
    if let Some(password) = target.token {
        let password = password.expose_secret().trim_end_matches(['\r', '\n']);
        url.set_password(Some(password))
            .map_err(|()| Unusable::NoServer)?;
    }
    Ok(url)
}

fn letter(server: &str, mail: &MailConfig, message: &Message) -> Option<lettre::Message> {
    // Nobody answers a program: RFC 3834.
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    let mut letter = lettre::Message::builder()
        .from(mail.from.clone())
        .subject(words::title(server, message))
        .user_agent(concat!("backupd/", env!("CARGO_PKG_VERSION")).to_owned())
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
        .message_id(None)
        .header(ContentType::TEXT_PLAIN);
    for to in &mail.to {
        letter = letter.to(to.clone());
    }
    letter.body(words::text(message) + "\n").ok()
}

fn late() -> Undelivered {
    Undelivered::passing(format!("no answer within {} s", PATIENCE.as_secs()))
}

/// The kind of failure only: the error's own text repeats what the server said.
fn failed(error: &smtp::Error) -> Undelivered {
    if let Some(code) = error.status() {
        let why = format!("the answer was {code}");
        return if error.is_permanent() {
            Undelivered::lasting(why)
        } else {
            Undelivered::passing(why)
        };
    }
    if error.is_timeout() {
        late()
    } else if error.is_tls() {
        Undelivered::lasting("there is no TLS")
    } else if error.is_client() {
        Undelivered::lasting(
            "the server offers no STARTTLS, or no way to sign in that is known here",
        )
    } else {
        // What is no certificate for this name looks like this, too.
        Undelivered::passing("no connection, or none that can be trusted")
    }
}
