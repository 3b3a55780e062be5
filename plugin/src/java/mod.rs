//! Java's behaviour where records show it: `SimpleDateFormat`, `java.util.regex`, the reading and narrowing of numbers, the
//! order of a `HashMap`, and Connect's texts of values (`org.apache.kafka.connect.data.Values`). `tests/transforms`
//! compares all of it with a JVM.

pub mod date_format;
pub mod date_parse;
pub mod date_pattern;
pub mod hash_map;
pub mod literal;
pub mod number;
pub mod regex;
mod regex_class;
mod regex_translate;
pub mod text;
