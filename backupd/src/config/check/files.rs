//! Checks of a source of files: paths, and what of them is left out.

use std::path::{Path, PathBuf};

use backup_core::source::files::{Pattern, PatternError};

use super::config::Check;
use crate::config::{
    FilesSource,
    preset::{self, Preset},
    problem::Located,
    raw::{RawFiles, RawSource},
    table::{Field, suggestion},
};

impl Check {
    /// Each part is checked before any of them may fail the whole.
    pub(super) fn files(&mut self, source: &RawSource, raw: &RawFiles) -> Option<FilesSource> {
        let paths = self.paths(source, &raw.paths);
        let preset = raw.preset.as_ref().map(|raw| self.preset(raw));
        let max_file_size = raw.max_file_size.as_ref();
        let max_file_bytes = max_file_size.map(|raw| self.bytes("max_file_size", raw));
        let mut exclude = match preset {
            Some(preset) => preset?.patterns(),
            None => Vec::new(),
        };
        let given = raw.exclude.as_ref();
        for raw in given.into_iter().flat_map(|exclude| &exclude.value) {
            let known = paths.as_deref().unwrap_or_default();
            exclude.extend(self.pattern(raw, known));
        }
        Some(FilesSource {
            paths: paths?,
            exclude,
            max_file_bytes: max_file_bytes.map_or(Some(None), |bytes| bytes.map(Some))?,
        })
    }

    fn paths(
        &mut self,
        source: &RawSource,
        paths: &Field<Vec<Located<String>>>,
    ) -> Option<Vec<PathBuf>> {
        let paths = match paths {
            Field::Wrong => return None,
            Field::Absent => &[],
            Field::Got(paths) => paths.value.as_slice(),
        };
        if paths.is_empty() {
            let help = "Add `paths = [\"/srv/webui\"]`.";
            self.findings
                .at(&source.at, "the source has no paths", help);
            return None;
        }
        let mut checked: Vec<PathBuf> = Vec::new();
        for raw in paths {
            let Some(path) = self.absolute("paths", raw) else {
                continue;
            };
            if let Some(other) = checked.iter().find(|other| nested(other, &path)) {
                let message = format!("`{}` and `{}` overlap", path.display(), other.display());
                self.findings
                    .at(&raw.at, message, "Name only the outer one.");
            }
            let at = raw.at.clone();
            let value = path.clone();
            self.trees.push(Located { value, at });
            checked.push(path);
        }
        Some(checked)
    }

    fn preset(&mut self, raw: &Located<String>) -> Option<&'static Preset> {
        let found = preset::find(&raw.value);
        if found.is_none() {
            let message = format!("there is no preset `{}`", raw.value);
            let help = suggestion(&raw.value, &preset::names());
            self.findings.at(&raw.at, message, help);
        }
        found
    }

    /// A pattern; one that leaves out a whole path would make the backup silently empty.
    fn pattern(&mut self, raw: &Located<String>, paths: &[PathBuf]) -> Option<Pattern> {
        let pattern = match raw.value.parse::<Pattern>() {
            Ok(pattern) => pattern,
            Err(error) => {
                self.findings.at(&raw.at, error.to_string(), remedy(&error));
                return None;
            }
        };
        if let Some(path) = paths.iter().find(|path| pattern.leaves_out(path)) {
            let message = format!("`{pattern}` leaves out the whole of `{}`", path.display());
            let help = "Remove the path, or write a pattern that names only what is in it.";
            self.findings.at(&raw.at, message, help);
        }
        Some(pattern)
    }
}

fn remedy(error: &PatternError) -> String {
    match error {
        PatternError::NotAbsolute { text } => {
            format!("Write `**/{text}` for any folder, or begin with `/`.")
        }
        PatternError::TrailingSlash { text } => {
            let folder = text.trim_end_matches('/');
            format!("Write `{folder}` for the folder, or `{folder}/**` for what is in it.")
        }
        PatternError::Syntax { source, .. } => {
            format!(
                "{}. `**/.cache/**` and `*.sock` are patterns.",
                sentence(&source.kind().to_string())
            )
        }
        _ => "Write a pattern such as `**/.cache/**` or `*.sock`, or remove it.".to_owned(),
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn nested(one: &Path, other: &Path) -> bool {
    one.starts_with(other) || other.starts_with(one)
}
