//! Java's semantics by themselves: dates, regular expressions, literals; ours beside the JVM's.

use salesforce_pushtopic::java::{
    date_format::DateFormat,
    literal,
    regex::{Dialect, Regex, RegexError},
    text::to_text,
};
use serde_json::{Value as Json, json};

use crate::{differential::Differences, java::Java};

const PATTERNS: [&str; 30] = [
    "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'",
    "yyyyMMdd",
    "yyMMdd",
    "y M d H m s S",
    "yyyyy-MMM-ddd",
    "EEE, d MMMM yyyy HH:mm:ss Z",
    "EEEE",
    "dd/MM/yyyy hh:mm a",
    "KK:mm aa",
    "kk:mm",
    "YYYY-'W'ww-u",
    "YY w W F",
    "D yyyy",
    "DDD",
    "G yyyy",
    "GGGG y",
    "HH'h'mm''ss",
    "X XX XXX",
    "z zzzz",
    "LLL LLLL L",
    "SSSSSS",
    "''",
    "yyyy-MM-dd HH:mm:ssX",
    "yyyy-MM-dd HH:mm:ssXXX",
    "yyyy-MM-dd HH:mm:ss z",
    "MM.yyyy",
    "HH:mm",
    "q",
    "'x",
    "XXXX",
];

const INSTANTS: [i64; 16] = [
    0,
    -1,
    1_539_874_413_777,
    1_609_459_199_999,
    1_609_459_200_000,
    1_230_768_000_000,
    951_782_400_000,
    -12_219_292_800_000,
    -12_219_292_800_001,
    -62_135_596_800_000,
    -62_167_219_200_001,
    -99_999_999_999_999,
    253_402_300_800_000,
    1_735_603_200_000,
    86_399_999,
    1_709_164_800_000,
];

const DATES: &[&str] = &[
    "2018-10-18",
    "2018-13-45T25:61:61.1Z",
    "18/10/2018 02:03 pm",
    "Thu, 18 October 2018 14:53:33 +0200",
    "12:30 AM",
    "2018-10-18 14:53:33+02",
    "2018-10-18 14:53:33+02:00",
    "2018-10-18 14:53:33Z",
    "2018-10-18 14:53:33 EST",
    "2018-10-18 14:53:33 GMT+1:00",
    "991231",
    "20181018",
    "2018-W42-4",
    "BC 0044",
    "-5",
    "",
    "x",
    "  7 ",
    "24:00",
    "10.2018",
    "291 2018",
    "46 1 1",
    "2018-Feb-31",
    "08:09",
    "070101",
];

#[test]
fn dates_are_written_and_read_as_by_java() {
    let Some(mut java) = Java::start() else { return };
    let now_ms = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis();
    let now_ms = i64::try_from(now_ms).expect("before the year 292 million");
    let mut texts: Vec<String> = DATES.iter().map(|text| (*text).to_owned()).collect();
    let (mut compared, mut differences) = (0, Differences::default());
    for pattern in PATTERNS {
        let format = DateFormat::compile(pattern);
        for ms in INSTANTS {
            let theirs = java.ask(&json!({"op": "format", "pattern": pattern, "ms": ms}));
            let ours = format.as_ref().ok().map(|format| format.format(ms));
            let expected = theirs.get("text").and_then(Json::as_str);
            differences.equal(&ours.as_deref(), &expected, &format!("{pattern} {ms}: {theirs}"));
            texts.extend(ours);
            compared += 1;
        }
        // W and F are not read: date_parse says so.
        if pattern.contains(['W', 'F']) && !pattern.contains("'W'") {
            continue;
        }
        for text in texts.iter().take(25).chain(texts.iter().rev().take(INSTANTS.len())) {
            let theirs = java.ask(&json!({"op": "parse", "pattern": pattern, "text": text}));
            let ours = format.as_ref().ok().and_then(|format| format.parse(text, now_ms));
            let expected = theirs.get("ms").and_then(Json::as_i64);
            differences.equal(&ours, &expected, &format!("{pattern} reads {text:?}: {theirs}"));
            compared += 1;
        }
    }
    differences.check();
    println!("transforms: {compared} dates compared");
}

const REGULAR_EXPRESSIONS: &[&str] = &[
    ".*",
    "a|ab",
    "(a|b)*c",
    "(a)(b)?(c)?",
    "a+?",
    "a{2,3}",
    "a{2,}b?",
    "[a-c]+",
    "[^a-c]+",
    "[a-c&&[^b]]+",
    "[a-c[x-z]]+",
    "[a-z&&[def]&&[ef]]",
    "[]a]+",
    "[a\\]]+",
    "[\\w-]+",
    "[a-]+",
    "[-a]+",
    "\\d+\\D*",
    "\\w+\\W?",
    "\\s*\\S+",
    "\\Qa.b\\E.*",
    "a\\.b",
    "\\x61\\u0062",
    "\\0141",
    "(?i)ABC",
    "(?i:A)bc",
    "a(?i)B",
    "(?s)a.b",
    "(?x) a b # c\n c",
    "^abc$",
    "\\Aabc\\z",
    "\\babc\\b",
    "(?<n>a)b",
    "\\p{Lower}+",
    "\\P{Upper}+",
    "\\p{Alnum}+",
    "\\p{Punct}",
    "[\\p{Digit}a]+",
    "[^\\d]+",
    "(?:ab)+",
    "(ab|a)(bc|c)?",
    "a.c",
    "a\\tb",
    "[\\x61-\\x63]+",
    "a$",
    "^",
    "",
    "a||b",
    "x*",
    "[a&&b]",
    "[^&&a]",
    "[a-c&&b-d]+",
    "(?i)[^a]+",
    // What no pattern is, or only a backtracking engine can do.
    "(",
    ")",
    "[",
    "a{",
    "a{1",
    "{1}",
    "*a",
    "a**",
    "(?=a)a",
    "(?!b)a",
    "(a)\\1",
    "a*+b",
    "a++",
    "(?>a)b",
    "\\k<n>",
    "(?<n>a)\\k<n>",
    "\\y",
    "[z-a]",
    "\\",
    "\\p{L}+",
    "\\p{IsAlphabetic}",
    "(?u)a",
    "\\X",
    "\\N{DIGIT ONE}",
    "(?<1>a)",
    "a{3,2}",
];

const TOPICS: &[&str] = &[
    "",
    "a",
    "ab",
    "abc",
    "ABC",
    "aabb",
    "abcabc",
    "a.b",
    "a.bc",
    "a\nb",
    "b",
    "c",
    "aaa",
    "12ab",
    "_x-y",
    "a b",
    "]a",
    "xyz",
    "é",
    "a\tb",
    "e",
    "!",
    "aB",
    "a-a",
    "&",
    "\u{1f600}",
];

#[test]
fn regular_expressions_match_as_in_java_or_are_refused() {
    let Some(mut java) = Java::start() else { return };
    let (mut compared, mut refused, mut differences) = (0, 0, Differences::default());
    for pattern in REGULAR_EXPRESSIONS {
        let ours = Regex::compile(pattern, Dialect::Java, 1_000, 249);
        for text in TOPICS {
            for replacement in ["[$0]", "$1", "x"] {
                let request = json!({"op": "regex", "pattern": pattern, "text": text, "replacement": replacement});
                let theirs = java.ask(&request);
                let expected = theirs.get("text").map(|text| text.as_str().map(str::to_owned));
                match &ours {
                    Err(RegexError::Unsupported(_)) => refused += 1,
                    Err(_) => differences.equal(&None, &expected, &format!("{pattern:?} is refused here: {theirs}")),
                    Ok(regex) => match regex.replacement(replacement) {
                        // A wrong group is found with the configuration; Java finds it at the first match.
                        Err(_) => assert!(expected.is_none_or(|text| text.is_none()), "{pattern:?} {replacement}"),
                        Ok(replacement) => {
                            let text = regex.replace(text, &replacement).expect("in time");
                            differences.equal(&Some(text), &expected, &format!("{request}: {theirs}"));
                            compared += 1;
                        }
                    },
                }
            }
        }
    }
    differences.check();
    println!("transforms: {compared} matches compared, {refused} with patterns that are refused by name");
    assert!(compared > 2_500);
}

const LITERALS: &[&str] = &[
    "",
    " ",
    "null",
    "true",
    " true ",
    "false}",
    "TRUE",
    "42",
    "-129",
    "32768",
    "2147483648",
    "9223372036854775808",
    "1.0",
    "1.5",
    "-0.25",
    "1e3",
    "1e40",
    "1e400",
    "123456789012345678901234567890",
    "0.1e-60",
    "abc",
    "a b",
    "\"quoted\"",
    "\"2019-01-02\"",
    "2019-01-02",
    "2019-13-45",
    "14:30:00.123Z",
    "2019-01-02T14:30:00.123Z",
    "2019-01-02T14\\:30\\:00.123Z",
    "[]",
    "[1]",
    "[1,2,300]",
    "[1, 2.5]",
    "[\"a\",\"b\"]",
    "[1,\"a\"]",
    "[null]",
    "[1,null]",
    "[1,,2]",
    "[1",
    "1]",
    "[a]",
    "[[1],[2]]",
    "[true,false]",
    "{}",
    "{\"a\":1}",
    "{\"a\":1,\"b\":300}",
    "{a:1}",
    "{\"a\":null}",
    "{\"a\":1,}",
    "{\"a\"}",
    "{\"a\":[1,2]}",
    "[{\"a\":1}]",
    "1,2",
    "a,b",
    "a:b",
    "+5",
    "+",
    "-",
    ".5",
    "5.",
    "1:2",
    "  [1]",
    "[1] x",
    "{\"a\":\"b \\\" c\"}",
    "[2019-01-02]",
    "[\"2019-01-02\"]",
    "\\",
    "\\[1]",
    "[14:30:00.123Z]",
    "{1:2}",
    "{true:\"x\"}",
    "  [1",
    "[ 1 , 2 ]",
    "\t5\n",
];

#[test]
fn literals_are_read_as_by_connect() {
    let Some(mut java) = Java::start() else { return };
    let mut literals: Vec<String> = LITERALS.iter().map(|text| (*text).to_owned()).collect();
    let mut rng = fastrand::Rng::with_seed(7);
    let pieces = ["[", "]", "{", "}", ",", ":", "\"", "1", "300", "1.5", "a", "true", "null", " ", "\\", "2019-01-02"];
    for _ in 0..1_500 {
        let length = rng.usize(1..8);
        literals.push((0..length).map(|_| pieces[rng.usize(..pieces.len())]).collect());
    }
    let mut differences = Differences::default();
    for text in &literals {
        let theirs = java.ask(&json!({"op": "literal", "text": text}));
        let ours = literal::parse(text);
        let schema = ours.schema.as_deref();
        let written = to_text(schema, &ours.value);
        let what = format!("{text:?}: {theirs} {ours:?}");
        differences.equal(&written.as_deref(), &theirs["text"].as_str(), &what);
        // Lists and maps without a common type have a schema there that says as much.
        if let Some(schema) = schema {
            let expected = theirs["type"].as_str().map(str::to_lowercase);
            differences.equal(&Some(schema.kind.name()), &expected.as_deref(), &what);
        }
    }
    differences.check();
    println!("transforms: {} literals compared", literals.len());
}
