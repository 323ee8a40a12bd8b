//! What belongs to people stays with their programs: the daemon reads no administrator's recipient
//! or identity, signs no trust and opens no recovery kit.

/// The part of `backupd` where a person is: their own program, with their own rights.
const PERSONAL: &str = "backupd/src/bin/backupctl/";

/// What makes or uses an administrator's key, wherever it is imported from.
const NAMES: &[&str] = &[
    "AdministratorIdentity",
    "AdministratorRecipient",
    "Authority",
    "Kit",
    "KitKey",
    "PluginPrograms",
    "RootSigner",
];

/// What in this file of the daemon or its contract is an administrator's.
pub(crate) fn complaints(path: &str, text: &str) -> Vec<String> {
    // A test may play the person.
    let is_personal = path.starts_with(PERSONAL) || path.contains("/tests/");
    if !path.starts_with("backupd/") || is_personal {
        return Vec::new();
    }
    // Comments may name whatever they like.
    let code = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or(line));
    let code: Vec<&str> = code.collect();
    let code = code.join("\n");
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let named = code.split(|c| !is_word(c)).filter(|w| NAMES.contains(w));
    let mut found: Vec<&str> = named.collect();
    if modules(&code, "administrator") {
        found.push("administrator");
    }
    found.sort_unstable();
    found.dedup();
    let complaint = |name| format!("{path}: `{name}` is for people's own programs");
    found.into_iter().map(complaint).collect()
}

/// Whether a module of this name is imported or named in a path.
fn modules(code: &str, module: &str) -> bool {
    code.match_indices(module).any(|(at, _)| {
        let before = code[..at].trim_end();
        let after = code[at + module.len()..].trim_start();
        let ends = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        ends && (before.ends_with("::") || after.starts_with("::"))
    })
}

#[cfg(test)]
mod tests {
    use super::complaints;

    #[test]
    fn a_person_may_and_the_daemon_may_not() {
        let texts = [
            "use backup_keys::administrator::Access;",
            "use backup_keys::{\n    administrator::{Access, Ask},\n};",
            "use backup_keys::administrator;",
            "use backup_core::ops::{self, Authority};",
            "fn f() { AdministratorIdentity::read(b\"\", &a) }",
        ];
        for text in texts {
            for daemon in ["backupd/src/service/direct.rs", "backupd/api/src/lib.rs"] {
                assert!(!complaints(daemon, text).is_empty(), "{text}");
            }
            let own = "backupd/src/bin/backupctl/person.rs";
            assert_eq!(complaints(own, text), Vec::<String>::new());
        }
        let fine = "// Kit\nuse backup_core::repo::AdministratorKey;\nlet administrator = 1;\nKitStanding::of";
        assert_eq!(
            complaints("backupd/src/setup.rs", fine),
            Vec::<String>::new()
        );
    }
}
