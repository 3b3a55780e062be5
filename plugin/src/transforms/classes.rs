//! The table of all transforms and predicates. Documentation, validation and the definitions that a REST listener shows
//! come from it.

use super::{
    bytes_to_string, cast, change_topic_case,
    definition::{Build, BuildPredicate, BuildTransform, Class, Form, Forms, OptionDef},
    drop, drop_headers, extract_field, extract_timestamp, extract_topic, filter, flatten, gzip_decompress, header_from,
    hoist_field, insert_field, insert_header, json_path_filter, mask_field, message_timestamp_router, predicates,
    regex_router, replace_field, set_maximum_precision, set_schema_metadata,
    side::Side,
    timestamp_converter, timestamp_now, timestamp_router, tombstone, tombstone_handler, value_to_key,
};

/// The option that many of Apache's share.
pub(super) const REPLACE_NULL: OptionDef = OptionDef::flag(
    "replace.null.with.default",
    "true",
    "Whether a null is read as its field's default, where the schema has one.",
);

const NO_OPTIONS: &[OptionDef] = &[];

const fn sided(name: &'static str, options: &'static [OptionDef], build: BuildTransform, about: &'static str) -> Class {
    Class { name, forms: Forms::KeyValue, options, documentation: about, build: Build::Transform(build) }
}

const fn plain(name: &'static str, options: &'static [OptionDef], build: BuildTransform, about: &'static str) -> Class {
    Class { forms: Forms::Plain, ..sided(name, options, build, about) }
}

const fn predicate(
    name: &'static str,
    options: &'static [OptionDef],
    build: BuildPredicate,
    about: &'static str,
) -> Class {
    Class { name, forms: Forms::Plain, options, documentation: about, build: Build::Predicate(build) }
}

/// Every transform and predicate, in the order in which tables show them.
pub const CLASSES: &[Class] = &[
    sided(
        "org.apache.kafka.connect.transforms.Cast",
        cast::OPTIONS,
        cast::build,
        "Fields, or the whole key or value, into another primitive type, narrowed as Java narrows.",
    ),
    plain(
        "org.apache.kafka.connect.transforms.DropHeaders",
        drop_headers::OPTIONS,
        drop_headers::build,
        "Drops headers by name.",
    ),
    sided(
        "org.apache.kafka.connect.transforms.ExtractField",
        extract_field::OPTIONS,
        extract_field::build,
        "One field takes the place of the whole key or value.",
    ),
    plain(
        "org.apache.kafka.connect.transforms.Filter",
        NO_OPTIONS,
        filter::build,
        "Drops the record. Goes with a predicate.",
    ),
    sided(
        "org.apache.kafka.connect.transforms.Flatten",
        flatten::OPTIONS,
        flatten::build,
        "Fields of nested structs at the top, their names put together.",
    ),
    sided(
        "org.apache.kafka.connect.transforms.HeaderFrom",
        header_from::OPTIONS,
        header_from::build,
        "Copies or moves fields into headers.",
    ),
    sided(
        "org.apache.kafka.connect.transforms.HoistField",
        hoist_field::OPTIONS,
        hoist_field::build,
        "The whole key or value becomes the one field of a struct.",
    ),
    sided(
        "org.apache.kafka.connect.transforms.InsertField",
        insert_field::OPTIONS,
        insert_field::build,
        "Topic, partition, timestamp or a fixed text as a field.",
    ),
    plain(
        "org.apache.kafka.connect.transforms.InsertHeader",
        insert_header::OPTIONS,
        insert_header::build,
        "A header with a fixed value.",
    ),
    sided(
        "org.apache.kafka.connect.transforms.MaskField",
        mask_field::OPTIONS,
        mask_field::build,
        "Fields get the empty value of their type, or a given one. A tombstone is an error.",
    ),
    plain(
        "org.apache.kafka.connect.transforms.RegexRouter",
        regex_router::OPTIONS,
        regex_router::build,
        "Another topic, where all of the topic's name matches.",
    ),
    sided(
        "org.apache.kafka.connect.transforms.ReplaceField",
        replace_field::OPTIONS,
        replace_field::build,
        "Leaves fields out, lets only some in, renames.",
    ),
    sided(
        "org.apache.kafka.connect.transforms.SetSchemaMetadata",
        set_schema_metadata::OPTIONS,
        set_schema_metadata::build,
        "Another name or version for the schema.",
    ),
    sided(
        "org.apache.kafka.connect.transforms.TimestampConverter",
        timestamp_converter::OPTIONS,
        timestamp_converter::build,
        "A point in time in another form: text, Unix time, Date, Time, Timestamp.",
    ),
    plain(
        "org.apache.kafka.connect.transforms.TimestampRouter",
        timestamp_router::OPTIONS,
        timestamp_router::build,
        "The record's timestamp in the topic's name.",
    ),
    plain(
        "org.apache.kafka.connect.transforms.ValueToKey",
        value_to_key::OPTIONS,
        value_to_key::build,
        "The key is made anew of fields of the value. A tombstone is an error.",
    ),
    sided("io.confluent.connect.transforms.Drop", drop::OPTIONS, drop::build, "The key or value becomes null."),
    Class {
        name: "io.confluent.connect.transforms.ExtractTopic",
        forms: Forms::KeyValueHeader,
        options: extract_topic::OPTIONS,
        documentation: "A text in the key, the value or a header is the topic.",
        build: Build::Transform(extract_topic::build),
    },
    sided(
        "io.confluent.connect.transforms.Filter",
        json_path_filter::OPTIONS,
        json_path_filter::build,
        "Keeps or drops records by a JSON path.",
    ),
    sided(
        "io.confluent.connect.transforms.GzipDecompress",
        NO_OPTIONS,
        gzip_decompress::build,
        "Unpacks a key or value that is a byte array.",
    ),
    plain(
        "io.confluent.connect.transforms.MessageTimestampRouter",
        message_timestamp_router::OPTIONS,
        message_timestamp_router::build,
        "A timestamp in the value, as text, in the topic's name.",
    ),
    plain(
        "io.confluent.connect.transforms.TombstoneHandler",
        tombstone_handler::OPTIONS,
        tombstone_handler::build,
        "Drops tombstones, or makes them an error.",
    ),
    plain(
        "io.confluent.connect.cloud.transforms.TopicRegexRouter",
        regex_router::OPTIONS_RE2,
        regex_router::build_re2,
        "RegexRouter with RE2's regular expressions.",
    ),
    sided(
        "com.github.jcustenborder.kafka.connect.transform.common.BytesToString",
        bytes_to_string::OPTIONS,
        bytes_to_string::build,
        "Byte arrays as text.",
    ),
    plain(
        "com.github.jcustenborder.kafka.connect.transform.common.ChangeTopicCase",
        change_topic_case::OPTIONS,
        change_topic_case::build,
        "Another case format for the topic's name.",
    ),
    sided(
        "com.github.jcustenborder.kafka.connect.transform.common.ExtractTimestamp",
        extract_timestamp::OPTIONS,
        extract_timestamp::build,
        "A field is the record's timestamp.",
    ),
    sided(
        "com.github.jcustenborder.kafka.connect.transform.common.SetMaximumPrecision",
        set_maximum_precision::OPTIONS,
        set_maximum_precision::build,
        "A smaller precision in the schemas of Decimals.",
    ),
    plain(
        "com.github.jcustenborder.kafka.connect.transform.common.TimestampNow",
        NO_OPTIONS,
        timestamp_now::build,
        "The time of processing is the record's timestamp.",
    ),
    sided(
        "com.github.jcustenborder.kafka.connect.transform.common.TimestampNowField",
        timestamp_now::OPTIONS,
        timestamp_now::build_field,
        "The time of processing in fields.",
    ),
    plain(
        "tributary.transforms.Tombstone",
        tombstone::OPTIONS,
        tombstone::build,
        "Deletes become tombstones, for compacted topics.",
    ),
    predicate(
        "org.apache.kafka.connect.transforms.predicates.HasHeaderKey",
        predicates::HAS_HEADER_KEY,
        predicates::has_header_key,
        "The record has a header of that name.",
    ),
    predicate(
        "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone",
        NO_OPTIONS,
        predicates::record_is_tombstone,
        "The record's value is null.",
    ),
    predicate(
        "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
        predicates::TOPIC_NAME_MATCHES,
        predicates::topic_name_matches,
        "All of the topic's name matches a regular expression of Java.",
    ),
];

/// Classes that a configuration may well name and that are not here, and why.
const ABSENT: &[(&str, &str)] = &[
    ("io.confluent.connect.transforms.ExtractXPath", "it reads XML, which records of this connector do not hold"),
    (
        "com.github.jcustenborder.kafka.connect.transform.common.ExtractXPath",
        "it reads XML, which records of this connector do not hold",
    ),
    ("io.debezium.transforms.outbox.EventRouter", "it reads the records of Debezium's connectors"),
    (
        "com.github.jcustenborder.kafka.connect.transform.common.AdjustPrecisionAndScale",
        "it mends the schemas of JDBC's connectors",
    ),
];

impl Class {
    /// Whether it is a predicate.
    #[must_use]
    pub fn is_predicate(&self) -> bool {
        matches!(self.build, Build::Predicate(_))
    }

    /// The class's name without its package.
    #[must_use]
    pub fn short_name(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }
}

/// The class and form that a `type` names: the class in Java, or its short name.
///
/// # Errors
/// What is wrong with the name, in Connect's words.
pub fn find(name: &str, predicate: bool) -> Result<(&'static Class, Form), String> {
    let (base, ending) = name.find('$').map_or((name, ""), |at| name.split_at(at));
    let matching = || {
        let named = move |class: &&Class| class.name == base || class.short_name() == base;
        CLASSES.iter().filter(named).filter(move |class| class.is_predicate() == predicate)
    };
    if let Some(class) = matching().find(|class| class.forms.endings().contains(&ending)) {
        let form = match ending {
            "$Key" => Form::Side(Side::Key),
            "$Value" => Form::Side(Side::Value),
            "$Header" => Form::Header,
            _ => Form::Plain,
        };
        return Ok((class, form));
    }
    if let Some(class) = matching().next() {
        let forms: Vec<String> = class.forms.endings().iter().map(|ending| format!("{}{ending}", class.name)).collect();
        return Err(format!("This class is abstract and cannot be created. Did you mean {}?", forms.join(", ")));
    }
    if let Some((_, why)) = ABSENT.iter().find(|(absent, _)| *absent == base) {
        return Err(format!("Class {name} could not be found: {why}"));
    }
    let names = CLASSES.iter().filter(|class| class.is_predicate() == predicate).map(Class::short_name);
    let near = names
        .map(|known| (strsim::jaro_winkler(base.rsplit('.').next().unwrap_or(base), known), known))
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .filter(|(similarity, _)| *similarity > 0.85);
    let hint = near.map_or_else(String::new, |(_, known)| format!(". Did you mean {known}?"));
    Err(format!("Class {name} could not be found; code of one's own cannot be loaded here{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_found_by_full_and_short_name() {
        let cases = [
            ("org.apache.kafka.connect.transforms.Cast$Value", false, "org.apache.kafka.connect.transforms.Cast"),
            ("Cast$Key", false, "org.apache.kafka.connect.transforms.Cast"),
            ("RegexRouter", false, "org.apache.kafka.connect.transforms.RegexRouter"),
            ("Filter", false, "org.apache.kafka.connect.transforms.Filter"),
            ("Filter$Value", false, "io.confluent.connect.transforms.Filter"),
            ("ExtractTopic$Header", false, "io.confluent.connect.transforms.ExtractTopic"),
            ("RecordIsTombstone", true, "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone"),
        ];
        for (name, predicate, expected) in cases {
            assert_eq!(find(name, predicate).map(|(class, _)| class.name), Ok(expected), "{name}");
        }
        let wrong = [
            (
                "org.apache.kafka.connect.transforms.Cast",
                false,
                "This class is abstract and cannot be created. Did you mean org.apache.kafka.connect.transforms.Cast$Key, org.apache.kafka.connect.transforms.Cast$Value?",
            ),
            ("RegexRoutr", false, "Did you mean RegexRouter?"),
            ("RecordIsTombstone", false, "could not be found"),
            ("io.debezium.transforms.outbox.EventRouter", false, "Debezium"),
            ("RegexRouter$Value", false, "Did you mean org.apache.kafka.connect.transforms.RegexRouter?"),
        ];
        for (name, predicate, expected) in wrong {
            let error = find(name, predicate).map(drop).expect_err("not a class");
            assert!(error.contains(expected), "{name}: {error}");
        }
    }

    #[test]
    fn the_table_is_sound() {
        for class in CLASSES {
            for option in class.options {
                assert!(option.documentation.ends_with('.'), "{class:?} {}", option.name);
                assert!(!(option.required && option.default.is_some()), "{class:?} {}", option.name);
                assert!(!["type", "predicate", "negate"].contains(&option.name), "{class:?} {}", option.name);
            }
            assert!(class.documentation.ends_with('.'), "{class:?}");
        }
    }
}
