//! What is read of an X.509 certificate (RFC 5280): how long it is valid, and which RSA key it is for.

use super::{
    KeystoreError,
    der::{BIT_STRING, CONTEXT_0, Der, GENERALIZED_TIME, INTEGER, SEQUENCE, UTC_TIME},
};
use crate::time::{WallMs, days_from_civil};

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    /// From when on it is valid.
    pub(super) not_before_ms: WallMs,
    /// Until when it is valid.
    pub(super) not_after_ms: WallMs,
    /// The RSA modulus; empty for another kind of key.
    pub(super) modulus: Vec<u8>,
}

impl Certificate {
    /// Reads a certificate.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, KeystoreError> {
        let mut fields = Der::new(bytes).enter(SEQUENCE)?.enter(SEQUENCE)?;
        fields.take_if(CONTEXT_0)?;
        fields.take(INTEGER)?;
        fields.take(SEQUENCE)?;
        fields.take(SEQUENCE)?;
        let mut validity = fields.enter(SEQUENCE)?;
        fields.take(SEQUENCE)?;
        let mut public_key = fields.enter(SEQUENCE)?;
        public_key.take(SEQUENCE)?;
        // The first byte of a bit string counts the bits that are too many: none here.
        let key = public_key.take(BIT_STRING)?.get(1..).unwrap_or_default();
        let modulus = Der::new(key).enter(SEQUENCE).and_then(|mut key| key.unsigned()).unwrap_or_default();
        Ok(Self { not_before_ms: time(&mut validity)?, not_after_ms: time(&mut validity)?, modulus: modulus.to_vec() })
    }
}

/// A point in time, `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ` (RFC 5280, 4.1.2.5).
fn time(from: &mut Der<'_>) -> Result<WallMs, KeystoreError> {
    let (year, rest) = match from.next()? {
        (UTC_TIME, text) => {
            let year = number(text, 0, 2)?;
            (if year < 50 { 2_000 + year } else { 1_900 + year }, text.get(2..))
        }
        (GENERALIZED_TIME, text) => (number(text, 0, 4)?, text.get(4..)),
        _ => return Err(KeystoreError::Malformed),
    };
    let rest = rest.filter(|rest| rest.len() == 11 && rest.ends_with(b"Z")).ok_or(KeystoreError::Malformed)?;
    let field = |index: usize| number(rest, index * 2, index * 2 + 2);
    let (month, day) = (field(0)?, field(1)?);
    if !(1..=12).contains(&month) {
        return Err(KeystoreError::Malformed);
    }
    let seconds = (field(2)? * 60 + field(3)?) * 60 + field(4)?;
    Ok((days_from_civil(year, month, day) * 86_400 + seconds) * 1_000)
}

fn number(text: &[u8], start: usize, end: usize) -> Result<i64, KeystoreError> {
    let digits = text.get(start..end).filter(|digits| digits.iter().all(u8::is_ascii_digit));
    let digits = digits.ok_or(KeystoreError::Malformed)?;
    Ok(digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_both_forms() {
        let cases: &[(u8, &str, Option<WallMs>)] = &[
            (UTC_TIME, "700101000000Z", Some(0)),
            (UTC_TIME, "491231235959Z", Some(2_524_607_999_000)),
            (GENERALIZED_TIME, "20500101000000Z", Some(2_524_608_000_000)),
            (UTC_TIME, "701301000000Z", None),
            (UTC_TIME, "7001010000Z", None),
            (UTC_TIME, "70010100000xZ", None),
            (INTEGER, "700101000000Z", None),
        ];
        for (tag, text, expected) in cases {
            let length = u8::try_from(text.len()).expect("short");
            let bytes = [&[*tag, length], text.as_bytes()].concat();
            assert_eq!(time(&mut Der::new(&bytes)).ok(), *expected, "{text}");
        }
    }
}
