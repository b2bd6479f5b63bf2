//! Why a browser's proof of its key is refused, and what a request lacks that has none.

/// Why a proof is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofRefusal {
    /// There is none, or several.
    #[error("There is no proof in Secure-Session-Response.")]
    Missing,
    /// It is longer than any proof.
    #[error("The proof is too long.")]
    TooLong,
    /// It is no JWS in compact form, or its parts are not as they must be.
    #[error("The proof could not be read.")]
    Unreadable,
    /// It is of another algorithm or type, or needs an extension.
    #[error("The proof must be of the type dbsc+jwt, signed by ES256, without extensions.")]
    AnotherKind,
    /// It has no key on P-256.
    #[error("The proof has no key on P-256.")]
    NoKey,
    /// It is of no challenge for this session, or of one that is over.
    #[error("The proof is of no challenge for this session, or of one that is over.")]
    Challenge,
    /// It was not signed by the key.
    #[error("The proof was not signed by the key.")]
    Signature,
    /// The session is bound to another key.
    #[error("The session has another key.")]
    AnotherKey,
    /// Sessions are not bound here.
    #[error("Sessions are not bound to browsers here.")]
    Off,
}

/// What a request lacks whose session is bound to its browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingProof {
    /// Its proof is genuine, and past its time: the browser makes a new one when it is asked again.
    Expired,
    /// It has none, since the page of another site led to this one: the browser makes one when the page asks
    /// itself.
    FromElsewhere,
    /// It has none, and the browser states that it could not make one just now.
    NotNow,
    /// It has none: the browser has lost the key, or is another one.
    Absent,
}
