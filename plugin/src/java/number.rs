//! How Java reads, narrows and writes numbers: `Byte.parseByte` and its like, `Double.parseDouble`, `BigDecimal`, and the
//! casts between them.

use crate::data::decimal;

/// The longest text that is read as a number, in bytes. Bounds the work on digits, as `decimal::DIGITS_MAX` does.
pub const NUMBER_BYTES_MAX: usize = 1_000;

/// `Integer.parseInt` and its like: a sign, digits, nothing else.
#[must_use]
pub fn parse_whole<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// `Double.parseDouble` and `Float.parseFloat`: blanks around it and a `d` or `f` behind it are fine, hexadecimal is not
/// read here.
#[must_use]
pub fn parse_floating<T: std::str::FromStr>(text: &str) -> Option<T> {
    let text = text.trim_matches(|c: char| c <= ' ');
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "NaN" || unsigned == "Infinity" {
        return text.parse().ok();
    }
    let text = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if is_number { text.parse().ok() } else { None }
}

/// `new BigDecimal(text)`: the unscaled digits with their sign, and the scale.
#[must_use]
pub fn parse_decimal(text: &str) -> Option<(String, i64)> {
    if text.len() > NUMBER_BYTES_MAX {
        return None;
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, i64::from(exponent.parse::<i32>().ok()?)),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    let sign = if text.starts_with('-') && !digits.is_empty() { "-" } else { "" };
    let digits = if digits.is_empty() { "0" } else { digits };
    Some((format!("{sign}{digits}"), i64::try_from(fraction.len()).ok()? - exponent))
}

/// `BigDecimal.longValue`: what is behind the point is cut off, of what is left the low 64 bits count. `digits` is
/// signed.
#[must_use]
pub fn decimal_to_i64(digits: &str, scale: i64) -> i64 {
    let unsigned = digits.strip_prefix('-').unwrap_or(digits);
    let cut = usize::try_from(scale.max(0)).unwrap_or(usize::MAX).min(unsigned.len());
    let kept = &unsigned[..unsigned.len() - cut];
    // 10^64 is a multiple of 2^64.
    let zeros = if scale <= -64 { return 0 } else { usize::try_from((-scale).max(0)).unwrap_or(0) };
    let digits_of = kept.bytes().map(|digit| i64::from(digit - b'0')).chain(std::iter::repeat_n(0, zeros));
    let magnitude = digits_of.fold(0_i64, |number, digit| number.wrapping_mul(10).wrapping_add(digit));
    if unsigned.len() < digits.len() { magnitude.wrapping_neg() } else { magnitude }
}

/// The text from which a floating-point number of the same value is read.
#[must_use]
pub fn decimal_to_scientific(digits: &str, scale: i64) -> String {
    format!("{digits}e{}", -scale)
}

/// The bytes of a Decimal with `scale` made from a number's text; `None` when the text has another scale, which Connect
/// refuses.
#[must_use]
pub fn decimal_bytes(text: &str, scale: i32) -> Option<Vec<u8>> {
    let (digits, own_scale) = parse_decimal(text)?;
    (own_scale == i64::from(scale)).then_some(())?;
    decimal::unscaled(&digits, 0).ok()
}

/// A double as a long: towards zero, cut at the ends of the range, 0 for NaN.
#[must_use]
pub fn double_to_i64(number: f64) -> i64 {
    number as i64
}

/// A double as an int, likewise.
#[must_use]
pub fn double_to_i32(number: f64) -> i32 {
    number as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_java_reads_them() {
        let doubles = [
            (" 1.5 ", Some(1.5)),
            ("1e3f", Some(1_000.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("infinity", None),
            ("inf", None),
            ("", None),
            ("1_000", None),
            ("0x10", None),
        ];
        for (text, expected) in doubles {
            assert_eq!(parse_floating::<f64>(text), expected, "{text}");
        }
        let wholes = [("+5", Some(5_i8)), ("-128", Some(-128)), ("128", None), (" 5", None), ("", None), ("-", None)];
        for (text, expected) in wholes {
            assert_eq!(parse_whole::<i8>(text), expected, "{text}");
        }
    }

    #[test]
    fn decimals_are_cut_and_wrap() {
        let cases = [
            ("12.99", 12),
            ("-12.99", -12),
            ("1e3", 1_000),
            ("18446744073709551617", 1),
            ("1e64", 0),
            ("0.001", 0),
            ("-0", 0),
            ("1e-2000000000", 0),
        ];
        for (text, expected) in cases {
            let (digits, scale) = parse_decimal(text).expect("a number");
            assert_eq!(decimal_to_i64(&digits, scale), expected, "{text}");
        }
        for text in ["", ".", "1e", "x", " 1", "1e99999999999", &"1".repeat(NUMBER_BYTES_MAX + 1)] {
            assert_eq!(parse_decimal(text), None, "{text}");
        }
        assert!(parse_decimal(&"1".repeat(NUMBER_BYTES_MAX)).is_some());
        assert_eq!(decimal_bytes("1.50", 2), Some(vec![0, 0x96]));
        assert_eq!(decimal_bytes("1.5", 2), None);
    }
}
