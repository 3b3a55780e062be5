//! Decimal numbers as text and as Connect's Decimal: an unscaled whole number in big-endian two's complement
//! (`BigInteger.toByteArray`) at a scale (`java.math.BigDecimal`). Nothing is rounded: a number keeps its value or is
//! refused.

/// Why a number was refused. Never holds the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not a decimal number.
    #[error("not a decimal number")]
    Form,
    /// It has digits that the scale has no room for.
    #[error("more than {scale} digits after the decimal point")]
    DigitsLost {
        /// Digits after the decimal point that there is room for.
        scale: i32,
    },
    /// It has more digits than `DIGITS_MAX`.
    #[error("more than {DIGITS_MAX} digits")]
    TooLong,
    /// It is not whole.
    #[error("not a whole number")]
    NotWhole,
    /// It does not fit into the integer type.
    #[error("outside the range of the integer type")]
    Range,
}

/// The most digits that a number may have, zeros included that an exponent or a scale adds. Bounds the work, which grows
/// with the square of the digits; Salesforce's own numbers have at most 18.
pub const DIGITS_MAX: usize = 1_000;

/// Nine decimal digits fit into 32 bits; numbers are handled in such groups.
const GROUP_DIGITS: usize = 9;
const GROUP: u64 = 1_000_000_000;

/// A decimal number by its value: `digits` x 10^`exponent`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Number {
    negative: bool,
    /// ASCII digits without zeros at either end; empty for zero.
    digits: Vec<u8>,
    /// 0 for zero.
    exponent: i64,
}

/// The unscaled value of `text` at `scale`, as `BigInteger.toByteArray` gives it. `text` is a number as JSON writes it;
/// a leading `+` and leading zeros are allowed.
///
/// # Errors
/// `DecimalError` when the text is no number, is too long, or has digits beyond the scale.
pub fn unscaled(text: &str, scale: i32) -> Result<Vec<u8>, DecimalError> {
    let number = Number::parse(text)?;
    if number.digits.is_empty() {
        return Ok(vec![0]);
    }
    let zeros = number.exponent.saturating_add(scale.into());
    let zeros = usize::try_from(zeros)
        .map_err(|_| if zeros < 0 { DecimalError::DigitsLost { scale } } else { DecimalError::TooLong })?;
    if zeros.saturating_add(number.digits.len()) > DIGITS_MAX {
        return Err(DecimalError::TooLong);
    }
    let mut digits = number.digits;
    digits.resize(digits.len() + zeros, b'0');
    Ok(twos_complement(&magnitude(&digits), number.negative))
}

/// `BigDecimal.toString` of an unscaled value at a scale: `123.45`, `1000.00`, `1E-7`.
#[must_use]
pub fn text(unscaled: &[u8], scale: i32) -> String {
    let negative = unscaled.first().is_some_and(|byte| byte & 0x80 != 0);
    let digits = digits(unscaled, negative);
    let sign = if negative { "-" } else { "" };
    let scale = i64::from(scale);
    let digit_count = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let adjusted_exponent = digit_count - 1 - scale;
    if scale == 0 {
        format!("{sign}{digits}")
    } else if scale > 0 && adjusted_exponent >= -6 {
        let width = usize::try_from(scale).unwrap_or(usize::MAX).saturating_add(1);
        // The branch bounds the zeros before the digits to six.
        let padded = format!("{digits:0>width$}");
        let (whole, fraction) = padded.split_at(padded.len() + 1 - width);
        format!("{sign}{whole}.{fraction}")
    } else {
        let (first, more) = digits.split_at(1);
        let point = if more.is_empty() { "" } else { "." };
        match adjusted_exponent {
            0 => format!("{sign}{first}{point}{more}"),
            _ => format!("{sign}{first}{point}{more}E{adjusted_exponent:+}"),
        }
    }
}

/// The whole number that `text` stands for: `5`, `5.0` and `5e0` are the same.
///
/// # Errors
/// `DecimalError` when the text is no number, not whole, or out of range.
pub fn whole(text: &str) -> Result<i64, DecimalError> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let number = Number::parse(text)?;
    if number.exponent < 0 {
        return Err(DecimalError::NotWhole);
    }
    let sign = if number.negative { -1_i64 } else { 1 };
    let mut value = 0_i64;
    // An i64 has at most 19 digits, so that longer numbers leave the loop with an error early.
    let zeros = usize::try_from(number.exponent).unwrap_or(usize::MAX);
    for &digit in number.digits.iter().chain(std::iter::repeat_n(&b'0', zeros)) {
        let digit = sign * i64::from(digit - b'0');
        value = value.checked_mul(10).and_then(|value| value.checked_add(digit)).ok_or(DecimalError::Range)?;
    }
    Ok(value)
}

/// Whether two texts are numbers of the same value, in whatever form: `1.50` and `15E-1`.
#[must_use]
pub fn same_value(one: &str, other: &str) -> bool {
    matches!((Number::parse(one), Number::parse(other)), (Ok(one), Ok(other)) if one == other)
}

impl Number {
    fn parse(text: &str) -> Result<Self, DecimalError> {
        let negative = text.starts_with('-');
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_number = !whole.is_empty() || !fraction.is_empty();
        if !is_number || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
            return Err(DecimalError::Form);
        }
        let leading_zeros = whole.bytes().chain(fraction.bytes()).take_while(|&digit| digit == b'0').count();
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).skip(leading_zeros).collect();
        let significant = digits.iter().rposition(|&digit| digit != b'0').map_or(0, |last| last + 1);
        let trailing_zeros = digits.len() - significant;
        digits.truncate(significant);
        if digits.is_empty() {
            return Ok(Self { negative: false, digits, exponent: 0 });
        }
        if digits.len() > DIGITS_MAX {
            return Err(DecimalError::TooLong);
        }
        let length = |bytes: usize| i64::try_from(bytes).map_err(|_| DecimalError::TooLong);
        let exponent = exponent.saturating_add(length(trailing_zeros)?).saturating_sub(length(fraction.len())?);
        Ok(Self { negative, digits, exponent })
    }
}

/// An exponent; beyond 18 digits it is as good as infinite, which no caller has room for.
fn exponent_of(text: &str) -> Result<i64, DecimalError> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecimalError::Form);
    }
    text.parse().map_or_else(|_| Ok(if text.starts_with('-') { i64::MIN } else { i64::MAX }), Ok)
}

/// Base-256 digits, most significant first and never zero, of decimal digits.
fn magnitude(digits: &[u8]) -> Vec<u8> {
    // Base-2^32 digits, least significant first.
    let mut limbs: Vec<u32> = Vec::with_capacity(digits.len() / GROUP_DIGITS + 1);
    let (head, groups) = digits.split_at(digits.len() % GROUP_DIGITS);
    for group in std::iter::once(head).chain(groups.chunks(GROUP_DIGITS)) {
        let mut carry = group.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
        let factor = if group.len() == GROUP_DIGITS { GROUP } else { 1 };
        for limb in &mut limbs {
            let sum = u64::from(*limb) * factor + carry;
            (*limb, carry) = halves(sum);
        }
        if carry != 0 {
            limbs.push(halves(carry).0);
        }
    }
    let bytes: Vec<u8> = limbs.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect();
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    bytes[zeros..].to_vec()
}

/// The low 32 bits, and the rest.
#[expect(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
fn halves(number: u64) -> (u32, u64) {
    (number as u32, number >> 32)
}

/// The shortest two's complement of a sign and a magnitude without leading zeros.
fn twos_complement(magnitude: &[u8], negative: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(magnitude.len() + 1);
    bytes.push(0);
    bytes.extend_from_slice(magnitude);
    if negative {
        negate(&mut bytes);
    }
    // The first byte is only a sign; it goes when the next byte has the same sign.
    match bytes[..] {
        [0, next, ..] if next & 0x80 == 0 => drop(bytes.remove(0)),
        [0xff, next, ..] if next & 0x80 != 0 => drop(bytes.remove(0)),
        _ => {}
    }
    bytes
}

fn negate(bytes: &mut [u8]) {
    let mut carry = true;
    for byte in bytes.iter_mut().rev() {
        (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
    }
}

/// Decimal digits of the absolute value of a two's complement number, without leading zeros; `0` for zero.
fn digits(unscaled: &[u8], negative: bool) -> String {
    let mut magnitude = unscaled.to_vec();
    if negative {
        // The magnitude of -2^(8n-1) has its top bit set, which is right for an unsigned number.
        negate(&mut magnitude);
    }
    let mut groups: Vec<u64> = Vec::new();
    while magnitude.iter().any(|&byte| byte != 0) {
        let mut remainder = 0;
        for byte in &mut magnitude {
            let dividend = (remainder << 8) | u64::from(*byte);
            // Below 256, since the remainder is below the divisor.
            *byte = u8::try_from(dividend / GROUP).unwrap_or(u8::MAX);
            remainder = dividend % GROUP;
        }
        groups.push(remainder);
    }
    let mut text = groups.pop().unwrap_or(0).to_string();
    for group in groups.iter().rev() {
        text.push_str(&format!("{group:09}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The bytes are those of Java's BigInteger; many more are in the golden file of the JSON converter.
    #[test]
    fn unscaled_values_are_exact_or_refused() {
        let lost = |scale| Err(DecimalError::DigitsLost { scale });
        type Unscaled = Result<&'static [u8], DecimalError>;
        let cases: [(&str, i32, Unscaled); 20] = [
            ("123.45", 2, Ok(&[0x30, 0x39])),
            ("123.4500", 2, Ok(&[0x30, 0x39])),
            ("1.2345e2", 2, Ok(&[0x30, 0x39])),
            ("12345E-2", 2, Ok(&[0x30, 0x39])),
            ("+00123.45", 2, Ok(&[0x30, 0x39])),
            ("-1", 0, Ok(&[0xff])),
            ("128", 0, Ok(&[0, 0x80])),
            ("-128", 0, Ok(&[0x80])),
            ("1200", -2, Ok(&[12])),
            ("-0.00", 2, Ok(&[0])),
            ("0e999999999999999999999", 2, Ok(&[0])),
            ("0.001", 2, lost(2)),
            ("1210", -2, lost(-2)),
            ("1e-99999999999999999999", 2, lost(2)),
            ("1e99999999999999999999", 2, Err(DecimalError::TooLong)),
            ("1e998", 2, Err(DecimalError::TooLong)),
            ("", 2, Err(DecimalError::Form)),
            (".", 2, Err(DecimalError::Form)),
            ("1e", 2, Err(DecimalError::Form)),
            ("NaN", 2, Err(DecimalError::Form)),
        ];
        for (text, scale, expected) in cases {
            assert_eq!(unscaled(text, scale).as_deref(), expected.as_ref().copied(), "{text} at {scale}");
        }
        assert!(unscaled(&"9".repeat(DIGITS_MAX), 0).is_ok());
        assert_eq!(unscaled(&"9".repeat(DIGITS_MAX + 1), 0), Err(DecimalError::TooLong));
    }

    #[test]
    fn whole_numbers_are_read_in_every_form() {
        let cases = [
            ("5", Ok(5)),
            ("5.0", Ok(5)),
            ("5e3", Ok(5_000)),
            ("-50e-1", Ok(-5)),
            ("9223372036854775807", Ok(i64::MAX)),
            ("-9223372036854775808.00", Ok(i64::MIN)),
            ("9223372036854775808", Err(DecimalError::Range)),
            ("1e999999999", Err(DecimalError::Range)),
            ("5.5", Err(DecimalError::NotWhole)),
            ("five", Err(DecimalError::Form)),
        ];
        for (text, expected) in cases {
            assert_eq!(whole(text), expected, "{text}");
        }
        assert!(same_value("1.50", "15E-1") && same_value("-0", "0.0"));
        assert!(!same_value("1.5", "-1.5") && !same_value("1.5", "1.51") && !same_value("x", "x"));
    }

    proptest! {
        #[test]
        fn agrees_with_wide_integers(number: i128, scale in -40_i32..40) {
            let bytes = number.to_be_bytes();
            let written = text(&bytes, scale);
            let shortest = unscaled(&written, scale).expect("its own text fits");
            prop_assert_eq!(text(&shortest, 0), number.to_string());
            let sign = if number < 0 { 0xff } else { 0 };
            let mut wide = vec![sign; bytes.len() - shortest.len()];
            wide.extend(&shortest);
            prop_assert_eq!(&wide[..], &bytes[..]);
            let scientific = format!("{number}e{}", -scale);
            prop_assert!(same_value(&written, &scientific));
        }

        #[test]
        fn never_panics(text in "\\PC*|[-+0-9.eE]{0,40}", scale: i32) {
            let _ = (unscaled(&text, scale), whole(&text));
        }
    }
}
