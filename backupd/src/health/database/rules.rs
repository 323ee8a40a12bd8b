//! By which rules a server lets people in: the lines of its `pg_hba.conf`.

use backup_model::{HealthItem, HealthState};

use super::judge::{RULES, quoted};
use crate::health::copies::is_loopback;

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) line: i32,
    /// `local`, `host`, `hostssl`, …
    pub(super) kind: String,
    pub(super) address: Option<String>,
    pub(super) method: String,
    pub(super) error: Option<String>,
}

impl Rule {
    /// What is wrong with it.
    fn fault(&self) -> Option<HealthState> {
        if self.error.is_some() {
            return Some(HealthState::AtRisk);
        }
        let by_network = self.kind.starts_with("host");
        let far = by_network && !self.address.as_deref().is_some_and(is_near);
        match self.method.as_str() {
            "trust" if far => Some(HealthState::Breached),
            "trust" => Some(HealthState::AtRisk),
            "password" | "md5" if by_network => Some(HealthState::AtRisk),
            _ => None,
        }
    }

    fn shown(&self) -> String {
        if let Some(error) = &self.error {
            return format!("line {}: {error}", self.line);
        }
        let address = self.address.as_deref().unwrap_or_default();
        let words = [self.kind.as_str(), address, self.method.as_str()];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        format!("line {}: {}", self.line, words.join(" "))
    }
}

/// Whether only the server's own machine is meant.
fn is_near(address: &str) -> bool {
    address == "samehost" || is_loopback(address)
}

/// Whether anybody is let in who has not shown a password, or has shown it in clear.
pub(super) fn judge(server: &str, role: &str, rules: Option<&[Rule]>) -> HealthItem {
    let Some(rules) = rules else {
        let why = format!("`{role}` may not read pg_hba_file_rules");
        let role = quoted(role);
        let fix = format!(
            "As a superuser, in this database: GRANT SELECT ON pg_hba_file_rules TO {role}; \
             GRANT EXECUTE ON FUNCTION pg_hba_file_rules() TO {role}"
        );
        return HealthItem::unknown(RULES, server, why, fix);
    };
    let faults: Vec<(&Rule, HealthState)> = rules
        .iter()
        .filter_map(|rule| Some((rule, rule.fault()?)))
        .collect();
    let Some(worst) = faults.iter().map(|(_, state)| *state).max() else {
        let evidence = format!("{} rules, none with trust, password or md5", rules.len());
        return HealthItem::ok(RULES, server, evidence);
    };
    let shown = faults.iter().take(4).map(|(rule, _)| rule.shown());
    let more = if faults.len() > 4 { "; …" } else { "" };
    let evidence = format!("{}{more}", shown.collect::<Vec<_>>().join("; "));
    let fix = "Write scram-sha-256 (or peer, for `local`) there in pg_hba.conf, \
               then SELECT pg_reload_conf()";
    let item = match worst {
        HealthState::Breached => HealthItem::breached(RULES, server, evidence, fix),
        _ => HealthItem::at_risk(RULES, server, evidence, fix),
    };
    item.with("faulty_lines", faults.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_in_is_judged_by_who_can_take_it() {
        for (kind, address, method, state) in [
            ("local", None, "peer", HealthState::Ok),
            ("local", None, "scram-sha-256", HealthState::Ok),
            ("local", None, "trust", HealthState::AtRisk),
            ("local", None, "md5", HealthState::Ok),
            ("host", Some("127.0.0.1"), "trust", HealthState::AtRisk),
            ("host", Some("::1"), "trust", HealthState::AtRisk),
            ("host", Some("10.0.0.0"), "trust", HealthState::Breached),
            ("hostssl", Some("all"), "trust", HealthState::Breached),
            ("host", None, "trust", HealthState::Breached),
            ("host", Some("10.0.0.0"), "md5", HealthState::AtRisk),
            (
                "hostnossl",
                Some("127.0.0.1"),
                "password",
                HealthState::AtRisk,
            ),
            ("host", Some("all"), "scram-sha-256", HealthState::Ok),
            ("hostssl", Some("all"), "cert", HealthState::Ok),
            ("host", Some("all"), "reject", HealthState::Ok),
        ] {
            let rule = Rule {
                line: 7,
                kind: kind.to_owned(),
                address: address.map(str::to_owned),
                method: method.to_owned(),
                error: None,
            };
            let item = judge("s", "backup", Some(&[rule]));
            assert_eq!(item.state, state, "{kind} {address:?} {method}: {item:?}");
        }
    }

    #[test]
    fn a_line_that_is_none_is_a_risk_and_who_sees_no_line_knows_nothing() {
        let broken = Rule {
            line: 3,
            kind: String::new(),
            address: None,
            method: String::new(),
            error: Some("invalid connection type".to_owned()),
        };
        let item = judge("s", "b", Some(&[broken]));
        assert_eq!(item.state, HealthState::AtRisk);
        assert_eq!(item.evidence, "line 3: invalid connection type");
        let hidden = judge("s", "o\"dd", None);
        assert_eq!(hidden.state, HealthState::Unknown);
        assert!(hidden.fix.unwrap().ends_with("TO \"o\"\"dd\""));
    }
}
