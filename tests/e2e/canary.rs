//! Canaries: secrets with known values, and the search for them in whatever bytes there are, as
//! they are, in hexadecimal and in base64.

use std::{collections::BTreeMap, fs, path::Path};

use data_encoding::{BASE64, HEXLOWER};

/// No canary is shorter, in no form: fewer bytes come by chance.
const MIN_LEN: usize = 16;

/// A secret, and where it may be: names of places, or how they begin.
pub(crate) struct Canary {
    pub(crate) name: &'static str,
    pub(crate) value: Vec<u8>,
    pub(crate) homes: &'static [&'static str],
}

impl Canary {
    /// Its value in every form in which it might be somewhere.
    fn forms(&self) -> Vec<Vec<u8>> {
        let mut forms = vec![
            self.value.clone(),
            HEXLOWER.encode(&self.value).into_bytes(),
        ];
        // Inside of something longer, base64 begins at any of three places in a group.
        for before in 0..3 {
            let padded = [&vec![0; before][..], &self.value].concat();
            let text = BASE64.encode(&padded).into_bytes();
            let whole = before.div_ceil(3) * 4..text.len() / 4 * 4 - 4;
            forms.push(text[whole].to_vec());
        }
        for form in &forms {
            assert!(form.len() >= MIN_LEN, "{} is too short", self.name);
        }
        forms
    }
}

/// Where canaries were found: which one, in which place, how often.
#[derive(Default)]
pub(crate) struct Found(BTreeMap<(&'static str, String), usize>);

/// Looks for canaries.
pub(crate) struct Search<'a> {
    canaries: &'a [Canary],
    /// Forms by their first two bytes.
    needles: Vec<Vec<(usize, Vec<u8>)>>,
    pub(crate) found: Found,
    /// How many bytes were looked through.
    pub(crate) bytes: usize,
}

fn head(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

impl<'a> Search<'a> {
    pub(crate) fn of(canaries: &'a [Canary]) -> Self {
        let mut needles = vec![Vec::new(); 1 << 16];
        for (at, canary) in canaries.iter().enumerate() {
            for form in canary.forms() {
                needles[head(&form)].push((at, form));
            }
        }
        Self {
            canaries,
            needles,
            found: Found::default(),
            bytes: 0,
        }
    }

    /// Looks through a place.
    pub(crate) fn through(&mut self, place: &str, bytes: &[u8]) {
        self.bytes += bytes.len();
        for (at, two) in bytes.windows(2).enumerate() {
            for (canary, form) in &self.needles[head(two)] {
                if bytes[at..].starts_with(form) {
                    let key = (self.canaries[*canary].name, place.to_owned());
                    *self.found.0.entry(key).or_default() += 1;
                }
            }
        }
    }

    /// Looks through every file of a folder, and through their names. `named` gives the name of a
    /// place for a path in the folder.
    pub(crate) fn through_folder(&mut self, folder: &Path, named: &dyn Fn(&str) -> String) {
        self.below(folder, folder, named);
    }

    fn below(&mut self, root: &Path, folder: &Path, named: &dyn Fn(&str) -> String) {
        // What goes while we look, as files of a running server do, is not left behind.
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let place = named(&path.strip_prefix(root).unwrap().display().to_string());
            self.through(&place, place.as_bytes());
            if entry.file_type().unwrap().is_dir() {
                self.below(root, &path, named);
            } else if let Ok(bytes) = fs::read(&path) {
                self.through(&place, &bytes);
            }
        }
    }

    /// Fails unless every canary was found in all of its homes, and nowhere else.
    pub(crate) fn judge(&self) {
        let mut complaints = Vec::new();
        for canary in self.canaries {
            let found = self.found.0.iter();
            let found = found.filter(|((name, _), _)| *name == canary.name);
            let places: Vec<(&str, usize)> = found.map(|((_, at), n)| (&at[..], *n)).collect();
            let at_home = |place: &str| canary.homes.iter().any(|home| place.starts_with(home));
            for (place, times) in &places {
                if !at_home(place) {
                    complaints.push(format!("{} is {times} times in {place}", canary.name));
                }
            }
            for home in canary.homes {
                if !places.iter().any(|(place, _)| place.starts_with(home)) {
                    complaints.push(format!("{} is not found in {home}", canary.name));
                }
            }
        }
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }
}

#[test]
fn a_canary_is_found_in_every_form() {
    let value = b"canary-of-the-test-31415926".to_vec();
    let canaries = [Canary {
        name: "a",
        value: value.clone(),
        homes: &["home"],
    }];
    let mut search = Search::of(&canaries);
    search.through("home", &[b"..", &value[..], b".."].concat());
    search.judge();
    let text = |before: &str| [before.as_bytes(), &value, b" and more"].concat();
    for before in ["", "x", "xy", "xyz"] {
        let forms = [BASE64.encode(&text(before)), HEXLOWER.encode(&text(before))];
        for form in forms {
            let mut search = Search::of(&canaries);
            search.through("home", &value);
            search.through("elsewhere", form.as_bytes());
            assert_eq!(search.found.0.len(), 2, "{before:?} {form}");
        }
    }
    let mut search = Search::of(&canaries);
    search.through("home", b"canary-of-the-test-3141592");
    assert!(search.found.0.is_empty());
}
