//! Channels of notifications: whether the last message arrived. What has never been used may not
//! work when it counts.

use backup_model::{ChannelState, HealthItem, Span};
use jiff::Timestamp;

const ID: &str = "notification";

/// One item for each channel.
pub fn channels(states: &[ChannelState], now: Timestamp) -> Vec<HealthItem> {
    states.iter().map(|state| judge(state, now)).collect()
}

fn judge(state: &ChannelState, now: Timestamp) -> HealthItem {
    let name = &state.name;
    let ago = |time: Timestamp| Span(now.duration_since(time));
    let test = format!("backupctl notify test {name}");
    match (state.last_delivered, state.last_failed) {
        (delivered, Some(failed)) if delivered.is_none_or(|delivered| delivered < failed) => {
            let why = state.failure.as_deref().unwrap_or("it was not delivered");
            let evidence = format!("a message was given up {} ago: {why}", ago(failed));
            HealthItem::at_risk(ID, name, evidence, format!("Mend it, then: {test}"))
        }
        (Some(delivered), _) => {
            HealthItem::ok(ID, name, format!("delivered {} ago", ago(delivered)))
        }
        (None, _) => HealthItem::unknown(ID, name, "nothing was sent by it yet", test),
    }
}

#[cfg(test)]
mod tests {
    use backup_model::{ChannelKind, HealthState};

    use super::*;

    #[test]
    fn the_last_message_tells() {
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        let hours = |hours: i64| Some(now - jiff::SignedDuration::from_hours(hours));
        for (last_delivered, last_failed, state) in [
            (None, None, HealthState::Unknown),
            (hours(3), None, HealthState::Ok),
            (hours(3), hours(5), HealthState::Ok),
            (hours(5), hours(3), HealthState::AtRisk),
            (None, hours(3), HealthState::AtRisk),
        ] {
            let channel = ChannelState {
                name: "ops".to_owned(),
                kind: ChannelKind::Ntfy,
                last_delivered,
                last_failed,
                last_digest: None,
                failure: Some("it refused".to_owned()),
            };
            let item = channels(&[channel], now).remove(0);
            assert_eq!((item.state, &*item.object), (state, "ops"));
            let told = item.evidence.contains("it refused");
            assert_eq!(told, state == HealthState::AtRisk);
        }
    }
}
