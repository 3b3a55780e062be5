//! The settings of format and converters: what they need of each other, and the `Conversion`s they make.

use std::sync::Arc;

use super::{
    keys::{
        output::{
            AVRO_CONVERTER, BYTES_CONVERTER, JSON_CONVERTER, JSON_SCHEMA_CONVERTER, PROTOBUF_CONVERTER,
            STRING_CONVERTER,
        },
        registry::HEADER_SERIALIZER,
    },
    registry,
    settings::Settings,
    source::Conversion,
    validate::{ConfigValue, entry},
};
use crate::converters::{
    Converter, DecimalFormat, Format, JsonConverter, JsonOptions, Registered, avro::AvroOptions,
    json_schema::JsonSchemaOptions, protobuf::ProtobufOptions, wire_format::IdForm,
};

/// Which part of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The key.
    Key,
    /// The value.
    Value,
}

impl Side {
    /// The converter's setting, which is also what the names of its options begin with.
    pub(super) fn stem(self) -> &'static str {
        match self {
            Self::Key => "key.converter",
            Self::Value => "value.converter",
        }
    }

    /// The name of an option.
    pub(super) fn option(self, option: &str) -> String {
        format!("{}.{option}", self.stem())
    }

    /// The name of an option that Confluent's serializers have twice, for keys and for values.
    pub(super) fn own_option(self, option: &str) -> String {
        let side = match self {
            Self::Key => "key",
            Self::Value => "value",
        };
        self.option(&format!("{side}.{option}"))
    }
}

/// The converters of which a registry is part.
const REGISTERED: [&str; 3] = [AVRO_CONVERTER, JSON_SCHEMA_CONVERTER, PROTOBUF_CONVERTER];
/// Each value of `output.data.format`, and its converter.
const FORMATS: [(&str, &str); 4] = [
    ("JSON", JSON_CONVERTER),
    ("AVRO", AVRO_CONVERTER),
    ("JSON_SR", JSON_SCHEMA_CONVERTER),
    ("PROTOBUF", PROTOBUF_CONVERTER),
];

/// What the converters need beyond each setting's own rules.
pub(super) fn check(settings: &Settings<'_>, values: &mut Vec<ConfigValue>) {
    let (format, given) = (settings.text("output.data.format"), settings.given("value.converter"));
    let by_format = FORMATS.iter().find(|(name, _)| name.eq_ignore_ascii_case(format)).map(|(_, class)| *class);
    if let (Some(by_format), Some(_), Some(_)) = (by_format, given, settings.given("output.data.format"))
        && by_format != class(settings, Side::Value)
    {
        entry(values, "value.converter").errors.push(format!(
            "value.converter contradicts output.data.format={format}, which stands for {by_format}; keep one of them"
        ));
    }
    for side in [Side::Key, Side::Value] {
        registry::show_urls(settings, side, values);
        if REGISTERED.contains(&class(settings, side)) {
            registry::check(settings, side, values);
        }
    }
}

/// The conversion of settings in which `check` found nothing.
pub(super) fn conversion(settings: &Settings<'_>, side: Side) -> Conversion {
    let class = class(settings, side);
    let flag = |option: &str| settings.flag(&side.option(option));
    let numeric = settings.text(&side.option("decimal.format")).eq_ignore_ascii_case("NUMERIC");
    let decimal_format = if numeric { DecimalFormat::Numeric } else { DecimalFormat::Base64 };
    let replace_null_with_default = flag("replace.null.with.default");
    let format = match class {
        AVRO_CONVERTER => Format::Avro(AvroOptions {
            connect_meta_data: flag("connect.meta.data"),
            scrub_invalid_names: flag("scrub.invalid.names"),
            allow_optional_map_keys: flag("allow.optional.map.keys"),
            ignore_default_for_nullables: flag("ignore.default.for.nullables"),
        }),
        JSON_SCHEMA_CONVERTER => Format::JsonSchema(JsonSchemaOptions {
            decimal_format,
            replace_null_with_default,
            additional_properties: flag("object.additional.properties"),
        }),
        PROTOBUF_CONVERTER => Format::Protobuf(ProtobufOptions {
            optional_for_nullables: flag("optional.for.nullables"),
            wrapper_for_nullables: flag("wrapper.for.nullables"),
            scrub_invalid_names: flag("scrub.invalid.names"),
        }),
        class => {
            let converter = match class {
                STRING_CONVERTER => Converter::Text,
                BYTES_CONVERTER => Converter::Bytes,
                _ => {
                    let schemas_enable = schemas_enable(settings, side);
                    let options = JsonOptions { decimal_format, replace_null_with_default, schemas_enable };
                    Converter::Json(JsonConverter::new(options))
                }
            };
            return Conversion { converter, registry: None, id_form: IdForm::Prefix };
        }
    };
    let in_header = settings.text(&side.own_option("schema.id.serializer")) == HEADER_SERIALIZER;
    Conversion {
        converter: Converter::Registered(Registered::new(
            format,
            settings.number(&side.option("schemas.cache.config")),
        )),
        registry: registry::registry(settings, side).map(Arc::new),
        id_form: if in_header { IdForm::Header } else { IdForm::Prefix },
    }
}

/// The converter's class, in full.
fn class(settings: &Settings<'_>, side: Side) -> &'static str {
    let all =
        [JSON_CONVERTER, AVRO_CONVERTER, JSON_SCHEMA_CONVERTER, PROTOBUF_CONVERTER, STRING_CONVERTER, BYTES_CONVERTER];
    let given = settings.text(side.stem());
    if !given.is_empty() {
        let is = |class: &&&str| **class == given || class.rsplit('.').next() == Some(given);
        return all.iter().find(is).copied().unwrap_or(JSON_CONVERTER);
    }
    let format = if side == Side::Value { settings.text("output.data.format") } else { "" };
    FORMATS.iter().find(|(name, _)| name.eq_ignore_ascii_case(format)).map_or(JSON_CONVERTER, |(_, class)| *class)
}

/// As Kafka Connect, an envelope where the converter is named and nothing is said about it.
fn schemas_enable(settings: &Settings<'_>, side: Side) -> bool {
    match settings.text(&side.option("schemas.enable")) {
        "" => !settings.text(side.stem()).is_empty() && settings.given("output.data.format").is_none(),
        given => given.eq_ignore_ascii_case("true"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::validate, *};

    /// The conversions of a configuration, or its findings.
    fn parse(changes: &[(&str, &str)]) -> Result<(Conversion, Conversion), String> {
        let base = [
            ("kafka.topic", "leads"),
            ("salesforce.username", "u"),
            ("salesforce.password", "p"),
            ("salesforce.consumer.key", "k"),
            ("salesforce.consumer.secret", "s"),
            ("salesforce.object", "Lead"),
            ("salesforce.push.topic.name", "Leads"),
        ];
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let given: Vec<(String, String)> = base.iter().chain(changes).map(pair).collect();
        let shown = format!("{:?}", validate::validate(&given));
        assert!(!shown.contains("canary"), "{shown}");
        validate::parse(&given).map(|config| (config.key, config.value)).map_err(|failure| failure.message)
    }

    const URL: (&str, &str) =
        ("value.converter.schema.registry.url", "https://u:canary@r.example:8081/api/, http://s/");

    #[test]
    fn formats_and_converters() {
        let kind = |conversion: &Conversion| match &conversion.converter {
            Converter::Registered(_) => {
                format!("{:?}", conversion.converter).split(['(', '{']).nth(2).map(str::to_owned)
            }
            other => Some(format!("{other:?}").split(' ').next().unwrap_or_default().to_owned()),
        };
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[], "Json(JsonConverter"),
            (&[("output.data.format", "json")], "Json(JsonConverter"),
            (&[("value.converter", STRING_CONVERTER)], "Text"),
            (&[("value.converter", "ByteArrayConverter")], "Bytes"),
        ];
        for (changes, expected) in cases {
            let (key, value) = parse(changes).expect("valid");
            assert_eq!(kind(&value).as_deref(), Some(*expected), "{changes:?}");
            assert_eq!(kind(&key).as_deref(), Some("Json(JsonConverter"));
        }
        for (name, value, format) in [
            ("output.data.format", "AVRO", "AVRO"),
            ("output.data.format", "json_sr", "JSON"),
            ("value.converter", PROTOBUF_CONVERTER, "PROTOBUF"),
            ("value.converter", "AvroConverter", "AVRO"),
        ] {
            let (_, conversion) = parse(&[(name, value), URL]).expect("valid");
            let Converter::Registered(mut registered) = conversion.converter else { panic!("{name}={value}") };
            let schema = crate::data::Schema::structure(Vec::new());
            let schema = Arc::new(schema);
            let empty = crate::data::Struct::empty(Arc::clone(&schema));
            let made = registered.convert(Some(&schema), &empty.into()).expect("it fits");
            assert_eq!(made.schema.map(|document| document.schema_type), Some(format));
            let registry = conversion.registry.expect("a registry");
            let urls: Vec<&str> = registry.endpoints.iter().map(|endpoint| endpoint.url.as_str()).collect();
            assert_eq!(urls, ["https://r.example:8081/api", "http://s"]);
            assert_eq!(registry.endpoints[0].authorization.as_ref().map(|s| s.expose()), Some("Basic dTpjYW5hcnk="));
            assert_eq!(registry.endpoints[1].authorization, None);
        }
    }

    #[test]
    fn envelopes_are_as_in_kafka_connect() {
        let enveloped = |changes: &[(&str, &str)]| {
            let (_, value) = parse(changes).expect("valid");
            let Converter::Json(json) = value.converter else { panic!("not JSON") };
            json.convert("t", Some(&crate::data::Schema::boolean()), &crate::data::Value::Boolean(true))
                .expect("it fits")
                .is_some_and(|bytes| bytes.starts_with(b"{\"schema\""))
        };
        let json = ("value.converter", JSON_CONVERTER);
        let (off, on) = (("value.converter.schemas.enable", "false"), ("value.converter.schemas.enable", "true"));
        assert!(!enveloped(&[]));
        assert!(enveloped(&[on]));
        assert!(enveloped(&[json]));
        assert!(!enveloped(&[json, off]));
        assert!(!enveloped(&[json, ("output.data.format", "JSON")]));
    }

    #[test]
    fn what_contradicts_or_is_missing_is_said() {
        let avro = ("output.data.format", "AVRO");
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[avro], "value.converter.schema.registry.url is missing"),
            (&[avro, ("value.converter.schema.registry.url", "r.example")], "must begin with https://"),
            (&[avro, ("value.converter.schema.registry.url", "https://")], "names no host"),
            (&[("key.converter", AVRO_CONVERTER)], "key.converter.schema.registry.url is missing"),
            (&[avro, URL, ("value.converter", JSON_CONVERTER)], "contradicts output.data.format=AVRO"),
            (&[avro, URL, ("value.converter.max.retries", "1001")], "between 0 and 1000"),
            (&[avro, URL, ("value.converter.max.retries", "-1")], "between 0 and 1000"),
            (&[avro, URL, ("value.converter.retries.wait.ms", "0")], "between 1 and 600000"),
            (&[avro, URL, ("value.converter.retries.max.wait.ms", "600001")], "between 1 and 600000"),
            (&[avro, URL, ("value.converter.schemas.cache.config", "0")], "between 1 and 100000"),
            (&[avro, URL, ("value.converter.basic.auth.credentials.source", "SASL_INHERIT")], "URL"),
            (&[avro, URL, ("value.converter.basic.auth.credentials.source", "USER_INFO")], "basic.auth.user.info"),
            (&[avro, URL, ("value.converter.bearer.auth.credentials.source", "STATIC_TOKEN")], "bearer.auth.token"),
            (&[avro, URL, ("value.converter.basic.auth.user.info", "canary")], "user:password"),
        ];
        for (changes, expected) in cases {
            let message = parse(changes).expect_err("a finding");
            assert!(message.contains(expected), "{changes:?}: {message}");
            assert!(!message.contains("canary"), "{message}");
        }
        for (name, value) in [("max.retries", "0"), ("max.retries", "1000"), ("retries.wait.ms", "1")] {
            assert!(parse(&[avro, URL, (&format!("value.converter.{name}"), value)]).is_ok(), "{name}={value}");
        }
    }
}
