//! Headers that keep a browser from helping an attacker, and cookies that stay where they belong.

use backup_model::HealthItem;
use http::{HeaderMap, header};

pub(super) const SECURITY: &str = "web-headers";
const COOKIES: &str = "web-cookies";

fn has(headers: &HeaderMap, name: header::HeaderName, holds: impl Fn(&str) -> bool) -> bool {
    let values = headers.get_all(name);
    let mut texts = values.iter().filter_map(|value| value.to_str().ok());
    texts.any(|text| holds(&text.to_ascii_lowercase()))
}

/// Whether the headers are there.
pub(super) fn security(object: &str, tls: bool, headers: &HeaderMap) -> HealthItem {
    let any = |text: &str| !text.trim().is_empty();
    let framed = has(headers, header::CONTENT_SECURITY_POLICY, any)
        || has(headers, header::X_FRAME_OPTIONS, any);
    let lasting = |text: &str| {
        let mut parts = text.split(';').map(str::trim);
        let age = parts.find_map(|part| part.strip_prefix("max-age="));
        age.is_some_and(|age| age.trim_matches('"').parse().is_ok_and(|age: u64| age > 0))
    };
    let wanted = [
        (
            "Strict-Transport-Security",
            !tls || has(headers, header::STRICT_TRANSPORT_SECURITY, lasting),
        ),
        (
            "X-Content-Type-Options: nosniff",
            has(headers, header::X_CONTENT_TYPE_OPTIONS, |text| {
                text.trim() == "nosniff"
            }),
        ),
        ("Content-Security-Policy or X-Frame-Options", framed),
        (
            "Referrer-Policy",
            has(headers, header::REFERRER_POLICY, any),
        ),
    ];
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|(_, there)| !there)
        .map(|(name, _)| *name)
        .collect();
    if missing.is_empty() {
        return HealthItem::ok(SECURITY, object, "every header is there that should be");
    }
    let evidence = format!("missing: {}", missing.join(", "));
    let fix = "Let the proxy add them, in nginx: add_header NAME \"VALUE\" always;";
    HealthItem::at_risk(SECURITY, object, evidence, fix).with("missing", missing.len())
}

/// Whether its cookies are kept from scripts, and from going in clear. Nothing of one without.
pub(super) fn cookies(object: &str, tls: bool, headers: &HeaderMap) -> Option<HealthItem> {
    let cookies = headers.get_all(header::SET_COOKIE).iter();
    let cookies: Vec<&str> = cookies.filter_map(|value| value.to_str().ok()).collect();
    if cookies.is_empty() {
        return None;
    }
    let faulty = cookies.iter().filter_map(|cookie| {
        let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
        // Its value is a secret.
        let name = pair.split('=').next().unwrap_or_default().trim();
        let has = |wanted: &str| {
            let mut all = attributes.split(';').map(str::trim);
            all.any(|attribute| attribute.eq_ignore_ascii_case(wanted))
        };
        let lacks: Vec<&str> = [
            ("Secure", !tls || has("Secure")),
            ("HttpOnly", has("HttpOnly")),
        ]
        .into_iter()
        .filter_map(|(word, there)| (!there).then_some(word))
        .collect();
        (!lacks.is_empty()).then(|| format!("`{name}` lacks {}", lacks.join(" and ")))
    });
    let faulty: Vec<String> = faulty.collect();
    if faulty.is_empty() {
        let evidence = format!("{} set, all with what they need", cookies.len());
        return Some(HealthItem::ok(COOKIES, object, evidence));
    }
    let fix =
        "Have the application or the proxy set them; nginx: proxy_cookie_flags ~ secure httponly;";
    let evidence = faulty.join("; ");
    Some(HealthItem::at_risk(COOKIES, object, evidence, fix))
}

#[cfg(test)]
mod tests {
    use backup_model::HealthState;
    use http::{HeaderName, HeaderValue};

    use super::*;

    const GOOD: [(&str, &str); 4] = [
        (
            "strict-transport-security",
            "max-age=31536000; includeSubDomains",
        ),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'self'"),
        ("referrer-policy", "no-referrer"),
    ];

    fn map(all: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = all.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        pairs.collect()
    }

    #[test]
    fn each_header_that_is_missing_is_named() {
        assert_eq!(security("u", true, &map(&GOOD)).state, HealthState::Ok);
        let names = [
            "Strict-Transport-Security",
            "X-Content-Type-Options: nosniff",
            "Content-Security-Policy or X-Frame-Options",
            "Referrer-Policy",
        ];
        for (without, name) in names.into_iter().enumerate() {
            let mut all = GOOD.to_vec();
            all.remove(without);
            let item = security("u", true, &map(&all));
            assert_eq!(item.state, HealthState::AtRisk);
            assert_eq!(item.evidence, format!("missing: {name}"));
        }
        // In clear nothing is promised for later; a frame may be refused by the older header.
        let mut plain = GOOD.to_vec();
        plain.remove(0);
        plain[1] = ("x-frame-options", "DENY");
        assert_eq!(security("u", false, &map(&plain)).state, HealthState::Ok);
        for weak in ["max-age=0", "includeSubDomains", "max-age=x"] {
            let mut all = GOOD.to_vec();
            all[0].1 = weak;
            assert_eq!(
                security("u", true, &map(&all)).state,
                HealthState::AtRisk,
                "{weak}"
            );
        }
    }

    #[test]
    fn cookies_are_named_and_their_values_are_not() {
        let of = |cookie, tls| cookies("u", tls, &map(&[("set-cookie", cookie)]));
        assert_eq!(cookies("u", true, &HeaderMap::new()), None);
        let good = of("sid=canary; Path=/; secure; HTTPONLY", true).unwrap();
        assert_eq!(good.state, HealthState::Ok);
        assert_eq!(
            of("sid=canary; HttpOnly", false).unwrap().state,
            HealthState::Ok
        );
        for (cookie, lacks) in [
            ("sid=canary; HttpOnly", "`sid` lacks Secure"),
            ("sid=canary; Secure", "`sid` lacks HttpOnly"),
            ("sid=canary", "`sid` lacks Secure and HttpOnly"),
            (
                "sid=canary; SecureHttpOnly",
                "`sid` lacks Secure and HttpOnly",
            ),
        ] {
            let item = of(cookie, true).unwrap();
            assert_eq!((item.state, &*item.evidence), (HealthState::AtRisk, lacks));
        }
    }
}
