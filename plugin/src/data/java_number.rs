//! How Java writes a floating-point number: `Double.toString` and `Float.toString`, as of JDK 19 (JDK-4511638), which
//! always give the shortest decimal that reads back as the same number. Earlier JDKs sometimes write more digits than
//! needed (JDK 17: `9.999999999999999E22` for `1.0E23`), which read back alike.

use std::io::Write as _;

/// Appends `Double.toString(number)`.
pub fn push_double(out: &mut String, number: f64) {
    if push_special(out, number) {
        return;
    }
    let mut buffer = [0; SCRATCH_BYTES];
    let shortest = scratch(&mut buffer, format_args!("{number:e}"));
    if has_one_digit(shortest) {
        let mut buffer = [0; SCRATCH_BYTES];
        let two = scratch(&mut buffer, format_args!("{number:.1e}"));
        push_scientific(out, if two.parse() == Ok(number) { two } else { shortest });
    } else {
        push_scientific(out, shortest);
    }
}

/// Appends `Float.toString(number)`.
pub fn push_float(out: &mut String, number: f32) {
    if push_special(out, f64::from(number)) {
        return;
    }
    let mut buffer = [0; SCRATCH_BYTES];
    let shortest = scratch(&mut buffer, format_args!("{number:e}"));
    if has_one_digit(shortest) {
        let mut buffer = [0; SCRATCH_BYTES];
        let two = scratch(&mut buffer, format_args!("{number:.1e}"));
        push_scientific(out, if two.parse() == Ok(number) { two } else { shortest });
    } else {
        push_scientific(out, shortest);
    }
}

/// Longest text that `{:e}` makes of an `f64` is `-1.7976931348623157e-308`, 24 bytes.
const SCRATCH_BYTES: usize = 32;

/// Writes into the buffer and gives back what was written, without an allocation.
fn scratch<'a>(buffer: &'a mut [u8; SCRATCH_BYTES], text: std::fmt::Arguments<'_>) -> &'a str {
    let mut rest = &mut buffer[..];
    rest.write_fmt(text).expect("a number in scientific notation is shorter than the buffer");
    let written = SCRATCH_BYTES - rest.len();
    std::str::from_utf8(&buffer[..written]).expect("numbers are written in ASCII")
}

fn push_special(out: &mut String, number: f64) -> bool {
    let text = if number.is_nan() {
        "NaN"
    } else if number == f64::INFINITY {
        "Infinity"
    } else if number == f64::NEG_INFINITY {
        "-Infinity"
    } else {
        return false;
    };
    out.push_str(text);
    true
}

/// Java writes at least two digits, and where one would do it takes the nearest of those with two: `4.9E-324`.
fn has_one_digit(scientific: &str) -> bool {
    !scientific.contains('.')
}

/// Turns Rust's `[-]d[.ddd]e[-]ddd` into Java's layout: plain from 10^-3 up to below 10^7, else with an exponent.
fn push_scientific(out: &mut String, scientific: &str) {
    let (mantissa, exponent) = scientific.split_once('e').expect("the text is in scientific notation");
    let exponent: i32 = exponent.parse().expect("an exponent is a small whole number");
    let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
    if unsigned.len() < mantissa.len() {
        out.push('-');
    }
    let (first, more) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let more = if more == "0" { "" } else { more };
    match exponent {
        0..=6 => {
            let whole_digits = usize::try_from(exponent).expect("the arm begins at 0");
            out.push_str(first);
            let (whole, fraction) = more.split_at(whole_digits.min(more.len()));
            out.push_str(whole);
            out.extend(std::iter::repeat_n('0', whole_digits - whole.len()));
            out.push('.');
            out.push_str(if fraction.is_empty() { "0" } else { fraction });
        }
        -3..=-1 => {
            out.push_str(["0.", "0.0", "0.00"][usize::try_from(-exponent - 1).expect("the arm ends at -1")]);
            out.push_str(first);
            out.push_str(more);
        }
        _ => {
            out.push_str(first);
            out.push('.');
            out.push_str(if more.is_empty() { "0" } else { more });
            out.push('E');
            out.push_str(&scientific[mantissa.len() + 1..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn double(number: f64) -> String {
        let mut text = String::new();
        push_double(&mut text, number);
        text
    }

    fn float(number: f32) -> String {
        let mut text = String::new();
        push_float(&mut text, number);
        text
    }

    /// What JDK 19's documentation of Double.toString says of numbers where older JDKs differ: the shortest, nearest
    /// first, two digits at least. Everything else is in the golden file of the JSON converter.
    #[test]
    fn follows_the_rules_of_jdk_19() {
        let cases =
            [(1e23, "1.0E23"), (2e-3, "0.002"), (9.9e-324, "9.9E-324"), (f64::MIN_POSITIVE, "2.2250738585072014E-308")];
        for (number, expected) in cases {
            assert_eq!(double(number), expected);
        }
        assert_eq!(float(1.0e10), "1.0E10");
        assert_eq!(float(f32::from_bits(1)), "1.4E-45");
    }

    proptest! {
        #[test]
        fn reads_back(bits: u64) {
            let number = f64::from_bits(bits);
            if number.is_finite() {
                prop_assert_eq!(double(number).parse::<f64>().map(f64::to_bits), Ok(bits));
            }
            let number = f32::from_bits((bits >> 32) as u32);
            if number.is_finite() {
                prop_assert_eq!(float(number).parse::<f32>().map(f32::to_bits), Ok(number.to_bits()));
            }
        }
    }
}
