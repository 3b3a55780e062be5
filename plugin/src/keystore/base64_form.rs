//! The forms in which a keystore stands in a configuration: base64, alone or in a `data:` URI (RFC 2397), as both spellings
//! that Confluent's pages show.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::KeystoreError;

/// Padding may be missing: whoever copies a long line loses its end first.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(false),
);

/// The bytes of a keystore. Line breaks and blanks do not matter, wherever `base64` or an editor put them.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, KeystoreError> {
    let text = text.trim();
    if text.contains("-----BEGIN") {
        return Err(KeystoreError::Foreign(super::PEM));
    }
    let body = match text.get(..5) {
        Some(scheme) if scheme.eq_ignore_ascii_case("data:") => data_uri(&text[5..])?,
        _ => text,
    };
    let compact: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    if compact.is_empty() {
        return Err(KeystoreError::Empty);
    }
    LENIENT.decode(&compact).map_err(|error| {
        KeystoreError::NotBase64(match error {
            base64::DecodeError::InvalidByte(..) => ": it holds a character that base64 does not have",
            base64::DecodeError::InvalidLength(_) | base64::DecodeError::InvalidLastSymbol(..) => {
                ": its length shows that a part is missing"
            }
            base64::DecodeError::InvalidPadding => ": the padding at its end is wrong",
        })
    })
}

/// What stands behind the type: `text/plain;base64,...`, and Confluent's second spelling, `text/plain:base64,...`.
fn data_uri(text: &str) -> Result<&str, KeystoreError> {
    let wrong = KeystoreError::NotBase64(": a data: URI must say base64 before its comma");
    let (kind, body) = text.split_once(',').ok_or_else(|| wrong.clone())?;
    let says_base64 = kind.rsplit([';', ':']).next().is_some_and(|last| last.trim().eq_ignore_ascii_case("base64"));
    if says_base64 { Ok(body) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_gives_the_same_bytes() {
        for text in [
            "AAH+/w==",
            "AAH+/w",
            "data:text/plain;base64,AAH+/w==",
            "data:text/plain:base64,AAH+/w==",
            "DATA:application/x-pkcs12;charset=x;BASE64,AAH+/w",
            " AA H+\r\n/w\t==\n",
            "data:;base64,\nAAH+/w==",
        ] {
            assert_eq!(decode(text).as_deref(), Ok(&[0, 1, 254, 255][..]), "{text}");
        }
    }

    #[test]
    fn what_is_not_base64_is_told_apart() {
        for (text, expected) in [
            ("", "is empty"),
            ("data:text/plain;base64,", "is empty"),
            ("data:text/plain,AAH+", "must say base64"),
            ("data:text/plain;base64", "must say base64"),
            ("AA%3D", "does not have"),
            ("AAH-_w", "does not have"),
            ("AAAAA", "a part is missing"),
            ("AB", "a part is missing"),
            ("/tmp/keystore.jks", "does not have"),
            ("AAH+/w=A", "base64"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA", "openssl pkcs12"),
        ] {
            let error = decode(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
