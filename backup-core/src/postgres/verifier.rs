//! Whether a password is the one of which a server keeps a verifier. Nobody is asked: a guess
//! leaves no failed sign-in in anybody's log, and locks nobody out.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// Servers use 4096. Whoever wrote more into a verifier does not get our time.
const MOST_ROUNDS: u32 = 100_000;

/// Whether this is the password of a SCRAM verifier; none where the text is no such verifier.
pub fn scram_holds(verifier: &str, password: &str) -> Option<bool> {
    let rest = verifier.strip_prefix("SCRAM-SHA-256$")?;
    let (salting, keys) = rest.split_once('$')?;
    let (rounds, salt) = salting.split_once(':')?;
    let rounds: u32 = rounds.parse().ok()?;
    let salt = BASE64.decode(salt.as_bytes()).ok()?;
    let stored = BASE64.decode(keys.split_once(':')?.0.as_bytes()).ok()?;
    if !(1..=MOST_ROUNDS).contains(&rounds) {
        return None;
    }
    let salted = salted(password.as_bytes(), &salt, rounds)?;
    let key = mac(&salted, &[b"Client Key"])?;
    Some(Sha256::digest(key).as_slice() == stored)
}

/// `Hi` of RFC 5802.
fn salted(password: &[u8], salt: &[u8], rounds: u32) -> Option<[u8; 32]> {
    let mut last = mac(password, &[salt, &1_u32.to_be_bytes()])?;
    let mut all = last;
    for _ in 1..rounds {
        last = mac(password, &[&last])?;
        all.iter_mut()
            .zip(last)
            .for_each(|(all, last)| *all ^= last);
    }
    Some(all)
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use postgres_protocol::password::scram_sha_256;

    use super::scram_holds;

    #[test]
    fn a_password_fits_its_own_verifier_only() {
        let verifier = scram_sha_256(b"postgres");
        assert_eq!(scram_holds(&verifier, "postgres"), Some(true));
        assert_eq!(scram_holds(&verifier, "postgre"), Some(false));
        for other in [
            "",
            "md5d41d8cd98f00b204e9800998ecf8427e",
            "SCRAM-SHA-256$x:AA==$AA==:AA==",
            "SCRAM-SHA-256$100001:AA==$AA==:AA==",
            "SCRAM-SHA-256$4096:*$AA==:AA==",
        ] {
            assert_eq!(scram_holds(other, "postgres"), None, "{other}");
        }
    }
}
