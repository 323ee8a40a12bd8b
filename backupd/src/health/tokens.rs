//! Tokens of the API that end soon: whoever uses one should get another before.

use backup_model::{Code, Failure, HealthItem, Span};
use backupd_api::TokenInfo;
use jiff::{SignedDuration, Timestamp};
use tokio::task;

use super::look::said;
use crate::{http::Tokens, service::Access};

pub(super) const OBJECT: &str = "api tokens";
const ID: &str = "token-expiry";

const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

pub(super) async fn check(access: &Access, now: Timestamp) -> Vec<HealthItem> {
    let state = access.state.clone();
    let read = task::spawn_blocking(move || Ok(Tokens::open(&state)?.list())).await;
    let tokens: Result<Vec<TokenInfo>, Failure> =
        read.unwrap_or_else(|error| Err(Failure::from_error(Code::Bug, &error)));
    vec![match tokens {
        Ok(tokens) => judge(&tokens, now),
        Err(failure) => {
            let fix = "Give the file to the daemon's user alone, with mode 0600.";
            HealthItem::unknown(ID, OBJECT, said(&failure), fix)
        }
    }]
}

fn judge(tokens: &[TokenInfo], now: Timestamp) -> HealthItem {
    let left = |token: &TokenInfo| token.expires.duration_since(now);
    let counting: Vec<_> = tokens
        .iter()
        .filter(|it| left(it) > SignedDuration::ZERO)
        .collect();
    let Some(first) = counting.iter().min_by_key(|token| token.expires) else {
        return HealthItem::ok(ID, OBJECT, "there is none");
    };
    let soon = counting.iter().filter(|token| left(token) < SOON);
    let span = Span(left(first));
    let item = match soon.count() {
        0 => {
            let evidence = format!("{} count, the first ends in {span}", counting.len());
            HealthItem::ok(ID, OBJECT, evidence)
        }
        soon => {
            let evidence = format!(
                "{soon} of {} end within 14 d; {} (`{}`) in {span}",
                counting.len(),
                first.id,
                first.label
            );
            let fix = format!(
                "Give it another secret: backupctl token rotate {}",
                first.id
            );
            HealthItem::at_risk(ID, OBJECT, evidence, fix)
        }
    };
    item.with("left_days", left(first).as_hours() / 24)
}

#[cfg(test)]
mod tests {
    use backup_model::HealthState;
    use backupd_api::Scopes;

    use super::*;

    fn at(days: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + days * 24 * 3_600).unwrap()
    }

    fn token(id: &str, days: i64) -> TokenInfo {
        TokenInfo {
            id: id.to_owned(),
            label: "grafana".to_owned(),
            scopes: Scopes::default(),
            created: at(-30),
            expires: at(days),
            former_until: None,
        }
    }

    #[test]
    fn tokens_that_end_soon_are_named_and_those_that_ended_are_past() {
        assert_eq!(judge(&[], at(0)).state, HealthState::Ok);
        assert_eq!(judge(&[token("a", -1)], at(0)).state, HealthState::Ok);
        let fine = judge(&[token("a", -1), token("b", 14)], at(0));
        assert_eq!(
            (fine.state, fine.numbers["left_days"]),
            (HealthState::Ok, 14)
        );
        let soon = judge(&[token("a", 13), token("b", 5), token("c", 90)], at(0));
        assert_eq!(soon.state, HealthState::AtRisk);
        assert!(
            soon.evidence.starts_with("2 of 3 end within 14 d; b"),
            "{soon:?}"
        );
        assert_eq!(
            soon.fix.unwrap(),
            "Give it another secret: backupctl token rotate b"
        );
    }
}
