//! Sealing: plaintext goes in piece by piece, one age file comes out.

use std::{
    collections::HashSet,
    fmt,
    io::Write as _,
    sync::{Arc, Mutex, PoisonError},
};

use age_core::{
    format::{FileKey, Stanza},
    secrecy::ExposeSecret as _,
};
use backup_keys::Recipient;
use backup_model::Digest;
use sha2::{Digest as _, Sha256};

use super::{CryptError, head_digest};

/// A growing age file.
pub struct Sealer {
    writer: age::stream::StreamWriter<Vec<u8>>,
    key: FileKeyOnce,
    plain_len: usize,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer({} bytes so far)", self.plain_len)
    }
}

/// A finished age file.
#[derive(Debug)]
pub struct Sealed {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its digest.
    pub sha256: Digest,
    /// The digest of its header and nonce.
    pub head: Digest,
    /// Opens it once more.
    pub key: FileKeyOnce,
}

impl Sealer {
    /// Begins a file for one recipient.
    pub fn new(recipient: &Recipient, capacity: usize) -> Result<Self, CryptError> {
        let kept = Arc::new(Mutex::new(None));
        let keeping = Keeping {
            recipient,
            kept: Arc::clone(&kept),
        };
        let recipients = std::iter::once(&keeping as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(recipients).map_err(CryptError::Encrypt)?;
        let writer = encryptor
            .wrap_output(Vec::with_capacity(capacity))
            .map_err(CryptError::Write)?;
        Ok(Self {
            writer,
            key: FileKeyOnce(kept),
            plain_len: 0,
        })
    }

    /// Plaintext bytes so far.
    pub fn plain_len(&self) -> usize {
        self.plain_len
    }

    /// Appends plaintext.
    pub fn write(&mut self, plain: &[u8]) -> Result<(), CryptError> {
        self.plain_len = self.plain_len.saturating_add(plain.len());
        self.writer.write_all(plain).map_err(CryptError::Write)
    }

    /// Ends the file.
    pub fn finish(self) -> Result<Sealed, CryptError> {
        let bytes = self.writer.finish().map_err(CryptError::Write)?;
        Ok(Sealed {
            sha256: Digest(Sha256::digest(&bytes).into()),
            head: head_digest(&bytes)?,
            bytes,
            key: self.key,
        })
    }
}

/// The file key of one age file; as an identity, it opens that file and no other. `FileKey` wipes
/// itself when dropped.
pub struct FileKeyOnce(Arc<Mutex<Option<FileKey>>>);

impl fmt::Debug for FileKeyOnce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKeyOnce")
    }
}

impl age::Identity for FileKeyOnce {
    fn unwrap_stanza(&self, _stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        let key = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        key.map(Ok)
    }
}

/// Wraps the file key for the real recipient and keeps a copy.
struct Keeping<'a> {
    recipient: &'a Recipient,
    kept: Arc<Mutex<Option<FileKey>>>,
}

impl age::Recipient for Keeping<'_> {
    fn wrap_file_key(
        &self,
        file_key: &FileKey,
    ) -> Result<(Vec<Stanza>, HashSet<String>), age::EncryptError> {
        let copy = FileKey::init_with_mut(|bytes| bytes.copy_from_slice(file_key.expose_secret()));
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(copy);
        self.recipient.as_age().wrap_file_key(file_key)
    }
}
