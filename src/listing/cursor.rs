//! Cursors: opaque text that says where a page begins, bound to the list, its filter and its order.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::db::{JobId, UserId};
use crate::error::{Error, Result};

/// The bytes of a digest.
const DIGEST: usize = 12;

/// What a cursor says, as bytes.
pub trait CursorContent: Sized {
    /// Appends the bytes.
    fn write(&self, bytes: &mut Vec<u8>);

    /// Reads all of `bytes`; `None` when they are of something else.
    fn read(bytes: &[u8]) -> Option<Self>;
}

/// A list with its filter and its order: what its cursors are bound to.
#[derive(Debug, Clone)]
pub struct ListKey(Sha256);

impl ListKey {
    /// Returns the key of the list of that name with the named parts of its filter and its order.
    #[must_use]
    pub fn new(list: &str, parts: &[(&str, String)]) -> Self {
        let mut hash = Sha256::new_with_prefix(b"rollcall cursor 2");
        let named = parts.iter().flat_map(|(name, value)| [*name, value]);
        for text in [list].into_iter().chain(named) {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        Self(hash)
    }

    /// Returns `content` as a cursor of this list.
    #[must_use]
    pub fn seal(&self, content: &impl CursorContent) -> String {
        let mut bytes = Vec::new();
        content.write(&mut bytes);
        let digest = self.digest(&bytes);
        bytes.extend(digest);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Returns the content of a cursor.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is none of this list with this filter and order.
    pub fn open<T: CursorContent>(&self, cursor: &str) -> Result<T> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).unwrap_or_default();
        let content = bytes.split_last_chunk::<DIGEST>();
        content
            .filter(|(content, digest)| self.digest(content) == **digest)
            .and_then(|(content, _)| T::read(content))
            .ok_or_else(|| {
                let message = "is not a cursor of this list with this filter and order; begin at the \
                               first page";
                Error::field("cursor", message)
            })
    }

    /// Returns the digest of a cursor's content in this list. It is no secret: whoever may read a list
    /// may begin anywhere in it.
    fn digest(&self, content: &[u8]) -> [u8; DIGEST] {
        let mut hash = self.0.clone();
        hash.update(content);
        let whole: [u8; 32] = hash.finalize().into();
        let mut first = [0; DIGEST];
        first.copy_from_slice(&whole[..DIGEST]);
        first
    }
}

impl CursorContent for String {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.as_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        Self::from_utf8(bytes.to_vec()).ok()
    }
}

/// Makes ids the content of cursors.
macro_rules! id_content {
    ($($id:ident),*) => {$(
        impl CursorContent for $id {
            fn write(&self, bytes: &mut Vec<u8>) {
                bytes.extend(self.as_bytes());
            }

            fn read(bytes: &[u8]) -> Option<Self> {
                Some(Self::from_bytes(bytes.try_into().ok()?))
            }
        }
    )*};
}

id_content!(JobId, UserId);
