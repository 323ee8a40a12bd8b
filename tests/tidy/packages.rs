//! Which package of the workspace may know which.

use toml::{Table, Value};

/// What each package may depend on inside the workspace. Packages not named here may use all.
const MAY_USE: &[(&str, &[&str])] = &[
    ("backup-model", &[]),
    ("backup-keys", &["backup-model"]),
    ("backup-core", &["backup-model", "backup-keys"]),
    ("backupd-api", &["backup-model"]),
    ("admin-gui", &["backup-model", "backup-keys", "backupd-api"]),
];

const OURS: &[&str] = &[
    "backup-model",
    "backup-keys",
    "backup-core",
    "backupd-api",
    "backupd",
    "admin-gui",
    "backupd-tests",
];

fn parse(path: &str, text: &str) -> Table {
    text.parse()
        .map_err(|error| format!("{path}: {error}"))
        .expect("a manifest that cargo reads")
}

fn package_name(manifest: &Table) -> Option<&str> {
    manifest.get("package")?.get("name")?.as_str()
}

/// Dependencies on our own packages that are not allowed, of every kind and target.
pub(crate) fn dependency_complaints(path: &str, text: &str) -> Vec<String> {
    let manifest = parse(path, text);
    let Some(name) = package_name(&manifest) else {
        return Vec::new();
    };
    let Some((_, allowed)) = MAY_USE.iter().find(|(package, _)| *package == name) else {
        return Vec::new();
    };
    dependencies(&manifest)
        .into_iter()
        .filter(|used| OURS.contains(&used.as_str()) && !allowed.contains(&used.as_str()))
        .map(|used| {
            format!("{path}: `{name}` must not depend on `{used}`: see tests/tidy/packages.rs")
        })
        .collect()
}

fn dependencies(table: &Table) -> Vec<String> {
    let mut names = Vec::new();
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for (key, value) in table
            .get(kind)
            .and_then(Value::as_table)
            .into_iter()
            .flatten()
        {
            // A renamed dependency says its real name in `package`.
            let real = value.get("package").and_then(Value::as_str).unwrap_or(key);
            names.push(real.to_owned());
        }
    }
    for target in table
        .get("target")
        .and_then(Value::as_table)
        .into_iter()
        .flatten()
    {
        names.extend(target.1.as_table().map(dependencies).unwrap_or_default());
    }
    names
}

/// A package that has lints of its own instead of the workspace's.
pub(crate) fn lint_complaints(path: &str, text: &str) -> Vec<String> {
    let manifest = parse(path, text);
    let shared = manifest
        .get("lints")
        .and_then(|lints| lints.get("workspace"))
        .and_then(Value::as_bool);
    if package_name(&manifest).is_none() || shared == Some(true) {
        return Vec::new();
    }
    vec![format!("{path}: add `lints.workspace = true`")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_dependency_is_found() {
        let forbidden = [
            "[package]\nname = \"backup-model\"\n[dependencies]\nbackup-keys = { workspace = true }",
            "[package]\nname = \"backupd-api\"\n[dev-dependencies]\nx = { package = \"backup-core\", path = \"..\" }",
            "[package]\nname = \"backup-core\"\n[target.'cfg(unix)'.dependencies]\nbackupd.workspace = true",
        ];
        for text in forbidden {
            assert_eq!(dependency_complaints("Cargo.toml", text).len(), 1, "{text}");
        }
        let fine = "[package]\nname = \"backup-keys\"\n[dependencies]\nbackup-model.workspace = true\nserde = \"1\"";
        assert_eq!(
            dependency_complaints("Cargo.toml", fine),
            Vec::<String>::new()
        );
    }

    #[test]
    fn missing_lints_are_found() {
        assert_eq!(
            lint_complaints("Cargo.toml", "[package]\nname = \"a\"").len(),
            1
        );
        assert_eq!(
            lint_complaints(
                "Cargo.toml",
                "[package]\nname = \"a\"\n[lints]\nworkspace = false"
            )
            .len(),
            1
        );
        assert_eq!(
            lint_complaints(
                "Cargo.toml",
                "[package]\nname = \"a\"\n[lints]\nworkspace = true"
            )
            .len(),
            0
        );
        assert_eq!(
            lint_complaints("Cargo.toml", "[workspace]\nmembers = []").len(),
            0
        );
    }
}
