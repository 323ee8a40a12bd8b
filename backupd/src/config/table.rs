//! Reading TOML tables key by key: each wrong type, missing and unknown key becomes a finding.
//!
//! A table remembers which keys were asked for; what is left over in the end is unknown, and what
//! was asked for is what can be suggested. So the reading code is the only list of keys there is.

use toml::de::{DeTable, DeValue};

use super::problem::{Findings, Located, Spot};

/// A key with an example of how it is written, for messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key(pub(crate) &'static str, pub(crate) &'static str);

/// What was found at a key.
#[derive(Clone, Debug)]
pub(crate) enum Field<T> {
    /// Nothing.
    Absent,
    /// Something of a wrong type, which is reported already.
    Wrong,
    /// A value.
    Got(Located<T>),
}

impl<T> Field<T> {
    pub(crate) fn got(self) -> Option<Located<T>> {
        match self {
            Self::Got(value) => Some(value),
            Self::Absent | Self::Wrong => None,
        }
    }

    fn map<U>(self, f: impl FnOnce(T) -> U) -> Field<U> {
        match self {
            Self::Absent => Field::Absent,
            Self::Wrong => Field::Wrong,
            Self::Got(Located { value, at }) => Field::Got(Located {
                value: f(value),
                at,
            }),
        }
    }
}

/// A table that is being read.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    entries: &'a DeTable<'a>,
    at: Spot,
    asked: Vec<&'static str>,
}

impl<'a> Table<'a> {
    pub(crate) fn new(entries: &'a DeTable<'a>, at: Spot) -> Self {
        let asked = Vec::new();
        Self { entries, at, asked }
    }

    /// Where the table begins: its header, or the whole of an inline table.
    pub(crate) fn at(&self) -> &Spot {
        &self.at
    }

    /// The value of a key without any claim about its type.
    pub(crate) fn value(&mut self, key: Key) -> Option<Located<&'a DeValue<'a>>> {
        if !self.asked.contains(&key.0) {
            self.asked.push(key.0);
        }
        let (_, value) = self
            .entries
            .iter()
            .find(|(name, _)| name.as_ref() == key.0)?;
        Some(Located {
            value: value.get_ref(),
            at: self.below(key.0, value.span()),
        })
    }

    pub(crate) fn text(&mut self, key: Key, findings: &mut Findings) -> Field<String> {
        self.read(key, "a string", findings, |value| {
            Some(value.as_str()?.to_owned())
        })
        .and_plain(findings)
    }

    pub(crate) fn number(&mut self, key: Key, findings: &mut Findings) -> Field<i64> {
        self.read(key, "a number", findings, |value| {
            let number = value.as_integer()?;
            // A number too large for the type is larger than any limit.
            Some(i64::from_str_radix(number.as_str(), number.radix()).unwrap_or(i64::MAX))
        })
    }

    pub(crate) fn flag(&mut self, key: Key, findings: &mut Findings) -> Field<bool> {
        self.read(key, "true or false", findings, DeValue::as_bool)
    }

    pub(crate) fn texts(
        &mut self,
        key: Key,
        findings: &mut Findings,
    ) -> Field<Vec<Located<String>>> {
        let field = self.read(key, "an array of strings", findings, |value| {
            let items = value.as_array()?.iter();
            items
                .map(|item| Some((item.get_ref().as_str()?.to_owned(), item.span())))
                .collect()
        });
        let at = match &field {
            Field::Got(got) => got.at.clone(),
            Field::Absent | Field::Wrong => return field.map(|_: Vec<_>| Vec::new()),
        };
        let mut plain = true;
        let field = field.map(|items: Vec<(String, std::ops::Range<usize>)>| {
            let located = items
                .into_iter()
                .enumerate()
                .map(|(n, (value, span))| Located {
                    value,
                    at: Spot {
                        span,
                        key: format!("{}[{n}]", at.key),
                        ..at.clone()
                    },
                });
            let items: Vec<_> = located.collect();
            for item in &items {
                plain &= is_plain(item, findings);
            }
            items
        });
        if plain { field } else { Field::Wrong }
    }

    pub(crate) fn table(&mut self, key: Key, findings: &mut Findings) -> Field<Self> {
        let at = self.value(key).map(|value| value.at);
        self.read(key, "a table", findings, |value| {
            Some(Self::new(value.as_table()?, at?))
        })
    }

    /// An array of tables: `[[key]]`.
    pub(crate) fn tables(&mut self, key: Key, findings: &mut Findings) -> Field<Vec<Self>> {
        let Some(at) = self.value(key).map(|value| value.at) else {
            return Field::Absent;
        };
        self.read(key, "an array of tables", findings, |value| {
            let items = value.as_array()?.iter().enumerate();
            let tables = items.map(|(n, item)| {
                let spot = Spot {
                    span: item.span(),
                    key: format!("{}[{n}]", at.key),
                    ..at.clone()
                };
                Some(Self::new(item.get_ref().as_table()?, spot))
            });
            tables.collect()
        })
    }

    /// The tables below a key, by the names that the user gave them: `[key.name]`.
    pub(crate) fn named(
        &mut self,
        key: Key,
        findings: &mut Findings,
    ) -> Vec<(Located<String>, Self)> {
        let Some(parent) = self.table(key, findings).got() else {
            return Vec::new();
        };
        let mut named = Vec::new();
        for (name, value) in parent.value.entries {
            let at = parent.value.below(name.get_ref(), name.span());
            let Some(table) = value.get_ref().as_table() else {
                wrong_type(
                    &at,
                    name.get_ref(),
                    "a table",
                    value.get_ref(),
                    key,
                    findings,
                );
                continue;
            };
            let name = Located {
                value: name.get_ref().to_string(),
                at: at.clone(),
            };
            named.push((name, Self::new(table, at)));
        }
        named.sort_by_key(|(name, _)| name.at.span.start);
        named
    }

    /// Says that a key is needed and not there.
    pub(crate) fn missing(&self, key: Key, findings: &mut Findings) {
        let place = match self.at.key.as_str() {
            "" => "the file".to_owned(),
            path => format!("`{path}`"),
        };
        let help = format!("Add `{}`.", key.1);
        findings.at(&self.at, format!("{place} has no `{}`", key.0), help);
    }

    /// Blacks out every value that is no table of a reference, and what is odd in those tables.
    pub(crate) fn mask_values(&self, findings: &mut Findings) {
        for value in self.entries.values() {
            match value.get_ref().as_table() {
                Some(inner) => {
                    let known =
                        |name: &str| ["env", "file", "credential", "command"].contains(&name);
                    let odd = inner.iter().filter(|(name, _)| !known(name.get_ref()));
                    for (_, value) in odd {
                        findings.mask(self.at.file, value.span());
                    }
                }
                None => findings.mask(self.at.file, value.span()),
            }
        }
    }

    /// Reports every key that nobody asked for.
    pub(crate) fn finish(self, findings: &mut Findings) {
        for (name, value) in self.entries {
            if self.asked.iter().any(|&asked| asked == name.get_ref()) {
                continue;
            }
            if looks_secret(name.get_ref()) {
                findings.mask(self.at.file, value.span());
            }
            let at = self.below(name.get_ref(), name.span());
            let help = suggestion(name.get_ref(), &self.asked);
            findings.at(&at, format!("unknown key `{}`", name.get_ref()), help);
        }
    }

    fn read<T>(
        &mut self,
        key: Key,
        kind: &str,
        findings: &mut Findings,
        convert: impl FnOnce(&'a DeValue<'a>) -> Option<T>,
    ) -> Field<T> {
        let Some(found) = self.value(key) else {
            return Field::Absent;
        };
        let Some(value) = convert(found.value) else {
            wrong_type(&found.at, key.0, kind, found.value, key, findings);
            return Field::Wrong;
        };
        let at = found.at;
        Field::Got(Located { value, at })
    }

    fn below(&self, key: &str, span: std::ops::Range<usize>) -> Spot {
        let path = match self.at.key.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        };
        Spot {
            file: self.at.file,
            span,
            key: path,
        }
    }
}

impl Field<String> {
    /// Refuses control characters, which no name, path or host has and some programs trip over.
    fn and_plain(self, findings: &mut Findings) -> Self {
        match self {
            Self::Got(got) if !is_plain(&got, findings) => Self::Wrong,
            other => other,
        }
    }
}

fn is_plain(text: &Located<String>, findings: &mut Findings) -> bool {
    let plain = !text.value.contains(char::is_control);
    if !plain {
        let message = format!("`{}` contains a control character", text.at.key);
        findings.at(
            &text.at,
            message,
            "Remove line breaks, tabs and escapes such as `\\u0000`.",
        );
    }
    plain
}

fn wrong_type(
    at: &Spot,
    name: &str,
    wanted: &str,
    found: &DeValue<'_>,
    key: Key,
    findings: &mut Findings,
) {
    let found = match found {
        DeValue::Array(_) if wanted.starts_with("an array") => "an array of something else",
        DeValue::String(_) => "a string",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    };
    let message = format!("`{name}` must be {wanted}, not {found}");
    findings.at(at, message, format!("Write it as `{}`.", key.1));
}

/// What a user may have meant, as a sentence.
pub(crate) fn suggestion(given: &str, known: &[&str]) -> String {
    let likeness = |name: &str| strsim::jaro_winkler(&given.to_lowercase(), name);
    let best = known
        .iter()
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((_, name)) => format!("Did you mean `{name}`?"),
        None if known.is_empty() => String::new(),
        None => {
            let names: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
            format!("Known here: {}.", names.join(", "))
        }
    }
}

/// Whether a key's name says that its value is not for everybody.
pub(crate) fn looks_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    ["pass", "secret", "token", "credential", "private", "key"]
        .iter()
        .any(|word| key.contains(word))
}
