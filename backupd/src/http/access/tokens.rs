//! The tokens that count: made, listed, rotated, revoked, and compared with what a request brings.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use backup_model::{Code, Digest, Failure};
use backupd_api::{NewToken, Rotation, Scope, Scopes, TokenInfo, TokenText};
use jiff::{SignedDuration, Timestamp};
use subtle::{Choice, ConstantTimeEq as _};

use super::file::{self, Kept};

const FILE: &str = "tokens.json";
/// More than anybody needs, and few enough to go through for every request.
const MOST: usize = 256;

/// The tokens of a daemon.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    kept: Mutex<Vec<Kept>>,
}

impl Tokens {
    /// Those that are kept below a state folder.
    pub fn open(state: &Path) -> Result<Self, Failure> {
        let path = state.join(FILE);
        let kept = Mutex::new(file::read(&path)?);
        Ok(Self { path, kept })
    }

    /// What a token allows now; nothing for one that does not count, whatever the reason. Every
    /// token that there is gets compared, so an unknown id takes as long as a known one.
    pub(in crate::http) fn scopes(&self, token: &TokenText, now: Timestamp) -> Option<Scopes> {
        let given = token.digest();
        let mut found = None;
        for kept in self.kept().iter() {
            let same_id = kept.info.id.as_bytes().ct_eq(token.id.as_bytes());
            let former = kept.former.as_ref();
            let (digest, until) =
                former.map_or((kept.secret, None), |(d, until)| (*d, Some(*until)));
            let current = kept.secret.0.ct_eq(&given.0);
            let overlapping = Choice::from(u8::from(until.is_some_and(|until| now < until)));
            let counts = same_id & (current | (digest.0.ct_eq(&given.0) & overlapping));
            let valid = Choice::from(u8::from(now < kept.info.expires));
            if bool::from(counts & valid) {
                found = Some(kept.info.scopes.clone());
            }
        }
        found
    }

    /// All that there are.
    pub fn list(&self) -> Vec<TokenInfo> {
        self.kept().iter().map(|kept| kept.info.clone()).collect()
    }

    /// Adds one.
    pub fn add(&self, new: &NewToken, now: Timestamp) -> Result<TokenInfo, Failure> {
        check(new, now)?;
        self.change(|kept| {
            // Those that ended make room.
            kept.retain(|kept| now < kept.info.expires);
            let usage = |text: &str| Failure::new(Code::Usage, text);
            if kept.iter().any(|kept| kept.info.id == new.id) {
                return Err(usage("a token of this id is there already"));
            }
            if kept.len() >= MOST {
                return Err(usage("there are as many tokens as there may be"));
            }
            let info = TokenInfo {
                id: new.id.clone(),
                label: new.label.clone(),
                scopes: new.scopes.clone(),
                created: now,
                expires: new.expires,
                former_until: None,
            };
            kept.push(Kept {
                info: info.clone(),
                secret: new.secret.0,
                former: None,
            });
            Ok(info)
        })
    }

    /// Gives one another secret; the old one counts for some time still.
    pub fn rotate(
        &self,
        id: &str,
        rotation: &Rotation,
        now: Timestamp,
    ) -> Result<TokenInfo, Failure> {
        check_expiry(rotation.expires, now)?;
        self.change(|kept| {
            let one = kept.iter_mut().find(|kept| kept.info.id == id);
            let one = one.ok_or_else(|| none(id))?;
            if one.info.expires <= now {
                return Err(none(id));
            }
            let overlap = SignedDuration::from_secs(rotation.overlap_secs.into());
            // Never longer than the old secret would have counted anyway.
            let until = (now + overlap).min(one.info.expires);
            one.former = Some((one.secret, until));
            one.secret = rotation.secret.0;
            one.info.former_until = Some(until);
            one.info.expires = rotation.expires;
            Ok(one.info.clone())
        })
    }

    /// Takes one away, with all its secrets.
    pub fn revoke(&self, id: &str) -> Result<TokenInfo, Failure> {
        self.change(|kept| {
            let at = kept.iter().position(|kept| kept.info.id == id);
            let at = at.ok_or_else(|| none(id))?;
            Ok(kept.remove(at).info)
        })
    }

    /// Changes what is kept: on disk first, then here.
    fn change<R>(
        &self,
        change: impl FnOnce(&mut Vec<Kept>) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        let mut kept = self.kept();
        let mut next = kept.clone();
        let result = change(&mut next)?;
        file::write(&self.path, &next)?;
        *kept = next;
        Ok(result)
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        // Nothing is left half changed in it.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn none(id: &str) -> Failure {
    let id: String = id.chars().take(32).collect();
    Failure::new(Code::NoToken, format!("there is no token {id}"))
}

fn check(new: &NewToken, now: Timestamp) -> Result<(), Failure> {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let usage = |text: &str| Err(Failure::new(Code::Usage, text));
    if new.id.len() != 16 || !new.id.bytes().all(hex) {
        return usage("a token's id has 16 lower-case hexadecimal digits");
    }
    if new.label.is_empty() || new.label.len() > 128 || new.label.chars().any(char::is_control) {
        return usage("a label has 1 to 128 bytes, and no control characters");
    }
    if new.scopes.0.is_empty() || new.scopes.0.len() > Scope::ALL.len() {
        return usage("a token needs a scope");
    }
    if new.secret.0 == Digest([0; 32]) {
        return usage("a token needs a secret");
    }
    check_expiry(new.expires, now)
}

fn check_expiry(expires: Timestamp, now: Timestamp) -> Result<(), Failure> {
    let longest = SignedDuration::from_hours(24 * 366);
    if expires <= now || expires.duration_since(now) > longest {
        let text = "a token ends in the future, and within a year";
        return Err(Failure::new(Code::Usage, text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use backupd_api::NewSecret;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn new(token: &TokenText) -> NewToken {
        NewToken {
            id: token.id.clone(),
            label: "a script".to_owned(),
            scopes: Scopes(vec![Scope::Run]),
            expires: at(100),
            secret: NewSecret(token.digest()),
        }
    }

    #[test]
    fn a_token_counts_until_it_ends_is_rotated_away_or_revoked() {
        let state = tempfile::tempdir().unwrap();
        let tokens = Tokens::open(state.path()).unwrap();
        let first = TokenText::generate().unwrap();
        assert!(tokens.scopes(&first, at(0)).is_none());
        tokens.add(&new(&first), at(0)).unwrap();
        assert!(tokens.scopes(&first, at(99)).unwrap().allow(Scope::Run));
        assert!(!tokens.scopes(&first, at(99)).unwrap().allow(Scope::Status));
        assert!(tokens.scopes(&first, at(100)).is_none());
        let guess = TokenText::renew(&first.id).unwrap();
        assert!(tokens.scopes(&guess, at(0)).is_none());

        let rotation = Rotation {
            secret: NewSecret(guess.digest()),
            overlap_secs: 10,
            expires: at(500),
        };
        tokens.rotate(&first.id, &rotation, at(50)).unwrap();
        assert!(tokens.scopes(&first, at(59)).is_some());
        assert!(tokens.scopes(&first, at(60)).is_none());
        assert!(tokens.scopes(&guess, at(499)).is_some());

        // A new start reads the same.
        let tokens = Tokens::open(state.path()).unwrap();
        assert!(tokens.scopes(&guess, at(60)).is_some());
        tokens.revoke(&first.id).unwrap();
        assert!(tokens.scopes(&guess, at(60)).is_none());
        assert_eq!(tokens.revoke(&first.id).unwrap_err().code, Code::NoToken);
        assert!(Tokens::open(state.path()).unwrap().list().is_empty());
    }

    #[test]
    fn no_secret_is_in_the_file_and_nobody_else_may_read_it() {
        let state = tempfile::tempdir().unwrap();
        let tokens = Tokens::open(state.path()).unwrap();
        let token = TokenText::generate().unwrap();
        tokens.add(&new(&token), at(0)).unwrap();
        let path = state.path().join(FILE);
        let text = fs::read_to_string(&path).unwrap();
        let whole = secrecy::ExposeSecret::expose_secret(&token.whole()).to_owned();
        assert!(!text.contains(&whole[20..]));
        let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        mode(0o640);
        assert!(Tokens::open(state.path()).is_err());
        mode(0o600);
        fs::write(&path, &text[..text.len() - 1]).unwrap();
        assert!(Tokens::open(state.path()).is_err());
    }

    #[test]
    fn tokens_that_end_never_or_allow_nothing_are_refused() {
        let state = tempfile::tempdir().unwrap();
        let tokens = Tokens::open(state.path()).unwrap();
        let fine = new(&TokenText::generate().unwrap());
        let year = 366 * 24 * 3600;
        for bad in [
            NewToken {
                id: "../../etc".to_owned(),
                ..fine.clone()
            },
            NewToken {
                label: "a\nb".to_owned(),
                ..fine.clone()
            },
            NewToken {
                label: String::new(),
                ..fine.clone()
            },
            NewToken {
                scopes: Scopes(vec![]),
                ..fine.clone()
            },
            NewToken {
                expires: at(0),
                ..fine.clone()
            },
            NewToken {
                expires: at(year + 1),
                ..fine.clone()
            },
        ] {
            assert_eq!(
                tokens.add(&bad, at(0)).unwrap_err().code,
                Code::Usage,
                "{bad:?}"
            );
        }
        tokens.add(&fine, at(0)).unwrap();
        assert_eq!(tokens.add(&fine, at(0)).unwrap_err().code, Code::Usage);
    }
}
