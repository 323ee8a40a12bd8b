//! What a kit says beside its lines: how its storage is reached, and the commands that restore.

use backup_model::BucketInfo;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Kit, KitKey};
use crate::AdministratorKind;

/// The script that restores with stock tools.
pub const RECOVERY_SCRIPT: &str = include_str!("../../../../assets/restore-with-stock-tools.sh");

/// What the line begins with that has the flags of commands.
const FLAGS: &str = "flags ";
/// How the key gets from the kit into a file.
const TAKE_KEY: &str = r"sed -n 's/^[0-9]* key \(.*\) [0-9a-f]*$/\1/p' KIT";

/// The lines of a kit that say how a bucket is reached, and where its access key lies if that is
/// not given beside them.
pub fn storage_lines(bucket: &BucketInfo, keys_given: bool) -> Vec<SecretString> {
    let mut flags = Vec::new();
    if let Some(endpoint) = &bucket.endpoint {
        flags.push(format!("--endpoint {}", word(endpoint)));
    }
    if let Some(region) = &bucket.region {
        flags.push(format!("--region {}", word(region)));
    }
    if let Some(path_style) = bucket.path_style {
        flags.push(format!("--path-style={path_style}"));
    }
    let mut lines = Vec::new();
    if !flags.is_empty() {
        lines.push(format!("{FLAGS}{}", flags.join(" ")));
    }
    if !keys_given {
        for (name, at) in [
            ("AWS_ACCESS_KEY_ID", &bucket.access_key_id_at),
            ("AWS_SECRET_ACCESS_KEY", &bucket.secret_access_key_at),
        ] {
            lines.push(format!("{name} is in {at}"));
        }
    }
    lines.into_iter().map(SecretString::from).collect()
}

impl Kit {
    /// The flags by which this program reaches the storage.
    pub fn storage_flags(&self) -> Option<&str> {
        let mut lines = self.storage.iter().map(SecretString::expose_secret);
        lines.find_map(|line| line.strip_prefix(FLAGS))
    }

    /// The commands of this program, for a machine that has it, the kit, and nothing else.
    pub fn commands(&self) -> Vec<String> {
        let flags = self.storage_flags().map(|flags| format!(" {flags}"));
        let at = format!(
            "--repository {}{} --trust {}",
            word(&self.location),
            flags.unwrap_or_default(),
            self.root
        );
        commands(self, &at)
    }
}

fn commands(kit: &Kit, at: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if kit.location.starts_with("s3://") {
        let keys = "export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…   # see `storage`";
        lines.push(keys.to_owned());
    }
    lines.push(format!("backupctl snapshot list {at}"));
    match &kit.key {
        KitKey::Here(_) if kit.kind != AdministratorKind::X25519 => {}
        KitKey::Here(text) if is_locked(text) => lines.extend([
            "umask 077".to_owned(),
            format!("{TAKE_KEY} > locked.age"),
            "age -d -o admin.key locked.age".to_owned(),
        ]),
        KitKey::Here(_) => {
            lines.extend(["umask 077".to_owned(), format!("{TAKE_KEY} > admin.key")]);
        }
        KitKey::Elsewhere(_) => {
            lines.push("(get admin.key: the line `key-at` says where the key lies)".to_owned());
        }
    }
    if kit.kind == AdministratorKind::X25519 {
        let with = format!("--identity admin.key {at}");
        lines.extend([
            format!("backupctl snapshot show JOB/NUMBER {with}"),
            format!("backupctl restore JOB/NUMBER --to-folder DIR {with}"),
            format!("backupctl cat JOB/NUMBER STREAM {with} > FILE"),
        ]);
    } else {
        lines.push(format!(
            "(restore as below: backupd {} restores by itself with age identities only)",
            kit.program
        ));
    }
    lines
}

/// Whether an identity file is itself an age file.
fn is_locked(text: &SecretString) -> bool {
    text.expose_secret()
        .trim_start()
        .starts_with("-----BEGIN AGE ")
}

/// A word for a shell.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/:._-@+,=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn an_address_is_one_word_for_a_shell() {
        for (text, expected) in [
            ("/srv/repo", "/srv/repo"),
            ("s3://vault/a", "s3://vault/a"),
            ("/my disk/$x", "'/my disk/$x'"),
            ("/it's", r"'/it'\''s'"),
            ("", "''"),
        ] {
            assert_eq!(word(text), expected);
        }
    }
}
