//! `scrub.invalid.names`: names that Avro and Protobuf do not allow, made into such that they do, as Confluent's
//! converters do it.

/// Whether a name, without dots, is one that Avro and Protobuf allow.
pub(super) fn is_valid(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The name in the form of an URL's query, with an underscore for each character that is still not allowed, and an `x`
/// before a first character that is none for a name.
pub(super) fn scrub(name: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(name.len());
    for &byte in name.as_bytes() {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else if matches!(byte, b' ' | b'.' | b'-' | b'*' | b'_') {
            out.push('_');
        } else {
            out.push('_');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    if out.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() || starts_unfit(name) {
        out.insert(0, 'x');
    }
    out
}

/// Whether the form in an URL begins with something else than a letter or an underscore.
fn starts_unfit(name: &str) -> bool {
    name.chars().next().is_some_and(|c| !c.is_ascii_alphabetic() && c != '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_valid() {
        let cases = [
            ("Foo__c", "Foo__c"),
            ("a b", "a_b"),
            ("a-b.c", "a_b_c"),
            ("9lives", "x9lives"),
            ("\u{f6}l", "x_C3_B6l"),
            ("-x", "x_x"),
            ("$", "x_24"),
            ("", "x"),
        ];
        for (name, scrubbed) in cases {
            assert_eq!(scrub(name), scrubbed, "{name}");
            assert!(is_valid(&scrub(name)), "{name}");
        }
        assert!(!is_valid("a b") && !is_valid("9") && !is_valid("") && is_valid("_a1"));
    }
}
