//! A web address as a stranger meets it: whether it answers, its certificate, its headers.

use std::time::Instant;

use backup_model::HealthItem;
use jiff::Timestamp;
use tokio::time::timeout;

use super::look::PATIENCE;
use crate::config::WatchedUrl;

mod fetch;
mod headers;
mod meet;

use fetch::{Answer, fetch};
use meet::{Met, Verdict};

const REACHABLE: &str = "web-reachable";
const CERTIFICATE: &str = "certificate";
const RENEW: &str = "Have it renewed: certbot renew, or whatever renews it here.";

/// Looks at one.
pub(super) async fn check(url: &WatchedUrl, now: Timestamp) -> Vec<HealthItem> {
    let object = url.to_string();
    let begun = Instant::now();
    let fetched = timeout(PATIENCE, fetch(url, now)).await;
    let (met, answer) = fetched.unwrap_or_else(|_| {
        let text = format!("no answer within {} s", PATIENCE.as_secs());
        (None, Err(text))
    });
    let took = begun.elapsed().as_millis();
    let mut items = Vec::new();
    if url.tls {
        items.push(certificate(&object, met.as_ref(), now));
    }
    match answer {
        Ok(answer) => {
            items.push(reachable(&object, &answer, took));
            items.push(headers::security(&object, url.tls, &answer.headers));
            items.extend(headers::cookies(&object, url.tls, &answer.headers));
        }
        Err(why) => {
            let fix = "Look whether it runs, and whether its name leads there.";
            items.push(HealthItem::breached(REACHABLE, &object, why, fix));
            let why = "the address does not answer as it should";
            let fix = format!("See `{REACHABLE}` first.");
            items.push(HealthItem::unknown(headers::SECURITY, &object, why, fix));
        }
    }
    items
}

fn reachable(object: &str, answer: &Answer, took: u128) -> HealthItem {
    let status = answer.status;
    let evidence = format!("it answered {status} in {took} ms");
    let item = if status >= 500 {
        let fix = "Look into the log of what serves it.";
        HealthItem::at_risk(REACHABLE, object, evidence, fix)
    } else {
        HealthItem::ok(REACHABLE, object, evidence)
    };
    item.with("latency_ms", took)
}

fn certificate(object: &str, met: Option<&Met>, now: Timestamp) -> HealthItem {
    let Some(met) = met else {
        let fix = format!("See `{REACHABLE}` first.");
        return HealthItem::unknown(CERTIFICATE, object, "none was shown", fix);
    };
    let Some(term) = met.term else {
        let why = "what was shown is no certificate";
        return HealthItem::unknown(CERTIFICATE, object, why, RENEW);
    };
    let item = super::certificate::judge(object, term, RENEW, now);
    match &met.verdict {
        Verdict::Vouched | Verdict::Ended => item,
        Verdict::OtherName => {
            let fix = "Get one for this name, or ask by the name that it is for.";
            HealthItem::breached(CERTIFICATE, object, "it is for another name", fix)
        }
        Verdict::Refused(why) => {
            let evidence = format!("no authority that this machine trusts vouches for it: {why}");
            let fix =
                "Get one from an authority, with those between; or have this machine trust yours.";
            HealthItem::breached(CERTIFICATE, object, evidence, fix)
        }
        Verdict::Nobody(why) => {
            let fix =
                "Install the authorities that everybody trusts: apt-get install ca-certificates";
            HealthItem::unknown(CERTIFICATE, object, why, fix)
        }
    }
}

#[cfg(test)]
mod tests {
    use backup_model::HealthState;

    use super::*;
    use crate::health::certificate::Term;

    #[test]
    fn a_certificate_is_judged_by_who_vouches_for_it_and_by_its_term() {
        let at = |days: i64| Timestamp::from_second(1_790_000_000 + days * 86_400).unwrap();
        let term = Some(Term {
            from: at(-30),
            until: at(60),
        });
        let met = |verdict| Met { term, verdict };
        for (verdict, state) in [
            (Verdict::Vouched, HealthState::Ok),
            (Verdict::OtherName, HealthState::Breached),
            (
                Verdict::Refused("unknown issuer".to_owned()),
                HealthState::Breached,
            ),
            (Verdict::Nobody("none".to_owned()), HealthState::Unknown),
        ] {
            let item = certificate("u", Some(&met(verdict)), at(0));
            assert_eq!(item.state, state, "{item:?}");
        }
        let ended = certificate("u", Some(&met(Verdict::Ended)), at(61));
        assert_eq!(ended.state, HealthState::Breached);
        let soon = certificate("u", Some(&met(Verdict::Vouched)), at(50));
        assert_eq!(soon.state, HealthState::AtRisk);
        assert_eq!(certificate("u", None, at(0)).state, HealthState::Unknown);
    }

    #[tokio::test]
    async fn an_address_that_nobody_answers_is_no_tick() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let url = format!("https://127.0.0.1:{port}/?token=canary")
            .parse()
            .unwrap();
        let items = check(&url, Timestamp::UNIX_EPOCH).await;
        let states: Vec<_> = items.iter().map(|item| item.state).collect();
        let (breached, unknown) = (HealthState::Breached, HealthState::Unknown);
        assert_eq!(states, [unknown, breached, unknown], "{items:?}");
        assert!(!format!("{items:?}").contains("canary"));
    }
}
