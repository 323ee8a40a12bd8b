//! The table `[health]`: what health looks at besides what is configured anyway.

use crate::config::{
    problem::{Findings, Located},
    table::{Field, Key, Table},
};

const URLS: Key = Key("urls", "urls = [\"https://chat.example.org\"]");
const PRIVATE_FILES: Key = Key("private_files", "private_files = [\"/srv/webui/.env\"]");
const SPACE_DAYS: Key = Key("space_days", "space_days = 14");

type Texts = Vec<Located<String>>;

/// The table `[health]`.
#[derive(Debug)]
pub(crate) struct RawHealth {
    pub(crate) urls: Field<Texts>,
    pub(crate) private_files: Field<Texts>,
    pub(crate) space_days: Field<i64>,
}

pub(super) fn read(mut table: Table<'_>, findings: &mut Findings) -> RawHealth {
    let urls = table.texts(URLS, findings);
    if let Field::Got(urls) = &urls {
        // A user's password, or a token in a query.
        let secret = urls
            .value
            .iter()
            .filter(|url| url.value.contains(['@', '?']));
        secret.for_each(|url| findings.mask(url.at.file, url.at.span.clone()));
    }
    let raw = RawHealth {
        urls,
        private_files: table.texts(PRIVATE_FILES, findings),
        space_days: table.number(SPACE_DAYS, findings),
    };
    table.finish(findings);
    raw
}
