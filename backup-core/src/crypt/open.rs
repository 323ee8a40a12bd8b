//! Opening: a whole age file in memory to its plaintext.

use std::io::Read;

use backup_model::Digest;
use sha2::{Digest as _, Sha256};

use super::CryptError;

const NONCE_LEN: usize = 16;
const MAX_HEADER: usize = 64 * 1024;

/// Decrypts a whole file. Every byte is authenticated, the end included.
pub fn open(file: &[u8], identity: &dyn age::Identity) -> Result<Vec<u8>, CryptError> {
    let mut reader = open_reader(file, identity)?;
    let mut plain = Vec::with_capacity(file.len());
    reader
        .read_to_end(&mut plain)
        .map_err(CryptError::Content)?;
    Ok(plain)
}

/// Decrypts a file as it is read. What was read counts only when the end was reached: the last
/// piece says that nothing is missing.
pub fn open_reader<'a>(
    file: &'a [u8],
    identity: &dyn age::Identity,
) -> Result<impl Read + use<'a>, CryptError> {
    head_len(file)?;
    let decryptor = age::Decryptor::new_buffered(file).map_err(CryptError::Header)?;
    decryptor
        .decrypt(std::iter::once(identity))
        .map_err(|error| match error {
            age::DecryptError::NoMatchingKeys => CryptError::NoMatch,
            other => CryptError::Header(other),
        })
}

/// The digest of a file's head: its header and the nonce after it.
pub fn head_digest(file: &[u8]) -> Result<Digest, CryptError> {
    let head = head_len(file)?;
    let head = file.get(..head).ok_or(CryptError::HeaderTooLong)?;
    Ok(Digest(Sha256::digest(head).into()))
}

/// The header ends with the line that begins with `---`.
pub(super) fn head_len(file: &[u8]) -> Result<usize, CryptError> {
    let search = file.get(..file.len().min(MAX_HEADER)).unwrap_or(file);
    let mac = search
        .windows(5)
        .position(|window| window == b"\n--- ")
        .ok_or(CryptError::HeaderTooLong)?;
    let mac_line = mac.saturating_add(1);
    search
        .iter()
        .skip(mac_line)
        .position(|&byte| byte == b'\n')
        .map(|len| mac_line.saturating_add(len).saturating_add(1))
        .map(|header| header.saturating_add(NONCE_LEN))
        .ok_or(CryptError::HeaderTooLong)
}

#[cfg(test)]
mod tests {
    use backup_keys::Identity;

    use super::*;
    use crate::crypt::Sealer;

    #[test]
    fn what_is_sealed_opens_with_the_identity_and_once_without() {
        let identity = Identity::generate();
        let mut sealer = Sealer::new(&identity.recipient(), 0).unwrap();
        let plain = vec![42; 200_000];
        sealer.write(&plain).unwrap();
        let sealed = sealer.finish().unwrap();
        assert_eq!(open(&sealed.bytes, &sealed.key).unwrap(), plain);
        assert!(
            open(&sealed.bytes, &sealed.key).is_err(),
            "the key is used up"
        );
        assert_eq!(open(&sealed.bytes, identity.as_age()).unwrap(), plain);
        let stranger = Identity::generate();
        assert!(matches!(
            open(&sealed.bytes, stranger.as_age()),
            Err(CryptError::NoMatch)
        ));
    }

    #[test]
    fn cut_and_changed_files_do_not_open() {
        let identity = Identity::generate();
        let mut sealer = Sealer::new(&identity.recipient(), 0).unwrap();
        sealer.write(&[7; 1000]).unwrap();
        let bytes = sealer.finish().unwrap().bytes;
        for at in 0..bytes.len() {
            assert!(
                open(&bytes[..at], identity.as_age()).is_err(),
                "cut to {at}"
            );
        }
        // The grease stanza is covered by the header's MAC like all the rest.
        for at in (0..bytes.len()).step_by(7) {
            let mut bad = bytes.clone();
            bad[at] ^= 0x20;
            assert!(open(&bad, identity.as_age()).is_err(), "byte {at} flipped");
        }
    }
}
